// The address is taken before the shop behind it is open: a port in use is reported at once, and
// parties can be told where the shop is. Until set_site() every request is answered 503. A loopback
// name other than the shop's own is sent to the shop's origin, because a browser keeps another
// storage, and so another session, for each name.
#pragma once

#include <atomic>
#include <string>

#include "server/http/front.h"

namespace topup {

class Entrance final : public http::Site {
 public:
  void set_site(http::Site* site) { site_.store(site); }
  void set_origin(std::string host_and_port);  // "127.0.0.1:8080"; before start()

  std::size_t body_limit(std::string_view method, std::string_view path) override;
  http::RouteTimes times(std::string_view method, std::string_view path) override;
  void handle(http::WireRequest request, http::Answer answer) override;
  bool ws_open(http::WsId id, const http::WireRequest& request) override;
  void ws_message(http::WsId id, std::string_view text) override;
  void ws_closed(http::WsId id) override;

 private:
  std::atomic<http::Site*> site_{nullptr};
  std::string host_, other_host_;
};

}  // namespace topup
