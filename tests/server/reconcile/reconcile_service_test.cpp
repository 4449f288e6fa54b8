// F037, F038: days compared on a real store, with orders that went through the real flows.
#include <doctest/doctest.h>

#include <chrono>

#include "server/jobs/outbox.h"
#include "tests/server/reconcile/reconcile_desk.h"

using namespace topup;
using namespace topup::reconcile;
using topup::reconcile::test::Desk;
using topup::testing::OrderShop;

TEST_CASE("F037: a day that agrees leaves no difference, and its fees are booked once") {
  Desk desk;
  for (int i = 0; i < 5; ++i) desk.pay();
  const std::string day = desk.today();
  for (int again = 0; again < 3; ++again) {
    const Run run = desk.run(day);
    CHECK(run.state == "matched");
    CHECK(run.lines == 5);
    CHECK(run.agreed == 5);
    CHECK(desk.differences(day).empty());
    CHECK(desk.shop.balance("cost.channel_fees.wechat") == 5 * 30);
    CHECK(desk.clearing() == 5 * (testing::kPayable - 30));
    desk.check_books();
  }
  CHECK(desk.shop.journals("channel_fee") == 1);
}

TEST_CASE("F038: each difference in money stands in suspense until a person resolves it") {
  Desk desk;
  for (int i = 0; i < 6; ++i) desk.pay();
  auto& lines = desk.channel->lines;
  payments::BillLine stranger = lines[0];
  stranger.out_trade_no = OutTradeNo("SOMEBODY-ELSES");
  lines.push_back(stranger);                      // missing with us
  lines.push_back(lines[1]);                      // twice
  lines[2].amount = fen(testing::kPayable - 75);  // another amount
  lines[3].fee = fen(33);                         // another fee
  lines[2].fee = fen(29);
  const std::string day = desk.today();
  const Run first = desk.run(day);
  CHECK(first.state == "matched");
  std::map<std::string_view, StoredDifference> by_kind;
  for (const auto& row : desk.differences(day)) by_kind[to_word(row.what.kind)] = row;
  REQUIRE(by_kind.size() == 4);
  CHECK(by_kind.at("missing_ours").suspense_minor == testing::kPayable);
  CHECK(by_kind.at("duplicate_theirs").suspense_minor == testing::kPayable);
  CHECK(by_kind.at("amount_differs").suspense_minor == -75);
  CHECK(by_kind.at("fee_differs").suspense_minor == -3);
  CHECK(desk.items.size() == 4);
  desk.check_books();
  const std::int64_t agreed_with_them = desk.clearing();
  std::int64_t theirs = 0;
  for (const auto& line : lines) theirs += line.amount.minor - line.fee.minor;
  CHECK(agreed_with_them == theirs);

  SUBCASE("compared again, nothing changes") {
    const std::int64_t journals = desk.shop.shop.integer("SELECT COUNT(*) FROM journals");
    const std::int64_t audits = desk.shop.shop.integer("SELECT COUNT(*) FROM audit_log");
    const auto before = desk.differences(day);
    desk.run(day);
    CHECK(desk.shop.shop.integer("SELECT COUNT(*) FROM journals") == journals);
    CHECK(desk.shop.shop.integer("SELECT COUNT(*) FROM audit_log") == audits);
    CHECK(desk.differences(day).size() == before.size());
  }
  SUBCASE("what went away by itself is closed and its money moved back") {
    desk.channel->lines.erase(desk.channel->lines.begin() + 6);
    desk.run(day);
    CHECK(desk.items.size() == 3);
    for (const auto& row : desk.differences(day)) {
      if (row.what.kind != Kind::missing_ours) continue;
      CHECK(row.state == "resolved");
      CHECK(row.resolution == "agreed");
      CHECK(row.suspense_minor == 0);
    }
    desk.check_books();
  }
  SUBCASE("accepted: it is ours to keep or to bear, once, also when compared again") {
    REQUIRE(desk.resolve(by_kind.at("missing_ours").id, "accept_theirs"));
    REQUIRE(desk.resolve(by_kind.at("amount_differs").id, "accept_theirs"));
    REQUIRE(desk.resolve(by_kind.at("fee_differs").id, "accept_theirs"));
    CHECK(desk.shop.balance("cost.adjustments") == -testing::kPayable + 75);
    desk.check_books();
    desk.run(day);
    CHECK(desk.shop.balance("cost.adjustments") == -testing::kPayable + 75);
    CHECK(desk.clearing() == agreed_with_them);
    CHECK(desk.resolve(by_kind.at("missing_ours").id, "accept_theirs").error().reason ==
          "difference_resolved");
    desk.check_books();
  }
  SUBCASE("settled later: the account moves back, and comparing again does not move it") {
    REQUIRE(desk.resolve(by_kind.at("duplicate_theirs").id, "settle_later"));
    CHECK(desk.clearing() == agreed_with_them - testing::kPayable);
    desk.run(day);
    CHECK(desk.clearing() == agreed_with_them - testing::kPayable);
    CHECK(desk.items.size() == 3);
    desk.check_books();
  }
  SUBCASE("accepted and then corrected by them after all: the correction is told") {
    REQUIRE(desk.resolve(by_kind.at("missing_ours").id, "accept_theirs"));
    desk.channel->lines.erase(desk.channel->lines.begin() + 6);
    desk.run(day);
    const auto rows = desk.differences(day);
    for (const auto& row : rows) {
      if (row.what.kind != Kind::missing_ours) continue;
      CHECK(row.state == "open");
      CHECK(row.suspense_minor == -testing::kPayable);
    }
    desk.check_books();
  }
  SUBCASE("an unknown way and an unknown difference are refused") {
    CHECK(desk.resolve(by_kind.at("missing_ours").id, "note").error().reason ==
          "resolution_not_offered");
    CHECK(desk.resolve("nobody", "note").error().reason == "difference_not_found");
    desk.shop.shop.tamper("UPDATE work_items SET state = 'resolved'");
    CHECK(desk.resolve(by_kind.at("missing_ours").id, "accept_theirs").error().reason ==
          "work_item_settled");
  }
}

