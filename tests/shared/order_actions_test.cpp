#include "shared/order_actions.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace topup;

namespace {

std::string offered(Actor actor, State state) {
  std::string words;
  for (std::size_t i = 0; i < kActionCount; ++i) {
    if (!may(actor, state, static_cast<Action>(i))) continue;
    if (!words.empty()) words += ' ';
    words += to_word(static_cast<Action>(i));
  }
  return words;
}

}  // namespace

TEST_CASE("actions: what a buyer may do in each state") {
  const struct {
    State state;
    const char* actions;
  } rows[] = {
      {State::awaiting_payment, "pay cancel"},
      {State::paying, "pay_again cancel query_payment"},
      {State::awaiting_approval, "request_refund"},
      {State::paid, "request_refund take_back"},
      {State::submitting, "request_refund"},
      {State::recharging, "request_refund"},
      {State::unknown, "request_refund"},
      {State::succeeded, "request_refund"},
      {State::reversed, "request_refund"},
      {State::refunding, ""},
      {State::refunded, ""},
      {State::closed, "query_payment"},
      {State::review, "request_refund"},
      {State::manual, "request_refund"},
  };
  CHECK(sizeof(rows) / sizeof(rows[0]) == kStateCount);
  for (const auto& row : rows) {
    CAPTURE(to_word(row.state));
    CHECK(offered(Actor::buyer, row.state) == row.actions);
  }
}

TEST_CASE("actions: what staff may do where a person is needed") {
  const struct {
    Actor actor;
    State state;
    const char* actions;
  } rows[] = {
      {Actor::support, State::manual, "request_refund query_supplier query_refund note"},
      {Actor::operator_, State::manual, "query_supplier mark_delivered mark_failed note"},
      {Actor::finance, State::manual, "refund_full query_refund resolve_refund mark_refunded note"},
      {Actor::owner, State::manual,
       "request_refund query_supplier mark_delivered mark_failed refund_full query_refund "
       "resolve_refund "
       "mark_refunded note"},
      {Actor::operator_, State::review, "approve_review reject_review note"},
      {Actor::finance, State::review, "reject_review mark_refunded note"},
      {Actor::operator_, State::unknown, "query_supplier hand_over note"},
      {Actor::support, State::unknown, "request_refund query_supplier note"},
      {Actor::system, State::unknown, "query_supplier"},
      {Actor::operator_, State::refunding, "note"},
      {Actor::operator_, State::paid, "retry_submit switch_supplier note"},
      {Actor::system, State::paid, "retry_submit switch_supplier"},
      {Actor::finance, State::succeeded, "refund_full refund_partial query_refund note"},
      {Actor::support, State::closed, "query_payment note"},
  };
  for (const auto& row : rows) {
    CAPTURE(to_word(row.actor));
    CAPTURE(to_word(row.state));
    CHECK(offered(row.actor, row.state) == row.actions);
  }
}

TEST_CASE("actions: whoever moves money gives a reason, before a second person") {
  const std::set<Action> guarded = {Action::approve_review, Action::reject_review,
                                    Action::mark_delivered, Action::mark_failed,
                                    Action::refund_full,    Action::refund_partial,
                                    Action::resolve_refund, Action::mark_refunded};
  for (std::size_t i = 0; i < kActionCount; ++i) {
    const Action action = static_cast<Action>(i);
    CAPTURE(to_word(action));
    CHECK(needs_second_person(action) == (guarded.count(action) > 0));
    CHECK((!needs_second_person(action) || needs_reason(action)));
    for (std::size_t s = 0; s < kStateCount && needs_second_person(action); ++s) {
      CHECK_FALSE(may(Actor::buyer, static_cast<State>(s), action));
      CHECK_FALSE(may(Actor::support, static_cast<State>(s), action));
      CHECK_FALSE(may(Actor::system, static_cast<State>(s), action));
    }
  }
  CHECK(needs_reason(Action::switch_supplier));
  CHECK_FALSE(needs_reason(Action::note));
}

TEST_CASE("F091: only the buyer takes back, only what no supplier has, and nobody loses by it") {
  for (std::size_t s = 0; s < kStateCount; ++s) {
    for (std::size_t a = 0; a < kActorCount; ++a) {
      CHECK(may(static_cast<Actor>(a), static_cast<State>(s), Action::take_back) ==
            (static_cast<State>(s) == State::paid && static_cast<Actor>(a) == Actor::buyer));
    }
  }
  CHECK_FALSE(needs_reason(Action::take_back));
  const Step* step = find_step(State::paid, *rule_of(Action::take_back).event);
  REQUIRE(step != nullptr);
  CHECK(step->to == State::refunding);
  CHECK_FALSE(has(step->effects, Effect::post_loss));
}

TEST_CASE("actions: an offered action that causes an event is never refused by the table") {
  for (std::size_t s = 0; s < kStateCount; ++s) {
    for (std::size_t i = 0; i < kActionCount; ++i) {
      const ActionRule& rule = rule_of(static_cast<Action>(i));
      if (!may(Actor::owner, static_cast<State>(s), rule.action) || !rule.event) continue;
      CAPTURE(to_word(rule.action));
      CHECK(next(static_cast<State>(s), *rule.event).has_value());
    }
  }
}

TEST_CASE("actions: words round-trip and are all different") {
  std::set<std::string_view> words;
  for (std::size_t i = 0; i < kActionCount; ++i) {
    words.insert(to_word(static_cast<Action>(i)));
    CHECK(parse_action(to_word(static_cast<Action>(i))) == static_cast<Action>(i));
  }
  CHECK(words.size() == kActionCount);
  for (std::size_t i = 0; i < kActorCount; ++i)
    CHECK(parse_actor(to_word(static_cast<Actor>(i))) == static_cast<Actor>(i));
  CHECK(to_word(Actor::operator_) == "operator");
  CHECK(to_word(Action::note) == "note");
  CHECK_FALSE(parse_actor("admin"));
  CHECK_FALSE(parse_action("pay "));
}
