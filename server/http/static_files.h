// The pages' files, read into memory once at start: the request path never touches the file system,
// so no path can lead out of the folder. Immutable after the mounts; thread-safe then. Byte ranges
// are not served.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "server/http/front.h"

namespace topup::http {

// Of all mounts together, compressed siblings included.
inline constexpr std::size_t kMaxStaticBytes = 32u << 20;
inline constexpr std::size_t kMaxStaticFiles = 4'000;

class StaticFiles {
 public:
  // Serves each regular file below `folder` at prefix + its relative path, and folder/index.html at
  // the prefix itself. Symbolic links and names that begin with a dot are left out; name.br is sent
  // for name to readers of Brotli. prefix: "/" or "/admin/". With `deep_links`, paths below the
  // prefix whose last segment has no dot get index.html. `policy` is the Content-Security-Policy of
  // the HTML. Throws std::runtime_error when the folder cannot be read or a cap is passed.
  void mount(std::string_view prefix, const std::string& folder, bool deep_links,
             const std::string& policy);

  // Serves the file of `from` at `path` too, and there alone lets pages of this server show it in a
  // frame. Nothing happens without such a file.
  void add_framed(std::string_view path, std::string_view from);

  // The whole answer, 200 or 304, to a GET or HEAD; nothing when no file is served there. At "/" it
  // is the page of that theme (index.<theme>.html) when there is one.
  std::optional<std::string> answer(const WireRequest& request, std::string_view theme = {}) const;

  std::size_t count() const { return files_.size(); }

 private:
  struct Variant {
    std::string body;
    std::string tag;     // strong ETag with its quotes
    std::string fields;  // header lines without Content-Length
  };
  struct File {
    Variant plain;
    std::optional<Variant> brotli;
  };
  void read_folder(std::string_view prefix, const std::string& folder, const std::string& policy);
  void add(const std::string& path, std::string body, const std::string& policy);
  void pair_brotli();
  const File* find(std::string_view path) const;
  const File* themed(std::string_view path, std::string_view theme) const;
  void count_bytes(std::size_t more);

  std::unordered_map<std::string, File> files_;  // by decoded path
  std::vector<std::string> deep_prefixes_;       // mounts with deep_links
  std::size_t bytes_ = 0;
};

// text/javascript; charset=utf-8 for .js, application/wasm for .wasm …; application/octet-stream
// for the unknown.
std::string_view content_type_of(std::string_view path);
// Whether the last part of the path holds a build hash (name-1a2b3c4d.js, name.1a2b3c4d.js): such a
// file never changes.
bool has_hash(std::string_view path);

}  // namespace topup::http
