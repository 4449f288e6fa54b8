// F037, F038: the fund flow of a day on a real store: what the account moved by, against the books
// as the trade bill's run left them.
#include <doctest/doctest.h>

#include "server/ledger/ledger_store.h"
#include "server/ledger/posting.h"
#include "tests/server/reconcile/reconcile_desk.h"

using namespace topup;
using namespace topup::reconcile;
using topup::reconcile::test::Desk;

namespace {

constexpr const char* kFunds = "wechat_funds";

// A day of payments that both bills have.
struct FundDesk : Desk {
  explicit FundDesk(int payments = 4) {
    channel->has_funds = true;
    for (int i = 0; i < payments; ++i) channel->move(pay());
    day = today();
  }
  // Both runs of the day.
  Run both() {
    run(day);
    return run(day, kFunds);
  }
  std::vector<StoredDifference> open() {
    auto rows = differences(day, kFunds);
    std::erase_if(rows, [](const auto& row) { return row.state != difference_state::kOpen; });
    return rows;
  }
  StoredDifference only() {
    const auto rows = open();
    REQUIRE(rows.size() == 1);
    return rows[0];
  }
  // One movement of the n-th payment, or its fee.
  payments::FundLine& moved(std::size_t n) { return channel->funds[2 * n]; }
  payments::FundLine& fee(std::size_t n) { return channel->funds[2 * n + 1]; }
  void settle(std::int64_t minor, const std::string& subject) {
    shop.shop.db().write([&](storage::Tx& tx) {
      ledger::post(tx, ledger::settled(subject, {"wechat", ""}, "", fen(minor), fen(0)), OrderId(),
                   TraceId(), shop.clock.wall_ms());
      return true;
    });
  }
  // What nothing may change that is compared again.
  std::vector<std::int64_t> counts() {
    std::vector<std::int64_t> out;
    for (const char* table : {"journals", "audit_log", "recon_differences", "work_items"})
      out.push_back(shop.shop.integer("SELECT COUNT(*) FROM " + std::string(table)));
    return out;
  }
  std::string day;
};

// A payment that was given back, by a channel that says of a refund only which payment it is of.
struct RefundDesk : FundDesk {
  RefundDesk() : FundDesk(0) {}
  void give_back(std::int64_t said_after_ms = 0) {
    const payments::BillLine paid = pay();
    channel->move(paid);
    shop.reloadly->submits.then(
        testing::ScriptedSupplier::said(suppliers::SupplyState::rejected, "INVALID_NUMBER"));
    shop.run_due();
    const auto refunds = shop.shop.texts("SELECT out_refund_no FROM refunds ORDER BY 1 DESC");
    REQUIRE(!refunds.empty());
    number = refunds[0];
    payments::BillLine back = paid;
    back.kind = payments::BillKind::refund;
    back.out_refund_no = OutRefundNo(number);
    back.fee = fen(-30);
    back.at_ms = shop.clock.wall_ms() + said_after_ms;
    channel->lines.push_back(back);
    channel->move(back);
    for (auto one = channel->funds.end() - 2; one != channel->funds.end(); ++one)
      one->number = paid.out_trade_no.text;
  }
  std::string number;  // of the last refund
};

}  // namespace

TEST_CASE("F037: a fund flow that repeats the trade bill agrees and books nothing a second time") {
  FundDesk desk;
  desk.run(desk.day);
  const auto before = desk.counts();
  for (int again = 0; again < 3; ++again) {
    const Run run = desk.run(desk.day, kFunds);
    CHECK(run.state == "matched");
    CHECK(run.lines == 4);
    CHECK(run.agreed == 4);
    CHECK(desk.differences(desk.day, kFunds).empty());
    CHECK(run.opening_minor == 0);
    CHECK(run.closing_minor == desk.channel->held());
    CHECK(desk.counts() == before);
  }
  CHECK(desk.clearing() == desk.channel->held());
  CHECK(desk.shop.balance("cost.channel_fees.wechat") == 4 * 30);
  desk.check_books();
}

