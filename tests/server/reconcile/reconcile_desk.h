// A shop with one channel and one supplier whose statements a test writes, and the reconciliation
// of it on a real store. Work items are kept beside it as well, so that what each holds can be
// added up.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/app_reconcile.h"
#include "server/ledger/chart.h"
#include "server/reconcile/reconcile_service.h"
#include "shared/time_point.h"
#include "tests/support/order_shop.h"

namespace topup::reconcile::test {

class BillChannel final : public payments::PayChannel {
 public:
  std::string_view name() const override { return "wechat"; }
  payments::Outcome<payments::PrepayTicket> prepay(const payments::PrepayRequest&) override {
    return payments::Unknown{"test"};
  }
  payments::Outcome<payments::Trade> query(const OutTradeNo&) override {
    return payments::Unknown{"test"};
  }
  payments::Outcome<payments::Trade> close(const OutTradeNo&) override {
    return payments::Unknown{"test"};
  }
  payments::Outcome<payments::RefundTrade> refund(const payments::RefundRequest&) override {
    return payments::Unknown{"test"};
  }
  payments::Outcome<payments::RefundTrade> query_refund(const OutRefundNo&) override {
    return payments::Unknown{"test"};
  }
  bool has_fund_bill() const override { return has_funds; }
  // In the order of time, the balance running on from day to day.
  payments::Outcome<std::vector<payments::FundLine>> fund_bill(std::string_view day) override {
    ++funds_asked;
    if (!funds_refusal.empty()) return payments::DefiniteFail{funds_refusal, "test"};
    if (!funds_failure.empty()) return payments::Unknown{funds_failure};
    auto sorted = funds;
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const auto& a, const auto& b) { return a.at_ms < b.at_ms; });
    std::vector<payments::FundLine> out;
    std::int64_t balance = 0;
    for (payments::FundLine& line : sorted) {
      balance += line.amount.minor;
      line.balance = fen(balance);
      if (day_text(line.at_ms, kShanghaiOffsetMs) == day) out.push_back(line);
    }
    return out;
  }
  // What the account moves by for a line of the trade bill.
  void move(const payments::BillLine& line) {
    const bool is_refund = line.kind == payments::BillKind::refund;
    payments::FundLine moved;
    moved.kind = is_refund ? payments::FundKind::refund : payments::FundKind::payment;
    moved.number = is_refund ? line.out_refund_no.text : line.out_trade_no.text;
    moved.business_no = line.transaction_id.text;
    moved.flow_no = "F" + std::to_string(funds.size());
    moved.word = is_refund ? "退款" : "交易";
    moved.amount = fen(is_refund ? -line.amount.minor : line.amount.minor);
    moved.at_ms = line.at_ms;
    funds.push_back(moved);
    moved.kind = payments::FundKind::fee;
    moved.flow_no = "F" + std::to_string(funds.size());
    moved.word = "扣除交易手续费";
    moved.amount = fen(-line.fee.minor);
    funds.push_back(moved);
  }
  void withdraw(std::int64_t minor, std::int64_t at_ms) {
    payments::FundLine moved;
    moved.kind = payments::FundKind::withdrawal;
    moved.flow_no = moved.business_no = "W" + std::to_string(funds.size());
    moved.word = "提现";
    moved.amount = fen(-minor);
    moved.at_ms = at_ms;
    funds.push_back(moved);
  }
  std::int64_t held() const {
    std::int64_t sum = 0;
    for (const payments::FundLine& line : funds) sum += line.amount.minor;
    return sum;
  }
  payments::Outcome<payments::Bill> bill(std::string_view day) override {
    ++asked;
    if (!failure.empty()) return payments::Unknown{failure};
    payments::Bill bill;
    for (const payments::BillLine& line : lines) {
      if (day_text(line.at_ms, kShanghaiOffsetMs) == day) bill.lines.push_back(line);
    }
    return bill;
  }
  Result<payments::Notification> parse_notify(const payments::NotifyRequest&) const override {
    return refuse(Code::invalid_argument, "notify_malformed");
  }
  std::vector<payments::BillLine> lines;
  std::string failure;
  int asked = 0;
  bool has_funds = false;
  std::vector<payments::FundLine> funds;
  std::string funds_failure, funds_refusal;
  int funds_asked = 0;
};

