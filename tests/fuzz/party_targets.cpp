// What channels and suppliers say, or whoever pretends to be them.
#include <array>
#include <memory>

#include "server/base/gb18030.h"
#include "server/base/json.h"
#include "server/base/zip.h"
#include "server/payments/alipay.h"
#include "server/payments/alipay_bill.h"
#include "server/payments/alipay_fund_bill.h"
#include "server/payments/alipay_sign.h"
#include "server/payments/alipay_text.h"
#include "server/payments/bill_text.h"
#include "server/payments/wechat.h"
#include "server/payments/wechat_bill.h"
#include "server/payments/wechat_reading.h"
#include "server/suppliers/dingconnect.h"
#include "server/suppliers/dtone.h"
#include "server/suppliers/juhe.h"
#include "server/suppliers/reloadly.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/manual_clock.h"

namespace topup::fuzz {
namespace {

using base::Json;
using suppliers::SupplyState;

constexpr const char* kSerial = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1";
const std::string kApiKey = "test-apiv3-key-of-32-bytes-00001";
constexpr const char* kNonce = "fdasfsadsads";

// Answers every call with the one input.
struct Echo final : base::Outbound {
  base::OutboundReply call(const base::OutboundRequest& request) override {
    base::OutboundReply reply;
    reply.kind = base::OutboundReply::Kind::answered;
    reply.status = request.target.find("oauth") == std::string::npos ? status : 200;
    reply.body = request.target.find("oauth") == std::string::npos
                     ? body
                     : R"({"access_token":"t","expires_in":86400,"token_type":"Bearer"})";
    return reply;
  }
  int status = 200;
  std::string body;
};

struct Quiet final : base::Random {
  std::string bytes(std::size_t count) override { return std::string(count, '\7'); }
};

struct Parties {
  base::RsaKey ours = base::RsaKey::generate(), theirs = base::RsaKey::generate();
  testing::ManualClock clock;
  Quiet random;
  Echo outside;
  std::unique_ptr<payments::PayChannel> wechat =
      payments::make_wechat({.mchid = "1900000109",
                             .appid = "wx8888888888888888",
                             .serial_no = "3775B6A45ACD588826D15E583A95F5DD1234ABCD",
                             .private_key = ours,
                             .apiv3_key = kApiKey,
                             .verify_keys = {{kSerial, theirs}},
                             .notify_url = "https://shop.example/notify/wechat",
                             .app_name = "Topup",
                             .app_url = "https://shop.example"},
                            outside, clock, random);
  std::unique_ptr<payments::PayChannel> alipay =
      payments::make_alipay({.app_id = "2021000000000001",
                             .seller_id = "2088000000000001",
                             .private_key = ours,
                             .verify_keys = {{"", theirs}},
                             .app_cert_sn = "",
                             .root_cert_sn = "",
                             .origin = "https://openapi.alipay.com",
                             .notify_url = "https://shop.example/notify/alipay",
                             .subject = "Topup"},
                            outside, clock);
  std::unique_ptr<suppliers::Supplier> reloadly =
      suppliers::make_reloadly({.client_id = "id",
                                .client_secret = "secret",
                                .audience = "https://topups-sandbox.reloadly.com",
                                .webhook_secret = "webhook",
                                .wallet = Currency::usd},
                               outside, outside, clock);
  std::unique_ptr<suppliers::Supplier> dtone = suppliers::make_dtone(
      {"key", "secret-0000", "https://shop.example/callback", "token-0123456789", Currency::usd},
      outside, clock);
  std::unique_ptr<suppliers::Supplier> dingconnect =
      suppliers::make_dingconnect({"key", "token-0123456789", Currency::usd}, outside);
  std::unique_ptr<suppliers::Supplier> juhe =
      suppliers::make_juhe({"JH0123456789", "mobilekey", "fuelkey", "13800138000"}, outside, clock);
};
Parties& parties() {
  static Parties all;
  return all;
}

payments::NotifyRequest signed_notice(const std::string& body) {
  const std::string at = std::to_string(parties().clock.wall_ms() / 1'000);
  payments::NotifyRequest request;
  request.body = body;
  request.headers = {
      {"wechatpay-timestamp", at},
      {"wechatpay-nonce", "n"},
      {"wechatpay-signature", base::sign_sha256_rsa(parties().theirs, at + "\nn\n" + body + "\n")},
      {"wechatpay-serial", kSerial},
      {"wechatpay-signature-type", "WECHATPAY2-SHA256-RSA2048"}};
  return request;
}

std::string sealed_envelope(std::string_view plain) {
  const Json envelope = {
      {"id", "EV-1"},
      {"create_time", "2026-11-21T15:30:00+08:00"},
      {"event_type", "TRANSACTION.SUCCESS"},
      {"resource_type", "encrypt-resource"},
      {"summary", "paid"},
      {"resource",
       {{"original_type", "transaction"},
        {"algorithm", "AEAD_AES_256_GCM"},
        {"ciphertext", base::base64(base::seal_aes_gcm(kApiKey, kNonce, "transaction", plain))},
        {"associated_data", "transaction"},
        {"nonce", kNonce}}}};
  return envelope.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// The envelope as a stranger sends it: whatever is in it, nothing that was signed for other bytes.
void run_wechat_forged(std::string_view input) {
  static const payments::NotifyRequest genuine =
      signed_notice(sealed_envelope(R"({"mchid":"1900000109"})"));
  payments::NotifyRequest forged = genuine;
  forged.body = std::string(input);
  if (forged.body != genuine.body)
    holds(!parties().wechat->parse_notify(forged), "a signature covers every byte of its body");
  for (auto& [name, value] : forged.headers) {
    if (name == "wechatpay-signature") value = std::string(input.substr(0, 600));
  }
  holds(!parties().wechat->parse_notify(forged), "no text is a signature");
}

// The envelope as the channel itself sends it, signed: strange, but theirs.
void run_wechat_signed(std::string_view input) {
  (void)parties().wechat->parse_notify(signed_notice(std::string(input)));
  (void)parties().wechat->parse_notify(signed_notice(sealed_envelope(input)));
}

std::vector<std::string> envelopes() {
  return {
      sealed_envelope(R"({"mchid":"1900000109","appid":"wx8888888888888888","out_trade_no":"TP1",)"
                      R"("transaction_id":"42","trade_state":"SUCCESS","amount":{"total":9850,)"
                      R"("payer_total":9850,"currency":"CNY","payer_currency":"CNY"}})")};
}

void run_wechat_trade(std::string_view input) {
  const auto object = base::json_in(input, base::kMaxPartyJsonBytes);
  if (!object || !object->is_object()) return;
  static const payments::WechatConfig config = {.mchid = "1900000109",
                                                .appid = "wx8888888888888888",
                                                .serial_no = "1",
                                                .private_key = parties().ours,
                                                .apiv3_key = kApiKey,
                                                .verify_keys = {},
                                                .notify_url = "",
                                                .app_name = "",
                                                .app_url = ""};
  if (const auto trade = payments::wechat_trade_in(*object, config)) {
    holds(!trade->out_trade_no.text.empty(), "a trade has our number");
    holds(trade->paid.minor >= -kMaxMinor && trade->paid.minor <= kMaxMinor, "a sum has bounds");
  }
  (void)payments::wechat_refund_in(*object, "refund_status");
}

void run_alipay(std::string_view input) {
  const auto form = payments::alipay_form_in(input);
  if (form) {
    holds(form->size() <= payments::kMaxAlipayFields, "fields are counted");
    const auto again = payments::alipay_form_in(payments::alipay_form(*form));
    holds(again && *again == *form, "a form that is written reads as it was");
  }
  holds(!parties().alipay->parse_notify({{}, std::string(input)}), "nothing unsigned is taken");
  static const payments::AlipayKeys keys = {{"", parties().theirs}};
  const auto answer = payments::open_alipay_answer(keys, input, "alipay.trade.query");
  if (!answer) return;
  const char* const from = answer->content.data();
  holds(from >= input.data() && from + answer->content.size() <= input.data() + input.size(),
        "what is verified are the bytes that came");
  holds(answer->content.starts_with("{") && answer->content.ends_with("}"), "and a whole object");
  holds(answer->verdict != payments::AlipaySignature::valid, "nothing unsigned is good");
}

suppliers::SubmitRequest wish() {
  suppliers::SubmitRequest request;
  request.attempt_id = AttemptId("01JDAAAAAAAAAAAAAAAAAAAAAA");
  request.supplier_operator_id = "290";
  request.country = "CN";
  request.account_number = "+8613800138000";
  request.face = {10'000, Currency::cny};
  request.sku = "1";
  return request;
}

bool is_json(std::string_view bytes) {
  return base::json_in(bytes, base::kMaxPartyJsonBytes).has_value();
}

// Junk is never a refusal or a delivery: money hangs on both.
void check_supplier(suppliers::Supplier& supplier, std::string_view input, bool is_readable) {
  Echo& outside = parties().outside;
  outside.body = std::string(input);
  outside.status = input.size() % 5 == 0 ? 500 : 200;
  for (const suppliers::SupplyOutcome& said :
       {supplier.submit(wish()), supplier.query(wish().attempt_id, "4602843")}) {
    const bool is_open = said.state == SupplyState::unknown ||
                         said.state == SupplyState::accepted || said.state == SupplyState::held;
    if (!is_readable) holds(is_open, "what is no JSON decides nothing");
    if (said.cost)
      holds(said.cost->minor >= 0 && said.cost->minor <= kMaxMinor, "a cost has bounds");
    if (said.state == SupplyState::succeeded)
      holds(outside.status == 200, "a failing server delivers nothing");
  }
  (void)supplier.balance();
  (void)supplier.products("CN");
  (void)supplier.parse_callback(
      {{{"x-reloadly-signature", "00"}}, std::string(input), "token-0123456789"});
}
void run_reloadly(std::string_view input) {
  check_supplier(*parties().reloadly, input, is_json(input));
}
void run_dtone(std::string_view input) { check_supplier(*parties().dtone, input, is_json(input)); }
void run_dingconnect(std::string_view input) {
  check_supplier(*parties().dingconnect, input, is_json(input));
}
// Its reasons may be in GBK.
void run_juhe(std::string_view input) {
  const auto text = base::utf8_of_gb18030(input);
  check_supplier(*parties().juhe, input, is_json(input) || (text && is_json(*text)));
}

void run_bills(std::string_view input) {
  if (const auto bill = payments::read_wechat_bill(input, "1900000109"))
    holds(bill->lines.size() <= payments::kMaxBillLines, "a bill has a bound");
  (void)payments::read_wechat_fund_bill(input);
  (void)payments::bill_file_target(input);
  (void)payments::bill_time_ms(input);
  if (const auto parts = payments::bill_parts(input)) (void)payments::fen_of_parts(*parts);
  (void)payments::bill_count(input);
}

// The text as it stands, the archive as it came, and what an archive may hold.
void run_alipay_bill(std::string_view input) {
  const payments::AlipayBillOf any{"", ""};
  for (const auto& bill :
       {payments::read_alipay_details(input, any), payments::read_alipay_bill(input, any)}) {
    if (!bill) continue;
    holds(bill->lines.size() <= payments::kMaxBillLines, "a bill has a bound");
    holds(bill->payments + bill->refunds == static_cast<std::int64_t>(bill->lines.size()),
          "each line is a payment or a refund");
    for (const payments::BillLine& line : bill->lines)
      holds(line.amount.minor >= 0, "an amount says no direction");
  }
  for (const auto& funds : {payments::read_alipay_fund_details(input, any),
                            payments::read_alipay_fund_bill(input, any)}) {
    if (!funds) continue;
    holds(funds->size() <= payments::kMaxBillLines, "a fund flow has a bound");
    for (const payments::FundLine& line : *funds) {
      const bool is_in = line.amount.minor > 0;
      if (line.kind == payments::FundKind::payment) holds(is_in, "a payment comes in");
      if (line.kind == payments::FundKind::refund) holds(!is_in, "a refund goes out");
    }
  }
  const auto entries = base::unzip(input, {4, 1 << 16});
  std::size_t bytes = 0;
  if (entries)
    for (const auto& entry : *entries) bytes += entry.content.size();
  holds(bytes <= (1 << 16), "an archive has a bound");
  if (const auto text = base::utf8_of_gb18030(input)) {
    const auto back = base::gb18030_of_utf8(*text);
    holds(!back || base::utf8_of_gb18030(*back) == *text,
          "text that was read is written as it was");
  }
  (void)payments::alipay_bill_target(input, "https://dwbillcenter.alipay.com");
}

std::vector<std::string> alipay_archives() {
  const std::string details =
      "#支付宝业务明细查询\r\n#账号：[20887200000000010156]\r\n"
      "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,订单金额（元）,商家实收（元）,"
      "退款批次号/请求号,服务费（元）\r\n"
      "42\t,T1\t,交易,话费,2026-11-20 10:00:00,2026-11-20 10:00:09,99.50,99.50,,-0.60\r\n"
      "#--业务明细列表结束--\r\n#交易合计：1笔，商家实收共99.50元\r\n";
  const std::string flow =
      "#支付宝账务明细查询\r\n#账号：[20887200000000010156]\r\n"
      "账务流水号,业务流水号,商户订单号,商品名称,发生时间,收入金额（+元）,支出金额（-元）,"
      "账户余额（元）,业务类型,备注\r\n"
      "2\t,42\t,T1\t,话费,2026-11-20 10:00:09,0.00,-0.60,98.90,收费,服务费[42]\r\n"
      "1\t,42\t,T1\t,话费,2026-11-20 10:00:09,99.50,0.00,99.50,在线支付,\r\n"
      "#--账务明细列表结束--\r\n#支出合计：1笔，共-0.60元\r\n#收入合计：1笔，共99.50元\r\n";
  return {details, flow, base::zip({{"a.csv", base::gb18030_of_utf8(details).value_or(details)}}),
          base::zip({{"a.csv", base::gb18030_of_utf8(flow).value_or(flow)}})};
}

}  // namespace

std::span<const Target> party_targets() {
  static const std::array kAll = {
      Target{
          "wx_forged", 8, run_wechat_forged, envelopes, {"\"", "{", "}", "==", "\"nonce\":\"\""}},
      Target{"wx_signed",
             1,
             run_wechat_signed,
             envelopes,
             {"\"ciphertext\":\"\"", "\"nonce\":\"short\"", "null", "{", "}",
              "\"amount\":{\"total\":-1}"}},
      Target{
          "wx_trade",
          17,
          run_wechat_trade,
          nullptr,
          {"\"total\":", "-1", "1.5", "null", "\"SUCCESS\"", "\"CNY\"", "\"amount\":", "{}", "[]"}},
      Target{"alipay",
             19,
             run_alipay,
             nullptr,
             {"&sign=", "&sign_type=RSA2", "=", "&", "%", "\"sign\":\"", "_response\":{",
              "error_response", "+", "}"}},
      Target{"reloadly",
             7,
             run_reloadly,
             nullptr,
             {"\"status\":\"SUCCESSFUL\"", "null", "-1", "{}", "\"errorCode\":", "[]"}},
      Target{"dtone",
             7,
             run_dtone,
             nullptr,
             {"\"id\":60000", "\"class\":{", "null", "[]", "\"errors\":[", "{}"}},
      Target{"ding",
             7,
             run_dingconnect,
             nullptr,
             {"\"ResultCode\":1", "\"ErrorCodes\":[", "null", "{}", "[]", "\"Items\":["}},
      Target{"juhe",
             7,
             run_juhe,
             nullptr,
             {"\"error_code\":0", "\"game_state\":\"1\"", "null", "\"9\"", "{}", "[]"}},
      Target{"bills",
             9,
             run_bills,
             nullptr,
             {",", "`", "\r\n", "0.00", "-", "SUCCESS", "REFUND", "\xEF\xBB\xBF", "\xE6\x80\xBB"}},
      Target{"ali_bill",
             6,
             run_alipay_bill,
             alipay_archives,
             {",", "\r\n#", "\t", "交易", "退款", "收费", "99.50", "-", "笔", "共", "元", "[42]",
              "PK\x03\x04", "PK\x01\x02", "PK\x05\x06"}},
  };
  return kAll;
}

}  // namespace topup::fuzz
