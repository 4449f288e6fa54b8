// The order is a table: states × events → next state + effects. There is no other place that
// decides a state. What is not listed is refused; `next` returning nothing means "this event
// changes nothing here". A step that leads back to its own state is there for its effects. The
// words are stored in SQL and sent in JSON: renaming one is a migration. What the table must always
// hold is proved by the compiler in order_state.cpp; order_state.md draws it. Pure; constexpr;
// thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "shared/word_list.h"

namespace topup {

enum class State : std::uint8_t {
  awaiting_payment,   // placed; nobody has paid
  paying,             // a payment was started at a channel
  awaiting_approval,  // paid in full, but so large that a person verifies it before we deliver
  paid,               // money is certain; nothing has left for a supplier, or it was not taken on
  submitting,  // our reference is durable and the request may have left: only a query can tell
  recharging,  // the supplier accepted it
  unknown,     // the supplier did not answer clearly: asked again until it does, never resent
  succeeded,   // delivered
  reversed,    // delivered, then taken back by the supplier: a person decides what the buyer gets
  refunding,   // not delivered (or paid too late, or a person decided): money goes back
  refunded,    // money is back at the buyer
  closed,      // never paid
  review,  // verified money that does not fit the order (sum, currency or payee): a person decides
  manual,  // a person must look: the supplier or the refund contradicts itself or never answers
};
inline constexpr std::size_t kStateCount = static_cast<std::size_t>(State::manual) + 1;

enum class Event : std::uint8_t {
  start_payment,
  payment_confirmed,     // right amount, right order
  payment_mismatch,      // verified, but the sum, currency or payee is wrong
  late_payment_revived,  // paid after closing, and the stored quote can still be sold: all holds
                         // are taken again in the same transaction, or payment_confirmed is the
                         // event
  duplicate_payment,     // a second right payment: it goes back, whatever became of the first
  expire,                // pay-by time has passed and the channel says it is not paid
  cancel,                // the buyer gave up before paying, and the channel says it is not paid
  review_required,       // as payment_confirmed, but above the shop's limit for unverified orders
  review_approved,
  review_rejected,
  submit,  // about to call the supplier
  supplier_accepted,
  supplier_succeeded,
  supplier_rejected,  // definite: it will not be delivered and nothing is owed
  supplier_switched,  // definite, and another supplier takes the order under a new reference
  supplier_unknown,
  supplier_held,  // nothing left us or nothing was taken on: our balance, their line; tried again
                  // under the same id
  supplier_reversed,  // the supplier takes a delivery back
  hold_expired,       // the promised time is over and nothing was taken on
  give_up,            // queries are used up: hand to a person
  delivered_by_hand,  // a person vouches for the delivery
  refund_requested,   // the buyer asks; somebody must answer
  refund_ordered,     // a person decided: everything that is left goes back
  refund_reissued,    // after a refusal: a new refund takes the refused one's place
  refunded_by_hand,   // the buyer has the money by another way, and a refund row says which
  refund_succeeded,
  refund_refused,            // definite: the channel will not refund by itself
  partial_refund_ordered,    // of a delivered order, or of a part that was refused before the rest
  partial_refund_succeeded,  // of a part: it may be heard after the order has moved on
  partial_refund_refused,
};
inline constexpr std::size_t kEventCount =
    static_cast<std::size_t>(Event::partial_refund_refused) + 1;

// What must be committed together with the new state.
enum class Effect : std::uint16_t {
  none = 0,
  post_payment = 1,     // ledger: channel clearing ← customer liability
  enqueue_submit = 2,   // job: call the supplier
  enqueue_query = 4,    // job: ask the supplier again
  post_fulfilment = 8,  // ledger: liability → revenue, cost ← supplier prepaid; of what partial
                        // refunds have left
  enqueue_refund = 16,  // job: refund the buyer through the channel
  post_refund = 32,     // ledger: liability → channel clearing
  post_suspense = 64,   // ledger: channel clearing ← suspense
  open_work_item = 128,   // a person is told
  settle_suspense = 256,  // ledger: suspense → liability: the money is the order's after all
  post_reversal = 512,    // ledger: the last post_fulfilment taken back, as far as it is not
                          // refunded in parts already
  post_loss = 1024,       // ledger: revenue → liability: what is refunded of a delivered order
  return_loss = 2048,     // ledger: post_loss taken back: that refund will not happen
  take_holds = 4096,      // coupon, stock and quota are held again; harmless when they are held
  release_holds = 8192,   // and given back; harmless when they were. A delivery uses them up
};
inline constexpr std::size_t kEffectCount = 14;
constexpr Effect operator|(Effect a, Effect b) {
  return static_cast<Effect>(static_cast<std::uint16_t>(a) | static_cast<std::uint16_t>(b));
}
constexpr bool has(Effect set, Effect one) {
  return (static_cast<std::uint16_t>(set) & static_cast<std::uint16_t>(one)) != 0;
}

struct Step {
  State from;
  Event on;
  State to;
  Effect effects = Effect::none;
};

namespace order_table {
using enum State;
using enum Event;
using enum Effect;

// clang-format off
inline constexpr std::array kSteps = {
    Step{awaiting_payment, start_payment, paying},
    Step{awaiting_payment, cancel, closed, release_holds},
    Step{awaiting_payment, expire, closed, release_holds},

    Step{paying, start_payment, paying},
    Step{paying, payment_confirmed, paid, post_payment | enqueue_submit},
    Step{paying, review_required, awaiting_approval, post_payment | open_work_item},
    Step{paying, payment_mismatch, review, post_suspense | open_work_item},
    Step{paying, cancel, closed, release_holds},
    Step{paying, expire, closed, release_holds},

    Step{closed, payment_confirmed, refunding, post_payment | enqueue_refund},
    Step{closed, late_payment_revived, paid, post_payment | take_holds | enqueue_submit},
    Step{closed, review_required, awaiting_approval, post_payment | take_holds | open_work_item},
    Step{closed, payment_mismatch, review, post_suspense | open_work_item},

    Step{awaiting_approval, review_approved, paid, enqueue_submit},
    Step{awaiting_approval, review_rejected, refunding, enqueue_refund | release_holds},
    Step{awaiting_approval, hold_expired, refunding, enqueue_refund | release_holds},

    Step{review, review_approved, paid, settle_suspense | take_holds | enqueue_submit},
    Step{review, review_rejected, refunding, settle_suspense | enqueue_refund | release_holds},
    Step{review, refunded_by_hand, refunded, settle_suspense | post_refund | release_holds},

    Step{paid, submit, submitting},
    Step{paid, supplier_switched, paid, enqueue_submit},
    Step{paid, hold_expired, refunding, enqueue_refund | release_holds},
    Step{paid, refund_ordered, refunding, enqueue_refund | release_holds},
    Step{paid, give_up, manual, open_work_item},

    Step{submitting, supplier_accepted, recharging, enqueue_query},
    Step{submitting, supplier_succeeded, succeeded, post_fulfilment},
    Step{submitting, supplier_rejected, refunding, enqueue_refund | release_holds},
    Step{submitting, supplier_switched, paid, enqueue_submit},
    Step{submitting, supplier_unknown, unknown, enqueue_query},
    Step{submitting, supplier_held, paid},

    Step{recharging, supplier_succeeded, succeeded, post_fulfilment},
    Step{recharging, supplier_rejected, refunding, enqueue_refund | release_holds},
    Step{recharging, supplier_switched, paid, enqueue_submit},
    Step{recharging, give_up, manual, open_work_item},

    Step{unknown, supplier_accepted, recharging},
    Step{unknown, supplier_succeeded, succeeded, post_fulfilment},
    Step{unknown, supplier_rejected, refunding, enqueue_refund | release_holds},
    Step{unknown, supplier_switched, paid, enqueue_submit},
    Step{unknown, give_up, manual, open_work_item},

    Step{manual, supplier_succeeded, succeeded, post_fulfilment},
    Step{manual, supplier_rejected, refunding, enqueue_refund | release_holds},
    Step{manual, delivered_by_hand, succeeded, post_fulfilment},
    Step{manual, refund_ordered, refunding, enqueue_refund | release_holds},
    Step{manual, refund_reissued, refunding, enqueue_refund},
    Step{manual, refunded_by_hand, refunded, post_refund | release_holds},

    Step{succeeded, supplier_reversed, reversed, post_reversal | open_work_item},
    Step{succeeded, refund_ordered, refunding, post_loss | enqueue_refund | release_holds},
    Step{succeeded, partial_refund_ordered, succeeded, post_loss | enqueue_refund},
    Step{refunded, partial_refund_ordered, refunded, post_loss | enqueue_refund},

    Step{reversed, delivered_by_hand, succeeded, post_fulfilment},
    Step{reversed, refund_ordered, refunding, enqueue_refund | release_holds},
    Step{reversed, refunded_by_hand, refunded, post_refund | release_holds},

    Step{refunding, refund_succeeded, refunded, post_refund},
    Step{refunding, refund_refused, manual, open_work_item},

    // What is heard beside the order's own way, and does not change it.
    Step{awaiting_approval, refund_requested, awaiting_approval, open_work_item},
    Step{review, refund_requested, review, open_work_item},
    Step{paid, refund_requested, paid, open_work_item},
    Step{submitting, refund_requested, submitting, open_work_item},
    Step{recharging, refund_requested, recharging, open_work_item},
    Step{unknown, refund_requested, unknown, open_work_item},
    Step{manual, refund_requested, manual, open_work_item},
    Step{succeeded, refund_requested, succeeded, open_work_item},
    Step{reversed, refund_requested, reversed, open_work_item},

    Step{awaiting_approval, duplicate_payment, awaiting_approval, post_payment | enqueue_refund},
    Step{review, duplicate_payment, review, post_payment | enqueue_refund},
    Step{paid, duplicate_payment, paid, post_payment | enqueue_refund},
    Step{submitting, duplicate_payment, submitting, post_payment | enqueue_refund},
    Step{recharging, duplicate_payment, recharging, post_payment | enqueue_refund},
    Step{unknown, duplicate_payment, unknown, post_payment | enqueue_refund},
    Step{manual, duplicate_payment, manual, post_payment | enqueue_refund},
    Step{succeeded, duplicate_payment, succeeded, post_payment | enqueue_refund},
    Step{reversed, duplicate_payment, reversed, post_payment | enqueue_refund},
    Step{refunding, duplicate_payment, refunding, post_payment | enqueue_refund},
    Step{refunded, duplicate_payment, refunded, post_payment | enqueue_refund},

    Step{succeeded, partial_refund_succeeded, succeeded, post_refund},
    Step{reversed, partial_refund_succeeded, reversed, post_refund},
    Step{refunding, partial_refund_succeeded, refunding, post_refund},
    Step{refunded, partial_refund_succeeded, refunded, post_refund},
    Step{manual, partial_refund_succeeded, manual, post_refund},
    Step{succeeded, partial_refund_refused, succeeded, return_loss | open_work_item},
    Step{reversed, partial_refund_refused, reversed, open_work_item},
    Step{refunding, partial_refund_refused, refunding, return_loss | open_work_item},
    Step{refunded, partial_refund_refused, refunded, return_loss | open_work_item},
    Step{manual, partial_refund_refused, manual, open_work_item},
};
// clang-format on
static_assert(kSteps.size() < 255, "an index fits a byte");

// One byte for each pair: where it stands in kSteps, counted from 1; 0 when it is not listed.
using StepIndex = std::array<std::uint8_t, kStateCount * kEventCount>;
constexpr std::size_t place_of(State from, Event on) {
  return static_cast<std::size_t>(from) * kEventCount + static_cast<std::size_t>(on);
}
constexpr StepIndex index_steps() {
  StepIndex index{};
  for (std::size_t i = 0; i < kSteps.size(); ++i) {
    index[place_of(kSteps[i].from, kSteps[i].on)] = static_cast<std::uint8_t>(i + 1);
  }
  return index;
}
inline constexpr StepIndex kIndex = index_steps();

}  // namespace order_table

using order_table::kSteps;

// Where (from, on) stands in the table; kSteps.size() when it is not listed.
constexpr std::size_t step_index(State from, Event on) {
  const std::uint8_t place = order_table::kIndex[order_table::place_of(from, on)];
  return place == 0 ? kSteps.size() : place - std::size_t{1};
}
inline const Step* find_step(State from, Event on) {
  const std::size_t i = step_index(from, on);
  return i < kSteps.size() ? &kSteps[i] : nullptr;
}
constexpr std::optional<State> next(State from, Event on) {
  const std::size_t i = step_index(from, on);
  if (i == kSteps.size()) return std::nullopt;
  return kSteps[i].to;
}

// How a call to an outside party ended. Only an explicit, verified, final refusal is
// `definite_fail`; a time-out, a 5xx or an unreadable answer is `unknown`.
enum class Outcome : std::uint8_t { done, accepted, definite_fail, unknown };

constexpr Event supplier_event(Outcome outcome) {
  switch (outcome) {
    case Outcome::done:
      return Event::supplier_succeeded;
    case Outcome::accepted:
      return Event::supplier_accepted;
    case Outcome::definite_fail:
      return Event::supplier_rejected;
    case Outcome::unknown:
      break;
  }
  return Event::supplier_unknown;
}
// Nothing for what leaves the refund open.
constexpr std::optional<Event> refund_event(Outcome outcome) {
  if (outcome == Outcome::done) return Event::refund_succeeded;
  if (outcome == Outcome::definite_fail) return Event::refund_refused;
  return std::nullopt;
}

// What happens when nothing else does. The times are defaults; a shop may set its own.
inline constexpr std::int64_t kPayWithinMs = 15 * 60'000;
inline constexpr std::int64_t kApproveWithinMs = 24 * 3'600'000;
inline constexpr std::int64_t kHoldPromiseMs =
    2 * 3'600'000;  // the longest wait for a line that is down
inline constexpr std::int64_t kSubmitAnswerMs = 2 * 60'000;  // longer than any call's deadline
inline constexpr std::int64_t kSupplierGiveUpMs = 6 * 3'600'000;

struct TimeOut {
  Event event;
  std::int64_t
      after_ms;  // since the order came into the state; for the unpaid: since it was placed
};
// Nothing where a person or the channel has the word: no clock moves money that is disputed.
constexpr std::optional<TimeOut> timeout_of(State state) {
  switch (state) {
    case State::awaiting_payment:
    case State::paying:
      return TimeOut{Event::expire, kPayWithinMs};
    case State::awaiting_approval:
      return TimeOut{Event::hold_expired, kApproveWithinMs};
    case State::paid:
      return TimeOut{Event::hold_expired, kHoldPromiseMs};
    case State::submitting:
      return TimeOut{Event::supplier_unknown, kSubmitAnswerMs};
    case State::recharging:
    case State::unknown:
      return TimeOut{Event::give_up, kSupplierGiveUpMs};
    case State::succeeded:
    case State::reversed:
    case State::refunding:
    case State::refunded:
    case State::closed:
    case State::review:
    case State::manual:
      break;
  }
  return std::nullopt;
}

// The five words a buyer sees.
enum class BuyerWord : std::uint8_t { awaiting_payment, paying, recharging, succeeded, failed };

constexpr BuyerWord buyer_word(State state) {
  switch (state) {
    case State::awaiting_payment:
      return BuyerWord::awaiting_payment;
    case State::paying:
    case State::review:
      return BuyerWord::paying;
    case State::awaiting_approval:
    case State::paid:
    case State::submitting:
    case State::recharging:
    case State::unknown:
    case State::manual:
      return BuyerWord::recharging;
    case State::succeeded:
      return BuyerWord::succeeded;
    case State::reversed:
    case State::refunding:
    case State::refunded:
    case State::closed:
      return BuyerWord::failed;
  }
  return BuyerWord::failed;
}

// Nobody has to do anything any more. What may still be heard there is listed in order_state.cpp.
constexpr bool is_final(State state) {
  return state == State::succeeded || state == State::refunded || state == State::closed;
}
constexpr bool may_pay(State state) { return next(state, Event::start_payment).has_value(); }
constexpr bool may_cancel(State state) { return next(state, Event::cancel).has_value(); }

std::string_view to_word(State state);
std::string_view to_word(Event event);
std::string_view to_word(Effect one);  // a single effect
std::string_view to_word(BuyerWord word);
WordList state_words();
WordList event_words();
inline std::optional<State> parse_state(std::string_view word) {
  return parse_word<State>(state_words(), word);
}
inline std::optional<Event> parse_event(std::string_view word) {
  return parse_word<Event>(event_words(), word);
}

}  // namespace topup
