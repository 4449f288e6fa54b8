#include "server/payments/alipay_calls.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "server/base/log.h"
#include "server/payments/alipay_text.h"

namespace topup::payments {
namespace {

using base::Json;
using Call = AlipayCall;
using Meaning = AlipayMeaning;

constexpr std::int64_t kCallDeadlineMs = 10'000;
constexpr std::size_t kMaxMessageBytes = 200;
constexpr std::size_t kMaxCodeBytes = 96;
constexpr std::string_view kPath = "/gateway.do";
constexpr std::string_view kGood = "10000";

// ---- What a refusal means. A code that is not listed means nothing: the outcome is Unknown.

struct Rule {
  Call call;
  std::string_view sub_code;
  Meaning meaning;
};

// A refused query says nothing about what was asked after, so that query has no row with `refused`.
// What may also be the echo of a first request that succeeded is `look`.
constexpr Rule kRules[] = {
    {Call::create, "ACQ.INVALID_PARAMETER", Meaning::refused},
    {Call::create, "ACQ.ACCESS_FORBIDDEN", Meaning::refused},
    {Call::create, "ACQ.EXIST_FORBIDDEN_WORD", Meaning::refused},
    {Call::create, "ACQ.PARTNER_ERROR", Meaning::refused},
    {Call::create, "ACQ.TOTAL_FEE_EXCEED", Meaning::refused},
    {Call::create, "ACQ.BUYER_SELLER_EQUAL", Meaning::refused},
    {Call::create, "ACQ.BUYER_ENABLE_STATUS_FORBID", Meaning::refused},
    {Call::create, "ACQ.SELLER_BEEN_BLOCKED", Meaning::refused},
    {Call::create, "ACQ.TRADE_BUYER_NOT_MATCH", Meaning::refused},
    {Call::create, "ACQ.TRADE_HAS_CLOSE", Meaning::look},
    {Call::create, "ACQ.TRADE_HAS_SUCCESS", Meaning::look},
    {Call::create, "ACQ.CONTEXT_INCONSISTENT", Meaning::look},
    {Call::query, "ACQ.TRADE_NOT_EXIST", Meaning::absent},
    {Call::close, "ACQ.TRADE_NOT_EXIST", Meaning::absent},
    {Call::close, "ACQ.TRADE_STATUS_ERROR", Meaning::look},
    {Call::close, "ACQ.REASON_TRADE_STATUS_INVALID", Meaning::look},
    {Call::close, "ACQ.REASON_ILLEGAL_STATUS", Meaning::look},
    {Call::refund, "ACQ.INVALID_PARAMETER", Meaning::refused},
    {Call::refund, "ACQ.SELLER_BALANCE_NOT_ENOUGH", Meaning::refused},
    {Call::refund, "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", Meaning::refused},
    {Call::refund, "ACQ.REASON_TRADE_BEEN_FREEZEN", Meaning::refused},
    {Call::refund, "ACQ.TRADE_NOT_EXIST", Meaning::refused},
    {Call::refund, "ACQ.TRADE_HAS_FINISHED", Meaning::look},
    {Call::refund, "ACQ.TRADE_HAS_CLOSE", Meaning::look},
    {Call::refund, "ACQ.TRADE_STATUS_ERROR", Meaning::look},
    {Call::refund, "ACQ.REASON_TRADE_REFUND_FEE_ERR", Meaning::look},
    {Call::refund, "ACQ.DISCORDANT_REPEAT_REQUEST", Meaning::look},
    {Call::query_refund, "ACQ.TRADE_NOT_EXIST", Meaning::absent},
    {Call::bill, "BILL_NOT_EXIST", Meaning::absent},
    {Call::bill, "isp.bill_not_exist", Meaning::absent},
};
// Codes of the gateway itself: it never handed the call on.
constexpr std::string_view kGatewayRefusals[] = {"20001", "40001", "40002", "40006"};
bool may_be_refused(Call call) {
  return call == Call::create || call == Call::refund || call == Call::token;
}

Meaning meaning_of(Call call, std::string_view code, std::string_view sub_code) {
  if (is_alipay_gateway_refusal(code) && !sub_code.starts_with("isp."))
    return may_be_refused(call) ? Meaning::refused : Meaning::unknown;
  if (code != "40004") return Meaning::unknown;
  for (const Rule& rule : kRules)
    if (rule.call == call && rule.sub_code == sub_code) return rule.meaning;
  return Meaning::unknown;
}

std::string_view method_of(Call call) {
  constexpr std::string_view kMethods[] = {"alipay.trade.create",
                                           "alipay.trade.query",
                                           "alipay.trade.close",
                                           "alipay.trade.refund",
                                           "alipay.trade.fastpay.refund.query",
                                           "alipay.data.dataservice.bill.downloadurl.query",
                                           "alipay.system.oauth.token"};
  return kMethods[static_cast<std::size_t>(call)];
}

bool is_code(std::string_view code) {
  return !code.empty() && std::all_of(code.begin(), code.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  });
}

std::string text_or(const Json& object, const char* key, std::string_view missing) {
  const auto text = base::text_in(object, key);
  return text ? *text : std::string(missing);
}

}  // namespace

