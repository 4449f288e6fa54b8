#include "tests/sim/invariants.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "server/audit/audit_log.h"
#include "server/ledger/ledger_store.h"
#include "tests/sim/pins.h"

namespace topup::sim {
namespace {

struct OrderFacts {  // as the shop has them
  std::string id, user, key, state;
  std::int64_t payable = 0;
  std::vector<std::string> sheets;    // out_trade_no
  std::vector<std::string> attempts;  // references at suppliers
  std::set<std::string> work_items;
  std::int64_t approvals = 0;
  std::int64_t clearing = 0, owed = 0, suspense = 0;  // of its postings, CNY
  std::map<std::string, std::int64_t> prepaid;        // by currency
  std::int64_t own_pins = 0, pins = 0;                // delivered; own: from the shop's stock
  std::string held_pin;
};

struct Truth {                                     // as the parties have it
  std::int64_t paid = 0, returned = 0, right = 0;  // fen; right: what fits the price, once for each
  std::int64_t odd = 0;                            // what was paid and did not fit
  std::int64_t stuck = 0;                          // what the channel could not give back
  std::int64_t deliveries = 0;
  std::int64_t given_back = 0;  // by staff, of what was delivered
  std::int64_t stuck_part = 0;  // of it: a part that the channel could not pay stays earned
  std::map<std::string, std::int64_t> cost;
};

void judge_whole_shop(World& world, storage::Reader& reader) {
  for (const std::string& wrong : ledger::verify(reader)) world.fail("I1", wrong);
  const auto chain = audit::verify(reader);
  if (!chain.holds) world.fail("I10", "the audit chain: " + chain.why);
  int planned = 0;
  reader.query("SELECT kind, subject, state, attempts, last_error FROM outbox ORDER BY job_id", {},
               [&](const storage::Row& row) {
                 if (row.text(0) == kSchedule && row.text(2) == "due") {
                   ++planned;
                   return;
                 }
                 world.fail("I10", "a job is left: " + row.text(0) + " " + row.text(1) + " " +
                                       row.text(2) + ", tried " + std::to_string(row.integer(3)) +
                                       ": " + row.text(4));
               });
  if (planned != (world.faults.has_bills ? 1 : 0))
    world.fail("I10", "the schedule stands " + std::to_string(planned) + " times");
  reader.query(
      "SELECT e.order_id, e.event FROM order_events e WHERE NOT EXISTS (SELECT 1 FROM audit_log a"
      " WHERE a.subject = e.order_id AND a.action = 'order.' || e.event)",
      {}, [&](const storage::Row& row) {
        world.fail("I10", row.text(0) + ": no audit row for " + row.text(1));
      });
  reader.query(
      "SELECT o.order_id FROM orders o WHERE o.state <> (SELECT e.to_state FROM order_events e"
      " WHERE e.order_id = o.order_id ORDER BY e.seq DESC LIMIT 1)",
      {}, [&](const storage::Row& row) {
        world.fail("I3", row.text(0) + " is not where its last event led");
      });
}

class EndJudge {
 public:
  EndJudge(World& world, storage::Db& db, const Parties& parties, const std::vector<Wish>& wishes,
           const GivenBack& given_back)
      : world_(world), db_(db), parties_(parties), wishes_(wishes), given_back_(given_back) {}

  void judge() {
    db_.read([this](storage::Reader& reader) { load(reader); });
    judge_the_books(world_, db_);
    judge_wishes();
    judge_scarce();
    for (const auto& [id, order] : orders_) judge_order(order);
    judge_channels();
  }

 private:
  void load(storage::Reader& reader);
  void load_books(storage::Reader& reader);
  void load_pins(storage::Reader& reader);
  void judge_pins(const OrderFacts& order, const Truth& truth);
  void judge_order(const OrderFacts& order);
  void judge_money(const OrderFacts& order, const Truth& truth);
  void judge_books(const OrderFacts& order, const Truth& truth);
  void judge_channels();
  void judge_wishes();
  void judge_scarce();
  Truth truth_of(const OrderFacts& order) const;
  const Wish* wish_of(const OrderFacts& order) const;
  void fail(std::string_view invariant, const OrderFacts& order, const std::string& what) {
    world_.fail(invariant, order.id + " (" + order.state + "): " + what);
  }

