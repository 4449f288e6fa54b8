#include "shared/refund_flow.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <map>
#include <set>
#include <string>
#include <vector>

using namespace topup;

namespace {

RefundStage stage_at(std::size_t i) { return static_cast<RefundStage>(i); }
RefundEvent event_at(std::size_t i) { return static_cast<RefundEvent>(i); }

Result<Event> ask(State state, std::int64_t paid, std::vector<RefundShare> existing,
                  std::int64_t asked) {
  return may_refund(state, fen(paid), existing, fen(asked));
}

}  // namespace

TEST_CASE("refund: every pair of stage and event, written apart from the table") {
  using S = RefundStage;
  using E = RefundEvent;
  const std::map<std::pair<S, E>, S> listed = {
      {{S::requested, E::approve}, S::approved},
      {{S::requested, E::decline}, S::declined},
      {{S::approved, E::send}, S::sent},
      {{S::sent, E::channel_accepted}, S::processing},
      {{S::sent, E::channel_unclear}, S::unknown},
      {{S::sent, E::channel_succeeded}, S::succeeded},
      {{S::sent, E::channel_refused}, S::refused},
      {{S::unknown, E::send}, S::sent},
      {{S::unknown, E::channel_accepted}, S::processing},
      {{S::unknown, E::channel_succeeded}, S::succeeded},
      {{S::unknown, E::channel_refused}, S::refused},
      {{S::processing, E::channel_succeeded}, S::succeeded},
      {{S::processing, E::channel_refused}, S::refused},
      {{S::refused, E::reissue}, S::reissued},
      {{S::refused, E::settle_by_hand}, S::succeeded},
  };
  for (std::size_t s = 0; s < kRefundStageCount; ++s) {
    for (std::size_t e = 0; e < kRefundEventCount; ++e) {
      const auto expected = listed.find({stage_at(s), event_at(e)});
      CAPTURE(to_word(stage_at(s)));
      CAPTURE(to_word(event_at(e)));
      CHECK(next(stage_at(s), event_at(e)) ==
            (expected == listed.end() ? std::nullopt : std::optional(expected->second)));
    }
  }
}

TEST_CASE("refund: only a definite refusal of the channel refuses it") {
  CHECK(channel_event(Outcome::done) == RefundEvent::channel_succeeded);
  CHECK(channel_event(Outcome::accepted) == RefundEvent::channel_accepted);
  CHECK(channel_event(Outcome::definite_fail) == RefundEvent::channel_refused);
  CHECK(channel_event(Outcome::unknown) == RefundEvent::channel_unclear);
}

TEST_CASE("refund: an amount is free again only when it certainly stays") {
  const std::set<RefundStage> free = {RefundStage::refused, RefundStage::declined,
                                      RefundStage::reissued};
  for (std::size_t i = 0; i < kRefundStageCount; ++i)
    CHECK(counts(stage_at(i)) == (free.count(stage_at(i)) == 0));
}

