// What Alipay reports, and what only looks as if it did.
#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/payments/alipay.h"
#include "server/payments/alipay_text.h"
#include "tests/support/manual_clock.h"
#include "tests/support/scripted_outbound.h"

namespace topup::payments {
namespace {

using base::RsaKey;

struct Keys {
  RsaKey app = RsaKey::generate();
  RsaKey alipay = RsaKey::generate();
};
const Keys& keys() {
  static const Keys one;
  return one;
}

struct Notice {
  testing::ManualClock clock;
  testing::ScriptedOutbound nobody;
  std::unique_ptr<PayChannel> channel =
      make_alipay({.app_id = "2021000000000001",
                   .seller_id = "2088000000000001",
                   .private_key = keys().app,
                   .verify_keys = {{"", keys().alipay}},
                   .app_cert_sn = "",
                   .root_cert_sn = "",
                   .origin = "https://openapi.alipay.com",
                   .notify_url = "https://shop.example/notify/alipay",
                   .subject = "Topup"},
                  nobody, clock);
  AlipayParams fields = {{"notify_time", alipay_time(clock.wall_ms())},
                         {"notify_type", "trade_status_sync"},
                         {"notify_id", "2026112100222153100000000000000001"},
                         {"charset", "utf-8"},
                         {"version", "1.0"},
                         {"app_id", "2021000000000001"},
                         {"seller_id", "2088000000000001"},
                         {"trade_no", "2026112122001400000000000001"},
                         {"out_trade_no", "TP20261121000001"},
                         {"trade_status", "TRADE_SUCCESS"},
                         {"total_amount", "98.50"},
                         {"subject", "话费充值 100 元 +1%"},
                         {"gmt_payment", "2026-11-21 15:31:02"},
                         {"fund_bill_list", R"([{"amount":"98.50","fundChannel":"PCREDIT"}])"}};

