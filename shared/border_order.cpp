#include "shared/border.h"
#include "shared/json_text.h"
#include "shared/order_actions.h"
#include "shared/order_state.h"
#include "shared/refund_flow.h"

namespace topup {
namespace {

constexpr std::size_t kMaxRunEvents = 10'000;
constexpr std::size_t kMaxRefunds = 64;

State state_in(BorderFields& in, const char* key) {
  return static_cast<State>(in.word(key, state_words(), "state_unknown"));
}

// {state, actor} → what to show of it.
void order_view(Border&, BorderFields& in, JsonText& out) {
  const State state = state_in(in, "state");
  const auto actor = static_cast<Actor>(in.word("actor", actor_words(), "actor_unknown"));
  if (!in.ok()) return;
  out.begin_object().key("buyer_word").text(to_word(buyer_word(state)));
  out.key("is_final").boolean(is_final(state)).key("actions").begin_array();
  const bool is_staff = actor != Actor::buyer;
  for (const ActionRule& rule : action_table::kRules) {
    if (!may(actor, state, rule.action)) continue;
    out.begin_object().key("action").text(to_word(rule.action));
    out.key("needs_reason").boolean(is_staff && needs_reason(rule.action));
    out.key("needs_second_person").boolean(is_staff && needs_second_person(rule.action));
    out.end_object();
  }
  out.end_array().key("timeout");
  if (const std::optional<TimeOut> timeout = timeout_of(state)) {
    out.begin_object().key("event").text(to_word(timeout->event));
    out.key("after_ms").integer(timeout->after_ms).end_object();
  } else {
    out.raw("null");
  }
  out.end_object();
}

// {state, event} → {state, effects}; conflict/event_not_allowed when the table has no such step.
void order_next(Border&, BorderFields& in, JsonText& out) {
  const State state = state_in(in, "state");
  const auto event = static_cast<Event>(in.word("event", event_words(), "event_unknown"));
  const std::size_t step = step_index(state, event);
  if (step == kSteps.size()) in.refuse(Error{Code::conflict, "event_not_allowed", "event"});
  if (!in.ok()) return;
  out.begin_object().key("state").text(to_word(kSteps[step].to)).key("effects").begin_array();
  for (std::size_t i = 0; i < kEffectCount; ++i) {
    const Effect one = static_cast<Effect>(1U << i);
    if (has(kSteps[step].effects, one)) out.text(to_word(one));
  }
  out.end_array().end_object();
}

// {from, events} → where they lead and how often each effect was caused; an event that is not
// listed in the state it meets changes nothing and is not counted as applied.
void order_run(Border&, BorderFields& in, JsonText& out) {
  State state = state_in(in, "from");
  const JsonValue events = in.list("events", kMaxRunEvents);
  std::int64_t applied = 0;
  std::array<std::int64_t, kEffectCount> counts{};
  for (std::size_t i = 0; i < events.size() && in.ok(); ++i) {
    const std::size_t event = place_of_word(event_words(), events.at(i).text().value_or(""));
    if (event == kEventCount) {
      in.refuse("event_unknown", "events");
      break;
    }
    const std::size_t step = step_index(state, static_cast<Event>(event));
    if (step == kSteps.size()) continue;
    state = kSteps[step].to;
    ++applied;
    for (std::size_t k = 0; k < kEffectCount; ++k)
      counts[k] += has(kSteps[step].effects, static_cast<Effect>(1U << k)) ? 1 : 0;
  }
  if (!in.ok()) return;
  out.begin_object().key("state").text(to_word(state)).key("applied").integer(applied);
  out.key("effects").begin_object();
  for (std::size_t k = 0; k < kEffectCount; ++k) {
    if (counts[k] > 0) out.key(to_word(static_cast<Effect>(1U << k))).integer(counts[k]);
  }
  out.end_object().end_object();
}

// {state, paid, refunds: [{amount, stage}], asked} → {event, left}: what is left afterwards.
void refund_check(Border&, BorderFields& in, JsonText& out) {
  const State state = state_in(in, "state");
  const Money paid = in.money("paid");
  const Money asked = in.money("asked");
  const JsonValue refunds = in.list("refunds", kMaxRefunds);
  std::array<RefundShare, kMaxRefunds> shares;
  for (std::size_t i = 0; i < refunds.size() && in.ok(); ++i) {
    in.enter(refunds.at(i));
    shares[i].amount = in.money("amount");
    shares[i].stage =
        static_cast<RefundStage>(in.word("stage", refund_stage_words(), "refund_stage_unknown"));
  }
  if (!in.ok()) return;
  const std::span<const RefundShare> existing(shares.data(), refunds.size());
  const Result<Event> event = may_refund(state, paid, existing, asked);
  if (!event) return in.refuse(event.error());
  const Result<Money> left = refundable(paid, existing);
  out.begin_object().key("event").text(to_word(*event));
  out.key("left").money({left->minor - asked.minor, left->currency});
  out.end_object();
}

constexpr BorderCall kCalls[] = {
    {"order_view", order_view},
    {"order_next", order_next},
    {"order_run", order_run},
    {"refund_check", refund_check},
};

}  // namespace

BorderTable order_calls() { return {kCalls, sizeof(kCalls) / sizeof(kCalls[0])}; }

}  // namespace topup