TEST_CASE("may_refund: which event a refund is, by state, amount and what went before") {
  const RefundShare part{fen(300), RefundStage::succeeded};
  const struct {
    const char* name;
    State state;
    std::vector<RefundShare> existing;
    std::int64_t asked;
    Event event;
  } rows[] = {
      {"all, delivered", State::succeeded, {}, 1'000, Event::refund_ordered},
      {"a part, delivered", State::succeeded, {}, 999, Event::partial_refund_ordered},
      {"one fen", State::succeeded, {}, 1, Event::partial_refund_ordered},
      {"the rest after a part", State::succeeded, {part}, 700, Event::refund_ordered},
      {"a second part", State::succeeded, {part}, 300, Event::partial_refund_ordered},
      {"all, not sent yet", State::paid, {}, 1'000, Event::refund_ordered},
      {"all, manual", State::manual, {}, 1'000, Event::refund_ordered},
      {"after a refusal",
       State::manual,
       {{fen(1'000), RefundStage::refused}},
       1'000,
       Event::refund_reissued},
      {"after a refusal that was replaced",
       State::manual,
       {{fen(1'000), RefundStage::reissued}},
       1'000,
       Event::refund_ordered},
      {"all, reversed", State::reversed, {}, 1'000, Event::refund_ordered},
      {"a declined one leaves room",
       State::succeeded,
       {{fen(900), RefundStage::declined}},
       1'000,
       Event::refund_ordered},
      {"a refused part after the rest",
       State::refunded,
       {{fen(300), RefundStage::refused}, {fen(700), RefundStage::succeeded}},
       300,
       Event::partial_refund_ordered},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto event = ask(row.state, 1'000, row.existing, row.asked);
    REQUIRE(event.has_value());
    CHECK(to_word(*event) == to_word(row.event));
    CHECK(next(row.state, *event).has_value());
  }
}

TEST_CASE("may_refund: refusals, by precedence") {
  const std::vector<RefundShare> unsure = {{fen(600), RefundStage::unknown}};
  const auto reason = [](const Result<Event>& answer) {
    return answer ? std::string("allowed") : std::string(answer.error().reason);
  };
  CHECK(reason(may_refund(State::paying, fen(1), {}, {0, Currency::usd})) ==
        "refund_not_allowed_in_state");
  CHECK(reason(may_refund(State::succeeded, fen(1), {}, {0, Currency::usd})) ==
        "currency_mismatch");
  CHECK(reason(ask(State::succeeded, 1'000, unsure, 0)) == "refund_amount_not_positive");
  CHECK(reason(ask(State::succeeded, 1'000, unsure, -1)) == "refund_amount_not_positive");
  CHECK(reason(ask(State::succeeded, 1'000, unsure, 401)) == "refund_exceeds_paid");
  CHECK(reason(ask(State::succeeded, 1'000, unsure, 400)) == "allowed");
  CHECK(reason(ask(State::succeeded, 1'000, {{fen(1'001), RefundStage::sent}}, 1)) ==
        "refund_exceeds_paid");
  CHECK(reason(ask(State::manual, 1'000, {}, 999)) == "refund_not_allowed_in_state");
  CHECK(reason(ask(State::refunded, 1'000, {{fen(1'000), RefundStage::succeeded}}, 1)) ==
        "refund_exceeds_paid");
  CHECK(reason(may_refund(State::succeeded, fen(9),
                          std::vector<RefundShare>{{{1, Currency::usd}, RefundStage::sent}},
                          fen(1))) == "currency_mismatch");
  CHECK(reason(ask(State::succeeded, 0, {}, 1)) == "refund_exceeds_paid");
  CHECK(reason(ask(State::succeeded, kMaxMinor, {}, kMaxMinor)) == "allowed");
}

TEST_CASE("property: whatever is asked in whatever order, the refunds that count fit the payment") {
  CHECK(rc::check("sum of refunds <= paid", [] {
    const std::int64_t paid = *rc::gen::inRange<std::int64_t>(0, 10'000);
    std::vector<RefundShare> refunds;
    const int rounds = *rc::gen::inRange(0, 40);
    for (int i = 0; i < rounds; ++i) {
      const auto asked = *rc::gen::inRange<std::int64_t>(-100, 12'000);
      const auto event = may_refund(State::succeeded, fen(paid), refunds, fen(asked));
      if (event) refunds.push_back({fen(asked), RefundStage::requested});
      // Some refund moves on by an event of its table.
      if (!refunds.empty()) {
        const auto which = *rc::gen::inRange<std::size_t>(0, refunds.size());
        const auto on = event_at(*rc::gen::inRange<std::size_t>(0, kRefundEventCount - 1));
        if (const auto to = next(refunds[which].stage, on)) refunds[which].stage = *to;
      }
      std::int64_t sum = 0;
      for (const RefundShare& refund : refunds)
        sum += counts(refund.stage) ? refund.amount.minor : 0;
      RC_ASSERT(sum <= paid);
      RC_ASSERT(refundable(fen(paid), refunds)->minor == paid - sum);
    }
  }));
}

TEST_CASE("refund: words round-trip") {
  std::set<std::string_view> stages, events;
  for (std::size_t i = 0; i < kRefundStageCount; ++i) {
    stages.insert(to_word(stage_at(i)));
    CHECK(parse_refund_stage(to_word(stage_at(i))) == stage_at(i));
  }
  for (std::size_t i = 0; i < kRefundEventCount; ++i) events.insert(to_word(event_at(i)));
  CHECK(stages.size() == kRefundStageCount);
  CHECK(events.size() == kRefundEventCount);
  CHECK_FALSE(parse_refund_stage("Sent"));
}