class StatementSupplier final : public suppliers::Supplier {
 public:
  std::string_view name() const override { return "reloadly"; }
  Result<std::vector<suppliers::ListedProduct>> products(const std::string&) override {
    return refuse(Code::unavailable, "test");
  }
  suppliers::SupplyOutcome submit(const suppliers::SubmitRequest&) override { return {}; }
  suppliers::SupplyOutcome query(const AttemptId&, const std::string&) override { return {}; }
  Result<Money> balance() override { return refuse(Code::unavailable, "test"); }
  Result<std::vector<suppliers::StatementLine>> statement(std::int64_t from,
                                                          std::int64_t until) override {
    std::vector<suppliers::StatementLine> out;
    for (const auto& line : lines)
      if (line.at_ms >= from && line.at_ms < until) out.push_back(line);
    return out;
  }
  Result<AttemptId> parse_callback(const suppliers::CallbackRequest&) const override {
    return refuse(Code::invalid_argument, "test");
  }
  std::vector<suppliers::StatementLine> lines;
};

struct Desk {
  Desk() {
    auto own = std::make_unique<BillChannel>();
    channel = own.get();
    channels.add(std::move(own));
    auto party = std::make_unique<StatementSupplier>();
    supplier = party.get();
    suppliers.add(std::move(party));
    const Deeds real = reconcile_deeds(shop.clock, shop.random, {});
    deeds.open_item = [this, real](storage::Tx& tx, const std::string& subject,
                                   const std::string& order, const std::string& detail,
                                   Money held) {
      items[subject] = held;
      real.open_item(tx, subject, order, detail, held);
    };
    deeds.close_item = [this, real](storage::Tx& tx, const std::string& subject,
                                    const std::string& by, std::string_view resolution) {
      items.erase(subject);
      return real.close_item(tx, subject, by, resolution);
    };
    deeds.query_again = [this](storage::Tx&, Side, const std::string& number) {
      queried.push_back(number);
      return true;
    };
    service = std::make_unique<Reconciler>(shop.shop.db(), shop.clock, shop.random, channels,
                                           suppliers, deeds, [] { return Rules{}; });
  }
  // Paid today; the line that WeChat Pay has of it.
  payments::BillLine pay() {
    const OrderId order = shop.paid_order();
    payments::BillLine line;
    line.out_trade_no = shop.attempts(order).front().out_trade_no;
    line.transaction_id = TransactionId("wx-" + line.out_trade_no.text);
    line.amount = fen(testing::kPayable);
    line.fee = fen(30);
    line.state = "SUCCESS";
    line.at_ms = shop.clock.wall_ms();
    channel->lines.push_back(line);
    return line;
  }
  std::string today() { return day_text(shop.clock.wall_ms(), kShanghaiOffsetMs); }
  Run run(const std::string& day, const std::string& party = "wechat") {
    const auto done = service->run(party, day, "test");
    REQUIRE(done);
    return *done;
  }
  std::optional<Run> find(const std::string& day, const std::string& party = "wechat") {
    std::optional<Run> found;
    shop.shop.db().read([&](storage::Reader& reader) {
      found = reconcile_store::find_run(reader, run_id(party, day));
    });
    return found;
  }
  std::vector<StoredDifference> differences(const std::string& day,
                                            const std::string& party = "wechat") {
    std::vector<StoredDifference> found;
    shop.shop.db().read([&](storage::Reader& reader) {
      found = reconcile_store::differences_of_run(reader, run_id(party, day));
    });
    return found;
  }
  Result<StoredDifference> resolve(const std::string& id, std::string_view how) {
    return storage::with_tx(shop.shop.db(), [&](storage::Tx& tx) {
      return service->resolve(tx, id, how, "looked into it", "staff:one");
    });
  }
  // The invariant of F038, and the books themselves.
  void check_books() {
    std::int64_t held = 0;
    for (const auto& [subject, money] : items) held += money.minor;
    CHECK(shop.balance(ledger::account::kSuspense) == -held);
    CHECK(shop.broken_books() == "");
  }
  std::int64_t clearing() { return shop.balance("asset.channel_clearing.wechat"); }

  testing::OrderShop shop;
  payments::Channels channels;
  suppliers::Suppliers suppliers;
  BillChannel* channel = nullptr;
  StatementSupplier* supplier = nullptr;
  Deeds deeds;
  std::map<std::string, Money> items;
  std::vector<std::string> queried;
  std::unique_ptr<Reconciler> service;
};

}  // namespace topup::reconcile::test
