#include "shared/order_state.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <array>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace topup;

namespace {

State state_at(std::size_t i) { return static_cast<State>(i); }
Event event_at(std::size_t i) { return static_cast<Event>(i); }

// What each state means for the money, written apart from the table.
bool has_buyers_money(State state) {
  static const std::set<State> without = {State::awaiting_payment, State::paying, State::closed,
                                          State::refunded, State::succeeded};
  return without.count(state) == 0;
}
// Events about money beside the order's own payment.
bool is_beside(Event event) {
  static const std::set<Event> beside = {Event::duplicate_payment, Event::partial_refund_ordered,
                                         Event::partial_refund_succeeded,
                                         Event::partial_refund_refused};
  return beside.count(event) > 0;
}

// The same machine written by event instead of by state; "paid…" stands for every state of an order
// whose money arrived. A second pair of eyes on the table: change both, or neither.
constexpr const char* kModel = R"(
start_payment awaiting_payment>paying paying>paying
payment_confirmed paying>paid closed>refunding
payment_mismatch paying>review closed>review
late_payment_revived closed>paid
duplicate_payment paid…
expire awaiting_payment>closed paying>closed
cancel awaiting_payment>closed paying>closed
review_required paying>awaiting_approval closed>awaiting_approval
review_approved awaiting_approval>paid review>paid
review_rejected awaiting_approval>refunding review>refunding
submit paid>submitting
supplier_accepted submitting>recharging unknown>recharging
supplier_succeeded submitting>succeeded recharging>succeeded unknown>succeeded manual>succeeded
supplier_rejected submitting>refunding recharging>refunding unknown>refunding manual>refunding
supplier_switched paid>paid submitting>paid recharging>paid unknown>paid
supplier_unknown submitting>unknown
supplier_held submitting>paid
supplier_reversed succeeded>reversed
hold_expired paid>refunding awaiting_approval>refunding
give_up paid>manual recharging>manual unknown>manual
delivered_by_hand manual>succeeded reversed>succeeded
refund_requested awaiting_approval review paid submitting recharging unknown manual succeeded reversed
refund_ordered paid>refunding manual>refunding succeeded>refunding reversed>refunding
refund_reissued manual>refunding
refunded_by_hand manual>refunded review>refunded reversed>refunded
refund_succeeded refunding>refunded
refund_refused refunding>manual
partial_refund_ordered succeeded refunded
partial_refund_succeeded succeeded reversed refunding refunded manual
partial_refund_refused succeeded reversed refunding refunded manual
)";
constexpr const char* kPaidStates =
    "awaiting_approval review paid submitting recharging unknown succeeded reversed refunding "
    "refunded manual";

using Model = std::map<std::pair<std::string, std::string>, std::string>;  // (state, event) → state

Model read_model() {
  Model model;
  std::istringstream lines(kModel);
  for (std::string line, event; std::getline(lines, line);) {
    const std::size_t paid = line.find("paid…");
    if (paid != std::string::npos) line = line.substr(0, paid) + kPaidStates;
    std::istringstream words(line);
    words >> event;
    for (std::string way; words >> way;) {
      const std::size_t mark = way.find('>');
      model[{way.substr(0, mark), event}] = mark == std::string::npos ? way : way.substr(mark + 1);
    }
  }
  return model;
}

// Where an order's own money stands, followed by effects alone.
struct Purse {
  int liability = 0, suspense = 0, earned = 0, given_back = 0;
  void feel(const Step& step) {
    if (is_beside(step.on)) return;
    const auto did = [&step](Effect one) { return has(step.effects, one) ? 1 : 0; };
    liability += did(Effect::post_payment) + did(Effect::settle_suspense) +
                 did(Effect::post_reversal) + did(Effect::post_loss) -
                 did(Effect::post_fulfilment) - did(Effect::post_refund);
    suspense += did(Effect::post_suspense) - did(Effect::settle_suspense);
    earned += did(Effect::post_fulfilment) - did(Effect::post_reversal) - did(Effect::post_loss);
    given_back += did(Effect::post_refund);
  }
};

}  // namespace

TEST_CASE("no pair of state and event stands in the table twice") {
  std::set<std::pair<State, Event>> seen;
  for (const Step& step : kSteps) CHECK(seen.insert({step.from, step.on}).second);
}

TEST_CASE("every pair of state and event is what the model says, and nothing else is listed") {
  const Model model = read_model();
  std::size_t listed = 0;
  for (std::size_t s = 0; s < kStateCount; ++s) {
    for (std::size_t e = 0; e < kEventCount; ++e) {
      const State from = state_at(s);
      const Event on = event_at(e);
      CAPTURE(to_word(from));
      CAPTURE(to_word(on));
      const auto expected = model.find({std::string(to_word(from)), std::string(to_word(on))});
      const std::optional<State> to = next(from, on);
      REQUIRE(to.has_value() == (expected != model.end()));
      CHECK((find_step(from, on) != nullptr) == to.has_value());
      if (!to) continue;
      ++listed;
      CHECK(to_word(*to) == expected->second);
      CHECK(find_step(from, on)->from == from);
      CHECK(find_step(from, on)->on == on);
    }
  }
  CHECK(listed == kSteps.size());
  CHECK(listed == model.size());
}

