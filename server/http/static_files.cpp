#include "server/http/static_files.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "server/base/crypto.h"
#include "server/http/message.h"
#include "server/http/router.h"
#include "shared/check.h"

namespace topup::http {
namespace {

constexpr std::size_t kTagHexDigits = 32;
constexpr std::size_t kMinHashBytes = 8;
constexpr std::size_t kMaxTagsAsked = 16;
constexpr std::string_view kIndex = "index.html";

std::string read_file(const std::filesystem::path& path, std::size_t size) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes(size, '\0');
  if (!file.read(bytes.data(), static_cast<std::streamsize>(size))) {
    throw std::runtime_error("cannot read " + path.string());
  }
  return bytes;
}

std::string_view last_segment(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// "app.js" has one; "wechat.2026-11-22", the name of a thing that a page shows, has none.
bool has_ending(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot != std::string_view::npos &&
         (dot + 1 == name.size() || name[dot + 1] < '0' || name[dot + 1] > '9');
}

// Letters and digits of a hash; a word of a name ("-worker") has neither a digit nor a capital.
bool is_hash(std::string_view text) {
  const auto is_alnum = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const auto marks = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); };
  return text.size() >= kMinHashBytes && std::all_of(text.begin(), text.end(), is_alnum) &&
         std::any_of(text.begin(), text.end(), marks);
}

std::string header_lines(std::string_view path, const std::string& tag, const std::string& policy) {
  const std::string_view type = content_type_of(path);
  std::string lines;
  const auto line = [&lines](std::string_view name, std::string_view value) {
    lines.append(name).append(": ").append(value).append("\r\n");
  };
  line("Content-Type", type);
  line("ETag", tag);
  line("Cache-Control", has_hash(path) ? "public, max-age=31536000, immutable" : "no-cache");
  for (const auto& [name, value] : kSafetyHeaders) line(name, value);
  if (type.starts_with("text/html")) line("Content-Security-Policy", policy);
  return lines;
}

std::string tag_of(std::string_view body) {
  return '"' + base::hex(base::sha256(body)).substr(0, kTagHexDigits) + '"';
}

// If-None-Match compares weakly: a W/ in front does not matter (RFC 9110 §13.1.2).
bool asks_for(std::string_view tags, std::string_view tag) {
  for (std::size_t i = 0; i < kMaxTagsAsked && !tags.empty(); ++i) {
    const std::size_t comma = tags.find(',');
    std::string_view one = tags.substr(0, comma);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == tag || one == "*") return true;
    tags.remove_prefix(comma == std::string_view::npos ? tags.size() : comma + 1);
  }
  return false;
}

// "br" with any weight but 0.
bool reads_brotli(std::string_view accepted) {
  while (!accepted.empty()) {
    const std::size_t comma = accepted.find(',');
    std::string one(accepted.substr(0, comma));
    std::erase(one, ' ');
    if (one == "br") return true;
    if (one.starts_with("br;q=")) return one.find_first_of("123456789") != std::string::npos;
    accepted.remove_prefix(comma == std::string_view::npos ? accepted.size() : comma + 1);
  }
  return false;
}

}  // namespace

std::string_view content_type_of(std::string_view path) {
  static constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".mjs", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".wasm", "application/wasm"},
      {".json", "application/json"},
      {".map", "application/json"},
      {".webmanifest", "application/manifest+json"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".jpg", "image/jpeg"},
      {".jpeg", "image/jpeg"},
      {".gif", "image/gif"},
      {".webp", "image/webp"},
      {".ico", "image/x-icon"},
      {".woff", "font/woff"},
      {".woff2", "font/woff2"},
      {".ttf", "font/ttf"},
      {".txt", "text/plain; charset=utf-8"},
      {".xml", "application/xml"},
      {".yaml", "application/yaml"},
  };
  for (const auto& [ending, type] : kTypes) {
    if (path.ends_with(ending)) return type;
  }
  return "application/octet-stream";
}

bool has_hash(std::string_view path) {
  std::string_view name = last_segment(path);
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return false;
  name = name.substr(0, dot);
  // Vite's hashes are eight characters of base64url and may hold a '-' themselves.
  if (name.size() > kMinHashBytes && name[name.size() - kMinHashBytes - 1] == '-') {
    std::string tail(name.substr(name.size() - kMinHashBytes));
    std::replace(tail.begin(), tail.end(), '-', '_');
    if (is_hash(tail)) return true;
  }
  while (!name.empty()) {
    const std::size_t mark = name.find_first_of(".-");
    if (mark == std::string_view::npos) return false;
    name.remove_prefix(mark + 1);
    if (is_hash(name.substr(0, name.find_first_of(".-")))) return true;
  }
  return false;
}

void StaticFiles::mount(std::string_view prefix, const std::string& folder, bool deep_links,
                        const std::string& policy) {
  read_folder(prefix, folder, policy);
  pair_brotli();
  if (deep_links) deep_prefixes_.emplace_back(prefix);
}

