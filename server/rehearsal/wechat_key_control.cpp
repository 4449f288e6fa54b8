// The part of the control page that moves keys.
#include "server/rehearsal/wechat_pay.h"

namespace topup::rehearsal {
namespace {

using base::Json;

constexpr std::int64_t kMostLifeS = std::int64_t{5} * 365 * 86'400;
constexpr std::size_t kMaxPem = 8 * 1024;

Answered refused(std::string_view why) {
  return Answered::json({{"code", "CONTROL_REFUSED"}, {"message", why}}, 400);
}

std::optional<Json> read_body(const Asked& asked) {
  if (asked.header("content-type").substr(0, 16) != "application/json") return {};
  auto body = base::json_in(asked.body);
  if (!body || !body->is_object()) return {};
  return std::move(*body);
}

// What stands there, or `missing`; nothing when it is no percentage.
std::optional<std::int64_t> percent_in(const Json& body, const char* key, std::int64_t missing) {
  if (!body.contains(key)) return missing;
  const auto found = base::integer_in(body, key, 0, 100);
  return found ? std::optional(*found) : std::nullopt;
}

}  // namespace

Answered WechatPay::control_keys(const Asked& asked) {
  if (asked.method == "GET") return Answered::json(keys_.told());
  const auto body = read_body(asked);
  if (!body) return refused("wants a JSON object");
  if (body->contains("mode")) {
    const auto mode = parse_key_mode(base::text_in(*body, "mode").value_or(""));
    const auto percent = percent_in(*body, "public_key_percent", 50);
    if (!mode || !percent)
      return refused("mode is certificates, migrating or public_key; percentages are 0 to 100");
    keys_.set_mode(*mode, *percent);
  }
  if (body->contains("new_percent")) {
    const auto percent = percent_in(*body, "new_percent", 0);
    if (!percent) return refused("new_percent is 0 to 100");
    keys_.set_new_percent(*percent);
  }
  return Answered::json(keys_.told());
}

Answered WechatPay::control_rotate(const Asked& asked) {
  const auto body = read_body(asked);
  if (!body) return refused("wants a JSON object");
  std::int64_t lives_s = kMostLifeS;
  if (body->contains("lives_s")) {
    const auto wanted = base::integer_in(*body, "lives_s", 1, kMostLifeS);
    if (!wanted) return refused("lives_s is 1 to five years");
    lives_s = *wanted;
  }
  const auto percent = percent_in(*body, "new_percent", 0);
  if (!percent) return refused("new_percent is 0 to 100");
  keys_.set_new_percent(*percent);
  return Answered::json({{"serial", keys_.rotate(lives_s)}});
}

Answered WechatPay::control_merchant(const Asked& asked) {
  const auto body = read_body(asked);
  if (!body) return refused("wants a JSON object");
  const auto serial = base::text_in(*body, "serial_no", 40);
  const auto pem = base::text_in(*body, "public_key_pem", kMaxPem);
  if (!serial || serial->size() != 40 || !pem || !base::RsaKey::from_public_pem(*pem))
    return refused("wants serial_no (40 hex digits) and public_key_pem");
  keys_.add_merchant_key(*serial, *pem);
  return Answered::json({{"serial_no", *serial}});
}

// What an operator would have read in the merchant's console: another shop may be set up with it.
Answered WechatPay::control_contract() const {
  return Answered::json({{"mchid", identity_.contract.mchid},
                         {"appid", identity_.contract.appid},
                         {"sub_mchids", identity_.contract.sub_mchids},
                         {"serial_no", identity_.merchant_serial_no},
                         {"private_key_pem", identity_.merchant_key.private_pem()},
                         {"apiv3_key", identity_.apiv3_key},
                         {"public_key_id", identity_.platform_key_id},
                         {"public_key_pem", identity_.platform_key.public_pem()},
                         {"authority_pem", keys_.authority_pem()}});
}

}  // namespace topup::rehearsal
