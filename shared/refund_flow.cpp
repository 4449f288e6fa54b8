#include "shared/refund_flow.h"

namespace topup {
namespace {

constexpr std::array<std::string_view, kRefundStageCount> kStageWords = {
    "requested", "approved", "sent",     "processing", "unknown",
    "succeeded", "refused",  "declined", "reissued"};
constexpr std::array<std::string_view, kRefundEventCount> kEventWords = {
    "approve",           "decline",         "send",    "channel_accepted", "channel_unclear",
    "channel_succeeded", "channel_refused", "reissue", "settle_by_hand"};

template <class Test>
constexpr bool each_refund_step(Test test) {
  for (const RefundStep& step : kRefundSteps) {
    if (!test(step)) return false;
  }
  return true;
}
constexpr bool has_way_out(RefundStage stage) {
  return !each_refund_step([stage](const RefundStep& step) { return step.from != stage; });
}
constexpr bool is_reached(RefundStage stage) {
  return stage == RefundStage::requested ||
         !each_refund_step([stage](const RefundStep& step) { return step.to != stage; });
}
constexpr bool ends_where_it_should() {
  for (std::size_t i = 0; i < kRefundStageCount; ++i) {
    const RefundStage stage = static_cast<RefundStage>(i);
    const bool is_end = stage == RefundStage::succeeded || stage == RefundStage::declined ||
                        stage == RefundStage::reissued;
    if (has_way_out(stage) == is_end || !is_reached(stage)) return false;
  }
  return true;
}
static_assert(ends_where_it_should(), "a refund ends succeeded, declined or replaced");
static_assert(each_refund_step([](const RefundStep& step) {
                return step.to != RefundStage::sent || step.from == RefundStage::approved ||
                       step.from == RefundStage::unknown;
              }),
              "nothing is sent that was not approved, and a refused number never again");
static_assert(each_refund_step([](const RefundStep& step) {
                const bool lets_go = counts(step.from) && !counts(step.to);
                return !lets_go || step.on == RefundEvent::channel_refused ||
                       (step.on == RefundEvent::decline && step.from == RefundStage::requested);
              }),
              "an amount is free again only when it certainly stays: an unknown refund counts");

// In manual a refused refund stands for the whole of its amount.
bool replaces_a_refused(std::span<const RefundShare> existing, Money asked) {
  for (const RefundShare& share : existing) {
    if (share.stage == RefundStage::refused && share.amount == asked) return true;
  }
  return false;
}

}  // namespace

Result<Money> refundable(Money paid, std::span<const RefundShare> existing) {
  Money left = paid;
  for (const RefundShare& share : existing) {
    if (share.amount.currency != paid.currency) return refuse(Code::rejected, "currency_mismatch");
    if (!counts(share.stage)) continue;
    const Result<Money> less = subtract(left, share.amount);
    if (!less) return less;
    left = *less;
  }
  if (left.minor < 0) return refuse(Code::rejected, "refund_exceeds_paid");
  return left;
}

Result<Event> may_refund(State state, Money paid, std::span<const RefundShare> existing,
                         Money asked) {
  const bool may_all = next(state, Event::refund_ordered).has_value();
  const bool may_part = next(state, Event::partial_refund_ordered).has_value();
  if (!may_all && !may_part) return refuse(Code::conflict, "refund_not_allowed_in_state", "state");
  if (asked.currency != paid.currency) return refuse(Code::rejected, "currency_mismatch", "asked");
  if (asked.minor <= 0) return refuse(Code::rejected, "refund_amount_not_positive", "asked");
  const Result<Money> left = refundable(paid, existing);
  if (!left) return tl::unexpected<Error>(left.error());
  if (asked.minor > left->minor) {
    return refuse(Code::rejected, "refund_exceeds_paid", "asked",
                  "at most " + decimal_text(*left) + " is left");
  }
  if (next(state, Event::refund_reissued) && replaces_a_refused(existing, asked))
    return Event::refund_reissued;
  if (may_all && asked == *left) return Event::refund_ordered;
  if (may_part) return Event::partial_refund_ordered;
  return refuse(Code::conflict, "refund_not_allowed_in_state", "asked",
                "only all of it can go back: " + decimal_text(*left));
}

std::string_view to_word(RefundStage stage) { return kStageWords[static_cast<std::size_t>(stage)]; }
std::string_view to_word(RefundEvent event) { return kEventWords[static_cast<std::size_t>(event)]; }
WordList refund_stage_words() { return kStageWords; }

}  // namespace topup
