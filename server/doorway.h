// What the configuration says about the door, and the door opened accordingly: one port with or
// without TLS, and, beside TLS, one that sends plain HTTP there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/config.h"
#include "server/http/front.h"

namespace topup {

// What would keep the door from opening as it is configured, one sentence each: unusable
// certificates, an origin that is not https.
std::vector<std::string> door_mistakes(const ServerSection& server, std::int64_t wall_ms);

http::Limits door_limits(const ServerSection& server);

// Lets this process have as many descriptors as the system allows it, once and at the beginning.
void raise_descriptor_limit();

// Answers GET and HEAD with 308 to the same place at `origin`, all else with 426. What a client
// sent in the clear is never passed on.
class Redirect final : public http::Site {
 public:
  explicit Redirect(std::string origin) : origin_(std::move(origin)) {}
  std::size_t body_limit(std::string_view method, std::string_view path) override;
  void handle(http::WireRequest request, http::Answer answer) override;

 private:
  const std::string origin_;
};

// Listens for `site` as configured, and for `redirect` on redirect_port. Throws std::runtime_error
// in words. Returns the port of `site`.
std::uint16_t open_door(http::Front& front, const ServerSection& server, http::Site& site,
                        Redirect& redirect);

}  // namespace topup