bool is_alipay_gateway_refusal(std::string_view code) {
  return std::find(std::begin(kGatewayRefusals), std::end(kGatewayRefusals), code) !=
         std::end(kGatewayRefusals);
}

AlipayParams AlipayCalls::public_params(std::string_view method) const {
  AlipayParams params = {{"app_id", config_.app_id}, {"method", std::string(method)},
                         {"format", "JSON"},         {"charset", "utf-8"},
                         {"sign_type", "RSA2"},      {"timestamp", alipay_time(clock_.wall_ms())},
                         {"version", "1.0"}};
  if (!config_.app_cert_sn.empty()) {
    params.emplace_back("app_cert_sn", config_.app_cert_sn);
    params.emplace_back("alipay_root_cert_sn", config_.root_cert_sn);
  }
  return params;
}

AlipayReply AlipayCalls::exchange(AlipayCall call, const Json& content) const {
  AlipayParams params = public_params(method_of(call));
  if (call == Call::create) params.emplace_back("notify_url", config_.notify_url);
  return send(call, std::move(params),
              {{"biz_content", content.dump(-1, ' ', false, Json::error_handler_t::replace)}},
              config_.private_key);
}

AlipayReply AlipayCalls::exchange_code(const std::string& code) const {
  AlipayParams params = public_params(method_of(Call::token));
  params.front().second = config_.op_app_id;
  params.emplace_back("grant_type", "authorization_code");
  return send(Call::token, std::move(params), {{"code", code}},
              config_.mini_key ? *config_.mini_key : config_.private_key);
}

// The public parameters travel in the address, so that the body's charset is known before it.
AlipayReply AlipayCalls::send(AlipayCall call, AlipayParams params, const AlipayParams& in_body,
                              const base::RsaKey& key) const {
  params.insert(params.end(), in_body.begin(), in_body.end());
  alipay_sign(key, params);
  std::erase_if(params, [&](const auto& field) {
    return std::find(in_body.begin(), in_body.end(), field) != in_body.end();
  });
  base::OutboundRequest request;
  request.method = "POST";
  request.target = std::string(kPath) + "?" + alipay_form(params);
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded;charset=utf-8"},
                     {"Accept", "application/json"},
                     {"User-Agent", "topup"}};
  request.body = alipay_form(in_body);
  request.deadline_ms = kCallDeadlineMs;
  const auto reply = outbound_.call(request);
  AlipayReply answer = read(call, reply);
  if (answer.is_ok) return answer;
  const auto level = answer.meaning == Meaning::absent ? base::Level::info : base::Level::warn;
  base::log(level, "alipay_call_failed",
            {{"method", method_of(call)}, {"status", reply.status}, {"why", answer.why}});
  return answer;
}

AlipayReply AlipayCalls::read(AlipayCall call, const base::OutboundReply& reply) const {
  using Kind = base::OutboundReply::Kind;
  AlipayReply answer;
  if (reply.kind != Kind::answered) {
    answer.why = reply.kind == Kind::not_sent ? "not_sent" : reply.failure;
    if (answer.why.empty()) answer.why = "no_answer";
    return answer;
  }
  answer.why = "http_" + std::to_string(reply.status);
  if (reply.status != 200) return answer;
  const bool is_of_mini = call == Call::token && !config_.mini_verify_keys.empty();
  const auto opened = open_alipay_answer(
      is_of_mini ? config_.mini_verify_keys : config_.verify_keys, reply.body, method_of(call));
  answer.why = "answer_malformed";
  if (!opened) return answer;
  auto body = base::json_in(opened->content, base::kMaxPartyJsonBytes);
  // Who a code belongs to is said without a word that all is well.
  const bool is_wordless = call == Call::token && opened && !opened->is_gateway_word;
  const std::string code = body ? text_or(*body, "code", is_wordless ? kGood : "") : "";
  if (!body || !is_code(code)) return answer;
  // The gateway's own refusals come unsigned. Such a one is believed only where a lie costs
  // nothing: no trade is begun by it, nobody is signed in.
  const bool is_plain_refusal = opened->verdict == AlipaySignature::absent &&
                                (call == Call::create || call == Call::token) &&
                                is_alipay_gateway_refusal(code);
  if (opened->verdict != AlipaySignature::valid && !is_plain_refusal) {
    answer.why = to_word(opened->verdict);
    return answer;
  }
  const auto sub_code = base::text_in(*body, "sub_code", kMaxCodeBytes);
  answer.is_ok = code == kGood && !opened->is_gateway_word;
  answer.why = answer.is_ok ? "" : sub_code && is_code(*sub_code) ? *sub_code : code;
  if (answer.is_ok) {
    answer.body = std::move(*body);
    return answer;
  }
  answer.meaning = meaning_of(call, code, answer.why);
  const auto message = base::text_in(*body, "sub_msg", base::kMaxPartyJsonBytes);
  if (message) answer.message = alipay_clean_text(*message, kMaxMessageBytes);
  return answer;
}

}  // namespace topup::payments
