#include <algorithm>
#include <cstdlib>
#include <variant>

#include "server/rehearsal/alipay.h"

namespace topup::rehearsal {
namespace {

using base::Json;

constexpr int kWorkers = 8;
constexpr std::int64_t kClockToleranceMs = 600'000;
constexpr std::int64_t kHangMs = 60'000;  // beyond every deadline of a caller
constexpr std::size_t kTradeNoDigits = 14;
constexpr std::string_view kTokenMethod = "alipay.system.oauth.token";
constexpr std::string_view kSignMember = ",\"sign\":\"";
constexpr FaultKind kFaults[] = {
    {"drop_notifications", "a payment is never notified: only a query tells"},
    {"duplicate_notifications", "a payment is notified three times at once"},
    {"wrong_amount", "the payer pays one fen less than owed (one more when one is owed)"},
    {"wrong_seller", "the notification names another seller_id, and is signed"},
    {"bad_signature_first", "the first delivery has a forged signature, the genuine one follows"},
    {"delay_notifications", "the first delivery waits 60 s"},
    {"refund_not_enough", "a refund is refused with ACQ.SELLER_BALANCE_NOT_ENOUGH"},
    {"refund_lost", "a refund moves the money, and its answer is 20000"},
    {"refund_silent", "a refund moves the money, and its answer does not say so"},
    {"refund_slow", "a refund answers fund_change N, and moves the money 3 s later"},
    {"outage", "a call gets 20000 isp.unknow-error and has no effect"},
    {"bad_gateway", "a call gets HTTP 502 and has no effect"},
    {"forged_answer", "a call has its effect, and its answer has a forged signature"},
    {"unsigned_answer", "a call has its effect, and its answer has no signature"},
    {"early_bill", "the bill of a day is there before the morning after it"},
    {"bill_cut", "the file of a bill is cut short"},
    {"bill_elsewhere", "the link to a bill leads to another machine"},
    {"hang", "a call has no effect, and its answer comes after a minute"},
};

AlipayRefusal gateway_refusal(std::string_view code, std::string_view sub_code) {
  return {std::string(code), std::string(sub_code), "网关拒绝"};
}

std::string random_digits_of(base::Random& random, std::size_t count) {
  std::string out = random.bytes(count);
  for (char& c : out) c = static_cast<char>('0' + static_cast<unsigned char>(c) % 10);
  return out;
}

// As Alipay writes it: escaped slashes and blanks, which no second writer would make the same.
std::string odd_text(const Json& content) {
  std::string out;
  for (const char c : content.dump()) out += c == '/' ? "\\/" : std::string(1, c);
  const auto comma = out.find("\",\"");
  if (comma != std::string::npos) out.insert(comma + 2, " ");
  return out;
}

bool is_timely(const std::string& timestamp, std::int64_t now_ms) {
  if (timestamp.size() != 19 || timestamp[10] != ' ') return false;
  std::string text = timestamp;
  text[10] = 'T';
  const auto at = parse_rfc3339(text + "+08:00");
  return at && std::llabs(*at - now_ms) <= kClockToleranceMs;
}

bool is_same(const AlipayTradeFields& a, const AlipayTradeFields& b) {
  return a.total_fen == b.total_fen && a.subject == b.subject && a.product_code == b.product_code &&
         a.buyer_open_id == b.buyer_open_id;
}

}  // namespace

bool is_magic(std::int64_t total_fen, int cents) { return total_fen % 100 == cents; }

std::string alipay_sign_text(Pairs params, bool with_sign_type) {
  std::sort(params.begin(), params.end());
  std::string text;
  for (const auto& [name, value] : params) {
    if (name == "sign" || value.empty() || (name == "sign_type" && !with_sign_type)) continue;
    text += (text.empty() ? "" : "&") + name + "=" + value;
  }
  return text;
}

Json alipay_refusal_json(const AlipayRefusal& refusal) {
  return {{"code", refusal.code},
          {"msg", refusal.code == "40004" ? "Business Failed" : "Service Unavailable"},
          {"sub_code", refusal.sub_code},
          {"sub_msg", refusal.sub_msg}};
}

Alipay::Alipay(Surroundings surroundings, AlipayIdentity identity)
    : Party(surroundings, "alipay", kWorkers),
      identity_(std::move(identity)),
      armed_(surroundings.db, "alipay", {std::begin(kFaults), std::end(kFaults)}) {
  around().db.write([](storage::Tx& tx) {
    alipay_book::create_tables(tx);
    return true;
  });
}

void Alipay::start() {
  Party::start();
  std::vector<AlipayNotice> notices;
  around().db.read([&](storage::Reader& reader) { notices = alipay_book::list_notices(reader); });
  for (const auto& notice : notices) owe(notice);
}

Answered Alipay::answer(const Asked& asked) {
  if (asked.is("GET", {"gateway.do"}) || asked.is("POST", {"gateway.do"})) return gateway(asked);
  if (asked.is("GET", {"downloadBillFile.resource"})) return bill_file(asked);
  if (asked.is("POST", {"sheet", "pay"})) return sheet_pay(asked);
  if (asked.is("POST", {"sheet", "cancel"})) return sheet_cancel(asked);
  if (is_loopback_client(asked)) {
    if (asked.is("GET", {"magic"}) || asked.is("GET", {})) return magic();
    if (asked.is("POST", {"control", "pay"})) return control_pay(asked);
    if (asked.is("POST", {"control", "bill"})) return control_bill(asked);
    if (asked.is("POST", {"control", "auth-code"})) return control_auth_code(asked);
    if (asked.is("GET", {"control"}) || asked.is("POST", {"control"})) return control(asked);
  }
  return Answered::json({{"code", "NOT_FOUND"}, {"message", "没有这个地址"}}, 404);
}

// The parameters may stand in the address or in the form, in any split.
Answered Alipay::gateway(const Asked& asked) {
  Pairs params = asked.query;
  const Pairs form = form_fields(asked.body);
  params.insert(params.end(), form.begin(), form.end());
  const std::string method = alipay_param(params, "method");
  if (method == "alipay.trade.wap.pay") return sheet(params);
  if (const auto refusal = unauthorised(params)) return refused(*refusal);
  if (armed_.take("bad_gateway")) return {.status = 502, .content_type = "text/html", .body = ""};
  const AlipayRefusal away{"20000", "isp.unknow-error", "系统繁忙"};
  if (armed_.take("outage")) return said(params, alipay_refusal_json(away));
  if (armed_.take("hang")) {
    Answered late = said(params, alipay_refusal_json(away));
    late.hold_ms = kHangMs;
    return late;
  }
  Answered out = api(method, params);
  const auto sign_at = out.body.rfind(kSignMember);
  if (sign_at == std::string::npos) return out;
  if (armed_.take("unsigned_answer")) {
    out.body = out.body.substr(0, sign_at) + "}";
  } else if (armed_.take("forged_answer")) {
    const auto first = out.body.begin() + static_cast<std::ptrdiff_t>(sign_at + kSignMember.size());
    std::reverse(first, first + 16);
  }
  return out;
}

Answered Alipay::api(const std::string& method, const Pairs& params) {
  if (method == "alipay.trade.create") return said(params, create(params));
  if (method == "alipay.trade.query") return said(params, query(params));
  if (method == "alipay.trade.close") return said(params, close(params));
  if (method == "alipay.trade.refund") return said(params, refund(params));
  if (method == "alipay.trade.fastpay.refund.query") return said(params, query_refund(params));
  if (method == "alipay.data.dataservice.bill.downloadurl.query")
    return said(params, bill_link(params));
  if (method == kTokenMethod) return oauth_token(params);
  return refused(gateway_refusal("40002", "isv.invalid-method"));
}

std::optional<AlipayRefusal> Alipay::unauthorised(const Pairs& params) const {
  const auto missing = [&](std::string_view name) { return alipay_param(params, name).empty(); };
  for (const auto& [name, sub_code] :
       {std::pair{"method", "isv.missing-method"}, std::pair{"app_id", "isv.missing-app-id"},
        std::pair{"sign_type", "isv.missing-signature-type"},
        std::pair{"sign", "isv.missing-signature"}, std::pair{"timestamp", "isv.missing-timestamp"},
        std::pair{"version", "isv.missing-version"}}) {
    if (missing(name)) return gateway_refusal("40001", sub_code);
  }
  // People sign in to the mini-program, an application of its own.
  const bool is_sign_in = alipay_param(params, "method") == kTokenMethod;
  const AlipayContract& contract = identity_.contract;
  if (alipay_param(params, "app_id") != (is_sign_in ? contract.op_app_id : contract.app_id))
    return gateway_refusal("40002", "isv.invalid-app-id");
  if (alipay_param(params, "sign_type") != "RSA2")
    return gateway_refusal("40002", "isv.invalid-signature-type");
  if (!is_timely(alipay_param(params, "timestamp"), around().clock.wall_ms()))
    return gateway_refusal("40002", "isv.invalid-timestamp");
  const std::string app_cert = alipay_param(params, "app_cert_sn");
  const std::string root_cert = alipay_param(params, "alipay_root_cert_sn");
  const bool has_certificates = !app_cert.empty() || !root_cert.empty();
  if (has_certificates &&
      (app_cert != identity_.app_cert_sn || root_cert != identity_.root_cert_sn)) {
    return gateway_refusal("40002", "isv.cert-parse-failed");
  }
  if (!base::verify_sha256_rsa(identity_.app_key, alipay_sign_text(params, true),
                               alipay_param(params, "sign"))) {
    return gateway_refusal("40002", "isv.invalid-signature");
  }
  return {};
}

// What the gateway itself refuses is not signed.
Answered Alipay::refused(const AlipayRefusal& refusal) {
  return {.body = R"({"error_response":)" + alipay_refusal_json(refusal).dump() + "}"};
}

Answered Alipay::said(const Pairs& params, const Json& content) const {
  std::string name = alipay_param(params, "method");
  std::replace(name.begin(), name.end(), '.', '_');
  const std::string text = odd_text(content);
  const std::string sign = base::sign_sha256_rsa(identity_.alipay_key, text);
  std::string body = "{\"" + name + "_response\":" + text;
  if (!alipay_param(params, "app_cert_sn").empty())
    body += ",\"alipay_cert_sn\":\"" + identity_.alipay_cert_sn + "\"";
  return {.content_type = "text/html;charset=utf-8",
          .body = body + std::string(kSignMember) + sign + "\"}"};
}

std::optional<AlipayTrade> Alipay::named_trade(storage::Reader& reader, const Json& content) const {
  const std::string trade_no = base::text_in(content, "trade_no").value_or("");
  const std::string number = base::text_in(content, "out_trade_no").value_or("");
  auto trade = trade_no.empty() ? alipay_book::find_trade(reader, number)
                                : alipay_book::find_trade_by_number(reader, trade_no);
  const bool is_over = trade && trade->status == "WAIT_BUYER_PAY" &&
                       around().clock.wall_ms() >= trade->fields.expires_ms;
  if (is_over) trade->status = "TRADE_CLOSED";
  return trade;
}

// The trade of these fields, made when there is none.
std::variant<AlipayTrade, AlipayRefusal> Alipay::trade_for(const AlipayTradeFields& fields) {
  const std::int64_t now = around().clock.wall_ms();
  AlipayTrade fresh;
  fresh.fields = fields;
  fresh.trade_no =
      compact_china(now) + "22" + random_digits_of(around().random, kTradeNoDigits - 2);
  fresh.sheet_token = base::new_token(around().random);
  fresh.created_ms = now;
  std::variant<AlipayTrade, AlipayRefusal> out = fresh;
  around().db.write([&](storage::Tx& tx) {
    const auto known = named_trade(tx, {{"out_trade_no", fields.out_trade_no}});
    if (!known) {
      alipay_book::insert_trade(tx, fresh);
      out = fresh;
    } else if (!is_same(known->fields, fields)) {
      out = AlipayRefusal{"40004", "ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改"};
    } else {
      out = *known;
    }
    return true;
  });
  return out;
}

Json Alipay::create(const Pairs& params) {
  const auto checked =
      check_alipay_trade(params, false, identity_.contract, around().clock.wall_ms());
  if (const auto* refusal = std::get_if<AlipayRefusal>(&checked))
    return alipay_refusal_json(*refusal);
  const auto found = trade_for(std::get<AlipayTradeFields>(checked));
  if (const auto* refusal = std::get_if<AlipayRefusal>(&found))
    return alipay_refusal_json(*refusal);
  const AlipayTrade& trade = std::get<AlipayTrade>(found);
  if (trade.is_paid())
    return alipay_refusal_json({"40004", "ACQ.TRADE_HAS_SUCCESS", "交易已被支付"});
  if (trade.status == "TRADE_CLOSED")
    return alipay_refusal_json({"40004", "ACQ.TRADE_HAS_CLOSE", "交易已经关闭"});
  return {{"code", "10000"},
          {"msg", "Success"},
          {"out_trade_no", trade.fields.out_trade_no},
          {"trade_no", trade.trade_no}};
}

Json Alipay::query(const Pairs& params) {
  const auto content = alipay_content(params);
  std::optional<AlipayTrade> trade;
  around().db.read([&](storage::Reader& reader) {
    if (content) trade = named_trade(reader, *content);
  });
  if (!trade) return alipay_refusal_json({"40004", "ACQ.TRADE_NOT_EXIST", "交易不存在"});
  const std::int64_t fen = trade->is_paid() ? trade->paid_fen : trade->fields.total_fen;
  Json out = {{"code", "10000"},
              {"msg", "Success"},
              {"trade_no", trade->trade_no},
              {"out_trade_no", trade->fields.out_trade_no},
              {"buyer_logon_id", "138****0000"},
              {"trade_status", trade->status},
              {"total_amount", yuan_of(fen)}};
  if (!trade->is_paid()) return out;
  out["receipt_amount"] = yuan_of(fen);
  out["buyer_pay_amount"] = yuan_of(fen);
  out["point_amount"] = "0.00";
  out["invoice_amount"] = yuan_of(fen);
  out["send_pay_date"] = spaced_time(trade->paid_ms, 8 * 60);
  out["fund_bill_list"] = {{{"amount", yuan_of(fen)}, {"fund_channel", "ALIPAYACCOUNT"}}};
  return out;
}

Json Alipay::close(const Pairs& params) {
  const auto content = alipay_content(params);
  Json out;
  around().db.write([&](storage::Tx& tx) {
    auto trade = content ? named_trade(tx, *content) : std::nullopt;
    if (!trade) {
      out = alipay_refusal_json({"40004", "ACQ.TRADE_NOT_EXIST", "交易不存在"});
    } else if (trade->status != "WAIT_BUYER_PAY") {
      out = alipay_refusal_json({"40004", "ACQ.TRADE_STATUS_ERROR", "交易状态不合法"});
    } else {
      trade->status = "TRADE_CLOSED";
      alipay_book::save_trade(tx, *trade);
      out = {{"code", "10000"},
             {"msg", "Success"},
             {"trade_no", trade->trade_no},
             {"out_trade_no", trade->fields.out_trade_no}};
    }
    return true;
  });
  return out;
}

}  // namespace topup::rehearsal
