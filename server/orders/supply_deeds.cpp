#include "server/orders/supply_deeds.h"

#include <algorithm>

#include "server/audit/audit_log.h"
#include "server/base/log.h"
#include "server/jobs/outbox.h"
#include "server/notify/message_store.h"
#include "server/orders/order_news.h"
#include "server/orders/refund_deeds.h"
#include "server/orders/supply_choice.h"
#include "server/orders/transition.h"
#include "server/orders/work_item_store.h"
#include "server/orders/work_items.h"
#include "shared/check.h"

namespace topup::orders {
namespace {

using suppliers::SupplyAttempt;
using suppliers::Verdict;
namespace supplier_store = suppliers::supplier_store;
namespace supply_state = suppliers::supply_state;
namespace message_store = notify::message_store;
using topup::Action;

constexpr std::string_view kByHand = "by_hand";

bool is_over(const SupplyAttempt& attempt) {
  return attempt.state == supply_state::kSucceeded || attempt.state == supply_state::kRejected ||
         attempt.state == supply_state::kReversed;
}

// Staff are asked for their permission by the route; here the table says whether the state allows
// it.
Result<Order> order_for(storage::Reader& reader, const OrderId& id, Action deed) {
  auto order = order_store::find(reader, id);
  if (!order) return refuse(Code::not_found, "order_not_found", "order_id");
  if (!may(Actor::operator_, order->state, deed))
    return refuse(Code::conflict, "deed_not_allowed_in_state", "order_id", to_word(order->state));
  return std::move(*order);
}

Result<bool> moved(const Result<State>& state) {
  if (!state) return tl::unexpected<Error>(state.error());
  return true;
}

std::vector<std::string> reports_given_up(storage::Reader& reader, const OrderId& id) {
  std::vector<std::string> numbers;
  for (const notify::ShippingReport& report : message_store::reports_of(reader, id)) {
    if (report.state == notify::shipping_state::kFailed)
      numbers.push_back(report.out_trade_no.text);
  }
  return numbers;
}

void enqueue(const OrderEnv& env, storage::Tx& tx, std::string_view kind,
             std::string_view subject) {
  const std::int64_t now = env.clock.wall_ms();
  jobs::outbox::enqueue(tx, kind, subject, now, now, base::TraceScope::current());
  tx.after_commit(env.wake_jobs);
}

}  // namespace

std::vector<Taker> takers_of(const OrderEnv& env, storage::Reader& reader, const Order& order) {
  std::vector<Taker> takers;
  if (!may(Actor::operator_, order.state, Action::switch_supplier)) return takers;
  const Choice choice = choose(env, reader, order);
  for (const suppliers::Judged& one : choice.selection) {
    if (one.verdict != Verdict::chosen && one.verdict != Verdict::standby) continue;
    const suppliers::Candidate& candidate = choice.candidates[one.candidate];
    const bool is_named = std::any_of(takers.begin(), takers.end(), [&](const Taker& taker) {
      return taker.supplier == candidate.supplier;
    });
    if (!is_named) takers.push_back({candidate.supplier, candidate.cost});
  }
  return takers;
}

Result<bool> switch_supplier(const OrderEnv& env, storage::Tx& tx, const Said& said,
                             std::string_view supplier) {
  auto order = order_for(tx, said.order, Action::switch_supplier);
  if (!order) return tl::unexpected<Error>(order.error());
  const auto takers = takers_of(env, tx, *order);
  const bool can_take = std::any_of(takers.begin(), takers.end(),
                                    [&](const Taker& taker) { return taker.supplier == supplier; });
  if (!can_take) return refuse(Code::conflict, "supplier_cannot_take", "supplier");
  if (static_cast<std::int64_t>(supplier_store::attempts_of(tx, said.order).size()) >=
      env.settings.max_supplier_attempts) {
    return refuse(Code::rejected, "too_many_suppliers", "order_id");
  }
  Cause cause{said.actor, said.reason};
  cause.to_supplier = supplier;
  return moved(apply(env, tx, *order, Event::supplier_switched, cause));
}

Result<bool> hand_over(const OrderEnv& env, storage::Tx& tx, const Said& said) {
  auto order = order_for(tx, said.order, Action::hand_over);
  if (!order) return tl::unexpected<Error>(order.error());
  return moved(apply(env, tx, *order, Event::give_up, {said.actor, said.reason}));
}

Result<Order> may_mark(storage::Reader& reader, const OrderId& id, Action deed) {
  check(deed == Action::mark_delivered || deed == Action::mark_failed,
        "a person vouches for a delivery or against it");
  auto order = order_for(reader, id, deed);
  if (!order) return order;
  // A refund that was refused is sent again or paid by hand: its own buttons do so.
  const auto payment = refundable_of(reader, id);
  if (deed == Action::mark_failed && (!payment || !payment->shares.empty()))
    return refuse(Code::conflict, "refund_exists", "order_id");
  return order;
}

Result<bool> mark(const OrderEnv& env, storage::Tx& tx, const Said& said, Action deed) {
  auto order = may_mark(tx, said.order, deed);
  if (!order) return tl::unexpected<Error>(order.error());
  const bool is_delivered = deed == Action::mark_delivered;
  std::optional<SupplyAttempt> open;
  for (SupplyAttempt& attempt : supplier_store::attempts_of(tx, said.order)) {
    if (is_over(attempt)) continue;
    attempt.state = is_delivered ? supply_state::kSucceeded : supply_state::kRejected;
    attempt.code = kByHand;
    attempt.updated_at_ms = env.clock.wall_ms();
    supplier_store::save(tx, attempt);
    open = std::move(attempt);
  }
  if (is_delivered && open && open->kind == ProductKind::pin) {
    open_work_item(env, tx, "pin_missing", open->id.text, said.order,
                   open->supplier + " delivered without a code");
  }
  Cause cause{said.actor, said.reason};
  // What was never booked is booked as the supplier's delivery; a delivery that was taken back and
  // is vouched for is not its claim.
  if (open) cause.supply = &*open;
  return moved(apply(env, tx, *order, *rule_of(deed).event, cause));
}

bool has_failed_message(storage::Reader& reader, const OrderId& id) {
  const auto messages = message_store::of_order(reader, id);
  return std::any_of(messages.begin(), messages.end(),
                     [](const notify::Message& message) {
                       return message.state == notify::message_state::kFailed &&
                              message.tries < kMostTries;
                     }) ||
         !reports_given_up(reader, id).empty();
}

Result<int> resend(const OrderEnv& env, storage::Tx& tx, const OrderId& id) {
  if (!order_store::find(tx, id)) return refuse(Code::not_found, "order_not_found", "order_id");
  int again = 0;
  bool is_worn_out = false;
  for (notify::Message& message : message_store::of_order(tx, id)) {
    if (message.state != notify::message_state::kFailed) continue;
    if (message.tries >= kMostTries) {
      is_worn_out = true;
      continue;
    }
    message.state = notify::message_state::kQueued;
    message.way = "inbox";  // from the first way on
    message.updated_at_ms = env.clock.wall_ms();
    message_store::save(tx, message);
    enqueue(env, tx, kMessageJob, message.id);
    ++again;
  }
  for (const std::string& number : reports_given_up(tx, id)) {
    auto report = message_store::find_report(tx, OutTradeNo(number));
    report->state = notify::shipping_state::kQueued;
    report->updated_at_ms = env.clock.wall_ms();
    message_store::save_report(tx, *report);
    enqueue(env, tx, kShippingJob, number);
    ++again;
  }
  if (again > 0) return again;
  if (is_worn_out) return refuse(Code::rejected, "too_many_resends", "order_id");
  return refuse(Code::conflict, "nothing_to_resend", "order_id");
}

bool has_unclaimed(storage::Reader& reader, const OrderId& id) {
  const auto items = work_item_store::of_order(reader, id);
  return std::any_of(items.begin(), items.end(), [](const WorkItem& item) {
    return item.state == work_item_state::kOpen && item.owner.empty();
  });
}

Result<int> claim_items(const OrderEnv& env, storage::Tx& tx, const OrderId& id,
                        const StaffId& owner, const TraceId& trace) {
  if (!order_store::find(tx, id)) return refuse(Code::not_found, "order_not_found", "order_id");
  const std::int64_t now = env.clock.wall_ms();
  int claimed = 0;
  bool is_taken = false;
  for (const WorkItem& item : work_item_store::of_order(tx, id)) {
    if (item.state != work_item_state::kOpen) continue;
    if (!item.owner.empty()) {
      is_taken = is_taken || item.owner != owner;
      continue;
    }
    if (!work_item_store::claim(tx, item.id, owner, now)) continue;
    audit::append(tx, {"staff:" + owner.text, "work_item.claimed", item.id, item.kind}, trace, now);
    ++claimed;
  }
  if (claimed > 0) return claimed;
  if (is_taken) return refuse(Code::conflict, "work_item_taken", "order_id");
  return refuse(Code::conflict, "nothing_to_claim", "order_id");
}

}  // namespace topup::orders