  World& world_;
  storage::Db& db_;
  const Parties& parties_;
  const std::vector<Wish>& wishes_;
  const GivenBack& given_back_;
  std::map<std::string, OrderFacts> orders_;
  std::map<std::string, HoldFacts> holds_;
  std::map<std::string, std::string> refund_states_, order_of_sheet_;
};

void EndJudge::load(storage::Reader& reader) {
  reader.query(
      "SELECT order_id, user_id, client_key, state, payable_minor FROM orders ORDER BY order_id",
      {}, [this](const storage::Row& row) {
        OrderFacts& order = orders_[row.text(0)];
        order.id = row.text(0);
        order.user = row.text(1);
        order.key = row.text(2);
        order.state = row.text(3);
        order.payable = row.integer(4);
      });
  reader.query("SELECT order_id, out_trade_no FROM payment_attempts ORDER BY out_trade_no", {},
               [this](const storage::Row& row) {
                 orders_[row.text(0)].sheets.push_back(row.text(1));
                 order_of_sheet_[row.text(1)] = row.text(0);
               });
  reader.query(
      "SELECT order_id, attempt_id FROM supplier_attempts ORDER BY attempt_id", {},
      [this](const storage::Row& row) { orders_[row.text(0)].attempts.push_back(row.text(1)); });
  reader.query(
      "SELECT order_id, kind FROM work_items WHERE order_id <> ''", {},
      [this](const storage::Row& row) { orders_[row.text(0)].work_items.insert(row.text(1)); });
  reader.query("SELECT out_refund_no, state FROM refunds", {},
               [this](const storage::Row& row) { refund_states_[row.text(0)] = row.text(1); });
  reader.query(
      "SELECT order_id, COUNT(*) FROM order_events WHERE event = 'review_approved'"
      " AND actor LIKE 'staff:%' GROUP BY order_id",
      {}, [this](const storage::Row& row) { orders_[row.text(0)].approvals = row.integer(1); });
  holds_ = wallets_of(reader).holds;
  load_books(reader);
  load_pins(reader);
}

void EndJudge::load_pins(storage::Reader& reader) {
  for (const PinFacts& pin : pins_of(reader)) {
    if (pin.state == "delivered" && pin.expires_at_ms > 0 &&
        pin.delivered_at_ms >= pin.expires_at_ms)
      world_.fail("I7", "PIN " + pin.id + " had ended when it was delivered to " + pin.order);
    if (pin.order.empty()) continue;
    OrderFacts& order = orders_[pin.order];
    if (pin.state == "held") order.held_pin = pin.id;
    if (pin.state != "delivered") continue;
    ++order.pins;
    if (pin.source == "stock") ++order.own_pins;
  }
}

void EndJudge::load_books(storage::Reader& reader) {
  reader.query(
      "SELECT j.order_id, p.account, p.amount_currency, p.amount_minor FROM journals j"
      " JOIN postings p ON p.journal_id = j.journal_id WHERE j.order_id <> ''",
      {}, [this](const storage::Row& row) {
        OrderFacts& order = orders_[row.text(0)];
        const std::string account = row.text(1);
        const std::int64_t amount = row.integer(3);
        if (account.starts_with("asset.channel_clearing")) order.clearing += amount;
        if (account == "liability.customer_orders") order.owed += amount;
        if (account == "liability.suspense") order.suspense += amount;
        if (account.starts_with("asset.supplier_prepaid")) order.prepaid[row.text(2)] += amount;
      });
}

const Wish* EndJudge::wish_of(const OrderFacts& order) const {
  for (const Wish& wish : wishes_) {
    if (wish.user.text == order.user && order.key.starts_with(wish.key)) return &wish;
  }
  return nullptr;
}

Truth EndJudge::truth_of(const OrderFacts& order) const {
  Truth truth;
  const auto given = given_back_.find(order.id);
  if (given != given_back_.end()) truth.given_back = given->second;
  for (const auto& channel : parties_.channels) {
    for (const std::string& no : order.sheets) {
      const auto found = channel->sheets().find(no);
      if (found == channel->sheets().end()) continue;
      const Sheet& sheet = found->second;
      if (sheet.state != payments::TradeState::paid) continue;
      truth.paid += sheet.paid.minor;
      truth.returned += sheet.returned_minor;
      (sheet.paid.minor == order.payable ? truth.right : truth.odd) += sheet.paid.minor;
    }
    for (const auto& [number, refund] : channel->refunds()) {
      const bool is_ours = order_of_sheet_.count(refund.trade.text) != 0 &&
                           order_of_sheet_.at(refund.trade.text) == order.id;
      if (!is_ours || refund.state != payments::RefundState::abnormal) continue;
      truth.stuck += refund.amount.minor;
      if (truth.given_back < order.payable && refund.amount.minor == truth.given_back)
        truth.stuck_part = truth.given_back;
    }
  }
  for (const std::string& no : order.sheets) {
    const auto hold = holds_.find(no);
    if (hold == holds_.end()) continue;
    truth.paid += hold->second.captured;
    truth.right += hold->second.captured;
    truth.returned += hold->second.refunded;
  }
  const Wish* wish = wish_of(order);
  for (const auto& supplier : parties_.suppliers) {
    for (const Delivery& delivery : supplier->deliveries()) {
      if (wish != nullptr && delivery.account.ends_with(wish->account)) ++truth.deliveries;
    }
    for (const std::string& attempt : order.attempts) {
      const auto booked = supplier->bookings().find(attempt);
      if (booked == supplier->bookings().end() || booked->second.charged == 0) continue;
      truth.cost[std::string(to_word(booked->second.cost.currency))] +=
          booked->second.cost.minor * booked->second.charged;
    }
  }
  truth.deliveries += order.own_pins;
  if (order.own_pins > 0) truth.cost["CNY"] += order.own_pins * kVoucherCost;
  return truth;
}

// A PIN is spent for a delivery and for nothing else, and none is kept for an order that is over.
void EndJudge::judge_pins(const OrderFacts& order, const Truth& truth) {
  const Wish* wish = wish_of(order);
  if (wish == nullptr || !wish->wants_pin) return;
  if (order.pins != truth.deliveries)
    fail("I7", order,
         std::to_string(order.pins) + " PINs for " + std::to_string(truth.deliveries) +
             " deliveries");
  if (!order.held_pin.empty() && (order.state == "closed" || order.state == "refunded"))
    fail("I5", order, "PIN " + order.held_pin + " is kept from others");
  if (!wish->seen_pin.empty() && truth.deliveries == 0)
    fail("I7", order, "a PIN was shown that was not delivered");
}

void EndJudge::judge_order(const OrderFacts& order) {
  const Truth truth = truth_of(order);
  if (order.attempts.size() > 1) ++world_.counts.second_suppliers;
  if (truth.deliveries > 1)
    fail("I7", order, "delivered " + std::to_string(truth.deliveries) + " times");
  const bool is_delivered = truth.deliveries > 0;
  if (is_delivered && truth.right == 0) fail("I4", order, "delivered, not paid as asked");
  const bool was_given_back = is_delivered && truth.given_back == order.payable;
  if (!was_given_back && is_delivered != (order.state == "succeeded"))
    fail("I7", order, is_delivered ? "delivered, not succeeded" : "succeeded, not delivered");
  if (was_given_back && order.state == "succeeded")
    fail("I7", order, "all of it was given back, and it stands as succeeded");
  if (truth.given_back > 0 && !is_delivered)
    fail("I7", order, "given back as delivered, not delivered");
  if (is_delivered && world_.faults.shop_reviews && order.payable > kReviewAboveMinor &&
      order.approvals == 0)
    fail("I11", order, "delivered, and nobody had looked at so large an order");
  judge_pins(order, truth);
  judge_money(order, truth);
  judge_books(order, truth);
}

// A sum that does not fit and a refund that the channel cannot make wait for a person, and only
// they do.
void EndJudge::judge_money(const OrderFacts& order, const Truth& truth) {
  const bool waits = truth.odd > 0 || truth.stuck > 0;
  if (waits) {
    ++world_.counts.manual;
    if (order.work_items.empty()) fail("I6", order, "a person must decide, and nobody is told");
  }
  const bool has_ended =
      order.state == "succeeded" || order.state == "refunded" || order.state == "closed";
  if (!has_ended && !waits) fail("I6", order, "has not ended");
  if (!has_ended && order.state != "review" && order.state != "manual")
    fail("I6", order, "waits for nobody");
  if (truth.right > 0 && order.state == "closed") fail("I6", order, "paid and closed");
  const std::int64_t kept = truth.deliveries > 0 ? order.payable - truth.given_back : 0;
  const std::int64_t due_back = truth.right - kept - truth.stuck;
  if (truth.returned != due_back && truth.odd == 0)
    fail("I8", order,
         "paid " + std::to_string(truth.paid) + ", back " + std::to_string(truth.returned) +
             ", due back " + std::to_string(due_back));
  if (truth.odd > 0 && (truth.returned < due_back || truth.returned > due_back + truth.odd))
    fail("I8", order, "what fitted is not back");
}

void EndJudge::judge_books(const OrderFacts& order, const Truth& truth) {
  if (order.clearing != truth.paid - truth.returned)
    fail("I9", order,
         "the channel holds " + std::to_string(truth.paid - truth.returned) + ", the books say " +
             std::to_string(order.clearing));
  for (const auto& [currency, cost] : truth.cost) {
    const auto booked = order.prepaid.find(currency);
    const std::int64_t ours = booked == order.prepaid.end() ? 0 : -booked->second;
    if (ours != cost)
      fail("I9", order,
           "the supplier took " + std::to_string(cost) + " " + currency + ", the books say " +
               std::to_string(ours));
  }
  if (truth.cost.empty() && !order.prepaid.empty())
    fail("I9", order, "a cost is booked that no supplier took");
  const std::int64_t open = -(order.owed + order.suspense);
  const std::int64_t earned = order.payable - truth.given_back + truth.stuck_part;
  const std::int64_t held = truth.paid - truth.returned - (truth.deliveries > 0 ? earned : 0);
  if (open != held)
    fail("I9", order,
         "owed to the buyer " + std::to_string(held) + ", booked " + std::to_string(open));
}

// Line by line the other way round: whatever a channel has is known here, in the same state.
void EndJudge::judge_channels() {
  for (const auto& channel : parties_.channels) {
    for (const auto& [no, sheet] : channel->sheets()) {
      if (order_of_sheet_.count(no) == 0)
        world_.fail("I9", channel->name() + " has " + no + ", the shop has not");
    }
    for (const auto& [no, refund] : channel->refunds()) {
      const auto ours = refund_states_.find(no);
      const std::string wanted =
          refund.state == payments::RefundState::succeeded ? "succeeded" : "refused";
      if (ours == refund_states_.end() || ours->second != wanted)
        world_.fail("I9", channel->name() + " has refund " + no + " as " + wanted + ", the shop " +
                              (ours == refund_states_.end() ? "has none" : "as " + ours->second));
    }
  }
  for (const auto& supplier : parties_.suppliers) {
    for (const Delivery& delivery : supplier->deliveries()) {
      const auto wanted = std::find_if(wishes_.begin(), wishes_.end(), [&](const Wish& wish) {
        return delivery.account.ends_with(wish.account);
      });
      if (wanted == wishes_.end()) world_.fail("I7", "a number was topped up that nobody named");
    }
  }
}

// A coupon lowers one price for good, and a stock is never oversold; what was not delivered, or all
// given back, has used neither.
void EndJudge::judge_scarce() {
  std::map<std::string, std::int64_t> coupons;
  std::int64_t pieces = 0;
  for (const auto& [id, order] : orders_) {
    const Wish* wish = wish_of(order);
    if (wish == nullptr) continue;
    const bool has_coupon = order.payable == wish->list_minor - kCouponMinor;
    if (!has_coupon && order.payable != wish->list_minor)
      fail("I4", order, "costs " + std::to_string(order.payable));
    const Truth truth = truth_of(order);
    if (truth.deliveries == 0 || truth.given_back == order.payable) continue;
    if (has_coupon) ++world_.counts.coupons;
    if (has_coupon && ++coupons[order.user] > 1) fail("I5", order, "a coupon was used twice");
    if (wish->wants_scarce && ++pieces > kScarcePieces) fail("I5", order, "the stock is oversold");
  }
}

void EndJudge::judge_wishes() {
  for (const Wish& wish : wishes_) {
    const auto count = std::count_if(orders_.begin(), orders_.end(), [&](const auto& entry) {
      return entry.second.user == wish.user.text && entry.second.key.starts_with(wish.key);
    });
    if (count > 1)
      world_.fail("I6",
                  "one wish of " + wish.user.text + " became " + std::to_string(count) + " orders");
    if (count == 0 && !wish.found_none)
      world_.fail("I6", "a wish of " + wish.user.text + " became no order");
  }
}

}  // namespace

void judge_the_books(World& world, storage::Db& db) {
  db.read([&world](storage::Reader& reader) { judge_whole_shop(world, reader); });
}

void judge_the_end(World& world, storage::Db& db, const Parties& parties,
                   const std::vector<Wish>& wishes, const GivenBack& given_back,
                   const Granted& granted) {
  EndJudge(world, db, parties, wishes, given_back).judge();
  db.read([&](storage::Reader& reader) { judge_wallets_at_rest(world, reader, granted); });
}

const std::vector<std::string_view>& not_covered() {
  static const std::vector<std::string_view> sentences = {
      "a shop that sells from wallets: its orders are paid from them here by a port of this "
      "program",
      "a bill that names another merchant: these channels have one account each",
  };
  return sentences;
}

}  // namespace topup::sim
