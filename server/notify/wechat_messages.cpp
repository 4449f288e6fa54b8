#include "server/notify/wechat_messages.h"

#include <array>
#include <cstdint>
#include <cstdio>

#include "shared/time_point.h"

namespace topup::notify {
namespace {

using base::Json;

struct Meaning {
  std::int64_t errcode;
  SendOutcome outcome;
};
constexpr std::array kMeanings = {
    Meaning{0, SendOutcome::sent},
    Meaning{43101, SendOutcome::no_quota},
    Meaning{47003, SendOutcome::bad_template},
    Meaning{40037, SendOutcome::bad_template},
    Meaning{41030, SendOutcome::bad_template},
    Meaning{45168, SendOutcome::bad_template},
    Meaning{40003, SendOutcome::bad_receiver},
    Meaning{43004, SendOutcome::bad_receiver},
};

constexpr std::int64_t kNotShippable = 10060004;
constexpr std::int64_t kShippedBefore = 10060003;
constexpr std::int64_t kNotKnownYet = 10060001;
constexpr std::int64_t kTooOften = 45009;

Json lines_json(const WechatMessage& message) {
  Json data = Json::object();
  for (const auto& [key, value] : message.lines) data[key] = {{"value", value}};
  return data;
}

Sent outcome_of(const Result<base::WechatSaid>& said) {
  Sent sent;
  if (!said) {
    sent.code = std::string(said.error().reason);
    return sent;
  }
  for (const Meaning& meaning : kMeanings) {
    if (meaning.errcode == said->errcode) sent.outcome = meaning.outcome;
  }
  if (sent.outcome == SendOutcome::sent) {
    // A number, in some answers a text.
    const auto number = base::integer_in(said->body, "msgid", 0, INT64_MAX);
    sent.party_id =
        number ? std::to_string(*number) : base::text_in(said->body, "msgid", 64).value_or("");
    return sent;
  }
  sent.code = std::to_string(said->errcode);
  sent.detail = said->errmsg;
  return sent;
}

}  // namespace

std::string_view word_of(SendOutcome outcome) {
  switch (outcome) {
    case SendOutcome::sent:
      return "sent";
    case SendOutcome::no_quota:
      return "no_quota";
    case SendOutcome::bad_template:
      return "bad_template";
    case SendOutcome::bad_receiver:
      return "bad_receiver";
    case SendOutcome::unavailable:
      break;
  }
  return "unavailable";
}

Sent send_subscribe(base::WechatApp& mini, const WechatMessage& message) {
  Json body = {{"touser", message.openid},
               {"template_id", message.template_id},
               {"data", lines_json(message)},
               {"miniprogram_state", "formal"},
               {"lang", "zh_CN"}};
  if (!message.page.empty()) body["page"] = message.page;
  return outcome_of(mini.call("/cgi-bin/message/subscribe/send", body));
}

Sent send_template(base::WechatApp& oa, const WechatMessage& message,
                   const std::string& mini_appid) {
  Json body = {{"touser", message.openid},
               {"template_id", message.template_id},
               {"data", lines_json(message)}};
  if (!mini_appid.empty() && !message.page.empty())
    body["miniprogram"] = {{"appid", mini_appid}, {"pagepath", message.page}};
  return outcome_of(oa.call("/cgi-bin/message/template/send", body));
}

std::string shanghai_time_text(std::int64_t at_ms) {
  const std::int64_t day = start_of_day_ms(at_ms, kShanghaiOffsetMs);
  const int rest = static_cast<int>(at_ms - day);
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "T%02d:%02d:%02d.%03d+08:00", rest / 3'600'000,
                rest / 60'000 % 60, rest / 1'000 % 60, rest % 1'000);
  return day_text(at_ms, kShanghaiOffsetMs) + text.data();
}

Shipped upload_shipping(base::WechatApp& mini, const Shipping& shipping) {
  const Json body = {
      {"order_key", {{"order_number_type", 2}, {"transaction_id", shipping.transaction_id}}},
      {"logistics_type", 3},
      {"delivery_mode", 1},
      {"shipping_list", Json::array({{{"item_desc", shipping.item}}})},
      {"upload_time", shanghai_time_text(shipping.at_ms)},
      {"payer", {{"openid", shipping.openid}}}};
  const auto said = mini.call("/wxa/sec/order/upload_shipping_info", body);
  Shipped shipped;
  if (!said) {
    shipped.code = std::string(said.error().reason);
    return shipped;
  }
  if (said->errcode == 0 || said->errcode == kShippedBefore) {
    shipped.outcome = ShippingOutcome::reported;
    return shipped;
  }
  shipped.code = std::to_string(said->errcode);
  shipped.detail = said->errmsg;
  const bool later =
      said->errcode == kNotShippable || said->errcode == kNotKnownYet || said->errcode == kTooOften;
  if (!later) shipped.outcome = ShippingOutcome::refused;
  return shipped;
}

}  // namespace topup::notify
