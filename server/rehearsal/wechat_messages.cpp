// Messages and shipping reports of the played WeChat platform: the form is checked as the platform
// checks it, because a wrong one is what a shop must find before its buyers do.
#include "server/rehearsal/wechat_platform.h"
#include "shared/message_data.h"

namespace topup::rehearsal {
namespace {

using base::Json;

constexpr std::size_t kMaxItem = 120;

Answered failed(std::int64_t errcode, const std::string& errmsg) {
  return Answered::json({{"errcode", errcode}, {"errmsg", errmsg + " rid: rehearsal"}});
}

// "" when every value has the form of its key.
std::string wrong_value(const Json& data) {
  if (!data.is_object() || data.empty()) return "data";
  for (const auto& [key, cell] : data.items()) {
    const auto type = parse_message_type(key);
    const bool has_value = cell.is_object() && cell.contains("value") && cell["value"].is_string();
    if (!type || !has_value ||
        !check_message_value(*type, cell["value"].get<std::string>()).empty())
      return "data." + key + ".value";
  }
  return "";
}

// "2026-11-21T15:31:00.000+08:00"
bool is_upload_time(const std::string& text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00.000+00:00";
  if (text.size() != kForm.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kForm[i] == '0' ? !digit : text[i] != kForm[i]) return false;
  }
  return true;
}

}  // namespace

Answered WechatPlatform::message(const Asked& asked, bool is_template) {
  {
    const std::lock_guard lock(mutex_);
    ++message_calls_;
  }
  if (auto armed = fault()) return *armed;
  const std::string appid = bearer_of(asked);
  if (appid.empty()) return failed(40001, "invalid credential, access_token is invalid");
  const PlayedApp* app = app_of(appid);
  const AppKind kind = is_template ? AppKind::official_account : AppKind::mini_program;
  if (app == nullptr || app->kind != kind) return failed(48001, "api unauthorized");
  if (!is_template && armed_.take("not_subscribed"))
    return failed(43101, "user refuse to accept the msg");
  if (armed_.take("bad_template")) return failed(40037, "invalid template_id");
  const auto body = base::json_in(asked.body);
  if (!body) return failed(47001, "data format error");
  const std::string openid = base::text_in(*body, "touser").value_or("");
  const std::string id = base::text_in(*body, "template_id").value_or("");
  if (openid.size() != 28 || openid[0] != 'o') return failed(40003, "invalid openid");
  if (id.empty()) return failed(40037, "invalid template_id");
  const std::string wrong = body->contains("data") ? wrong_value((*body)["data"]) : "data";
  if (!wrong.empty() || armed_.take("bad_data"))
    return failed(
        47003, "argument invalid! " + (wrong.empty() ? "data.thing1.value" : wrong) + " invalid");
  const std::lock_guard lock(mutex_);
  const std::int64_t msgid = around().clock.wall_ms() * 1'000 + message_calls_ % 1'000;
  if (messages_.size() >= kMaxWechatMessages) messages_.erase(messages_.begin());
  messages_.push_back({{"msgid", msgid},
                       {"touser", openid},
                       {"template_id", id},
                       {"page", base::text_in(*body, "page").value_or("")},
                       {"data", (*body)["data"]},
                       {"way", is_template ? "template" : "subscribe"}});
  return Answered::json({{"errcode", 0}, {"errmsg", "ok"}, {"msgid", msgid}});
}

Answered WechatPlatform::shipping(const Asked& asked) {
  {
    const std::lock_guard lock(mutex_);
    ++shipping_calls_;
  }
  if (auto armed = fault()) return *armed;
  const std::string appid = bearer_of(asked);
  if (appid.empty()) return failed(40001, "invalid credential, access_token is invalid");
  if (armed_.take("shipping_lag")) return failed(10060001, "pay order not exist");
  if (armed_.take("shipping_refused")) return failed(10060023, "order is being refunded");
  const auto body = base::json_in(asked.body);
  if (!body) return failed(47001, "data format error");
  const auto key = base::object_in(*body, "order_key");
  const auto payer = base::object_in(*body, "payer");
  const bool formed = key && payer &&
                      base::integer_in(**key, "order_number_type", 2, 2).has_value() &&
                      !base::text_in(**payer, "openid").value_or("").empty() &&
                      base::integer_in(*body, "logistics_type", 1, 4).has_value() &&
                      base::integer_in(*body, "delivery_mode", 1, 1).has_value() &&
                      is_upload_time(base::text_in(*body, "upload_time").value_or("")) &&
                      body->contains("shipping_list") && (*body)["shipping_list"].is_array() &&
                      (*body)["shipping_list"].size() == 1;
  if (!formed) return failed(10060012, "request body is wrong");
  const std::string item =
      base::text_in((*body)["shipping_list"][0], "item_desc", 1'024).value_or("");
  const std::string payment = base::text_in(**key, "transaction_id").value_or("");
  if (item.empty() || item.size() > kMaxItem * 4 || payment.empty())
    return failed(10060012, "item_desc is wrong");
  const std::lock_guard lock(mutex_);
  if (shipped_.contains(payment)) return failed(10060003, "order has been shipped");
  shipped_[payment] = item;
  return Answered::json({{"errcode", 0}, {"errmsg", "ok"}});
}

}  // namespace topup::rehearsal
