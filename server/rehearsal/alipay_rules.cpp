#include "server/rehearsal/alipay_rules.h"

#include <algorithm>

namespace topup::rehearsal {
namespace {

using base::Json;

AlipayRefusal invalid(std::string_view what) {
  return {.sub_code = "ACQ.INVALID_PARAMETER", .sub_msg = "参数无效: " + std::string(what)};
}

std::string text_of(const Json& object, const char* key, std::size_t max_bytes = 512) {
  return base::text_in(object, key, max_bytes).value_or("");
}

bool is_number_text(std::string_view text, std::size_t max) {
  return !text.empty() && text.size() <= max && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  });
}

bool is_ours(const std::string& url, const AlipayContract& contract) {
  const auto address = parse_web_address(url);
  return address && (is_loopback_host(address->host) || address->origin == contract.shop_origin);
}

}  // namespace

std::string alipay_param(const Pairs& params, std::string_view name) {
  for (const auto& [key, value] : params) {
    if (key == name) return value;
  }
  return {};
}

std::string yuan_of(std::int64_t fen) { return decimal_text({fen, Currency::cny}); }

std::optional<std::int64_t> fen_of(std::string_view yuan) {
  const auto money = parse_decimal(yuan, Currency::cny);
  if (!money || money->minor < 1 || money->minor > kMaxAlipayFen) return std::nullopt;
  return money->minor;
}

std::optional<Json> alipay_content(const Pairs& params) {
  auto content = base::json_in(alipay_param(params, "biz_content"));
  if (!content || !content->is_object()) return std::nullopt;
  return std::move(*content);
}

std::variant<AlipayTradeFields, AlipayRefusal> check_alipay_trade(const Pairs& params, bool is_wap,
                                                                  const AlipayContract& contract,
                                                                  std::int64_t now_ms) {
  const auto content = alipay_content(params);
  if (!content) return AlipayRefusal{"40001", "isv.missing-parameter", "biz_content"};
  AlipayTradeFields out;
  out.out_trade_no = text_of(*content, "out_trade_no");
  out.subject = text_of(*content, "subject");
  out.product_code = text_of(*content, "product_code");
  out.buyer_open_id = text_of(*content, "buyer_open_id");
  out.notify_url = alipay_param(params, "notify_url");
  out.return_url = alipay_param(params, "return_url");
  if (!is_number_text(out.out_trade_no, 64)) return invalid("out_trade_no");
  const auto total = fen_of(text_of(*content, "total_amount"));
  if (!total) return invalid("total_amount");
  out.total_fen = *total;
  if (out.subject.empty() || out.subject.find_first_of("/=&") != std::string::npos)
    return invalid("subject");
  if (out.product_code != (is_wap ? "QUICK_WAP_WAY" : "JSAPI_PAY")) return invalid("product_code");
  if (!is_ours(out.notify_url, contract) || out.notify_url.find('?') != std::string::npos)
    return invalid("notify_url");
  if (!is_wap && text_of(*content, "op_app_id") != contract.op_app_id) return invalid("op_app_id");
  if (!is_wap && out.buyer_open_id.empty()) return invalid("buyer_open_id");
  std::string expires = text_of(*content, "time_expire");
  out.expires_ms = now_ms + kAlipayDefaultExpiryMs;
  if (!expires.empty()) {
    if (expires.size() != 19 || expires[10] != ' ') return invalid("time_expire");
    expires[10] = 'T';
    const auto at = parse_rfc3339(expires + "+08:00");
    if (!at) return invalid("time_expire");
    out.expires_ms = *at;
  }
  return out;
}

std::variant<AlipayRefundFields, AlipayRefusal> check_alipay_refund(const Json& content) {
  AlipayRefundFields out;
  out.out_trade_no = text_of(content, "out_trade_no");
  out.trade_no = text_of(content, "trade_no");
  out.out_request_no = text_of(content, "out_request_no");
  out.reason = text_of(content, "refund_reason");
  const auto amount = fen_of(text_of(content, "refund_amount"));
  if (out.out_trade_no.empty() && out.trade_no.empty()) return invalid("out_trade_no");
  if (!amount) return invalid("refund_amount");
  if (out.out_request_no.size() > 64) return invalid("out_request_no");
  out.refund_fen = *amount;
  return out;
}

}  // namespace topup::rehearsal
