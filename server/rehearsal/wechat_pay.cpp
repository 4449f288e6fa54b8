#include "server/rehearsal/wechat_pay.h"

#include <algorithm>
#include <cstdlib>
#include <map>

namespace topup::rehearsal {
namespace {

using base::Json;

constexpr int kWechatWorkers = 8;
constexpr std::int64_t kClockToleranceS = 300;
constexpr std::int64_t kAutoCloseMs = std::int64_t{7} * 86'400'000;
constexpr std::string_view kScheme = "WECHATPAY2-SHA256-RSA2048";

constexpr FaultKind kFaults[] = {
    {"drop_notifications", "a payment is never notified: only a query tells"},
    {"duplicate_notifications", "a payment is notified three times at once"},
    {"wrong_amount", "the payer pays one fen less than owed (one more when one is owed)"},
    {"bad_signature_first", "the first delivery is a signature probe, the genuine one follows"},
    {"delay_notifications", "the first delivery waits 60 s"},
    {"refund_not_enough", "a refund is refused with 403 NOT_ENOUGH"},
    {"refund_abnormal", "a refund ends ABNORMAL"},
    {"outage", "an API call gets 500 SYSTEM_ERROR and has no effect"},
};

WechatRefusal sign_error(std::string_view field, std::string_view issue) {
  return {.status = 401,
          .code = "SIGN_ERROR",
          .message = "签名错误: " + std::string(issue),
          .number = 268443699,
          .detail = {{"field", field}, {"issue", issue}, {"location", "authorization"}}};
}

WechatRefusal order_missing() {
  return {.status = 404, .code = "ORDER_NOT_EXIST", .message = "订单不存在", .number = 268512771};
}

WechatRefusal order_paid() {
  return {.status = 400, .code = "ORDER_PAID", .message = "该订单已支付", .number = 268498689};
}

// mchid="…",nonce_str="…" in any order; nothing when it is not such a list.
std::optional<std::map<std::string, std::string>> credentials(std::string_view text) {
  std::map<std::string, std::string> out;
  while (!text.empty()) {
    const auto equals = text.find("=\"");
    if (equals == std::string_view::npos) return {};
    const auto end = text.find('"', equals + 2);
    if (end == std::string_view::npos) return {};
    auto name = text.substr(0, equals);
    while (!name.empty() && name.front() == ' ') name.remove_prefix(1);
    if (!out.emplace(name, text.substr(equals + 2, end - equals - 2)).second) return {};
    text.remove_prefix(end + 1);
    if (!text.empty() && text.front() != ',') return {};
    if (!text.empty()) text.remove_prefix(1);
  }
  return out;
}

bool is_timely(const std::string& timestamp, std::int64_t now_s) {
  const bool is_number = !timestamp.empty() && timestamp.size() <= 12 &&
                         timestamp.find_first_not_of("0123456789") == std::string::npos;
  return is_number && std::llabs(std::atoll(timestamp.c_str()) - now_s) <= kClockToleranceS;
}

std::string_view state_text(const std::string& state) {
  if (state == "SUCCESS") return "支付成功";
  if (state == "REFUND") return "转入退款";
  if (state == "CLOSED") return "订单已关闭";
  return "订单未支付";
}

}  // namespace

std::string random_digits(base::Random& random, std::size_t count) {
  std::string out = random.bytes(count);
  for (char& c : out) c = static_cast<char>('0' + static_cast<unsigned char>(c) % 10);
  return out;
}

Answered wechat_refused(const WechatRefusal& refusal) {
  Json body = {{"code", refusal.code}, {"message", refusal.message}};
  if (!refusal.detail.is_null()) body["detail"] = refusal.detail;
  Answered out = Answered::json(body, refusal.status);
  out.number = refusal.number;
  return out;
}

bool is_expired(const WechatOrder& order, std::int64_t now_ms) {
  const std::int64_t end =
      order.fields.expires_ms > 0 ? order.fields.expires_ms : order.created_ms + kAutoCloseMs;
  return now_ms >= end;
}

Json wechat_transaction(const WechatOrder& order) {
  const PrepayFields& fields = order.fields;
  Json out = {{"appid", fields.appid},
              {"mchid", fields.mchid},
              {"out_trade_no", fields.out_trade_no},
              {"trade_state", order.state},
              {"trade_state_desc", state_text(order.state)},
              {"amount", {{"total", fields.total_fen}, {"currency", "CNY"}}},
              {"promotion_detail", Json::array()}};
  if (!order.is_paid()) return out;
  out["transaction_id"] = order.transaction_id;
  out["trade_type"] = order.trade_type;
  out["bank_type"] = "OTHERS";
  out["attach"] = fields.attach;
  out["success_time"] = rfc3339_china(order.paid_ms);
  out["payer"] = {
      {"openid", fields.openid.empty() ? "oRehearsalPayerOfThisMachine" : fields.openid}};
  out["amount"] = {{"total", order.paid_fen},
                   {"payer_total", order.paid_fen},
                   {"currency", "CNY"},
                   {"payer_currency", "CNY"}};
  return out;
}

WechatPay::WechatPay(Surroundings surroundings, WechatIdentity identity)
    : Party(surroundings, "wechat_pay", kWechatWorkers),
      identity_(std::move(identity)),
      armed_(surroundings.db, "wechat_pay", {std::begin(kFaults), std::end(kFaults)}) {
  around().db.write([](storage::Tx& tx) {
    wechat_book::create_tables(tx);
    return true;
  });
}

void WechatPay::start() {
  Party::start();
  std::vector<WechatRefund> refunds;
  std::vector<WechatNotice> notices;
  around().db.read([&](storage::Reader& reader) {
    refunds = wechat_book::list_processing_refunds(reader);
    notices = wechat_book::list_notices(reader);
  });
  const std::int64_t now = around().clock.wall_ms();
  for (const auto& refund : refunds) {
    later(refund.due_ms - now,
          [this, number = refund.fields.out_refund_no] { finish_refund(number); });
  }
  for (const auto& notice : notices) owe(notice);
}

Answered WechatPay::answer(const Asked& asked) {
  if (!asked.segments.empty() && asked.segments.front() == "v3") return api(asked);
  if (asked.is("GET", {"cgi-bin", "mmpayweb-bin", "checkmweb"})) return sheet(asked);
  if (asked.is("POST", {"sheet", "pay"})) return sheet_pay(asked);
  if (asked.is("POST", {"sheet", "cancel"})) return sheet_cancel(asked);
  if (asked.is("GET", {"sheet", "done"})) return sheet_done(asked);
  if (is_loopback_client(asked)) {
    if (asked.is("GET", {"magic"}) || asked.is("GET", {})) return magic();
    if (asked.is("POST", {"control", "pay"})) return control_pay(asked);
    if (asked.is("GET", {"control"}) || asked.is("POST", {"control"})) return control(asked);
  }
  return Answered::json({{"code", "NOT_FOUND"}, {"message", "没有这个地址"}}, 404);
}

void WechatPay::seal(const Asked& asked, Answered& answered) {
  if (asked.segments.empty() || asked.segments.front() != "v3") return;
  const auto timestamp = std::to_string(around().clock.wall_ms() / 1'000);
  const auto nonce = base::new_nonce(around().random);
  const auto signature = base::sign_sha256_rsa(
      identity_.platform_key, timestamp + "\n" + nonce + "\n" + answered.body + "\n");
  answered.headers.insert(
      answered.headers.end(),
      {{"Request-ID", base::hex(around().random.bytes(14)) + "-" + std::to_string(answered.number)},
       {"Wechatpay-Timestamp", timestamp},
       {"Wechatpay-Nonce", nonce},
       {"Wechatpay-Signature", signature},
       {"Wechatpay-Serial", identity_.platform_key_id},
       {"Wechatpay-Signature-Type", std::string(kScheme)}});
}

Answered WechatPay::api(const Asked& asked) {
  if (const auto refusal = unauthorised(asked)) return wechat_refused(*refusal);
  if (const auto refusal = headers_refused(asked)) return wechat_refused(*refusal);
  if (armed_.take("outage")) {
    return wechat_refused({.status = 500, .code = "SYSTEM_ERROR", .message = "系统繁忙"});
  }
  if (asked.is("POST", {"v3", "pay", "transactions", "jsapi"})) return prepay(asked, false);
  if (asked.is("POST", {"v3", "pay", "transactions", "h5"})) return prepay(asked, true);
  if (asked.is("GET", {"v3", "pay", "transactions", "out-trade-no", "*"}) ||
      asked.is("GET", {"v3", "pay", "transactions", "id", "*"})) {
    return query(asked);
  }
  if (asked.is("POST", {"v3", "pay", "transactions", "out-trade-no", "*", "close"})) {
    return close(asked);
  }
  if (asked.is("POST", {"v3", "refund", "domestic", "refunds"})) return refund(asked);
  if (asked.is("GET", {"v3", "refund", "domestic", "refunds", "*"})) return query_refund(asked);
  return wechat_refused({.status = 404, .code = "RESOURCE_NOT_EXISTS", .message = "没有这个接口"});
}

std::optional<WechatRefusal> WechatPay::unauthorised(const Asked& asked) const {
  const std::string_view header = asked.header("authorization");
  if (header.substr(0, kScheme.size()) != kScheme || header.size() <= kScheme.size() ||
      header[kScheme.size()] != ' ') {
    return sign_error("authorization", "the scheme is not WECHATPAY2-SHA256-RSA2048");
  }
  auto given = credentials(header.substr(kScheme.size() + 1));
  if (!given) return sign_error("authorization", "the fields cannot be read");
  auto& fields = *given;
  if (fields["mchid"] != identity_.contract.mchid) return sign_error("mchid", "unknown merchant");
  if (fields["serial_no"] != identity_.merchant_serial_no) {
    return sign_error("serial_no", "not the serial of this merchant's certificate");
  }
  const std::int64_t now_s = around().clock.wall_ms() / 1'000;
  if (!is_timely(fields["timestamp"], now_s)) {
    return sign_error("timestamp", "more than 300 s away from our clock");
  }
  if (fields["nonce_str"].empty()) return sign_error("nonce_str", "missing");
  const std::string message = asked.method + "\n" + asked.target + "\n" + fields["timestamp"] +
                              "\n" + fields["nonce_str"] + "\n" + asked.body + "\n";
  if (!base::verify_sha256_rsa(identity_.merchant_key, message, fields["signature"])) {
    return sign_error("signature", "does not match this request");
  }
  return {};
}

std::optional<WechatRefusal> WechatPay::headers_refused(const Asked& asked) const {
  if (asked.header("user-agent").empty()) {
    return wechat_param_error("User-Agent", "", "is required", "header");
  }
  const auto accept = asked.header("accept");
  if (accept.find("application/json") == std::string_view::npos &&
      accept.find("*/*") == std::string_view::npos) {
    return wechat_param_error("Accept", accept, "must be application/json", "header");
  }
  const auto type = asked.header("content-type");
  if (asked.method == "POST" && type.substr(0, 16) != "application/json") {
    auto out = wechat_param_error("Content-Type", type, "must be application/json", "header");
    out.status = 415;
    return out;
  }
  const auto serial = asked.header("wechatpay-serial");
  if (!serial.empty() && serial != identity_.platform_key_id) {
    return wechat_param_error("Wechatpay-Serial", serial, "is not our key", "header");
  }
  return {};
}

WechatOrder WechatPay::new_order(const PrepayFields& fields, const std::string& fingerprint,
                                 bool is_h5) {
  auto& random = around().random;
  const std::int64_t now = around().clock.wall_ms();
  WechatOrder out;
  out.fields = fields;
  out.fingerprint = fingerprint;
  out.trade_type = is_h5 ? "MWEB" : "JSAPI";
  out.prepay_id = "wx" + compact_china(now) + base::hex(random.bytes(10));
  out.package = random_digits(random, 10);
  out.sheet_token = base::new_token(random);
  out.created_ms = out.link_ms = now;
  return out;
}

Answered WechatPay::prepay_answer(const WechatOrder& order) const {
  if (order.trade_type != "MWEB") return Answered::json({{"prepay_id", order.prepay_id}});
  return Answered::json({{"h5_url", origin_ + "/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=" +
                                        order.prepay_id + "&package=" + order.package}});
}

Answered WechatPay::prepay(const Asked& asked, bool is_h5) {
  const auto body = base::json_in(asked.body);
  if (!body) return wechat_refused(wechat_param_error("", "", "is not valid JSON", "body"));
  const std::int64_t now = around().clock.wall_ms();
  const auto checked = check_prepay(*body, is_h5, identity_.contract, now);
  if (const auto* refusal = std::get_if<WechatRefusal>(&checked)) return wechat_refused(*refusal);
  const auto fresh =
      new_order(std::get<PrepayFields>(checked), parameters_fingerprint(*body), is_h5);
  std::optional<WechatRefusal> refusal;
  WechatOrder order;
  around().db.write([&](storage::Tx& tx) {
    refusal.reset();
    const auto known = wechat_book::find_order(tx, fresh.fields.out_trade_no);
    if (!known) {
      order = fresh;
      wechat_book::insert_order(tx, order);
      return true;
    }
    order = *known;
    if (order.is_paid()) {
      refusal = order_paid();
    } else if (order.state == "CLOSED") {
      refusal = {.code = "ORDER_CLOSED", .message = "订单已关闭", .number = 268447914};
    } else if (order.fingerprint != fresh.fingerprint || order.trade_type != fresh.trade_type) {
      refusal = {.code = "INVALID_REQUEST",
                 .message = "商户订单号重入,但参数与首次请求不一致",
                 .number = 268498688};
    } else if (is_expired(order, now)) {
      refusal = {.code = "INVALID_REQUEST", .message = "订单已过期", .number = 268447914};
    }
    if (refusal) return true;
    order.link_ms = now;
    wechat_book::save_order(tx, order);
    return true;
  });
  return refusal ? wechat_refused(*refusal) : prepay_answer(order);
}

Answered WechatPay::query(const Asked& asked) {
  const auto mchid = asked.query_value("mchid");
  if (mchid != identity_.contract.mchid) {
    return wechat_refused(
        wechat_param_error("mchid", mchid, "is not the signing merchant", "query"));
  }
  const bool is_by_number = asked.segments[3] == "out-trade-no";
  std::optional<WechatOrder> order;
  around().db.read([&](storage::Reader& reader) {
    order = is_by_number ? wechat_book::find_order(reader, asked.segments[4])
                         : wechat_book::find_order_by_transaction(reader, asked.segments[4]);
  });
  return order ? Answered::json(wechat_transaction(*order)) : wechat_refused(order_missing());
}

Answered WechatPay::close(const Asked& asked) {
  const auto body = base::json_in(asked.body);
  if (!body) return wechat_refused(wechat_param_error("", "", "is not valid JSON", "body"));
  const auto mchid = base::text_in(*body, "mchid");
  if (!mchid || *mchid != identity_.contract.mchid) {
    return wechat_refused(
        wechat_param_error("/mchid", mchid.value_or(""), "is not the signing merchant", "body"));
  }
  std::optional<WechatRefusal> refusal;
  around().db.write([&](storage::Tx& tx) {
    refusal.reset();
    auto order = wechat_book::find_order(tx, asked.segments[4]);
    if (!order) {
      refusal = order_missing();
    } else if (order->is_paid()) {
      refusal = order_paid();
    } else if (order->state != "CLOSED") {
      order->state = "CLOSED";
      wechat_book::save_order(tx, *order);
    }
    return true;
  });
  return refusal ? wechat_refused(*refusal) : Answered{.status = 204, .content_type = ""};
}

}  // namespace topup::rehearsal
