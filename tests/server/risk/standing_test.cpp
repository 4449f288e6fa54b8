#include "server/risk/standing.h"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <vector>

#include "server/admin/blacklist_desk.h"
#include "server/admin/customer_desk.h"
#include "server/risk/subject.h"
#include "tests/support/order_shop.h"
#include "tests/support/together.h"

namespace topup::risk {
namespace {

using testing::OrderShop;

const admin::Deed kDeed{StaffId("staff-1"), "a reason", TraceId()};

struct People : OrderShop {
  admin::CustomerDesk customers{shop.db(), clock, random, pii, {}};
  admin::BlacklistDesk list{shop.db(), clock, random, pii};

  const orders::PlaceRequest like = request("any-client-key-000");  // priced while all is free

  std::string place_reason(const std::string& key) {
    orders::PricedQuote shown;
    orders::PlaceRequest wanted = like;
    wanted.client_key = key;
    wanted.client_fingerprint = "body-of-" + key;
    wanted.address = "203.0.113.7";
    wanted.device_code = device_code("device-of-the-test");
    const auto placed = orders.place(wanted, &shown);
    return placed ? "" : std::string(placed.error().reason);
  }
  std::string blocked_by(const std::string& kind, const std::string& subject, const char* key) {
    const auto entry = list.add({kind, subject, 0}, kDeed);
    REQUIRE(entry.has_value());
    const std::string reason = place_reason(key);
    REQUIRE(list.end(entry->id, kDeed).has_value());
    return reason;
  }
};

TEST_CASE("risk: a frozen buyer neither places nor pays, sees the order, and thaws") {
  People shop;
  const OrderId order = shop.place();
  REQUIRE(shop.customers.freeze(shop.user, kDeed).has_value());
  CHECK(shop.customers.freeze(shop.user, kDeed).error().reason == "customer_frozen");
  CHECK(shop.place_reason("frozen-client-key-1") == "account_frozen");
  CHECK(shop.try_start(order).error().reason == "account_frozen");
  CHECK(shop.orders.find(shop.user, order).has_value());
  REQUIRE(shop.customers.unfreeze(shop.user, kDeed).has_value());
  CHECK(shop.try_start(order).has_value());
  CHECK(shop.shop.integer("SELECT COUNT(*) FROM audit_log WHERE subject = $1 AND action LIKE "
                          "'customer.%'",
                          {shop.user.text}) == 2);
}

TEST_CASE("risk: money that arrives for a buyer frozen meanwhile waits for a person") {
  People shop;
  const OrderId order = shop.place();
  const OutTradeNo no = shop.start(order);
  REQUIRE(shop.customers.freeze(shop.user, kDeed).has_value());
  REQUIRE(shop.notify(OrderShop::paid(no)).has_value());
  CHECK(shop.state(order) == State::awaiting_approval);
  CHECK(shop.broken_books().empty());
}

TEST_CASE("risk: of orders placed while a buyer is frozen, none begins after the freeze is done") {
  People shop;
  shop.env.settings.max_unpaid_per_user = 1'000;
  shop.env.settings.repeat_window_ms = 0;
  std::atomic<bool> is_frozen{false};
  std::atomic<int> slipped{0}, placed{0}, refused{0};
  testing::together(4, [&](int thread) {
    if (thread == 0) {
      is_frozen = shop.customers.freeze(shop.user, kDeed).has_value();
      return;
    }
    for (int i = 0; i < 25; ++i) {
      orders::PlaceRequest wanted = shop.like;
      wanted.confirms_repeat = true;
      wanted.client_key = "parallel-client-key-" + std::to_string(thread * 100 + i);
      wanted.client_fingerprint = "body-of-" + wanted.client_key;
      const bool began_after = is_frozen;
      orders::PricedQuote shown;
      const auto done = shop.orders.place(wanted, &shown);
      placed += done ? 1 : 0;
      refused += done ? 0 : 1;
      slipped += done && began_after ? 1 : 0;
    }
  });
  CHECK(slipped == 0);
  CHECK(placed + refused == 75);
  CHECK(shop.place_reason("frozen-client-key-9") == "account_frozen");
}

TEST_CASE("risk: each kind of entry refuses from its commit on, without naming itself") {
  People shop;
  CHECK(shop.place_reason("free-client-key-01") == "");
  CHECK(shop.blocked_by("phone", "138 0013 8000", "client-key-phone-1") == "account_blocked");
  CHECK(shop.blocked_by("user", shop.user.text, "client-key-user-01") == "order_not_accepted");
  CHECK(shop.blocked_by("device", device_code("device-of-the-test"), "client-key-devi-01") ==
        "order_not_accepted");
  for (const char* network : {"203.0.113.7", "203.0.113.0/24", "203.0.113.*", "203.0.*.*"})
    CHECK(shop.blocked_by("ip", network, "client-key-netw-01") == "order_not_accepted");
  CHECK(shop.blocked_by("ip", "203.0.114.0/24", "client-key-other-1") == "");
  CHECK(shop.orders.price(shop.like.quote).has_value());
}

TEST_CASE("risk: an entry ends by itself, and may then be made anew") {
  People shop;
  const std::int64_t until = shop.clock.wall_ms() + 60'000;
  REQUIRE(shop.list.add({"phone", "13800138000", until}, kDeed).has_value());
  CHECK(shop.list.add({"phone", "+86 138 0013 8000", 0}, kDeed).error().reason == "already_listed");
  CHECK(shop.place_reason("client-key-ends-01") == "account_blocked");
  CHECK(shop.orders.price(shop.like.quote).error().reason == "account_blocked");
  shop.clock.advance(60'000);
  CHECK(shop.place_reason("client-key-ends-02") == "");
  CHECK(shop.list.add({"phone", "13800138000", 0}, kDeed).has_value());
  CHECK(shop.list.add({"ip", "10.0.0.0/8", 0}, kDeed).error().reason == "subject_malformed");
  CHECK(shop.list.add({"user", "nobody", 0}, kDeed).error().reason == "user_not_found");
}

TEST_CASE("risk: the subject of an entry is nowhere in the file in the clear") {
  People shop;
  REQUIRE(shop.list.add({"phone", "13912345678", 0}, kDeed).has_value());
  for (const std::string& column : shop.shop.columns("blacklist")) {
    CAPTURE(column);
    CHECK(shop.shop.integer("SELECT COUNT(*) FROM blacklist WHERE CAST(" + column +
                            " AS TEXT) LIKE '%13912345678%'") == 0);
  }
}

TEST_CASE("risk: a file enters its good rows, names its bad ones, and comes out as it went in") {
  People shop;
  const std::string csv =
      "\xEF\xBB\xBFkind,subject,reason,expires\r\n"
      "phone,13900139000,\"fraud, twice\",2099-12-31\r\n"
      "phone,1,short,\r\n"
      "\r\n"
      "ip,203.0.113.0/24,=1+1,\r\n"
      "card,1000 1234 5678 9012 345,stolen,2099-02-30\r\n"
      "phone,13900139000,again,\r\n";
  const auto trial = shop.list.import(csv, true, kDeed);
  REQUIRE(trial.has_value());
  CHECK(trial->added == 2);
  CHECK(shop.shop.integer("SELECT COUNT(*) FROM blacklist") == 0);
  const auto report = shop.list.import(csv, false, kDeed);
  REQUIRE(report.has_value());
  CHECK(report->added == 2);
  CHECK(report->known == 1);
  REQUIRE(report->mistakes.size() == 2);
  CHECK(report->mistakes[0].line == 3);
  CHECK(report->mistakes[0].reason == "subject_malformed");
  CHECK(report->mistakes[1].line == 6);
  CHECK(report->mistakes[1].reason == "day_malformed");
  const auto out = shop.list.export_csv(kDeed);
  REQUIRE(out.has_value());
  CHECK(out->find("phone,'+8613900139000,\"fraud, twice\",2099-12-31\r\n") != std::string::npos);
  CHECK(out->find("ip,203.0.113.0/24,'=1+1,\r\n") != std::string::npos);
  CHECK(shop.list.import("subject\nx\n", false, kDeed).error().reason == "csv_columns");
  CHECK(shop.list.import("kind,\"subject\n", false, kDeed).error().reason == "csv_malformed");
  const auto back = shop.list.import(*out, true, kDeed);
  REQUIRE(back.has_value());
  CHECK(back->known == 2);
}

TEST_CASE("customers: found by tail and number, listed by kind, from an index each") {
  People shop;
  shop.place();
  const auto found = [&](const std::string& q) {
    std::vector<std::string> ids;
    shop.shop.db().read([&](storage::Reader& reader) {
      for (const auto& one : shop.customers.search(reader, q)) ids.push_back(one.user.text);
    });
    return ids;
  };
  CHECK(found("8000") == std::vector<std::string>{shop.user.text});
  CHECK(found("13800138000") == std::vector<std::string>{shop.user.text});
  CHECK(found(shop.user.text) == std::vector<std::string>{shop.user.text});
  CHECK(found("9999").empty());
  CHECK(shop.customers.list(admin::CustomerList::frozen, UserId()).empty());
  REQUIRE(shop.customers.freeze(shop.user, kDeed).has_value());
  CHECK(shop.customers.list(admin::CustomerList::frozen, UserId()).size() == 1);
  if (testing::ScratchShop::is_postgres()) return;
  for (const auto kind : {admin::CustomerList::all, admin::CustomerList::frozen,
                          admin::CustomerList::phone, admin::CustomerList::wechat}) {
    std::string plan;
    shop.shop.db().read([&](storage::Reader& reader) {
      reader.query("EXPLAIN QUERY PLAN " + std::string(admin::customer_store::list_sql(kind)),
                   {"~", std::int64_t{20}},
                   [&plan](const storage::Row& row) { plan += row.text(3) + "\n"; });
    });
    CAPTURE(plan);
    CHECK(plan.find("SCAN u\n") == std::string::npos);
    CHECK(plan.find("SCAN identities") == std::string::npos);
  }
}

TEST_CASE("customers: what is masked is shown with a record, and only so often in an hour") {
  People shop;
  const OrderId order = shop.place();
  for (std::int64_t i = 0; i < admin::kRevealsPerHour; ++i) {
    const auto shown = shop.customers.reveal_recipient(shop.user, order, kDeed);
    REQUIRE(shown.has_value());
    CHECK(*shown == "+8613800138000");
  }
  CHECK(shop.customers.reveal_recipient(shop.user, order, kDeed).error().reason ==
        "too_many_reveals");
  CHECK(
      shop.shop.integer("SELECT COUNT(*) FROM audit_log WHERE action = 'personal_data.revealed'") ==
      admin::kRevealsPerHour);
  shop.clock.advance(admin::kRevealWindowMs + 1);
  CHECK(shop.customers.reveal_recipient(shop.user, order, kDeed).has_value());
  CHECK(shop.customers.reveal_recipient(UserId("another"), order, kDeed).error().reason ==
        "order_not_found");
}

}  // namespace
}  // namespace topup::risk