  void set(const std::string& name, const std::string& value) {
    for (auto& field : fields)
      if (field.first == name) return void(field.second = value);
    fields.emplace_back(name, value);
  }
  void sign(const RsaKey& key = keys().alipay) {
    fields.emplace_back("sign", base::sign_sha256_rsa(key, alipay_sign_text(fields)));
    fields.emplace_back("sign_type", "RSA2");
  }
  std::string heard(const std::string& body) const {
    const auto read = channel->parse_notify({{}, body});
    return read ? "" : std::string(read.error().reason);
  }
  std::string heard() const { return heard(alipay_form(fields)); }
};

}  // namespace

TEST_CASE("alipay notify: a genuine payment is read, unknown fields taking part in the signature") {
  Notice notice;
  notice.set("a_field_of_tomorrow", "x y");
  notice.sign();
  const auto read = notice.channel->parse_notify({{}, alipay_form(notice.fields)});
  REQUIRE(read);
  CHECK(read->notify_id == "2026112100222153100000000000000001");
  const Trade& trade = std::get<Trade>(read->what);
  CHECK(trade.state == TradeState::paid);
  CHECK(trade.paid == fen(9'850));
  CHECK(trade.payee_matches);
  CHECK(trade.out_trade_no.text == "TP20261121000001");
  CHECK(notice.channel->notify_answer().heard == "success");
}

TEST_CASE("C-03: each forged notification is refused") {
  struct Row {
    std::string name, wanted;
    std::function<void(Notice&)> spoil;
  };
  const Row rows[] = {
      {"nothing signed", "sign_type_refused", [](Notice&) {}},
      {"another key", "signature_invalid", [](Notice& n) { n.sign(keys().app); }},
      {"another sum", "signature_invalid",
       [](Notice& n) { n.sign(), n.set("total_amount", "0.01"); }},
      {"another order", "signature_invalid",
       [](Notice& n) { n.sign(), n.set("out_trade_no", "TP2"); }},
      {"a field more", "signature_invalid", [](Notice& n) { n.sign(), n.set("body", "x"); }},
      {"MD5", "sign_type_refused", [](Notice& n) { n.sign(), n.set("sign_type", "MD5"); }},
      {"RSA", "sign_type_refused", [](Notice& n) { n.sign(), n.set("sign_type", "RSA"); }},
      {"rsa2", "sign_type_refused", [](Notice& n) { n.sign(), n.set("sign_type", "rsa2"); }},
      {"no sign_type", "sign_type_refused", [](Notice& n) { n.sign(), n.fields.pop_back(); }},
      {"no sign", "signature_invalid",
       [](Notice& n) { n.sign(), n.fields.erase(n.fields.end() - 2); }},
      {"an empty sign", "signature_invalid", [](Notice& n) { n.sign(), n.set("sign", ""); }},
      {"two sums, the signed one last", "notify_malformed",
       [](Notice& n) {
         n.sign();
         n.fields.insert(n.fields.begin(), {"total_amount", "0.01"});
       }},
      {"sign_type signed as if it took part", "signature_invalid",
       [](Notice& n) {
         n.set("sign_type", "RSA2");
         n.fields.emplace_back("sign",
                               base::sign_sha256_rsa(keys().alipay, alipay_sign_text(n.fields)));
       }},
      {"two days old", "timestamp_expired",
       [](Notice& n) { n.sign(), n.clock.advance(48LL * 3'600'000 + 1'001); }},
      {"of tomorrow", "timestamp_expired",
       [](Notice& n) {
         n.set("notify_time", alipay_time(n.clock.wall_ms() + 86'400'000));
         n.sign();
       }},
      {"another family", "notify_malformed",
       [](Notice& n) { n.set("notify_type", "servicemarket"), n.sign(); }},
      {"another charset", "notify_malformed", [](Notice& n) { n.set("charset", "gbk"), n.sign(); }},
      {"a sum that is none", "notify_malformed",
       [](Notice& n) { n.set("total_amount", "98.5O"), n.sign(); }},
      {"a state nobody documented", "notify_malformed",
       [](Notice& n) { n.set("trade_status", "TRADE_MAYBE"), n.sign(); }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Notice notice;
    row.spoil(notice);
    CHECK(notice.heard() == row.wanted);
  }
  Notice genuine;
  genuine.sign();
  CHECK(genuine.heard() == "");
  for (const char* junk : {"", "&", "=", "a", "a=%", "a=%zz", "a=%ff", "sign=&sign_type=RSA2"})
    CHECK_MESSAGE(genuine.heard(junk) != "", junk);
}

TEST_CASE("alipay notify: no flipped bit is let through") {
  Notice notice;
  notice.sign();
  const std::string body = alipay_form(notice.fields);
  int let_through = 0;
  for (std::size_t at = 0; at < body.size(); at += 3) {
    std::string bent = body;
    bent[at] = static_cast<char>(bent[at] ^ 1);
    const auto before = alipay_form_in(body), after = alipay_form_in(bent);
    if (after && *after == *before) continue;  // %2f and %2F say the same
    if (notice.heard(bent).empty()) ++let_through;
  }
  CHECK(let_through == 0);
}

TEST_CASE("C-06: a wrong sum or payee still parses, so that the caller holds the money") {
  const auto read = [](const std::string& name, const std::string& value) {
    Notice notice;
    notice.set(name, value);
    notice.sign();
    const auto heard = notice.channel->parse_notify({{}, alipay_form(notice.fields)});
    REQUIRE_MESSAGE(heard.has_value(), name << " " << value);
    return std::get<Trade>(heard->what);
  };
  CHECK(read("total_amount", "0.01").paid == fen(1));
  CHECK(read("total_amount", "9850").paid == fen(985'000));
  for (const char* sum : {"-98.50", "1000000000000000000", "98.501"})
    CHECK_FALSE(read("total_amount", sum).payee_matches);
  CHECK_FALSE(read("seller_id", "2088000000000002").payee_matches);
  CHECK_FALSE(read("seller_id", "").payee_matches);
  CHECK_FALSE(read("app_id", "2021000000000009").payee_matches);
}

TEST_CASE("alipay notify: a refund tells of the same payment, and a closed trade of none") {
  Notice partly;
  partly.set("refund_fee", "10.00");
  partly.set("gmt_refund", "2026-11-21 16:00:00.123");
  partly.set("out_biz_no", "RF1");
  partly.sign();
  const auto refunded = partly.channel->parse_notify({{}, alipay_form(partly.fields)});
  REQUIRE(refunded);
  CHECK(std::get<Trade>(refunded->what).state == TradeState::paid);
  CHECK(std::get<Trade>(refunded->what).paid == fen(9'850));
  Notice wholly;
  wholly.set("trade_status", "TRADE_CLOSED");
  wholly.sign();
  CHECK(
      std::get<Trade>(wholly.channel->parse_notify({{}, alipay_form(wholly.fields)})->what).state ==
      TradeState::paid);
  Notice unpaid;
  unpaid.set("trade_status", "TRADE_CLOSED");
  std::erase_if(unpaid.fields, [](const auto& field) { return field.first == "gmt_payment"; });
  unpaid.sign();
  CHECK(
      std::get<Trade>(unpaid.channel->parse_notify({{}, alipay_form(unpaid.fields)})->what).state ==
      TradeState::closed);
}

}  // namespace topup::payments