TEST_CASE("F037: a refund that stands under its payment's number agrees with ours") {
  RefundDesk desk;
  for (int i = 0; i < 3; ++i) desk.give_back();
  const Run run = desk.both();
  CHECK(run.lines == 6);
  CHECK(run.agreed == 6);
  CHECK(desk.open().empty());
  CHECK(desk.clearing() == desk.channel->held());
  CHECK(desk.clearing() == 0);
  desk.check_books();
}

TEST_CASE("F038: a refund under its payment's number, where one of the bills has none") {
  RefundDesk desk;
  for (int i = 0; i < 2; ++i) desk.give_back();
  SUBCASE("the fund flow") {
    desk.channel->funds.resize(desk.channel->funds.size() - 2);
    desk.both();
    CHECK(desk.differences(desk.day).empty());
    CHECK(desk.only().what.kind == Kind::refund_missing);
    CHECK(desk.only().suspense_minor == testing::kPayable - 30);
  }
  SUBCASE("the trade bill: the account is what the fund flow says") {
    desk.channel->lines.pop_back();
    desk.both();
    REQUIRE(desk.differences(desk.day).size() == 1);
    CHECK(desk.differences(desk.day)[0].what.kind == Kind::refund_missing);
    CHECK(desk.only().suspense_minor == -(testing::kPayable - 30));
  }
  SUBCASE("the fund flow, which lists another one twice") {
    auto& funds = desk.channel->funds;
    funds.resize(funds.size() - 2);
    const auto again = std::vector(funds.begin() + 2, funds.begin() + 4);
    funds.insert(funds.end(), again.begin(), again.end());
    desk.both();
    const auto rows = desk.open();
    REQUIRE(rows.size() == 2);
    for (const auto& row : rows) {
      const bool is_missing = row.what.kind == Kind::refund_missing;
      CHECK((is_missing || row.what.kind == Kind::duplicate_theirs));
      CHECK((row.what.number == desk.number) == is_missing);
    }
    CHECK(desk.clearing() == desk.channel->held());
    desk.check_books();
    return;
  }
  CHECK(desk.only().what.side == Side::refund);
  CHECK(desk.only().what.number == desk.number);
  CHECK(desk.clearing() == desk.channel->held());
  desk.check_books();
}

TEST_CASE("F037: the fund flow waits for the trade bill, and is asked for only then") {
  FundDesk desk;
  const Run waits = desk.run(desk.day, kFunds);
  CHECK(waits.state == "waiting");
  CHECK(waits.why == "trade_bill_missing");
  CHECK(desk.channel->funds_asked == 0);
  desk.run(desk.day);
  CHECK(desk.run(desk.day, kFunds).state == "matched");
}

TEST_CASE(
    "F037: a fund flow not made yet waits, a malformed one is refused, none is an empty day") {
  FundDesk desk;
  desk.channel->funds_failure = "bill_hash_differs";
  Run run = desk.both();
  CHECK(run.state == "waiting");
  CHECK(run.why == "bill_hash_differs");
  desk.channel->funds_failure.clear();
  desk.channel->funds_refusal = "bill_malformed";
  run = desk.run(desk.day, kFunds);
  CHECK(run.state == "refused");
  CHECK(run.why == "bill_malformed: test");
  CHECK(desk.differences(desk.day, kFunds).empty());
  desk.channel->funds_refusal.clear();
  CHECK(desk.run(desk.day, kFunds).agreed == 4);

  FundDesk empty(0);
  const Run none = empty.both();
  CHECK(none.state == "matched");
  CHECK(none.lines == 0);
  CHECK_FALSE(none.closing_minor);
  CHECK(empty.open().empty());
}

