#include "server/entrance.h"

#include <utility>

namespace topup {
namespace {

constexpr std::string_view kLoopback = "127.0.0.1:";

std::string bodyless(std::string_view status, std::string_view header) {
  return "HTTP/1.1 " + std::string(status) + "\r\n" + std::string(header) +
         "\r\nContent-Length: 0\r\n\r\n";
}

std::string_view host_of(const http::WireRequest& request) {
  for (const auto& [name, value] : request.headers) {
    if (name == "host") return value;
  }
  return {};
}

}  // namespace

void Entrance::set_origin(std::string host_and_port) {
  host_ = std::move(host_and_port);
  if (host_.starts_with(kLoopback)) other_host_ = "localhost:" + host_.substr(kLoopback.size());
}

std::size_t Entrance::body_limit(std::string_view method, std::string_view path) {
  http::Site* site = site_.load();
  return site == nullptr ? 0 : site->body_limit(method, path);
}

http::RouteTimes Entrance::times(std::string_view method, std::string_view path) {
  http::Site* site = site_.load();
  return site == nullptr ? http::RouteTimes{} : site->times(method, path);
}

void Entrance::handle(http::WireRequest request, http::Answer answer) {
  http::Site* site = site_.load();
  if (site == nullptr)
    return answer(bodyless("503 Service Unavailable", "Retry-After: 1"), request.keep_alive);
  const bool is_page = request.method == "GET" && !request.target.starts_with("/api/");
  if (is_page && !other_host_.empty() && host_of(request) == other_host_) {
    return answer(bodyless("307 Temporary Redirect", "Location: http://" + host_ + request.target),
                  request.keep_alive);
  }
  site->handle(std::move(request), std::move(answer));
}

bool Entrance::ws_open(http::WsId id, const http::WireRequest& request) {
  http::Site* site = site_.load();
  return site != nullptr && site->ws_open(id, request);
}
void Entrance::ws_message(http::WsId id, std::string_view text) {
  if (http::Site* site = site_.load()) site->ws_message(id, text);
}
void Entrance::ws_closed(http::WsId id) {
  if (http::Site* site = site_.load()) site->ws_closed(id);
}

}  // namespace topup
