// The order is a table: states × events → next state + effects. There is no other place that
// decides a state. What is not listed is refused; `next` returning nothing means "this event
// changes nothing here". The words are stored in SQL and sent in JSON: renaming one is a migration.
// Pure; constexpr; thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace topup {

enum class State : std::uint8_t {
  awaiting_payment,  // placed; nobody has paid
  paying,            // a payment was started at a channel
  paid,              // money is certain; the supplier has not been called
  submitting,  // our reference is durable and the request may have left: only a query can tell
  recharging,  // the supplier accepted it
  unknown,  // the supplier did not answer clearly: asked again until it does, never resent under a
            // new reference
  succeeded,  // delivered
  refunding,  // definitely not delivered (or paid too late): money goes back
  refunded,   // money is back at the buyer
  closed,     // never paid
  review,  // verified money that does not fit the order (sum, currency or payee): a person decides
  manual,  // a person must look: the supplier or the refund contradicts itself or never answers
};

enum class Event : std::uint8_t {
  start_payment,
  payment_confirmed,  // right amount, right order
  payment_mismatch,   // verified, but the sum, currency or payee is wrong
  expire,             // pay-by time has passed and the channel says it is not paid
  cancel,             // the buyer gave up before paying, and the channel says it is not paid
  submit,             // about to call the supplier
  supplier_accepted,
  supplier_succeeded,
  supplier_rejected,  // definite: a DefiniteFail value exists
  supplier_unknown,
  supplier_held,  // nothing left us or nothing was taken on: our balance, their line; tried again
                  // under the same id
  refund_succeeded,
  refund_refused,  // definite: the channel will not refund by itself
  give_up,         // queries are used up: hand to a person
};

// What must be committed together with the new state.
enum class Effect : std::uint8_t {
  none = 0,
  post_payment = 1,      // ledger: channel clearing ← customer liability
  enqueue_submit = 2,    // job: call the supplier
  enqueue_query = 4,     // job: ask the supplier again
  post_fulfilment = 8,   // ledger: liability → revenue, cost ← supplier prepaid
  enqueue_refund = 16,   // job: refund the buyer through the channel
  post_refund = 32,      // ledger: liability → channel clearing
  post_suspense = 64,    // ledger: channel clearing ← suspense
  open_work_item = 128,  // a person is told
};
constexpr Effect operator|(Effect a, Effect b) {
  return static_cast<Effect>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}
constexpr bool has(Effect set, Effect one) {
  return (static_cast<std::uint8_t>(set) & static_cast<std::uint8_t>(one)) != 0;
}

struct Step {
  State from;
  Event on;
  State to;
  Effect effects = Effect::none;
};

inline constexpr std::array kSteps = {
    Step{State::awaiting_payment, Event::start_payment, State::paying},
    Step{State::awaiting_payment, Event::cancel, State::closed},
    Step{State::awaiting_payment, Event::expire, State::closed},
    Step{State::paying, Event::start_payment, State::paying},
    Step{State::paying, Event::payment_confirmed, State::paid,
         Effect::post_payment | Effect::enqueue_submit},
    Step{State::paying, Event::payment_mismatch, State::review,
         Effect::post_suspense | Effect::open_work_item},
    Step{State::paying, Event::cancel, State::closed},
    Step{State::paying, Event::expire, State::closed},
    Step{State::closed, Event::payment_confirmed, State::refunding,
         Effect::post_payment | Effect::enqueue_refund},
    Step{State::closed, Event::payment_mismatch, State::review,
         Effect::post_suspense | Effect::open_work_item},
    Step{State::paid, Event::submit, State::submitting},
    Step{State::submitting, Event::supplier_accepted, State::recharging, Effect::enqueue_query},
    Step{State::submitting, Event::supplier_succeeded, State::succeeded, Effect::post_fulfilment},
    Step{State::submitting, Event::supplier_rejected, State::refunding, Effect::enqueue_refund},
    Step{State::submitting, Event::supplier_unknown, State::unknown, Effect::enqueue_query},
    Step{State::submitting, Event::supplier_held, State::paid},
    Step{State::paid, Event::give_up, State::manual, Effect::open_work_item},
    Step{State::recharging, Event::supplier_succeeded, State::succeeded, Effect::post_fulfilment},
    Step{State::recharging, Event::supplier_rejected, State::refunding, Effect::enqueue_refund},
    Step{State::recharging, Event::give_up, State::manual, Effect::open_work_item},
    Step{State::unknown, Event::supplier_accepted, State::recharging},
    Step{State::unknown, Event::supplier_succeeded, State::succeeded, Effect::post_fulfilment},
    Step{State::unknown, Event::supplier_rejected, State::refunding, Effect::enqueue_refund},
    Step{State::unknown, Event::give_up, State::manual, Effect::open_work_item},
    Step{State::manual, Event::supplier_succeeded, State::succeeded, Effect::post_fulfilment},
    Step{State::manual, Event::supplier_rejected, State::refunding, Effect::enqueue_refund},
    Step{State::refunding, Event::refund_succeeded, State::refunded, Effect::post_refund},
    Step{State::refunding, Event::refund_refused, State::manual, Effect::open_work_item},
};

// Where (from, on) stands in the table; kSteps.size() when it is not listed.
constexpr std::size_t step_index(State from, Event on) {
  std::size_t i = 0;
  while (i < kSteps.size() && !(kSteps[i].from == from && kSteps[i].on == on)) ++i;
  return i;
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

// The five words a buyer sees.
enum class BuyerWord : std::uint8_t { awaiting_payment, paying, recharging, succeeded, failed };

constexpr BuyerWord buyer_word(State state) {
  switch (state) {
    case State::awaiting_payment:
      return BuyerWord::awaiting_payment;
    case State::paying:
    case State::review:
      return BuyerWord::paying;
    case State::paid:
    case State::submitting:
    case State::recharging:
    case State::unknown:
    case State::manual:
      return BuyerWord::recharging;
    case State::succeeded:
      return BuyerWord::succeeded;
    case State::refunding:
    case State::refunded:
    case State::closed:
      return BuyerWord::failed;
  }
  return BuyerWord::failed;
}

constexpr bool is_final(State state) {
  return state == State::succeeded || state == State::refunded || state == State::closed;
}
constexpr bool may_pay(State state) {
  return state == State::awaiting_payment || state == State::paying;
}
constexpr bool may_cancel(State state) { return next(state, Event::cancel).has_value(); }

std::string_view to_word(State state);
std::string_view to_word(Event event);
std::string_view to_word(BuyerWord word);
std::optional<State> parse_state(std::string_view word);

static_assert(next(State::closed, Event::payment_confirmed) == State::refunding,
              "money is never kept without an order");
static_assert(!next(State::succeeded, Event::supplier_rejected),
              "a late contradiction never takes back a delivery");
static_assert(!next(State::unknown, Event::submit),
              "an unknown outcome is asked about, never sent again");
static_assert(!next(State::refunded, Event::payment_confirmed), "final states are final");
static_assert(!next(State::paid, Event::cancel), "paid orders are refunded, not cancelled");

}  // namespace topup
