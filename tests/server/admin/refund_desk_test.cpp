#include "server/admin/refund_desk.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "server/admin/ledger_desk.h"
#include "server/auth/staff_store.h"
#include "server/ledger/wallet.h"
#include "shared/buckets.h"
#include "tests/support/order_shop.h"

namespace topup::admin {
namespace {

using base::Json;
using payments::RefundState;
using suppliers::SupplyState;
using testing::OrderShop;
using testing::ScriptedSupplier;

constexpr std::int64_t kHourMs = 3'600'000;

struct Desk : OrderShop {
  std::int64_t refund_limit = 100'000;
  std::int64_t ledger_limit = 1'000;
  ApprovalService approvals{shop.db(), clock, random};
  RefundDesk refund_desk{env, approvals, [this] { return refund_limit; }};
  LedgerDesk ledger_desk{env, approvals, [this] { return ledger_limit; }};
  StaffId boss = person("boss", "owner");
  StaffId fay = person("fay", "finance");
  StaffId dora = person("dora", "finance_director");
  StaffId sue = person("sue", "support");

  StaffId person(const std::string& name, const std::string& role) {
    auth::staff_store::Staff staff;
    staff.id = StaffId(base::new_id(random, clock.wall_ms()));
    staff.name = name;
    staff.password = "none";
    staff.created_at_ms = clock.wall_ms();
    staff.roles = {role};
    shop.db().write([&](storage::Tx& tx) {
      auth::staff_store::insert(tx, staff);
      return true;
    });
    return staff.id;
  }
  static Person as(const StaffId& id) { return {id, "session of " + id.text, TraceId()}; }
  OrderId delivered() {
    const OrderId id = paid_order();
    check(run_until_quiet(kHourMs), "the test's order ends");
    return id;
  }
  OrderId held() {  // paid, and nothing was taken on
    const OrderId id = paid_order();
    shop.tamper("DELETE FROM outbox WHERE kind = 'submit'");
    return id;
  }
  OrderId refused(RefundState state) {
    const OrderId id = paid_order();
    reloadly->submits.then(ScriptedSupplier::said(SupplyState::rejected, "NO"));
    wechat->refunds.then_do([state](const payments::RefundRequest& asked) {
      return testing::ScriptedChannel::refund_trade(asked.out_refund_no, state, asked.amount);
    });
    check(run_until_quiet(kHourMs), "the test's order ends");
    return id;
  }
  // "" when it was done at once, "waits" when somebody must agree, else the reason.
  static std::string said(const Result<std::optional<Approval>>& waiting) {
    if (!waiting) return std::string(waiting.error().reason);
    return *waiting ? "waits" : "";
  }
  std::string agree(const Approval& approval, const StaffId& second) {
    const auto done = approvals.approve(approval.id, approval.body_hash, as(second));
    return done ? "" : std::string(done.error().reason);
  }
  // Ids of one millisecond have no order.
  Approval newest() {
    const std::vector<Approval> all = approvals.list("", 50);
    for (const Approval& one : all) {
      if (one.state == "waiting") return one;
    }
    return all.at(0);
  }
};

TEST_CASE("R-04: who needs a second person for a refund, as a matrix") {
  struct Row {
    bool is_delivered;
    const char* who;
    std::int64_t limit;
    const char* said;
  };
  constexpr Row kRows[] = {
      {false, "boss", 100'000, ""},     {false, "fay", 100'000, ""},
      {false, "fay", 4'975, ""},        {false, "fay", 4'974, "waits"},
      {false, "boss", 0, "waits"},      {false, "sue", 100'000, "waits"},
      {true, "boss", 100'000, "waits"}, {true, "fay", 100'000, "waits"},
      {true, "sue", 100'000, "waits"},  {true, "fay", 0, "waits"},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.is_delivered);
    CAPTURE(row.who);
    CAPTURE(row.limit);
    Desk desk;
    desk.refund_limit = row.limit;
    const OrderId id = row.is_delivered ? desk.delivered() : desk.held();
    const StaffId& who = row.who == std::string("boss")  ? desk.boss
                         : row.who == std::string("fay") ? desk.fay
                                                         : desk.sue;
    CHECK(Desk::said(desk.refund_desk.order(Desk::as(who), id, {}, "why")) == row.said);
    const bool waits = row.said == std::string("waits");
    CHECK(desk.refunds_of(id).size() == (waits ? 0 : 1));
    if (!waits) continue;
    CHECK(desk.agree(desk.newest(), who) == "approval_own");
    CHECK(desk.agree(desk.newest(), desk.sue) ==
          (who == desk.sue ? "approval_own" : "approval_not_yours"));
    CHECK(desk.agree(desk.newest(), desk.dora) == "");
    CHECK(desk.run_until_quiet(kHourMs));
    CHECK(desk.state(id) == State::refunded);
    CHECK(desk.journals("refund_loss") == (row.is_delivered ? 1 : 0));
    CHECK(desk.agree(desk.newest(), desk.dora) == "approval_settled");
    CHECK(desk.broken_books() == "");
  }
}

TEST_CASE("R-04: before a refund is sent, what is left and who must agree are told") {
  using Second = RefundDesk::Second;
  Desk desk;
  const auto terms = [&desk](const StaffId& who, const OrderId& id) {
    RefundDesk::Terms told;
    desk.shop.db().read([&](storage::Reader& reader) {
      const auto found = desk.refund_desk.terms(reader, who, id);
      REQUIRE(found.has_value());
      told = *found;
    });
    return told;
  };
  const OrderId held = desk.held();
  CHECK(terms(desk.fay, held).may_part == false);
  CHECK(terms(desk.fay, held).second == Second::none);
  CHECK(terms(desk.sue, held).second == Second::asker);
  desk.refund_limit = 4'974;
  CHECK(terms(desk.fay, held).second == Second::above_limit);
  CHECK(terms(desk.fay, held).limit == fen(4'974));
  CHECK(Desk::said(desk.refund_desk.order(Desk::as(desk.fay), held, fen(1), "part")) ==
        "refund_not_allowed_in_state");

  Desk other;
  const OrderId id = other.delivered();
  const auto left = [&other, &id] {
    RefundDesk::Terms told;
    other.shop.db().read([&](storage::Reader& reader) {
      told = other.refund_desk.terms(reader, other.fay, id).value();
    });
    return told;
  };
  CHECK(left().may_part);
  CHECK(left().second == Second::delivered);
  CHECK(left().left == fen(4'975));
  REQUIRE(Desk::said(other.refund_desk.order(Desk::as(other.fay), id, fen(3'000), "part")) ==
          "waits");
  REQUIRE(other.agree(other.newest(), other.dora) == "");
  CHECK(left().left == fen(1'975));  // also while the part is on its way
  CHECK(left().paid == fen(4'975));
  CHECK(Desk::said(other.refund_desk.order(Desk::as(other.fay), id, fen(1'976), "more")) ==
        "refund_exceeds_paid");
}

TEST_CASE("R-04: a delivery between asking and agreeing makes it another deed") {
  Desk desk;
  desk.refund_limit = 0;
  const OrderId id = desk.paid_order();
  REQUIRE(Desk::said(desk.refund_desk.order(Desk::as(desk.fay), id, {}, "slow")) == "waits");
  CHECK(desk.run_until_quiet(kHourMs));
  CHECK(desk.state(id) == State::succeeded);
  CHECK(desk.agree(desk.newest(), desk.dora) == "approval_stale");
  CHECK(desk.refunds_of(id).empty());
  CHECK(desk.newest().state == "waiting");
}

TEST_CASE("R-02: two approved refunds of one order: the second is judged anew and refused") {
  Desk desk;
  const OrderId id = desk.delivered();
  REQUIRE(Desk::said(desk.refund_desk.order(Desk::as(desk.fay), id, {}, "one")) == "waits");
  const Approval one = desk.newest();
  desk.clock.advance(1);
  REQUIRE(Desk::said(desk.refund_desk.order(Desk::as(desk.boss), id, fen(3'000), "two")) ==
          "waits");
  const Approval two = desk.newest();
  CHECK(desk.agree(two, desk.dora) == "");
  CHECK(desk.agree(one, desk.dora) == "refund_exceeds_paid");
  CHECK(desk.run_until_quiet(kHourMs));
  CHECK(desk.attempts(id).front().refunded_minor == 3'000);
  CHECK(desk.broken_books() == "");
}

TEST_CASE("R-04: what was paid by hand has two people and a proof, always") {
  Desk desk;
  const OrderId id = desk.refused(RefundState::abnormal);
  REQUIRE(desk.state(id) == State::manual);
  const OutRefundNo no = desk.refunds_of(id).front().out_refund_no;
  CHECK(Desk::said(desk.refund_desk.reissue(Desk::as(desk.boss), no, "again")) ==
        "refund_not_closed");
  CHECK(Desk::said(desk.refund_desk.by_hand(Desk::as(desk.boss), no, "transfer 17")) == "waits");
  CHECK(desk.state(id) == State::manual);
  CHECK(desk.agree(desk.newest(), desk.boss) == "approval_own");
  CHECK(desk.agree(desk.newest(), desk.dora) == "");
  CHECK(desk.state(id) == State::refunded);
  const std::string proof =
      desk.shop.text("SELECT detail FROM audit_log WHERE action = 'refund.paid_by_hand'");
  CHECK(proof.find("transfer 17") != std::string::npos);
  CHECK(proof.find("staff:" + desk.dora.text) != std::string::npos);
  CHECK(desk.broken_books() == "");
}

TEST_CASE("R-01: a closed refund is sent anew by one person below the limit, by two above it") {
  for (const bool small : {true, false}) {
    CAPTURE(small);
    Desk desk;
    const OrderId id = desk.refused(RefundState::closed);
    desk.refund_limit = small ? 4'975 : 4'974;
    const OutRefundNo no = desk.refunds_of(id).front().out_refund_no;
    CHECK(Desk::said(desk.refund_desk.reissue(Desk::as(desk.fay), no, "again")) ==
          (small ? "" : "waits"));
    if (!small) CHECK(desk.agree(desk.newest(), desk.dora) == "");
    CHECK(desk.run_until_quiet(kHourMs));
    CHECK(desk.state(id) == State::refunded);
    CHECK(desk.broken_books() == "");
  }
}

Json money(std::int64_t minor, const char* currency = "CNY") {
  return {{"minor", minor}, {"currency", currency}};
}

TEST_CASE("F039: entries by hand: what they want, what they book, and when two people are needed") {
  Desk desk;
  desk.paid_order();
  const auto enter = [&](Json entry) {
    desk.clock.advance(1);
    if (!entry.contains("reason")) entry["reason"] = "statement of 2026-11-22";
    return Desk::said(desk.ledger_desk.enter(Desk::as(desk.fay), entry));
  };
  CHECK(enter({{"kind", "settlement"},
               {"channel", "wechat"},
               {"amount", money(970)},
               {"fee", money(30)}}) == "");
  CHECK(desk.balance("asset.bank") == 970);
  CHECK(desk.balance("cost.channel_fees.wechat") == 30);
  CHECK(desk.balance("asset.channel_clearing.wechat") == testing::kPayable - 1'000);
  CHECK(enter({{"kind", "settlement"}, {"channel", "wechat"}, {"amount", money(1'001)}}) ==
        "waits");
  CHECK(desk.balance("asset.bank") == 970);
  CHECK(desk.agree(desk.newest(), desk.sue) == "approval_not_yours");
  CHECK(desk.agree(desk.newest(), desk.dora) == "");
  CHECK(desk.balance("asset.bank") == 970 + 1'001);
  CHECK(enter({{"kind", "supplier_topup"},
               {"supplier", "reloadly"},
               {"amount", money(700)},
               {"received", money(100, "USD")}}) == "");
  CHECK(desk.shop.integer("SELECT balance_minor FROM account_balances WHERE account = "
                          "'asset.supplier_prepaid.reloadly' AND currency = 'USD'") == 100);
  CHECK(enter({{"kind", "supplier_topup"},
               {"supplier", "reloadly"},
               {"amount", money(7, "USD")},
               {"received", money(7, "USD")}}) == "waits");  // another currency than the limit's
  CHECK(enter({{"kind", "adjustment"},
               {"debit", "cost.adjustments"},
               {"credit", "asset.bank"},
               {"amount", money(5)}}) == "");
  const std::string journal =
      desk.shop.text("SELECT journal_id FROM journals WHERE template = 'adjustment'");
  CHECK(enter({{"kind", "take_back"}, {"journal_id", journal}}) == "");
  CHECK(enter({{"kind", "take_back"}, {"journal_id", journal}}) == "journal_taken_back");
  CHECK(desk.balance("cost.adjustments") == 0);
  const std::string payment =
      desk.shop.text("SELECT journal_id FROM journals WHERE template = 'payment'");
  CHECK(enter({{"kind", "take_back"}, {"journal_id", payment}}) == "waits");
  CHECK(desk.agree(desk.newest(), desk.dora) == "journal_not_by_hand");
  CHECK(desk.broken_books() == "");
}

TEST_CASE(
    "L-04: no row of settlements moves more to the bank than lies at the channel (property)") {
  Desk desk;
  desk.ledger_limit = 1'000'000;
  const std::string clearing = "asset.channel_clearing.wechat";
  std::uint64_t chance = 7;
  int booked = 0, refused = 0;
  for (int i = 0; i < 200; ++i) {
    CAPTURE(i);
    chance = splitmix64(chance);
    if (chance % 4 == 0) desk.paid_order();
    const std::int64_t there = desk.balance(clearing), bank = desk.balance("asset.bank");
    // Around the whole of it, to the fen; sometimes with a fee on top.
    const std::int64_t fee = chance % 3 == 0 ? 1 + static_cast<std::int64_t>(chance % 50) : 0;
    const std::int64_t wanted = std::max<std::int64_t>(
        1, chance % 2 == 0 ? there - fee + static_cast<std::int64_t>(chance / 8 % 3) - 1
                           : static_cast<std::int64_t>(chance / 16 % 6'000));
    Json entry = {{"kind", "settlement"},
                  {"channel", "wechat"},
                  {"amount", money(wanted)},
                  {"reason", "bank"}};
    if (fee > 0) entry["fee"] = money(fee);
    desk.clock.advance(1);
    const std::string said = Desk::said(desk.ledger_desk.enter(Desk::as(desk.fay), entry));
    const bool fits = wanted + fee <= there;
    CHECK(said == (fits ? "" : "clearing_short"));
    CHECK(desk.balance(clearing) == there - (fits ? wanted + fee : 0));
    CHECK(desk.balance("asset.bank") == bank + (fits ? wanted : 0));
    CHECK(desk.balance(clearing) >= 0);
    (fits ? booked : refused) += 1;
  }
  CHECK(booked >= 20);
  CHECK(refused >= 20);
  CHECK(desk.broken_books() == "");
}

TEST_CASE("L-04: two people do not move what one may not, and it is looked at when they agree") {
  Desk desk;
  desk.paid_order();
  const auto ask = [&](std::int64_t minor) {
    desk.clock.advance(1);
    return Desk::said(desk.ledger_desk.enter(Desk::as(desk.fay), {{"kind", "settlement"},
                                                                  {"channel", "wechat"},
                                                                  {"amount", money(minor)},
                                                                  {"reason", "bank"}}));
  };
  CHECK(ask(testing::kPayable + 1) == "waits");
  CHECK(desk.agree(desk.newest(), desk.dora) == "clearing_short");
  CHECK(desk.balance("asset.bank") == 0);
  CHECK(ask(testing::kPayable) == "waits");
  CHECK(desk.agree(desk.newest(), desk.dora) == "");
  CHECK(desk.balance("asset.channel_clearing.wechat") == 0);
}

TEST_CASE("F039: entries that nobody may make are refused before anything is written") {
  Desk desk;
  const auto enter = [&](const Json& entry) {
    return Desk::said(desk.ledger_desk.enter(Desk::as(desk.boss), entry));
  };
  const Json adjust = {{"kind", "adjustment"},
                       {"debit", "cost.adjustments"},
                       {"credit", "asset.bank"},
                       {"amount", money(5)},
                       {"reason", "r"}};
  const auto with = [&](const char* key, Json value) {
    Json entry = adjust;
    entry[key] = std::move(value);
    return enter(entry);
  };
  CHECK(with("debit", "asset.pocket") == "account_unknown");
  CHECK(with("debit", "liability.suspense") == "account_not_by_hand");
  CHECK(with("debit", "liability.wallet_available") == "account_not_by_hand");
  CHECK(with("credit", "liability.customer_orders") == "account_not_by_hand");
  CHECK(with("credit", "cost.adjustments") == "out_of_range");
  CHECK(with("amount", money(0)) == "out_of_range");
  CHECK(with("amount", money(-5)) == "out_of_range");
  CHECK(with("amount", 5) == "wrong_type");
  CHECK(with("reason", "  ") == "reason_missing");
  CHECK(with("kind", "gift") == "out_of_range");
  CHECK(with("fee", money(1)) == "unknown_field");
  CHECK(enter({{"kind", "channel_fee"},
               {"channel", "we.chat"},
               {"amount", money(1)},
               {"reason", "r"}}) == "out_of_range");
  CHECK(enter({{"kind", "wallet_credit"},
               {"user_id", "nobody"},
               {"amount", money(1)},
               {"reason", "r"}}) == "user_not_found");
  CHECK(desk.shop.integer("SELECT COUNT(*) FROM journals") == 0);
}

TEST_CASE("F039: a wallet is credited by hand, by two people above the limit") {
  Desk desk;
  const auto enter = [&](const char* kind, std::int64_t minor) {
    return Desk::said(desk.ledger_desk.enter(Desk::as(desk.fay), {{"kind", kind},
                                                                  {"user_id", desk.user.text},
                                                                  {"amount", money(minor)},
                                                                  {"reason", "goodwill"}}));
  };
  CHECK(enter("wallet_credit", 900) == "");
  CHECK(enter("wallet_debit", 901) == "wallet_insufficient");
  CHECK(enter("wallet_debit", 100) == "");
  CHECK(enter("wallet_credit", 5'000) == "waits");
  CHECK(desk.agree(desk.newest(), desk.dora) == "");
  desk.shop.db().read([&](storage::Reader& reader) {
    CHECK(ledger::wallet_of(reader, desk.user, Currency::cny).available == fen(5'800));
  });
  CHECK(desk.balance("liability.wallet_available") == -5'800);
  CHECK(desk.broken_books() == "");
}

TEST_CASE("D9: money leaves suspense only with two people, whatever its amount") {
  Desk desk;
  const OrderId other = desk.place();
  const OutTradeNo good = desk.start(other, payments::Scene::jsapi);
  const OutTradeNo odd = desk.start(other, payments::Scene::jsapi);
  REQUIRE(desk.notify(OrderShop::paid(good)).has_value());
  REQUIRE(desk.notify(OrderShop::paid(odd, fen(1))).has_value());
  const std::string item = desk.shop.text("SELECT work_item_id FROM work_items");
  CHECK(Desk::said(desk.ledger_desk.enter(
            Desk::as(desk.boss),
            {{"kind", "suspense_to_payer"}, {"work_item_id", item}, {"reason", "one fen"}})) ==
        "waits");
  CHECK(desk.balance("liability.suspense") == -1);
  CHECK(desk.agree(desk.newest(), desk.dora) == "");
  CHECK(desk.balance("liability.suspense") == 0);
  CHECK(desk.run_until_quiet(kHourMs));
  CHECK(desk.wechat->refunds.heard().back().amount == fen(1));
  CHECK(desk.broken_books() == "");
}

}  // namespace
}  // namespace topup::admin