void StaticFiles::read_folder(std::string_view prefix, const std::string& folder,
                              const std::string& policy) {
  namespace fs = std::filesystem;
  std::error_code failure;
  if (!fs::is_directory(folder, failure)) throw std::runtime_error("no folder at " + folder);
  for (auto at = fs::recursive_directory_iterator(folder); at != fs::recursive_directory_iterator();
       ++at) {
    if (at->path().filename().string().starts_with('.')) {
      at.disable_recursion_pending();
      continue;
    }
    if (!fs::is_regular_file(at->symlink_status())) continue;
    // By its name alone: asking the system for each of hundreds of paths is most of a start.
    const std::string relative = at->path().lexically_relative(folder).generic_string();
    const auto size = static_cast<std::size_t>(at->file_size());
    count_bytes(size);
    add(std::string(prefix) + relative, read_file(at->path(), size), policy);
  }
}

void StaticFiles::count_bytes(std::size_t more) {
  bytes_ += more;
  if (bytes_ > kMaxStaticBytes) throw std::runtime_error("static files are larger than 32 MB");
  if (files_.size() >= kMaxStaticFiles) throw std::runtime_error("more than 4,000 static files");
}

void StaticFiles::add(const std::string& path, std::string body, const std::string& policy) {
  const std::string tag = tag_of(body);
  const std::string fields = header_lines(path, tag, policy);
  files_[path].plain = Variant{std::move(body), tag, fields};
}

// Turns each name.br that has a name beside it into the other form of that file.
void StaticFiles::pair_brotli() {
  for (auto& [path, file] : files_) {
    const auto packed = files_.find(path + ".br");
    if (packed == files_.end() || file.brotli) continue;
    Variant variant = std::move(packed->second.plain);
    variant.fields = file.plain.fields;
    const std::size_t at = variant.fields.find(file.plain.tag);
    variant.fields.replace(at, file.plain.tag.size(), variant.tag);
    variant.fields += "Content-Encoding: br\r\nVary: Accept-Encoding\r\n";
    file.plain.fields += "Vary: Accept-Encoding\r\n";
    file.brotli = std::move(variant);
  }
  std::erase_if(files_, [this](const auto& entry) {
    const std::string& path = entry.first;
    return path.ends_with(".br") && files_.contains(path.substr(0, path.size() - 3));
  });
}

const StaticFiles::File* StaticFiles::find(std::string_view path) const {
  std::string plain;
  // One slash at the end names a folder; path_segments() takes none.
  const bool is_folder = path.size() > 1 && path.ends_with('/');
  const auto segments = path_segments(is_folder ? path.substr(0, path.size() - 1) : path);
  if (!segments) return nullptr;
  for (const std::string& segment : *segments) plain.append("/").append(segment);
  if (!is_folder && !segments->empty()) {
    const auto exact = files_.find(plain);
    if (exact != files_.end()) return &exact->second;
  }
  const bool is_deep = !is_folder && !has_ending(last_segment(plain));
  plain += '/';
  for (const std::string& prefix : deep_prefixes_) {
    const bool below = plain == prefix || (is_deep && plain.starts_with(prefix));
    if (!below) continue;
    const auto index = files_.find(prefix + std::string(kIndex));
    if (index != files_.end()) return &index->second;
  }
  if (plain != "/") return nullptr;
  const auto index = files_.find("/" + std::string(kIndex));
  return index == files_.end() ? nullptr : &index->second;
}

void StaticFiles::add_framed(std::string_view path, std::string_view from) {
  const auto found = files_.find(std::string(from));
  if (found == files_.end()) return;
  File framed = found->second;
  const auto allow = [](Variant* variant) {
    for (const auto& [never, own] :
         {std::pair{"X-Frame-Options: DENY", "X-Frame-Options: SAMEORIGIN"},
          {"frame-ancestors 'none'", "frame-ancestors 'self'"}}) {
      const std::size_t at = variant->fields.find(never);
      check(at != std::string::npos, "every page says who may frame it");
      variant->fields.replace(at, std::string_view(never).size(), own);
    }
  };
  allow(&framed.plain);
  if (framed.brotli) allow(&*framed.brotli);
  files_[std::string(path)] = std::move(framed);
}

const StaticFiles::File* StaticFiles::themed(std::string_view path, std::string_view theme) const {
  if (path != "/" || theme.empty()) return nullptr;
  const auto found = files_.find("/index." + std::string(theme) + ".html");
  return found == files_.end() ? nullptr : &found->second;
}

std::optional<std::string> StaticFiles::answer(const WireRequest& request,
                                               std::string_view theme) const {
  const std::string_view path = path_of(request.target);
  const File* file = themed(path, theme);
  if (file == nullptr) file = find(path);
  if (file == nullptr) return std::nullopt;
  const bool packed = file->brotli && reads_brotli(header_of(request, "accept-encoding"));
  const Variant& variant = packed ? *file->brotli : file->plain;
  if (asks_for(header_of(request, "if-none-match"), variant.tag)) {
    return answer_start(304, request.keep_alive) + variant.fields + "\r\n";
  }
  std::string bytes = answer_start(200, request.keep_alive);
  bytes.reserve(bytes.size() + variant.fields.size() + variant.body.size() + 64);
  bytes += variant.fields;
  bytes.append("Content-Length: ").append(std::to_string(variant.body.size())).append("\r\n\r\n");
  if (request.method != "HEAD") bytes += variant.body;
  return bytes;
}

}  // namespace topup::http
