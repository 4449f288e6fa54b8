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

constexpr std::int64_t kHangMs = 60'000;  // beyond every deadline of a caller
constexpr FaultKind kFaults[] = {
    {"drop_notifications", "a payment is never notified: only a query tells"},
    {"duplicate_notifications", "a payment is notified three times at once"},
    {"wrong_amount", "the payer pays one fen less than owed (one more when one is owed)"},
    {"bad_signature_first", "the first delivery is a signature probe, the genuine one follows"},
    {"delay_notifications", "the first delivery waits 60 s"},
    {"refund_not_enough", "a refund is refused with 403 NOT_ENOUGH"},
    {"refund_abnormal", "a refund ends ABNORMAL"},
    {"outage", "an API call gets 500 SYSTEM_ERROR and has no effect"},
    {"probe_answer", "a good answer is signed as a signature probe"},
    {"busy", "an API call is refused with 429 FREQUENCY_LIMITED"},
    {"hang", "an API call has no effect, and its answer comes after a minute"},
    {"early_bill", "a bill is given before it is made, also of today"},
    {"bill_hash", "the hash of a bill's file is wrong"},
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

WechatRefusal not_theirs() {
  return {.code = "INVALID_REQUEST", .message = "子商户号与订单不一致", .number = 268447845};
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
  const bool by_partner = !fields.sub_mchid.empty();
  Json out = {{by_partner ? "sp_appid" : "appid", fields.appid},
              {by_partner ? "sp_mchid" : "mchid", fields.mchid},
              {"out_trade_no", fields.out_trade_no},
              {"trade_state", order.state},
              {"trade_state_desc", state_text(order.state)},
              {"amount", {{"total", fields.total_fen}, {"currency", "CNY"}}},
              {"promotion_detail", Json::array()}};
  if (by_partner) out["sub_mchid"] = fields.sub_mchid;
  if (!order.is_paid()) return out;
  out["transaction_id"] = order.transaction_id;
  out["trade_type"] = order.trade_type;
  out["bank_type"] = "OTHERS";
  out["attach"] = fields.attach;
  out["success_time"] = rfc3339_china(order.paid_ms);
  out["payer"] = {{by_partner ? "sp_openid" : "openid",
                   fields.openid.empty() ? "oRehearsalPayerOfThisMachine" : fields.openid}};
  out["amount"] = {{"total", order.paid_fen},
                   {"payer_total", order.paid_fen},
                   {"currency", "CNY"},
                   {"payer_currency", "CNY"}};
  return out;
}

WechatPay::WechatPay(Surroundings surroundings, WechatIdentity identity)
    : Party(surroundings, "wechat_pay", kWechatWorkers),
      identity_(std::move(identity)),
      armed_(surroundings.db, "wechat_pay", {std::begin(kFaults), std::end(kFaults)}),
      keys_(surroundings.db, surroundings.clock, surroundings.random,
            {identity_.apiv3_key, identity_.platform_key_id, identity_.platform_key,
             identity_.authority_key}) {
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
  if (asked.is("GET", {"scan"})) return scan(asked);
  if (asked.is("POST", {"sheet", "pay"})) return sheet_pay(asked);
  if (asked.is("POST", {"sheet", "cancel"})) return sheet_cancel(asked);
  if (asked.is("GET", {"sheet", "done"})) return sheet_done(asked);
  if (is_loopback_client(asked)) {
    if (asked.is("GET", {"magic"}) || asked.is("GET", {})) return magic();
    if (asked.is("POST", {"control", "pay"})) return control_pay(asked);
    if (asked.is("POST", {"control", "bill"})) return control_bill(asked);
    if (asked.is("GET", {"control", "keys"}) || asked.is("POST", {"control", "keys"}))
      return control_keys(asked);
    if (asked.is("POST", {"control", "rotate"})) return control_rotate(asked);
    if (asked.is("POST", {"control", "merchant"})) return control_merchant(asked);
    if (asked.is("GET", {"control", "contract"})) return control_contract();
    if (asked.is("GET", {"control"}) || asked.is("POST", {"control"})) return control(asked);
  }
  return Answered::json({{"code", "NOT_FOUND"}, {"message", "没有这个地址"}}, 404);
}

void WechatPay::seal(const Asked& asked, Answered& answered) {
  if (asked.segments.empty() || asked.segments.front() != "v3") return;
  if (asked.segments.size() > 1 && asked.segments[1] == "billdownload") return;
  const auto timestamp = std::to_string(around().clock.wall_ms() / 1'000);
  const auto nonce = base::new_nonce(around().random);
  const auto signer = keys_.for_answer(asked.header("wechatpay-serial"));
  std::string signature =
      base::sign_sha256_rsa(signer.key, timestamp + "\n" + nonce + "\n" + answered.body + "\n");
  if (answered.status < 300 && armed_.take("probe_answer"))
    signature = "WECHATPAY/SIGNTEST/" + signature.substr(19);
  answered.headers.insert(
      answered.headers.end(),
      {{"Request-ID", base::hex(around().random.bytes(14)) + "-" + std::to_string(answered.number)},
       {"Wechatpay-Timestamp", timestamp},
       {"Wechatpay-Nonce", nonce},
       {"Wechatpay-Signature", signature},
       {"Wechatpay-Serial", signer.serial},
       {"Wechatpay-Signature-Type", std::string(kScheme)}});
}

Answered WechatPay::api(const Asked& asked) {
  if (const auto refusal = unauthorised(asked)) return wechat_refused(*refusal);
  if (const auto refusal = headers_refused(asked)) return wechat_refused(*refusal);
  if (armed_.take("outage")) {
    return wechat_refused({.status = 500, .code = "SYSTEM_ERROR", .message = "系统繁忙"});
  }
  if (armed_.take("hang")) {
    Answered late = wechat_refused({.status = 500, .code = "SYSTEM_ERROR", .message = "系统超时"});
    late.hold_ms = kHangMs;
    return late;
  }
  if (armed_.take("busy")) {
    return wechat_refused(
        {.status = 429, .code = "FREQUENCY_LIMITED", .message = "频率超限", .number = 268447840});
  }
  if (asked.is("GET", {"v3", "certificates"})) return certificates();
  const auto& path = asked.segments;
  if (path.size() > 3 && path[1] == "pay") {
    const bool by_partner = path[2] == "partner";
    const std::size_t at = by_partner ? 4 : 3;  // the first segment after "transactions"
    if (path.size() > at && path[at - 1] == "transactions")
      return payments_api(asked, {"", by_partner}, at);
  }
  if (asked.is("POST", {"v3", "refund", "domestic", "refunds"})) return refund(asked);
  if (asked.is("GET", {"v3", "refund", "domestic", "refunds", "*"})) return query_refund(asked);
  if (asked.is("GET", {"v3", "bill", "tradebill"})) return bill(asked, false);
  if (asked.is("GET", {"v3", "bill", "fundflowbill"})) return bill(asked, true);
  if (asked.is("GET", {"v3", "billdownload", "file"})) return bill_file(asked);
  return wechat_refused({.status = 404, .code = "RESOURCE_NOT_EXISTS", .message = "没有这个接口"});
}

Answered WechatPay::payments_api(const Asked& asked, const WechatDoor& door, std::size_t at) {
  const auto& path = asked.segments;
  const std::size_t left = path.size() - at;
  const std::string& word = path[at];
  if (asked.method == "POST" && left == 1) {
    if (word == "jsapi") return prepay(asked, {"JSAPI", door.by_partner});
    if (word == "h5") return prepay(asked, {"MWEB", door.by_partner});
    if (word == "native") return prepay(asked, {"NATIVE", door.by_partner});
  }
  if (asked.method == "GET" && left == 2 && (word == "out-trade-no" || word == "id"))
    return query(asked, door.by_partner, at);
  if (asked.method == "POST" && left == 3 && word == "out-trade-no" && path[at + 2] == "close")
    return close(asked, door.by_partner, path[at + 1]);
  return wechat_refused({.status = 404, .code = "RESOURCE_NOT_EXISTS", .message = "没有这个接口"});
}

Answered WechatPay::certificates() {
  const auto list = keys_.certificate_list();
  if (list) return Answered::json(*list);
  return wechat_refused(
      {.status = 404, .code = "RESOURCE_NOT_EXISTS", .message = "无可用的平台证书"});
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
  const bool is_first = fields["serial_no"] == identity_.merchant_serial_no;
  const std::optional<base::RsaKey> key =
      is_first ? identity_.merchant_key : keys_.merchant_key(fields["serial_no"]);
  if (!key) return sign_error("serial_no", "not the serial of this merchant's certificate");
  const std::int64_t now_s = around().clock.wall_ms() / 1'000;
  if (!is_timely(fields["timestamp"], now_s)) {
    return sign_error("timestamp", "more than 300 s away from our clock");
  }
  if (fields["nonce_str"].empty()) return sign_error("nonce_str", "missing");
  const std::string message = asked.method + "\n" + asked.target + "\n" + fields["timestamp"] +
                              "\n" + fields["nonce_str"] + "\n" + asked.body + "\n";
  if (!base::verify_sha256_rsa(*key, message, fields["signature"])) {
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
  if (!serial.empty() && !keys_.knows(serial)) {
    return wechat_param_error("Wechatpay-Serial", serial, "is not our key", "header");
  }
  return {};
}

WechatOrder WechatPay::new_order(const PrepayFields& fields, const std::string& fingerprint,
                                 const WechatDoor& door) {
  auto& random = around().random;
  const std::int64_t now = around().clock.wall_ms();
  WechatOrder out;
  out.fields = fields;
  out.fingerprint = fingerprint;
  out.trade_type = door.trade_type;
  out.prepay_id = "wx" + compact_china(now) + base::hex(random.bytes(10));
  out.package = random_digits(random, 10);
  if (door.trade_type == "NATIVE") out.package = base::new_token(random).substr(0, 12);
  out.sheet_token = base::new_token(random);
  out.created_ms = out.link_ms = now;
  return out;
}

Answered WechatPay::prepay_answer(const WechatOrder& order) const {
  if (order.trade_type == "JSAPI") return Answered::json({{"prepay_id", order.prepay_id}});
  if (order.trade_type == "NATIVE")
    return Answered::json({{"code_url", "weixin://wxpay/bizpayurl?pr=" + order.package}});
  return Answered::json({{"h5_url", origin_ + "/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=" +
                                        order.prepay_id + "&package=" + order.package}});
}

Answered WechatPay::prepay(const Asked& asked, const WechatDoor& door) {
  const auto body = base::json_in(asked.body);
  if (!body) return wechat_refused(wechat_param_error("", "", "is not valid JSON", "body"));
  const std::int64_t now = around().clock.wall_ms();
  const auto checked = check_prepay(*body, door, identity_.contract, now);
  if (const auto* refusal = std::get_if<WechatRefusal>(&checked)) return wechat_refused(*refusal);
  const auto fresh =
      new_order(std::get<PrepayFields>(checked), parameters_fingerprint(*body), door);
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

Answered WechatPay::query(const Asked& asked, bool by_partner, std::size_t at) {
  const auto below =
      check_merchant(asked.query_value(by_partner ? "sp_mchid" : "mchid"),
                     asked.query_value("sub_mchid"), by_partner, "query", identity_.contract);
  if (const auto* refusal = std::get_if<WechatRefusal>(&below)) return wechat_refused(*refusal);
  const bool is_by_number = asked.segments[at] == "out-trade-no";
  const std::string& number = asked.segments[at + 1];
  std::optional<WechatOrder> order;
  around().db.read([&](storage::Reader& reader) {
    order = is_by_number ? wechat_book::find_order(reader, number)
                         : wechat_book::find_order_by_transaction(reader, number);
  });
  if (!order) return wechat_refused(order_missing());
  if (order->fields.sub_mchid != std::get<std::string>(below)) return wechat_refused(not_theirs());
  return Answered::json(wechat_transaction(*order));
}

Answered WechatPay::close(const Asked& asked, bool by_partner, const std::string& out_trade_no) {
  const auto body = base::json_in(asked.body);
  if (!body) return wechat_refused(wechat_param_error("", "", "is not valid JSON", "body"));
  const auto below = check_merchant(
      base::text_in(*body, by_partner ? "sp_mchid" : "mchid").value_or(""),
      base::text_in(*body, "sub_mchid").value_or(""), by_partner, "body", identity_.contract);
  if (const auto* refusal = std::get_if<WechatRefusal>(&below)) return wechat_refused(*refusal);
  std::optional<WechatRefusal> refusal;
  around().db.write([&](storage::Tx& tx) {
    refusal.reset();
    auto order = wechat_book::find_order(tx, out_trade_no);
    if (!order) {
      refusal = order_missing();
    } else if (order->fields.sub_mchid != std::get<std::string>(below)) {
      refusal = not_theirs();
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