TEST_CASE("F038: what the fund flow alone says otherwise stands in suspense, of its kind") {
  FundDesk desk(6);
  auto& funds = desk.channel->funds;
  payments::FundLine stranger = desk.moved(0);
  stranger.number = stranger.business_no = stranger.flow_no = "SOMEBODY-ELSES";
  payments::FundLine again = desk.moved(1), fee_again = desk.fee(1);
  again.flow_no += "-1", fee_again.flow_no += "-1";
  desk.moved(2).amount = fen(testing::kPayable - 75);
  desk.fee(3).amount = fen(-33);
  funds.erase(funds.begin() + 8, funds.begin() + 10);  // the fifth payment and its fee
  funds.insert(funds.end(), {stranger, again, fee_again});
  desk.channel->withdraw(1'000, desk.shop.clock.wall_ms());
  const Run run = desk.both();
  CHECK(run.state == "matched");
  CHECK(desk.differences(desk.day).empty());
  std::map<std::string, StoredDifference> by_kind;
  for (const auto& row : desk.open())
    by_kind[std::string(to_word(row.what.kind)) + " " + std::string(to_word(row.what.side))] = row;
  REQUIRE(by_kind.size() == 6);
  CHECK(by_kind.at("missing_ours payment").suspense_minor == testing::kPayable);
  CHECK(by_kind.at("duplicate_theirs payment").suspense_minor == testing::kPayable - 30);
  CHECK(by_kind.at("amount_differs payment").suspense_minor == -75);
  CHECK(by_kind.at("fee_differs payment").suspense_minor == -3);
  CHECK(by_kind.at("missing_theirs payment").suspense_minor == -(testing::kPayable - 30));
  CHECK(by_kind.at("missing_ours withdrawal").suspense_minor == -1'000);
  CHECK(desk.items.size() == 6);
  CHECK(desk.clearing() == desk.channel->held());
  desk.check_books();

  SUBCASE("compared again, in either order, nothing changes") {
    const auto before = desk.counts();
    desk.run(desk.day, kFunds);
    desk.run(desk.day);
    desk.run(desk.day, kFunds);
    CHECK(desk.counts() == before);
    CHECK(desk.open().size() == 6);
    CHECK(desk.clearing() == desk.channel->held());
  }
  SUBCASE("each is settled with one decision, and comparing again does not undo it") {
    for (const auto& [kind, row] : by_kind) REQUIRE(desk.resolve(row.id, "accept_theirs"));
    CHECK(desk.items.empty());
    CHECK(desk.shop.balance("liability.suspense") == 0);
    CHECK(desk.shop.balance("asset.bank") == 1'000);
    CHECK(desk.shop.balance("cost.channel_fees.wechat") == 6 * 30 + 3);
    desk.both();
    CHECK(desk.open().empty());
    CHECK(desk.clearing() == desk.channel->held());
    desk.check_books();
  }
  SUBCASE("what they mend goes away by itself") {
    std::erase_if(funds, [](const auto& line) { return line.number == "SOMEBODY-ELSES"; });
    desk.run(desk.day, kFunds);
    CHECK(desk.items.size() == 5);
    CHECK(desk.clearing() == desk.channel->held());
    desk.check_books();
  }
  SUBCASE("asked about again where there is something to ask") {
    const auto ways = offered(by_kind.at("missing_theirs payment"));
    CHECK(ways.front() == "query_again");
    for (const char* kind : {"missing_ours withdrawal", "fee_differs payment"}) {
      const auto none = offered(by_kind.at(kind));
      CHECK(std::find(none.begin(), none.end(), "query_again") == none.end());
    }
  }
}

TEST_CASE(
    "F038: what both bills say is decided once; the fund flow follows the trade bill's item") {
  FundDesk desk;
  auto& lines = desk.channel->lines;
  lines[0].amount = fen(testing::kPayable + 40);
  desk.moved(0).amount = lines[0].amount;
  payments::BillLine stranger = lines[1];
  stranger.out_trade_no = OutTradeNo("SOMEBODY-ELSES");
  stranger.transaction_id = TransactionId("wx-SOMEBODY");
  lines.push_back(stranger);
  desk.channel->move(stranger);
  lines.push_back(lines[2]);
  desk.channel->move(lines[2]);
  lines[3].fee = fen(35);
  desk.fee(3).amount = fen(-35);
  desk.both();
  CHECK(desk.differences(desk.day).size() == 4);
  CHECK(desk.open().empty());
  CHECK(desk.clearing() == desk.channel->held());
  std::string how = "accept_theirs";
  SUBCASE("they are right") {}
  SUBCASE("they are to mend both") { how = "settle_later"; }
  for (const auto& row : desk.differences(desk.day)) REQUIRE(desk.resolve(row.id, how));
  desk.both();
  CHECK(desk.open().empty());
  CHECK(desk.items.empty());
  desk.check_books();
}

TEST_CASE(
    "F038: a trade bill that errs alone: the account is what the fund flow says, whatever is "
    "decided") {
  FundDesk desk;
  desk.channel->lines[0].amount = fen(testing::kPayable + 40);
  desk.both();
  REQUIRE(desk.differences(desk.day).size() == 1);
  const auto ours = desk.only();
  CHECK(ours.what.kind == Kind::amount_differs);
  CHECK(ours.suspense_minor == -40);
  CHECK(desk.shop.balance("liability.suspense") == 0);
  CHECK(desk.clearing() == desk.channel->held());
  const auto trade = desk.differences(desk.day)[0];
  SUBCASE("they are to mend the trade bill: the fund flow's item goes away by itself") {
    REQUIRE(desk.resolve(trade.id, "settle_later"));
    desk.run(desk.day, kFunds);
    CHECK(desk.open().empty());
  }
  SUBCASE("the trade bill is mended: both go away, without asking for the fund flow again") {
    desk.channel->lines[0].amount = fen(testing::kPayable);
    const int asked = desk.channel->funds_asked;
    desk.run(desk.day);
    CHECK(desk.channel->funds_asked == asked);
    CHECK(desk.open().empty());
  }
  SUBCASE("both are accepted: they sum to nothing") {
    REQUIRE(desk.resolve(trade.id, "accept_theirs"));
    REQUIRE(desk.resolve(ours.id, "accept_theirs"));
    CHECK(desk.shop.balance("cost.adjustments") == 0);
  }
  CHECK(desk.items.empty());
  CHECK(desk.clearing() == desk.channel->held());
  desk.check_books();
}

TEST_CASE("F037: a withdrawal agrees with the settlement that was booked for it, before or after") {
  FundDesk desk;
  desk.channel->withdraw(5'000, desk.shop.clock.wall_ms());
  SUBCASE("booked before") {
    desk.settle(5'000, "by-hand");
    desk.both();
    CHECK(desk.open().empty());
    CHECK(desk.find(desk.day, kFunds)->agreed == 5);
  }
  SUBCASE("booked when the bank showed it, two days later") {
    desk.both();
    CHECK(desk.only().suspense_minor == -5'000);
    desk.shop.clock.advance(2 * kDayMs);
    desk.settle(5'000, "by-hand");
    desk.run(desk.day, kFunds);
    CHECK(desk.open().empty());
  }
  SUBCASE("booked with another amount") {
    desk.settle(4'999, "by-hand");
    desk.both();
    const auto rows = desk.open();
    REQUIRE(rows.size() == 2);
    for (const auto& row : rows) CHECK(row.what.side == Side::withdrawal);
    CHECK(desk.clearing() == desk.channel->held());
    for (const auto& row : rows) REQUIRE(desk.resolve(row.id, "accept_theirs"));
    CHECK(desk.shop.balance("asset.bank") == 5'000);
    desk.both();
    CHECK(desk.open().empty());
  }
  SUBCASE("booked and taken back") {
    desk.settle(5'000, "by-hand");
    desk.shop.shop.db().write([&](storage::Tx& tx) {
      return ledger::take_back(tx, "settlement:by-hand", TraceId(), desk.shop.clock.wall_ms())
          .has_value();
    });
    desk.both();
    CHECK(desk.only().what.kind == Kind::missing_ours);
  }
  CHECK(desk.clearing() == desk.channel->held());
  desk.check_books();
}

TEST_CASE("F037: a settlement that the channel never paid out is missing with them") {
  FundDesk desk;
  desk.settle(700, "by-hand");
  desk.both();
  const auto row = desk.only();
  CHECK(row.what.kind == Kind::missing_theirs);
  CHECK(row.what.side == Side::withdrawal);
  CHECK(row.suspense_minor == 700);
  CHECK(row.what.ours_word == "asset.bank");
  REQUIRE(desk.resolve(row.id, "accept_theirs"));
  CHECK(desk.shop.balance("asset.bank") == 0);
  CHECK(desk.clearing() == desk.channel->held());
  desk.check_books();
}

TEST_CASE("F037: the balance goes on from the day before, and a jump is a difference") {
  FundDesk desk;
  const std::string first = desk.day;
  desk.shop.clock.advance(kDayMs);
  desk.channel->move(desk.pay());
  desk.channel->move(desk.pay());
  desk.day = desk.today();
  desk.shop.clock.advance(kDayMs);
  desk.run(first);
  desk.run(first, kFunds);
  desk.both();
  CHECK(desk.open().empty());

  payments::FundLine unseen = desk.moved(0);
  unseen.number = unseen.flow_no = "UNSEEN";
  unseen.kind = payments::FundKind::other;
  unseen.amount = fen(250);
  unseen.at_ms -= kDayMs;  // on a day that nobody compares, so only the balance tells
  desk.channel->funds.push_back(unseen);
  desk.run(desk.day, kFunds);
  auto row = desk.only();
  CHECK(row.what.kind == Kind::balance_differs);
  CHECK(row.suspense_minor == 250);
  CHECK(desk.clearing() == desk.channel->held());
  desk.check_books();
  REQUIRE(desk.resolve(row.id, "settle_later"));
  desk.run(desk.day, kFunds);
  CHECK(desk.open().empty());
}

TEST_CASE(
    "F037: nightly: trade bill and fund flow of each day, once; a later decision is looked at") {
  FundDesk desk;
  desk.channel->lines[0].amount = fen(testing::kPayable + 40);
  const std::int64_t tomorrow =
      start_of_day_ms(desk.shop.clock.wall_ms(), kShanghaiOffsetMs) + kDayMs;
  desk.shop.clock.advance_to(tomorrow + kDueAfterDayMs);
  CHECK(desk.service->run_due() == 3);  // and the supplier's
  CHECK(desk.service->run_due() == 0);
  CHECK(desk.channel->funds_asked == 1);
  CHECK(desk.open().size() == 1);
  desk.shop.clock.advance(60'000);
  REQUIRE(desk.resolve(desk.differences(desk.day)[0].id, "settle_later"));
  const std::int64_t before = desk.find(desk.day, kFunds)->finished_at_ms;
  CHECK(desk.service->run_due() == 0);
  CHECK(desk.open().empty());
  CHECK(desk.find(desk.day, kFunds)->finished_at_ms > before);
  CHECK(desk.channel->funds_asked == 1);
  // Once more for what was decided in the same millisecond, then nothing moves.
  desk.shop.clock.advance(60'000);
  CHECK(desk.service->run_due() == 0);
  const std::int64_t finished = desk.find(desk.day, kFunds)->finished_at_ms;
  desk.shop.clock.advance(60'000);
  CHECK(desk.service->run_due() == 0);
  CHECK(desk.find(desk.day, kFunds)->finished_at_ms == finished);  // nothing moved
}

TEST_CASE("F037: midnight: a movement booked a second later is explained by the next day's flow") {
  FundDesk desk(1);
  const std::int64_t midnight =
      start_of_day_ms(desk.shop.clock.wall_ms(), kShanghaiOffsetMs) + kDayMs;
  desk.shop.clock.advance_to(midnight - 500);
  desk.channel->move(desk.pay());
  desk.moved(1).at_ms = desk.fee(1).at_ms = midnight + 500;
  desk.shop.clock.advance_to(midnight + kDueAfterDayMs);
  CHECK(desk.service->run_due() == 3);
  CHECK(desk.only().what.kind == Kind::day_edge);
  CHECK(desk.items.empty());
  desk.shop.clock.advance(kDayMs);
  CHECK(desk.service->run_due() == 3);
  CHECK(desk.open().empty());
  CHECK(desk.clearing() == desk.channel->held());
  desk.check_books();
}

TEST_CASE("F037: midnight: a refund under its payment's number is found on the next day's flow") {
  RefundDesk desk;
  const std::int64_t midnight =
      start_of_day_ms(desk.shop.clock.wall_ms(), kShanghaiOffsetMs) + kDayMs;
  desk.shop.clock.advance_to(midnight - 500);
  desk.give_back(1'000);
  desk.shop.clock.advance_to(midnight + kDueAfterDayMs);
  CHECK(desk.service->run_due() == 3);
  CHECK(desk.only().what.kind == Kind::day_edge);
  CHECK(desk.only().what.number == desk.number);
  desk.shop.clock.advance(kDayMs);
  CHECK(desk.service->run_due() == 3);
  CHECK(desk.open().empty());
  CHECK(desk.differences(desk.day, kFunds)[0].what.kind == Kind::day_edge);
  CHECK(desk.items.empty());
  CHECK(desk.clearing() == desk.channel->held());
  desk.check_books();
}

TEST_CASE(
    "F037: killed while a statement is kept: the day is no longer matched, and is done again") {
  FundDesk desk;
  const std::int64_t tomorrow =
      start_of_day_ms(desk.shop.clock.wall_ms(), kShanghaiOffsetMs) + kDayMs;
  desk.shop.clock.advance_to(tomorrow + kDueAfterDayMs);
  CHECK(desk.service->run_due() == 3);
  const auto before = desk.counts();
  for (const char* party : {"wechat", kFunds}) {
    CAPTURE(party);
    // The process dies between dropping the old lines and the last of the new ones.
    std::optional<Run> run = desk.find(desk.day, party);
    desk.shop.shop.db().write([&](storage::Tx& tx) {
      reconcile_store::begin_lines(tx, *run);
      return true;
    });
    CHECK(desk.find(desk.day, party)->state == "waiting");
    CHECK(desk.service->run_due() >= 1);
    CHECK(desk.find(desk.day, party)->state == "matched");
    CHECK(desk.find(desk.day, party)->agreed == 4);
    CHECK(desk.counts() == before);
  }
  desk.check_books();
}

TEST_CASE(
    "regression: a payment in another merchant's account leaves the account we booked it on") {
  FundDesk desk(2);
  desk.channel->lines[0].payee = "1900000999";
  desk.channel->lines[0].fee = fen(0);
  desk.channel->funds.erase(desk.channel->funds.begin(), desk.channel->funds.begin() + 2);
  desk.run(desk.day);
  const auto rows = desk.differences(desk.day);
  std::int64_t wrong = 0;
  for (const auto& row : rows) {
    if (row.what.kind != Kind::wrong_payee) continue;
    ++wrong;
    CHECK(row.what.payee.empty());
    CHECK(row.what.theirs_word == "1900000999");
  }
  CHECK(wrong == 1);
  CHECK(desk.shop.balance("asset.channel_clearing.wechat.1900000999") == 0);
  CHECK(desk.clearing() == desk.channel->held());
  desk.run(desk.day, kFunds);
  CHECK(desk.open().empty());
  desk.check_books();
}
