#include "shared/order_state.h"

#include <doctest/doctest.h>

#include <array>
#include <set>

using namespace topup;

namespace {

constexpr int kStates = static_cast<int>(State::manual) + 1;
constexpr int kEvents = static_cast<int>(Event::give_up) + 1;

// What each event means for the money, written apart from the table.
bool has_buyers_money(State state) {
  switch (state) {
    case State::awaiting_payment:
    case State::paying:
    case State::closed:
    case State::refunded:
      return false;
    default:
      return true;
  }
}

}  // namespace

TEST_CASE("no pair of state and event stands in the table twice") {
  std::set<std::pair<State, Event>> seen;
  for (const Step& step : kSteps) CHECK(seen.insert({step.from, step.on}).second);
}

TEST_CASE(
    "every state can be reached, and from every state that holds money an end can be reached") {
  std::set<State> reached = {State::awaiting_payment};
  for (int round = 0; round < kStates; ++round) {
    for (const Step& step : kSteps) {
      if (reached.count(step.from) > 0) reached.insert(step.to);
    }
  }
  CHECK(reached.size() == kStates);
  for (int i = 0; i < kStates; ++i) {
    const State from = static_cast<State>(i);
    if (from == State::review)
      continue;  // a person decides what to do with money that does not fit
    std::set<State> after = {from};
    for (int round = 0; round < kStates; ++round) {
      for (const Step& step : kSteps) {
        if (after.count(step.from) > 0) after.insert(step.to);
      }
    }
    CAPTURE(to_word(from));
    CHECK((after.count(State::succeeded) > 0 || after.count(State::refunded) > 0 ||
           after.count(State::closed) > 0));
  }
}

TEST_CASE("money is booked exactly where an order starts or stops holding it") {
  for (const Step& step : kSteps) {
    CAPTURE(to_word(step.from));
    CAPTURE(to_word(step.on));
    const bool comes_in =
        has(step.effects, Effect::post_payment) || has(step.effects, Effect::post_suspense);
    CHECK(comes_in == (!has_buyers_money(step.from) && has_buyers_money(step.to)));
    CHECK(has(step.effects, Effect::post_refund) == (step.to == State::refunded));
    CHECK(has(step.effects, Effect::post_fulfilment) == (step.to == State::succeeded));
  }
}

TEST_CASE("only a definite answer leads to a refund of a paid order") {
  for (const Step& step : kSteps) {
    if (step.to != State::refunding || step.from == State::closed) continue;
    CAPTURE(to_word(step.from));
    CHECK(step.on == Event::supplier_rejected);
  }
}

TEST_CASE(
    "the supplier is called once: nothing leads back to submitting but a hold before anything was "
    "taken on") {
  for (const Step& step : kSteps) {
    if (step.to == State::submitting) CHECK(step.from == State::paid);
    if (step.to == State::paid)
      CHECK((step.from == State::paying || step.on == Event::supplier_held));
  }
}

TEST_CASE("words round-trip and every state has one of the buyer's five") {
  for (int i = 0; i < kStates; ++i) {
    const State state = static_cast<State>(i);
    CHECK(parse_state(to_word(state)) == state);
    CHECK_FALSE(to_word(buyer_word(state)).empty());
  }
  std::set<std::string_view> events;
  for (int i = 0; i < kEvents; ++i) events.insert(to_word(static_cast<Event>(i)));
  CHECK(events.size() == kEvents);
  CHECK_FALSE(parse_state("paid "));
}

TEST_CASE(
    "final states accept no event, except that a late payment reopens a closed order to give it "
    "back") {
  for (int s = 0; s < kStates; ++s) {
    for (int e = 0; e < kEvents; ++e) {
      const State from = static_cast<State>(s);
      const Event on = static_cast<Event>(e);
      if (!is_final(from) || !next(from, on)) continue;
      CHECK(from == State::closed);
      CHECK((on == Event::payment_confirmed || on == Event::payment_mismatch));
    }
  }
}
