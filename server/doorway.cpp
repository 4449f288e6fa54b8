#include "server/doorway.h"

#include <sys/resource.h>

#include <stdexcept>

#include "server/http/message.h"

namespace topup {
namespace {

constexpr std::string_view kHttps = "https://";
constexpr std::size_t kIgnoredBodyBytes = 64 * 1024;  // read and thrown away before the 426
constexpr rlim_t kMaxDescriptors = 65'536;

bool has_tls(const ServerSection& server) { return !server.tls_certificate_file.empty(); }

// scheme://host[:port] and nothing behind it: paths are joined to it.
bool is_https_origin(const std::string& origin) {
  return origin.starts_with(kHttps) && origin.size() > kHttps.size() &&
         origin.find_first_of("/?#@ ", kHttps.size()) == std::string::npos &&
         http::is_clean_header("Location", origin);
}

}  // namespace

std::vector<std::string> door_mistakes(const ServerSection& server, std::int64_t wall_ms) {
  std::vector<std::string> mistakes;
  if (has_tls(server)) {
    const http::TlsFiles files{server.tls_certificate_file, server.tls_key_file};
    for (const std::string& mistake : http::tls_mistakes(files, wall_ms)) {
      mistakes.push_back("[server] " + mistake);
    }
  }
  if ((has_tls(server) || server.redirect_port != 0) && !is_https_origin(server.public_origin)) {
    mistakes.push_back(
        "[server] public_origin must look like https://shop.example, without a path, when "
        "tls_certificate_file or redirect_port is set");
  }
  if (server.redirect_port != 0 && server.redirect_port == server.port) {
    mistakes.push_back("[server] redirect_port must not be the port of the shop");
  }
  return mistakes;
}

http::Limits door_limits(const ServerSection& server) {
  http::Limits limits;
  std::vector<http::AddressRange> ranges;
  for (const std::string& text : server.trusted_proxies) {
    if (const auto range = http::parse_range(text)) ranges.push_back(*range);
  }
  limits.trusted_proxies = http::TrustedProxies(std::move(ranges));
  return limits;
}

void raise_descriptor_limit() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= kMaxDescriptors) return;
  files.rlim_cur = files.rlim_max < kMaxDescriptors ? files.rlim_max : kMaxDescriptors;
  ::setrlimit(RLIMIT_NOFILE, &files);  // If not, the door takes fewer connections.
}

std::size_t Redirect::body_limit(std::string_view, std::string_view) { return kIgnoredBodyBytes; }

void Redirect::handle(http::WireRequest request, http::Answer answer) {
  http::Response response;
  response.content_type = "text/plain";
  const bool is_read = request.method == "GET" || request.method == "HEAD";
  if (is_read) {
    response.status = 308;
    response.headers.emplace_back("Location", origin_ + request.target);
  } else {
    response.status = 426;
    response.body = "Send this to " + origin_ + "\n";
    response.headers.emplace_back("Upgrade", "TLS/1.2, HTTP/1.1");
    response.headers.emplace_back("Connection", "Upgrade");
  }
  const bool keep_alive = is_read && request.keep_alive;
  answer(http::answer_bytes(response, keep_alive, request.method == "HEAD"), keep_alive);
}

std::uint16_t open_door(http::Front& front, const ServerSection& server, http::Site& site,
                        Redirect& redirect) {
  const http::TlsFiles files{server.tls_certificate_file, server.tls_key_file};
  const std::uint16_t port = has_tls(server)
                                 ? front.listen_tls(server.address, server.port, site, files)
                                 : front.listen(server.address, server.port, site);
  if (server.redirect_port != 0) front.listen(server.address, server.redirect_port, redirect);
  return port;
}

}  // namespace topup