TEST_CASE("F037: a payment that only the bill knows is asked for again, and agrees when heard") {
  Desk desk;
  const OrderId order = desk.shop.place();
  const OutTradeNo number = desk.shop.start(order);
  payments::BillLine line;
  line.out_trade_no = number;
  line.transaction_id = TransactionId("wx-" + number.text);
  line.amount = fen(testing::kPayable);
  line.fee = fen(30);
  line.state = "SUCCESS";
  line.at_ms = desk.shop.clock.wall_ms();
  desk.channel->lines.push_back(line);
  const std::string day = desk.today();
  desk.run(day);
  auto rows = desk.differences(day);
  REQUIRE(rows.size() == 1);
  CHECK(to_word(rows[0].what.kind) == "state_differs");
  CHECK(rows[0].suspense_minor == testing::kPayable);
  CHECK(offered(rows[0]).front() == "query_again");
  REQUIRE(desk.resolve(rows[0].id, "query_again"));
  CHECK(desk.queried == std::vector<std::string>{number.text});
  desk.check_books();

  REQUIRE(desk.shop.notify(OrderShop::paid(number)));
  desk.run(day);
  rows = desk.differences(day);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].state == "resolved");
  CHECK(desk.items.empty());
  CHECK(desk.clearing() == testing::kPayable - 30);
  desk.check_books();
}