TEST_CASE("property: any sequence of events goes where the model goes, and the books follow") {
  const Model model = read_model();
  CHECK(rc::check("a random walk of 50 events", [&model] {
    const auto picks = *rc::gen::container<std::vector<std::size_t>>(
        50, rc::gen::inRange<std::size_t>(0, 100'000));
    State state = State::awaiting_payment;
    std::string word = "awaiting_payment";
    Purse purse;
    for (const std::size_t pick : picks) {
      // Two in three are events of this state; the others are any event at all.
      std::vector<Event> here;
      for (const Step& step : kSteps) {
        if (step.from == state) here.push_back(step.on);
      }
      const Event on = pick % 3 != 0 ? here[pick % here.size()] : event_at(pick % kEventCount);
      if (const Step* step = find_step(state, on)) {
        purse.feel(*step);
        state = step->to;
      }
      const auto expected = model.find({word, std::string(to_word(on))});
      if (expected != model.end()) word = expected->second;
      RC_ASSERT(to_word(state) == word);
      RC_ASSERT(purse.suspense == (state == State::review ? 1 : 0));
      RC_ASSERT(purse.liability + purse.suspense == (has_buyers_money(state) ? 1 : 0));
      RC_ASSERT(purse.earned == (state == State::succeeded ? 1 : 0));
      RC_ASSERT(purse.given_back == (state == State::refunded ? 1 : 0));
    }
  }));
}

TEST_CASE("money that moves is booked: never kept, lost or given twice, whatever the way") {
  // Every walk at once: the set of (state, purse) pairs that can occur, grown until nothing is new.
  const auto same = [](const Purse& p) {
    return std::array<int, 4>{p.liability, p.suspense, p.earned, p.given_back};
  };
  std::set<std::pair<State, std::array<int, 4>>> seen;
  std::vector<std::pair<State, Purse>> open = {{State::awaiting_payment, {}}};
  while (!open.empty()) {
    const auto [state, purse] = open.back();
    open.pop_back();
    if (!seen.insert({state, same(purse)}).second) continue;
    REQUIRE(seen.size() < 1'000);
    for (const Step& step : kSteps) {
      if (step.from != state) continue;
      Purse after = purse;
      after.feel(step);
      open.emplace_back(step.to, after);
    }
  }
  for (const auto& [state, purse] : seen) {
    const auto& [liability, suspense, earned, given_back] = purse;
    CAPTURE(to_word(state));
    CHECK(liability + suspense == (has_buyers_money(state) ? 1 : 0));
    CHECK(given_back == (state == State::refunded ? 1 : 0));
    CHECK(earned == (state == State::succeeded ? 1 : 0));
  }
}

TEST_CASE("a refund is sent only on a definite answer, a decision, or where nothing was sent") {
  const std::set<Event> definite = {Event::supplier_rejected, Event::review_rejected,
                                    Event::refund_ordered, Event::refund_reissued};
  for (const Step& step : kSteps) {
    if (step.to != State::refunding || step.from == State::refunding) continue;
    CAPTURE(to_word(step.from));
    CAPTURE(to_word(step.on));
    const bool unsent = step.on == Event::hold_expired &&
                        (step.from == State::paid || step.from == State::awaiting_approval);
    CHECK((definite.count(step.on) > 0 || unsent || step.from == State::closed));
    CHECK(has(step.effects, Effect::enqueue_refund));
  }
}

TEST_CASE("what may be on its way at a supplier is never sent again") {
  for (const Step& step : kSteps) {
    if (step.to == State::submitting && step.from != step.to) CHECK(step.from == State::paid);
    const bool in_flight = step.from == State::submitting || step.from == State::recharging ||
                           step.from == State::unknown;
    if (step.to == State::paid && in_flight) {
      CAPTURE(to_word(step.from));
      CHECK((step.on == Event::supplier_switched ||
             (step.on == Event::supplier_held && step.from == State::submitting)));
    }
  }
}

TEST_CASE("a late payment is delivered or given back, a second one always given back") {
  CHECK(next(State::closed, Event::payment_confirmed) == State::refunding);
  CHECK(next(State::closed, Event::late_payment_revived) == State::paid);
  const Step* revived = find_step(State::closed, Event::late_payment_revived);
  CHECK(has(revived->effects, Effect::take_holds));
  CHECK(has(revived->effects, Effect::enqueue_submit));
  for (const State from : {State::paid, State::succeeded, State::refunded, State::manual}) {
    const Step* second = find_step(from, Event::duplicate_payment);
    REQUIRE(second != nullptr);
    CHECK(second->to == from);
    CHECK(second->effects == (Effect::post_payment | Effect::enqueue_refund));
  }
  CHECK(find_step(State::paying, Event::duplicate_payment) == nullptr);
}

TEST_CASE("a delivery that is taken back is booked back and waits for a person") {
  const Step* step = find_step(State::succeeded, Event::supplier_reversed);
  REQUIRE(step != nullptr);
  CHECK(step->to == State::reversed);
  CHECK(step->effects == (Effect::post_reversal | Effect::open_work_item));
  CHECK(buyer_word(State::reversed) == BuyerWord::failed);
}

TEST_CASE("words round-trip, are all different, and every state has one of the buyer's five") {
  std::set<std::string_view> states, events, effects, buyer;
  for (std::size_t i = 0; i < kStateCount; ++i) {
    states.insert(to_word(state_at(i)));
    buyer.insert(to_word(buyer_word(state_at(i))));
    CHECK(parse_state(to_word(state_at(i))) == state_at(i));
  }
  for (std::size_t i = 0; i < kEventCount; ++i) {
    events.insert(to_word(event_at(i)));
    CHECK(parse_event(to_word(event_at(i))) == event_at(i));
  }
  for (std::size_t i = 0; i < kEffectCount; ++i)
    effects.insert(to_word(static_cast<Effect>(1U << i)));
  CHECK(states.size() == kStateCount);
  CHECK(events.size() == kEventCount);
  CHECK(effects.size() == kEffectCount);
  CHECK(buyer == std::set<std::string_view>{"awaiting_payment", "paying", "recharging", "succeeded",
                                            "failed"});
  CHECK(to_word(State::manual) == "manual");
  CHECK(to_word(Event::partial_refund_refused) == "partial_refund_refused");
  CHECK(to_word(Effect::release_holds) == "release_holds");
  CHECK(to_word(Effect::none) == "none");
  CHECK_FALSE(parse_state("paid "));
  CHECK_FALSE(parse_state(""));
  CHECK_FALSE(parse_event("Submit"));
}

TEST_CASE("the states and events that are stored keep their words") {
  const std::map<State, std::string> states = {{State::awaiting_payment, "awaiting_payment"},
                                               {State::paying, "paying"},
                                               {State::paid, "paid"},
                                               {State::submitting, "submitting"},
                                               {State::recharging, "recharging"},
                                               {State::unknown, "unknown"},
                                               {State::succeeded, "succeeded"},
                                               {State::refunding, "refunding"},
                                               {State::refunded, "refunded"},
                                               {State::closed, "closed"},
                                               {State::review, "review"},
                                               {State::manual, "manual"}};
  for (const auto& [state, word] : states) CHECK(to_word(state) == word);
}

TEST_CASE("final states accept nothing but the exceptions named here") {
  const std::set<std::pair<State, Event>> exceptions = {
      {State::closed, Event::payment_confirmed},    {State::closed, Event::payment_mismatch},
      {State::closed, Event::late_payment_revived}, {State::closed, Event::review_required},
      {State::succeeded, Event::supplier_reversed}, {State::succeeded, Event::refund_ordered}};
  std::set<std::pair<State, Event>> found;
  for (const Step& step : kSteps) {
    if (is_final(step.from) && step.to != step.from) found.insert({step.from, step.on});
  }
  CHECK(found == exceptions);
}

TEST_CASE("a time-out is an event of its state, and no clock decides about disputed money") {
  for (std::size_t i = 0; i < kStateCount; ++i) {
    const State state = state_at(i);
    const std::optional<TimeOut> out = timeout_of(state);
    if (!out) continue;
    CAPTURE(to_word(state));
    CHECK(next(state, out->event).has_value());
  }
  CHECK(timeout_of(State::paying)->event == Event::expire);
  CHECK(timeout_of(State::paying)->after_ms == 900'000);
  CHECK(timeout_of(State::unknown)->event == Event::give_up);
  for (const State state : {State::review, State::manual, State::reversed, State::refunding,
                            State::succeeded, State::refunded, State::closed}) {
    CHECK_FALSE(timeout_of(state));
  }
}

TEST_CASE("only a definite failure of a call becomes a failure of the order") {
  CHECK(supplier_event(Outcome::done) == Event::supplier_succeeded);
  CHECK(supplier_event(Outcome::accepted) == Event::supplier_accepted);
  CHECK(supplier_event(Outcome::definite_fail) == Event::supplier_rejected);
  CHECK(supplier_event(Outcome::unknown) == Event::supplier_unknown);
  CHECK(refund_event(Outcome::done) == Event::refund_succeeded);
  CHECK(refund_event(Outcome::definite_fail) == Event::refund_refused);
  CHECK_FALSE(refund_event(Outcome::accepted));
  CHECK_FALSE(refund_event(Outcome::unknown));
}
