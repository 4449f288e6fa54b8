// Who may do what with an order in which state. Buttons are shown from this table and the server
// refuses by it; whether the order's event may happen is asked of order_state.h as well. An action
// that moves money needs a reason and, above the shop's limit, a second person; a buyer alone may
// take the money of an order back that nobody has taken on. Pure; constexpr; thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "shared/order_state.h"

namespace topup {

enum class Actor : std::uint8_t { buyer, support, operator_, finance, owner, system };
inline constexpr std::size_t kActorCount = static_cast<std::size_t>(Actor::system) + 1;

enum class Action : std::uint8_t {
  pay,
  pay_again,        // another try or another channel; earlier tries stay open until they are closed
  cancel,           // an unpaid order
  query_payment,    // ask the channel now
  request_refund,   // a wish; it moves nothing
  take_back,        // nothing has left for a supplier: all of it goes back at once
  query_supplier,   // ask the supplier now
  retry_submit,     // nothing was taken on: try now, under the same reference
  switch_supplier,  // nothing was taken on: let another one deliver
  hand_over,  // no clear answer yet: a person takes the matter up before the queries are used up
  approve_review,
  reject_review,
  mark_delivered,
  mark_failed,  // a person vouches that it was not and will not be delivered
  refund_full,  // everything that is left
  refund_partial,
  query_refund,    // ask the channel now
  resolve_refund,  // send a new refund in the place of a refused one
  mark_refunded,   // the buyer was paid back by another way
  note,
};
inline constexpr std::size_t kActionCount = static_cast<std::size_t>(Action::note) + 1;

enum class Guard : std::uint8_t { none, reason, reason_and_second_person };

struct ActionRule {
  Action action;
  std::uint16_t states;        // bits by State
  std::uint8_t actors;         // bits by Actor
  Guard guard;                 // asked of staff; a buyer's own wish needs none
  std::optional<Event> event;  // what it causes; nothing: the order stays as it is
};

namespace action_table {

constexpr std::uint16_t in(State state) {
  return static_cast<std::uint16_t>(1U << static_cast<unsigned>(state));
}
template <class... More>
constexpr std::uint16_t in(State first, More... more) {
  return static_cast<std::uint16_t>(in(first) | in(more...));
}
constexpr std::uint8_t by(Actor actor) {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(actor));
}
template <class... More>
constexpr std::uint8_t by(Actor first, More... more) {
  return static_cast<std::uint8_t>(by(first) | by(more...));
}
inline constexpr std::uint16_t kEveryState = (1U << kStateCount) - 1;

using enum State;
using enum Actor;

// clang-format off
inline constexpr std::array<ActionRule, kActionCount> kRules = {{
    {Action::pay, in(awaiting_payment), by(buyer), Guard::none, Event::start_payment},
    {Action::pay_again, in(paying), by(buyer), Guard::none, Event::start_payment},
    {Action::cancel, in(awaiting_payment, paying), by(buyer, support, operator_, owner),
     Guard::none, Event::cancel},
    {Action::query_payment, in(paying, closed), by(buyer, support, operator_, finance, owner, system),
     Guard::none, {}},
    {Action::request_refund,
     in(awaiting_approval, review, paid, submitting, recharging, unknown, manual, succeeded, reversed),
     by(buyer, support, owner), Guard::none, Event::refund_requested},
    {Action::take_back, in(paid), by(buyer), Guard::none, Event::refund_ordered},
    {Action::query_supplier, in(submitting, recharging, unknown, succeeded, reversed, manual),
     by(support, operator_, owner, system), Guard::none, {}},
    {Action::retry_submit, in(paid), by(operator_, owner, system), Guard::none, {}},
    {Action::switch_supplier, in(paid), by(operator_, owner, system), Guard::reason,
     Event::supplier_switched},
    {Action::hand_over, in(recharging, unknown), by(operator_, owner), Guard::reason, Event::give_up},
    {Action::approve_review, in(awaiting_approval, review), by(operator_, owner),
     Guard::reason_and_second_person, Event::review_approved},
    {Action::reject_review, in(awaiting_approval, review), by(operator_, finance, owner),
     Guard::reason_and_second_person, Event::review_rejected},
    {Action::mark_delivered, in(reversed, manual), by(operator_, owner),
     Guard::reason_and_second_person, Event::delivered_by_hand},
    {Action::mark_failed, in(manual), by(operator_, owner),
     Guard::reason_and_second_person, Event::supplier_rejected},
    {Action::refund_full, in(paid, succeeded, reversed, manual), by(finance, owner),
     Guard::reason_and_second_person, Event::refund_ordered},
    {Action::refund_partial, in(succeeded, refunded), by(finance, owner),
     Guard::reason_and_second_person, Event::partial_refund_ordered},
    {Action::query_refund, in(succeeded, reversed, refunding, manual),
     by(support, finance, owner, system), Guard::none, {}},
    {Action::resolve_refund, in(manual), by(finance, owner),
     Guard::reason_and_second_person, Event::refund_reissued},
    {Action::mark_refunded, in(review, reversed, manual), by(finance, owner),
     Guard::reason_and_second_person, Event::refunded_by_hand},
    {Action::note, kEveryState, by(support, operator_, finance, owner), Guard::none, {}},
}};
// clang-format on

}  // namespace action_table

constexpr const ActionRule& rule_of(Action action) {
  return action_table::kRules[static_cast<std::size_t>(action)];
}
constexpr bool may(Actor actor, State state, Action action) {
  const ActionRule& rule = rule_of(action);
  return (rule.states & action_table::in(state)) != 0 &&
         (rule.actors & action_table::by(actor)) != 0;
}
constexpr bool needs_reason(Action action) { return rule_of(action).guard != Guard::none; }
constexpr bool needs_second_person(Action action) {
  return rule_of(action).guard == Guard::reason_and_second_person;
}

std::string_view to_word(Actor actor);  // "operator" for Actor::operator_
std::string_view to_word(Action action);
WordList actor_words();
WordList action_words();
inline std::optional<Actor> parse_actor(std::string_view word) {
  return parse_word<Actor>(actor_words(), word);
}
inline std::optional<Action> parse_action(std::string_view word) {
  return parse_word<Action>(action_words(), word);
}

}  // namespace topup
