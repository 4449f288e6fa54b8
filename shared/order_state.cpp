#include "shared/order_state.h"

namespace topup {
namespace {

constexpr std::array<std::string_view, kStateCount> kStateWords = {
    "awaiting_payment", "paying",    "awaiting_approval", "paid",      "submitting", "recharging",
    "unknown",          "succeeded", "reversed",          "refunding", "refunded",   "closed",
    "review",           "manual"};
constexpr std::array<std::string_view, kEventCount> kEventWords = {"start_payment",
                                                                   "payment_confirmed",
                                                                   "payment_mismatch",
                                                                   "late_payment_revived",
                                                                   "duplicate_payment",
                                                                   "expire",
                                                                   "cancel",
                                                                   "review_required",
                                                                   "review_approved",
                                                                   "review_rejected",
                                                                   "submit",
                                                                   "supplier_accepted",
                                                                   "supplier_succeeded",
                                                                   "supplier_rejected",
                                                                   "supplier_switched",
                                                                   "supplier_unknown",
                                                                   "supplier_held",
                                                                   "supplier_reversed",
                                                                   "hold_expired",
                                                                   "give_up",
                                                                   "delivered_by_hand",
                                                                   "refund_requested",
                                                                   "refund_ordered",
                                                                   "refund_reissued",
                                                                   "refunded_by_hand",
                                                                   "refund_succeeded",
                                                                   "refund_refused",
                                                                   "partial_refund_ordered",
                                                                   "partial_refund_succeeded",
                                                                   "partial_refund_refused"};
constexpr std::array<std::string_view, kEffectCount> kEffectWords = {
    "post_payment", "enqueue_submit", "enqueue_query",  "post_fulfilment", "enqueue_refund",
    "post_refund",  "post_suspense",  "open_work_item", "settle_suspense", "post_reversal",
    "post_loss",    "return_loss",    "take_holds",     "release_holds"};
constexpr std::array<std::string_view, 5> kBuyerWords = {"awaiting_payment", "paying", "recharging",
                                                         "succeeded", "failed"};

// From here on: what the table must hold, proved while it is compiled. None of it reaches a binary.

template <class Test>
constexpr bool each_step(Test test) {
  for (const Step& step : kSteps) {
    if (!test(step)) return false;
  }
  return true;
}
template <class Test>
constexpr bool each_state(Test test) {
  for (std::size_t i = 0; i < kStateCount; ++i) {
    if (!test(static_cast<State>(i))) return false;
  }
  return true;
}

constexpr bool no_pair_twice() {
  for (std::size_t i = 0; i < kSteps.size(); ++i) {
    if (step_index(kSteps[i].from, kSteps[i].on) != i) return false;
  }
  return true;
}
static_assert(no_pair_twice(), "a pair of state and event has one outcome");

// The states that can be reached from `seen`, as a bit set.
constexpr std::uint32_t bit(State state) { return 1U << static_cast<unsigned>(state); }
constexpr std::uint32_t reached_from(std::uint32_t seen) {
  for (std::size_t round = 0; round < kStateCount; ++round) {
    for (const Step& step : kSteps) {
      if ((seen & bit(step.from)) != 0) seen |= bit(step.to);
    }
  }
  return seen;
}
static_assert(reached_from(bit(State::awaiting_payment)) == (1U << kStateCount) - 1,
              "every state can be reached");
constexpr std::uint32_t kEnds = bit(State::succeeded) | bit(State::refunded) | bit(State::closed);
static_assert(each_state([](State state) { return (reached_from(bit(state)) & kEnds) != 0; }),
              "from every state there is a way to an end");
static_assert(each_state([](State state) {
                return is_final(state) || !each_step([state](const Step& step) {
                         return step.from != state || step.to == state;
                       });
              }),
              "no state that waits is a dead end");
static_assert(each_state([](State state) {
                const std::optional<TimeOut> out = timeout_of(state);
                return !out || (next(state, out->event) && out->after_ms > 0 && !is_final(state));
              }),
              "a time-out is an event of its state");

// What the books say of an order in a state, in units of what was paid for it.
struct Books {
  int liability = 0, suspense = 0;
  constexpr bool operator==(const Books& other) const {
    return liability == other.liability && suspense == other.suspense;
  }
};
constexpr Books books_of(State state) {
  switch (state) {
    case State::review:
      return {0, 1};
    case State::awaiting_payment:
    case State::paying:
    case State::succeeded:
    case State::refunded:
    case State::closed:
      return {0, 0};
    default:
      return {1, 0};
  }
}
constexpr Books after(Books books, Effect effects) {
  books.liability += has(effects, Effect::post_payment) + has(effects, Effect::settle_suspense) +
                     has(effects, Effect::post_reversal) + has(effects, Effect::post_loss) -
                     has(effects, Effect::post_fulfilment) - has(effects, Effect::post_refund) -
                     has(effects, Effect::return_loss);
  books.suspense += has(effects, Effect::post_suspense) - has(effects, Effect::settle_suspense);
  return books;
}
// Money beside the order's own payment: each has a refund row that carries it to its end.
constexpr bool is_beside(Event event) {
  return event == Event::duplicate_payment || event == Event::partial_refund_ordered ||
         event == Event::partial_refund_succeeded || event == Event::partial_refund_refused;
}
static_assert(each_step([](const Step& step) {
                return is_beside(step.on)
                           ? step.to == step.from
                           : after(books_of(step.from), step.effects) == books_of(step.to);
              }),
              "each step posts exactly what leads from the old state's books to the new one's");
// A part counts as lost while its refund is on its way or done. When it is refused, the loss
// returns, unless the order is to be settled as a whole anyway.
constexpr Effect beside(State state, Event event) {
  const bool is_whole = state == State::reversed || state == State::manual;
  switch (event) {
    case Event::duplicate_payment:
      return Effect::post_payment | Effect::enqueue_refund;
    case Event::partial_refund_ordered:
      return Effect::post_loss | Effect::enqueue_refund;
    case Event::partial_refund_succeeded:
      return Effect::post_refund;
    default:
      return is_whole ? Effect::open_work_item : Effect::return_loss | Effect::open_work_item;
  }
}
static_assert(each_step([](const Step& step) {
                return !is_beside(step.on) || step.effects == beside(step.from, step.on);
              }),
              "money beside the order's own comes and goes in full");
static_assert(each_step([](const Step& step) {
                const bool starts = step.to == State::refunding && step.from != State::refunding;
                const bool beside =
                    step.on == Event::duplicate_payment || step.on == Event::partial_refund_ordered;
                return has(step.effects, Effect::enqueue_refund) == (starts || beside);
              }),
              "a refund is sent where refunding begins, and nowhere else");
static_assert(each_step([](const Step& step) {
                const bool starts =
                    step.to == State::paid && step.on != Event::supplier_held &&
                    (step.from != State::paid || step.on == Event::supplier_switched);
                return has(step.effects, Effect::enqueue_submit) == starts;
              }),
              "whoever comes to be paid is submitted");
static_assert(each_step([](const Step& step) {
                const bool waits_for_a_person =
                    step.to == State::review || step.to == State::manual ||
                    step.to == State::reversed || step.to == State::awaiting_approval;
                return step.from == step.to || !waits_for_a_person ||
                       has(step.effects, Effect::open_work_item);
              }),
              "no order waits for a person who was not told");
static_assert(each_step([](const Step& step) {
                const bool gone = step.to == State::closed || step.to == State::refunding ||
                                  step.to == State::refunded;
                const bool was_gone = step.from == State::closed || step.from == State::refunding ||
                                      step.from == State::refunded ||
                                      step.on == Event::refund_reissued;
                return !gone || was_gone || has(step.effects, Effect::release_holds);
              }),
              "an order that ends without delivery gives back what it held");

// What a person alone can decide; a shop asks for a reason and a second person (order_actions.h).
constexpr bool is_decision(Event event) {
  return event == Event::review_approved || event == Event::review_rejected ||
         event == Event::refund_ordered || event == Event::refund_reissued;
}
// Only these say for certain that nothing was, is or will be delivered.
constexpr bool is_definite(Event event) {
  return event == Event::supplier_rejected || event == Event::supplier_switched;
}
static_assert(each_step([](const Step& step) {
                if (step.to != State::refunding || step.from == State::refunding) return true;
                const bool unsent =
                    step.on == Event::hold_expired &&
                    (step.from == State::paid || step.from == State::awaiting_approval);
                return step.from == State::closed || is_definite(step.on) || is_decision(step.on) ||
                       unsent;
              }),
              "money goes back on a definite answer, on a decision, or where nothing was sent");
static_assert(each_step([](const Step& step) {
                return step.to != State::submitting || step.from == State::submitting ||
                       step.from == State::paid;
              }),
              "a supplier is called from paid only");
static_assert(each_step([](const Step& step) {
                const bool in_flight = step.from == State::submitting ||
                                       step.from == State::recharging ||
                                       step.from == State::unknown || step.from == State::manual;
                return step.to != State::paid || !in_flight || is_definite(step.on) ||
                       step.on == Event::supplier_held;
              }),
              "what may be on its way is never sent a second time");
static_assert(!next(State::unknown, Event::submit) && !next(State::unknown, Event::supplier_held) &&
                  !next(State::manual, Event::supplier_switched),
              "an unknown outcome is asked about, never sent again");
static_assert(each_step([](const Step& step) {
                if (!is_final(step.from)) return true;
                switch (step.from) {
                  case State::closed:  // the money came late
                    return step.on == Event::payment_confirmed ||
                           step.on == Event::late_payment_revived ||
                           step.on == Event::review_required || step.on == Event::payment_mismatch;
                  case State::succeeded:  // taken back, or a person is generous
                    return step.to == step.from || step.on == Event::supplier_reversed ||
                           step.on == Event::refund_ordered;
                  default:
                    return step.to == step.from;
                }
              }),
              "final states are final but for the exceptions named here");
static_assert(next(State::closed, Event::payment_confirmed) == State::refunding,
              "money is never kept without an order");
static_assert(each_state([](State state) {
                const bool was_paid = state != State::awaiting_payment && state != State::paying &&
                                      state != State::closed;
                return next(state, Event::duplicate_payment) ==
                       (was_paid ? std::optional<State>(state) : std::nullopt);
              }),
              "a second payment goes back, whatever became of the order");
static_assert(!next(State::succeeded, Event::supplier_rejected),
              "a late contradiction never takes back a delivery");
static_assert(!next(State::paid, Event::cancel), "paid orders are refunded, not cancelled");
static_assert(next(State::succeeded, Event::partial_refund_ordered) == State::succeeded,
              "who gets a part back keeps what was delivered");

constexpr bool only_a_definite_failure_rejects() {
  for (const Outcome outcome :
       {Outcome::done, Outcome::accepted, Outcome::definite_fail, Outcome::unknown}) {
    const bool definite = outcome == Outcome::definite_fail;
    if ((supplier_event(outcome) == Event::supplier_rejected) != definite) return false;
    if ((refund_event(outcome) == Event::refund_refused) != definite) return false;
  }
  return true;
}
static_assert(only_a_definite_failure_rejects(), "an unknown outcome is never a failure");
static_assert(!kStateWords.back().empty() && !kEventWords.back().empty() &&
                  !kEffectWords.back().empty(),
              "each has its word");
static_assert(static_cast<std::size_t>(Effect::release_holds) == 1U << (kEffectCount - 1));

}  // namespace

std::string_view to_word(State state) { return kStateWords[static_cast<std::size_t>(state)]; }
std::string_view to_word(Event event) { return kEventWords[static_cast<std::size_t>(event)]; }
std::string_view to_word(BuyerWord word) { return kBuyerWords[static_cast<std::size_t>(word)]; }
std::string_view to_word(Effect one) {
  for (std::size_t i = 0; i < kEffectCount; ++i) {
    if (has(one, static_cast<Effect>(1U << i))) return kEffectWords[i];
  }
  return "none";
}

WordList state_words() { return kStateWords; }
WordList event_words() { return kEventWords; }

}  // namespace topup
