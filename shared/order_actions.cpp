#include "shared/order_actions.h"

namespace topup {
namespace {

constexpr std::array<std::string_view, kActorCount> kActorWords = {"buyer",   "support", "operator",
                                                                   "finance", "owner",   "system"};
constexpr std::array<std::string_view, kActionCount> kActionWords = {"pay",
                                                                     "pay_again",
                                                                     "cancel",
                                                                     "query_payment",
                                                                     "request_refund",
                                                                     "take_back",
                                                                     "query_supplier",
                                                                     "retry_submit",
                                                                     "switch_supplier",
                                                                     "hand_over",
                                                                     "approve_review",
                                                                     "reject_review",
                                                                     "mark_delivered",
                                                                     "mark_failed",
                                                                     "refund_full",
                                                                     "refund_partial",
                                                                     "query_refund",
                                                                     "resolve_refund",
                                                                     "mark_refunded",
                                                                     "note"};

// What the table must hold, proved while it is compiled.

template <class Test>
constexpr bool each_rule(Test test) {
  for (const ActionRule& rule : action_table::kRules) {
    if (!test(rule)) return false;
  }
  return true;
}
constexpr bool in_order() {
  for (std::size_t i = 0; i < kActionCount; ++i) {
    if (static_cast<std::size_t>(action_table::kRules[i].action) != i) return false;
  }
  return true;
}
static_assert(in_order(), "a rule is found by its action's number");

constexpr std::uint16_t states_with(Event event) {
  std::uint32_t states = 0;
  for (std::size_t i = 0; i < kStateCount; ++i) {
    if (next(static_cast<State>(i), event)) states |= 1U << i;
  }
  return static_cast<std::uint16_t>(states);
}
static_assert(each_rule([](const ActionRule& rule) {
                return !rule.event || (rule.states & ~states_with(*rule.event)) == 0;
              }),
              "no button leads to a refusal by the table of states");

constexpr bool offered_wherever_possible(Event event) {
  std::uint32_t offered = 0;
  for (const ActionRule& rule : action_table::kRules) {
    if (rule.event == event) offered |= rule.states;
  }
  return offered == states_with(event);
}
static_assert(offered_wherever_possible(Event::start_payment) &&
                  offered_wherever_possible(Event::cancel) &&
                  offered_wherever_possible(Event::review_approved) &&
                  offered_wherever_possible(Event::review_rejected) &&
                  offered_wherever_possible(Event::delivered_by_hand) &&
                  offered_wherever_possible(Event::refund_requested) &&
                  offered_wherever_possible(Event::refund_ordered) &&
                  offered_wherever_possible(Event::partial_refund_ordered) &&
                  offered_wherever_possible(Event::refund_reissued) &&
                  offered_wherever_possible(Event::refunded_by_hand),
              "what a person may decide has a button in every state that takes it");

// Whether the event may change what the books say of the buyer's money or send some of it away.
constexpr bool moves_money(Event event) {
  for (const Step& step : kSteps) {
    if (step.on == event &&
        (has(step.effects, Effect::post_payment) || has(step.effects, Effect::post_fulfilment) ||
         has(step.effects, Effect::post_refund) || has(step.effects, Effect::enqueue_refund) ||
         has(step.effects, Effect::post_reversal) || has(step.effects, Effect::post_loss) ||
         has(step.effects, Effect::settle_suspense))) {
      return true;
    }
  }
  return false;
}
static_assert(each_rule([](const ActionRule& rule) {
                return !rule.event || !moves_money(*rule.event) ||
                       rule.action == Action::take_back ||
                       rule.guard == Guard::reason_and_second_person;
              }),
              "whoever moves money gives a reason, before a second person");
constexpr bool takes_back_only_what_stayed_here() {
  const ActionRule& rule = rule_of(Action::take_back);
  if (rule.actors != action_table::by(Actor::buyer) || rule.event != Event::refund_ordered)
    return false;
  for (const Step& step : kSteps) {
    if (step.on != *rule.event || (rule.states & action_table::in(step.from)) == 0) continue;
    // It may still be sent from there: no supplier has it.
    if (next(step.from, Event::submit) != State::submitting) return false;
    if (step.to != State::refunding ||
        step.effects != (Effect::enqueue_refund | Effect::release_holds)) {
      return false;
    }
  }
  return true;
}
static_assert(takes_back_only_what_stayed_here(),
              "a buyer alone takes back the money of what no supplier has, all of it, and nobody "
              "loses by it");
static_assert(each_rule([](const ActionRule& rule) {
                const bool is_guarded = rule.guard == Guard::reason_and_second_person;
                const std::uint8_t never =
                    action_table::by(Actor::buyer, Actor::support, Actor::system);
                return !is_guarded || (rule.actors & never) == 0;
              }),
              "buyers, support and programs decide nothing about money");

constexpr bool buyer_only_asks_after_payment() {
  for (std::size_t s = 0; s < kStateCount; ++s) {
    const State state = static_cast<State>(s);
    if (state == State::awaiting_payment || state == State::paying) continue;
    for (const ActionRule& rule : action_table::kRules) {
      const bool harmless = rule.action == Action::request_refund ||
                            rule.action == Action::query_payment ||
                            (rule.action == Action::take_back && state == State::paid);
      if (may(Actor::buyer, state, rule.action) && !harmless) return false;
    }
  }
  return true;
}
static_assert(buyer_only_asks_after_payment(),
              "after paying, a buyer can ask, and take back what has not been sent");

constexpr bool somebody_can_help() {
  for (const State state :
       {State::review, State::manual, State::reversed, State::awaiting_approval}) {
    bool helped = false;
    for (const ActionRule& rule : action_table::kRules) {
      helped = helped || (may(Actor::owner, state, rule.action) && rule.event &&
                          next(state, *rule.event) != state);
    }
    if (!helped) return false;
  }
  return true;
}
static_assert(somebody_can_help(), "where an order waits for a person, a person has a button");

}  // namespace

std::string_view to_word(Actor actor) { return kActorWords[static_cast<std::size_t>(actor)]; }
std::string_view to_word(Action action) { return kActionWords[static_cast<std::size_t>(action)]; }
WordList actor_words() { return kActorWords; }
WordList action_words() { return kActionWords; }

}  // namespace topup
