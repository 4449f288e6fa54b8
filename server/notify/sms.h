// Short messages through a gateway. make_http_sms() posts {"to","template","params","reference"} as
// JSON, signed: X-Topup-Timestamp (seconds) and X-Topup-Signature, the hexadecimal HMAC-SHA-256 of
// "timestamp\npath\nbody" under the key both sides hold. 2xx is accepted; 4xx, and a call of which
// no byte left, was not sent; anything else is unknown. `reference` is the same for the same
// message, so that a gateway can drop a double. Thread-safe. Neither code nor number is ever
// logged.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/base/clock.h"
#include "server/base/http_client.h"

namespace topup::notify {

struct Sms {
  std::string to;  // "+8613800001234"
  std::string code;
  std::int64_t minutes = 0;  // how long the code is good
  std::string reference;
  // A message that is no code: the gateway's template and what stands in it.
  std::string template_name = {};
  std::vector<std::pair<std::string, std::string>> params = {};
};
enum class SmsOutcome : std::uint8_t { sent, refused, unknown };

class SmsSender {
 public:
  virtual ~SmsSender() = default;
  virtual SmsOutcome send(const Sms& message) = 0;  // blocks up to its deadline
};

struct HttpSmsConfig {
  std::string path;           // "/send"
  std::string key;            // shared with the gateway
  std::string template_name;  // of the gateway
};
std::unique_ptr<SmsSender> make_http_sms(HttpSmsConfig config, base::Outbound& outbound,
                                         const base::Clock& clock);

}  // namespace topup::notify