TEST_CASE("F037: midnight: what the next day's bill has is explained, what none has is missing") {
  Desk desk;
  const std::int64_t midnight =
      start_of_day_ms(desk.shop.clock.wall_ms(), kShanghaiOffsetMs) + kDayMs;
  desk.shop.clock.advance_to(midnight - 1'000);
  const std::string day = desk.today();
  desk.pay();
  desk.pay();
  desk.channel->lines[0].at_ms = midnight;  // theirs is one second later
  desk.channel->lines.pop_back();           // theirs is nowhere
  desk.shop.clock.advance_to(midnight + 11 * 3'600'000);
  desk.run(day);
  auto rows = desk.differences(day);
  REQUIRE(rows.size() == 2);
  for (const auto& row : rows) CHECK(to_word(row.what.kind) == "day_edge");
  CHECK(desk.items.empty());

  desk.shop.clock.advance_to(midnight + 35 * 3'600'000);
  desk.run(day_text(midnight, kShanghaiOffsetMs));
  int missing = 0;
  for (const auto& row : desk.differences(day)) {
    if (row.what.kind == Kind::day_edge) CHECK(row.state == "resolved");
    if (row.what.kind != Kind::missing_theirs) continue;
    ++missing;
    CHECK(row.suspense_minor == -testing::kPayable);
  }
  CHECK(missing == 1);
  desk.check_books();
}

TEST_CASE("F037: what is asked while the job before it is ending is not lost with it") {
  Desk desk;
  desk.pay();
  const std::string day = desk.today();
  storage::Db& db = desk.shop.shop.db();
  const auto ask = [&] {
    REQUIRE(storage::with_tx(db, [&](storage::Tx& tx) {
      return desk.service->plan(tx, "wechat", day, "staff:a", TraceId("t"));
    }));
  };
  const auto leased = [&] {
    const std::int64_t now = desk.shop.clock.wall_ms();
    std::vector<jobs::Job> claimed;
    db.write([&](storage::Tx& tx) {
      claimed = jobs::outbox::claim_kind(tx, kRunJob, now, now + 60'000, 10, "");
      return true;
    });
    return claimed;
  };
  ask();
  ask();  // it has not run: one comparison answers both
  const auto first = leased();
  REQUIRE(first.size() == 1);
  desk.service->run_asked(first[0].subject);
  ask();
  db.write([&](storage::Tx& tx) { return jobs::outbox::finish(tx, first[0]).has_value(); });
  const auto second = leased();
  REQUIRE(second.size() == 1);
  desk.service->run_asked(second[0].subject);
  CHECK(desk.run(day).tries == 3);
}

TEST_CASE("F037: a bill that is not there yet is asked for again, and never counts as empty") {
  Desk desk;
  desk.pay();
  const std::string day = desk.today();
  desk.channel->failure = "STATEMENT_CREATING";
  const Run waits = desk.run(day);
  CHECK(waits.state == "waiting");
  CHECK(waits.why == "STATEMENT_CREATING");
  CHECK(desk.differences(day).empty());
  const std::int64_t tomorrow =
      start_of_day_ms(desk.shop.clock.wall_ms(), kShanghaiOffsetMs) + kDayMs;
  desk.shop.clock.advance_to(tomorrow + 10 * 3'600'000);
  CHECK(desk.service->run_due() == 0);  // half an hour too early
  desk.shop.clock.advance_to(tomorrow + kDueAfterDayMs);
  CHECK(desk.service->run_due() == 1);  // the supplier's; the bill is still not there
  desk.channel->failure.clear();
  CHECK(desk.service->run_due() == 1);
  CHECK(desk.differences(day).empty());
  const int asked = desk.channel->asked;
  CHECK(desk.service->run_due() == 0);
  CHECK(desk.channel->asked == asked);
}

TEST_CASE("F037: a supplier's statement is matched with what its deliveries cost") {
  Desk desk;
  suppliers::SupplyOutcome delivered;
  delivered.state = suppliers::SupplyState::succeeded;
  delivered.supplier_order_id = "9001";
  delivered.cost = Money{690, Currency::usd};
  desk.shop.reloadly->submits.then(delivered);
  delivered.supplier_order_id = "9002";
  desk.shop.reloadly->submits.then(delivered);
  const OrderId one = desk.shop.paid_order(), two = desk.shop.paid_order();
  desk.shop.run_due();
  const auto first = desk.shop.supply_of(one), second = desk.shop.supply_of(two);
  REQUIRE(first.cost);
  desk.supplier->lines = {{first.id.text, "9001", suppliers::SupplyState::succeeded,
                           Money{690, Currency::usd}, desk.shop.clock.wall_ms()},
                          {second.id.text, "9002", suppliers::SupplyState::succeeded,
                           Money{720, Currency::usd}, desk.shop.clock.wall_ms()},
                          {"S-not-ours", "9003", suppliers::SupplyState::succeeded,
                           Money{100, Currency::usd}, desk.shop.clock.wall_ms()}};
  const std::string day = desk.today();
  const auto done = desk.service->run("reloadly", day, "test");
  REQUIRE(done);
  CHECK(done->agreed == 1);
  const auto rows = desk.differences(day, "reloadly");
  REQUIRE(rows.size() == 2);
  std::int64_t held = 0;
  for (const auto& row : rows) held += row.suspense_minor;
  CHECK(held == -30 - 100);
  CHECK(desk.shop.shop.integer("SELECT balance_minor FROM account_balances WHERE account = "
                               "'asset.supplier_prepaid.reloadly' AND currency = 'USD'") ==
        -690 - 720 - 100);
  CHECK(desk.shop.broken_books() == "");
}

TEST_CASE("a day that has not begun, no day and no party are refused") {
  Desk desk;
  CHECK(desk.service->run("wechat", "2999-01-01", "test").error().reason == "day_not_begun");
  for (const char* day : {"", "2026-02-30", "2026-2-3", "20260203", "2026-02-03x", "yesterday"})
    CHECK(desk.service->run("wechat", day, "test").error().reason == "day_malformed");
  CHECK(desk.service->run("nobody", "2026-01-01", "test").error().reason == "party_not_found");
}

TEST_CASE("L-03: 10,000 payments on a real store: planted kinds found, none invented, in time") {
  Desk desk;
  constexpr int kOrders = 10'000;
  auto& shop = desk.shop;
  const std::int64_t now = shop.clock.wall_ms();
  std::vector<std::string> ids;
  for (int i = 0; i < kOrders; ++i) ids.push_back(base::new_id(shop.random, now));
  for (int from = 0; from < kOrders; from += 1'000) {
    shop.shop.db().write([&](storage::Tx& tx) {
      for (int i = from; i < from + 1'000; ++i) {
        const std::string& id = ids[static_cast<std::size_t>(i)];
        tx.exec(R"sql(
          INSERT INTO orders (order_id, user_id, client_key, client_fingerprint, state, version,
              product_id, operator_id, operator_name_zh, operator_name_en, account_sealed,
              account_masked, face_minor, face_currency, payable_minor, payable_currency,
              delivered_minor, delivered_currency, quote, event_seq, trace_id, created_at_ms,
              updated_at_ms, pay_by_ms)
          VALUES ($1, $2, $1, '', 'fulfilled', 1, 'p', 'o', '', '', '', '', 5000, 'CNY', 4975, 'CNY',
                  5000, 'CNY', '', 1, '', $3, $3, $3))sql",
                {id, shop.user.text, now});
        tx.exec(R"sql(
          INSERT INTO payment_attempts (out_trade_no, order_id, channel, scene, state,
              amount_minor, amount_currency, paid_minor, transaction_id, expires_at_ms,
              created_at_ms, updated_at_ms)
          VALUES ($1, $2, 'wechat', 'h5', 'paid', 4975, 'CNY', 4975, $3, $4, $4, $4))sql",
                {"T" + id + "1", id, "wx" + id, now});
        ledger::post(tx,
                     ledger::Journal("payment", "T" + id + "1",
                                     {{"asset.channel_clearing.wechat", fen(4'975)},
                                      {"liability.customer_orders", fen(-4'975)}}),
                     OrderId(id), TraceId(), now);
      }
      return true;
    });
  }
  for (const std::string& id : ids) {
    payments::BillLine line;
    line.out_trade_no = OutTradeNo("T" + id + "1");
    line.amount = fen(4'975);
    line.fee = fen(30);
    line.state = "SUCCESS";
    line.at_ms = now;
    desk.channel->lines.push_back(line);
  }
  auto& lines = desk.channel->lines;
  lines[10].out_trade_no = OutTradeNo("T-stranger");  // missing with us, and ours missing there
  lines[20].amount = fen(4'900);
  lines[20].fee = fen(29);
  lines[30].fee = fen(31);
  lines[40].payee = "1900000999";
  lines[50].state = "NOTPAY";
  lines.push_back(lines[60]);
  const auto began = std::chrono::steady_clock::now();
  const Run run = desk.run(desk.today());
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                      std::chrono::steady_clock::now() - began)
                      .count();
  MESSAGE("figure L-03: 10,000 lines compared in " << ms << " ms");
  CHECK(run.state == "matched");
  CHECK(run.lines == kOrders + 1);
  std::map<std::string_view, int> kinds;
  for (const auto& row : desk.differences(desk.today())) ++kinds[to_word(row.what.kind)];
  CHECK(kinds == std::map<std::string_view, int>{{"missing_ours", 1},
                                                 {"missing_theirs", 1},
                                                 {"amount_differs", 1},
                                                 {"fee_differs", 1},
                                                 {"wrong_payee", 1},
                                                 {"state_differs", 1},
                                                 {"duplicate_theirs", 1}});
  CHECK(ms < 5'000);
  desk.check_books();
}
