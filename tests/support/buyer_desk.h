// Signing in on a real store, without a network: what WeChat or a gateway would say is given by the
// test.
#pragma once

#include <string>
#include <vector>

#include "server/auth/identities.h"
#include "server/auth/sms_login.h"
#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"
#include "tests/support/seeded_random.h"

namespace topup::testing {

struct BuyerDesk {
  struct Message {
    std::string number, code, reference;
  };
  QuietLog quiet;
  ManualClock clock;
  SeededRandom random{5};
  ScratchShop shop;
  privacy::Pii pii{std::string(32, 'k'), random};
  auth::BuyerSessions sessions{shop.db(), clock, random};
  auth::SignInLog log{shop.db(), clock, random, pii};
  auth::Identities identities{shop.db(), clock, random, pii, sessions, log};
  std::vector<Message> outbox;
  auth::Sent fate = auth::Sent::sent;
  auth::Caller caller{"203.0.113.7", "Mozilla/5.0 (iPhone) MicroMessenger/8.0", TraceId()};

  auth::SmsLogin sms(auth::SmsSettings settings = {}) {
    return {shop.db(),
            clock,
            random,
            pii,
            identities,
            log,
            settings,
            [this](const std::string& number, const std::string& code, std::int64_t,
                   const std::string& reference) {
              outbox.push_back({number, code, reference});
              return fate;
            }};
  }
  static auth::Proof mini(const std::string& openid, const std::string& unionid = "") {
    return {std::string(auth::identity_kind::kWechatMini), "wxmini", openid, unionid};
  }
  static auth::Proof oa(const std::string& openid, const std::string& unionid = "") {
    return {std::string(auth::identity_kind::kWechatOa), "wxoa", openid, unionid};
  }
  static auth::Proof phone(const std::string& number) {
    return {std::string(auth::identity_kind::kPhone), "", number, ""};
  }
  void place_order(const std::string& id, const UserId& user) {
    shop.tamper(
        "INSERT INTO orders (order_id, user_id, client_key, client_fingerprint, state, version,"
        " product_id, operator_id, operator_name_zh, operator_name_en, account_sealed,"
        " account_masked, face_minor, face_currency, payable_minor, payable_currency,"
        " delivered_minor, delivered_currency, quote, event_seq, trace_id, created_at_ms,"
        " updated_at_ms, pay_by_ms) VALUES ('" +
        id + "', '" + user.text + "', 'key-" + id +
        "', 'f', 'paid', 1, 'p', 'op', 'zh', 'en', 'v1', '138', 5000, 'CNY', 4975, 'CNY',"
        " 5000, 'CNY', '{}', 1, 't', 1, 1, 2)");
  }
  std::string owner_of(const std::string& order) {
    return shop.text("SELECT user_id FROM orders WHERE order_id = $1", {std::string_view(order)});
  }
};

}  // namespace topup::testing
