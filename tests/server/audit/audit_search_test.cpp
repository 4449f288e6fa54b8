#include "server/audit/audit_search.h"

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/audit/audit_store.h"
#include "server/audit/chain_watch.h"
#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"

namespace topup::audit {
namespace {

struct Trail {
  testing::ScratchShop shop;
  void add(const std::string& actor, const std::string& action, const std::string& subject,
           std::int64_t at_ms) {
    shop.db().write([&](storage::Tx& tx) {
      append(tx, {actor, action, subject, "", R"({"a":1})", R"({"a":2})"}, TraceId(), at_ms);
      return true;
    });
  }
  Found find(const Search& wanted, std::int64_t before = 0, std::int64_t limit = 50) {
    Found found;
    shop.db().read([&](storage::Reader& reader) { found = search(reader, wanted, before, limit); });
    return found;
  }
};

TEST_CASE("audit search: by who, what, on what and when, newest first, page by page") {
  Trail trail;
  for (int i = 0; i < 30; ++i) {
    trail.add("buyer:b" + std::to_string(i), "order.place", "o" + std::to_string(i), 1'000 + i);
    trail.add("staff:s1", "customer.frozen", "b" + std::to_string(i), 1'000 + i);
  }
  trail.add("staff:s2", "settings.changed", "shop", 2'000);
  Search wanted;
  CHECK(trail.find(wanted).rows.size() == 31);
  wanted.actor = "staff:s1";
  const Found first = trail.find(wanted, 0, 20);
  REQUIRE(first.rows.size() == 20);
  CHECK(first.rows.front().subject == "b29");
  CHECK(trail.find(wanted, first.before_seq, 20).rows.size() == 10);
  wanted = {};
  wanted.action = "settings.";
  CHECK(trail.find(wanted).rows.size() == 1);
  wanted = {};
  wanted.subject = "b7";
  CHECK(trail.find(wanted).rows.size() == 1);
  wanted = {};
  wanted.staff_only = false;
  wanted.from_ms = 1'010;
  wanted.to_ms = 1'020;
  CHECK(trail.find(wanted).rows.size() == 20);
  trail.shop.db().read([](storage::Reader& reader) {
    CHECK(count_of_staff(reader, "staff:s1", "customer.frozen", 1'025, 100) == 5);
    CHECK(count_of_staff(reader, "staff:s1", "customer.frozen", 0, 10) == 10);
  });
}

TEST_CASE("audit search: staff and sign-ins are read from indexes of their own") {
  Trail trail;
  if (testing::ScratchShop::is_postgres()) return;
  for (const auto& [among, index] :
       {std::pair{audit_store::Among::staff, "audit_log_of_staff"},
        std::pair{audit_store::Among::sign_ins, "audit_log_of_sign_ins"}}) {
    std::string said;
    trail.shop.db().read([&](storage::Reader& reader) {
      reader.query("EXPLAIN QUERY PLAN " + std::string(audit_store::search_sql(among)),
                   {std::int64_t{100}, std::int64_t{0}, std::int64_t{10}},
                   [&said](const storage::Row& row) { said += row.text(3); });
    });
    CAPTURE(said);
    CHECK(said.find(index) != std::string::npos);
  }
}

TEST_CASE("audit search: the chain is walked in the background and a changed row is named") {
  Trail trail;
  for (int i = 0; i < 40; ++i) trail.add("staff:s1", "customer.note", "b", 1'000 + i);
  testing::ManualClock clock;
  const auto walked = [&] {
    ChainWatch watch(trail.shop.db(), clock, [] { return std::vector<Head>(); });
    CHECK(watch.start());
    while (watch.status().state == "running") std::this_thread::yield();
    return watch.status();
  };
  const ChainStatus whole = walked();
  CHECK(whole.state == "holds");
  CHECK(whole.rows == 40);
  CHECK(whole.last_seq == 40);
  trail.shop.drop_trigger("audit_keep", "audit_log");
  trail.shop.tamper("UPDATE audit_log SET subject = 'c' WHERE seq = 17");
  const ChainStatus broken = walked();
  CHECK(broken.state == "broken");
  CHECK(broken.first_bad_seq == 17);
}

}  // namespace
}  // namespace topup::audit
