#include "server/notify/sms.h"

#include <utility>

#include "server/base/crypto.h"
#include "server/base/json.h"
#include "server/base/log.h"

namespace topup::notify {
namespace {

constexpr std::int64_t kDeadlineMs = 8'000;

class HttpSms final : public SmsSender {
 public:
  HttpSms(HttpSmsConfig config, base::Outbound& outbound, const base::Clock& clock)
      : config_(std::move(config)), outbound_(outbound), clock_(clock) {}

  SmsOutcome send(const Sms& message) override {
    base::Json params = base::Json::object();
    for (const auto& [name, value] : message.params) params[name] = value;
    const bool is_code = message.template_name.empty();
    if (is_code) params = {{"code", message.code}, {"minutes", std::to_string(message.minutes)}};
    const base::Json body = {{"to", message.to},
                             {"template", is_code ? config_.template_name : message.template_name},
                             {"params", params},
                             {"reference", message.reference}};
    base::OutboundRequest request;
    request.method = "POST";
    request.target = config_.path;
    request.body = body.dump();
    request.deadline_ms = kDeadlineMs;
    const std::string timestamp = std::to_string(clock_.wall_ms() / 1'000);
    const std::string text = timestamp + "\n" + config_.path + "\n" + request.body;
    request.headers = {{"Content-Type", "application/json"},
                       {"X-Topup-Timestamp", timestamp},
                       {"X-Topup-Signature", base::hex(base::hmac_sha256(config_.key, text))}};
    return read(outbound_.call(request));
  }

 private:
  static SmsOutcome read(const base::OutboundReply& reply) {
    using Kind = base::OutboundReply::Kind;
    if (reply.kind == Kind::not_sent) return SmsOutcome::refused;
    if (reply.kind != Kind::answered) return SmsOutcome::unknown;
    if (reply.status >= 200 && reply.status < 300) return SmsOutcome::sent;
    base::log(base::Level::warn, "sms_gateway_refused", {{"status", reply.status}});
    return reply.status >= 400 && reply.status < 500 ? SmsOutcome::refused : SmsOutcome::unknown;
  }

  const HttpSmsConfig config_;
  base::Outbound& outbound_;
  const base::Clock& clock_;
};

}  // namespace

std::unique_ptr<SmsSender> make_http_sms(HttpSmsConfig config, base::Outbound& outbound,
                                         const base::Clock& clock) {
  return std::make_unique<HttpSms>(std::move(config), outbound, clock);
}

}  // namespace topup::notify
