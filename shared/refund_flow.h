// One refund's own way, as a table, and the one question before it: may this much go back? An order
// has as many refunds as it needs; together they never exceed what was paid. A refund keeps its
// number for ever: a lost answer is followed by the same number or a query. The words are stored
// and sent. Pure; constexpr; thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "shared/money.h"
#include "shared/order_state.h"
#include "shared/result.h"

namespace topup {

enum class RefundStage : std::uint8_t {
  requested,   // durable; a second person has not decided
  approved,    // decided, or no decision was needed: it may be sent
  sent,        // marked before the first byte left
  processing,  // the channel accepted it
  unknown,     // the channel did not answer clearly: the same number is sent or asked for again
  succeeded,   // the buyer has it
  refused,     // definite: the channel will not do it by itself; a person is told
  declined,    // the second person said no
  reissued,    // refused, and a new refund took its place
};
inline constexpr std::size_t kRefundStageCount =
    static_cast<std::size_t>(RefundStage::reissued) + 1;

enum class RefundEvent : std::uint8_t {
  approve,
  decline,
  send,
  channel_accepted,
  channel_unclear,
  channel_succeeded,
  channel_refused,
  reissue,
  settle_by_hand,  // the channel or a person paid a refused one after all
};
inline constexpr std::size_t kRefundEventCount =
    static_cast<std::size_t>(RefundEvent::settle_by_hand) + 1;

struct RefundStep {
  RefundStage from;
  RefundEvent on;
  RefundStage to;
};

inline constexpr std::array kRefundSteps = {
    RefundStep{RefundStage::requested, RefundEvent::approve, RefundStage::approved},
    RefundStep{RefundStage::requested, RefundEvent::decline, RefundStage::declined},
    RefundStep{RefundStage::approved, RefundEvent::send, RefundStage::sent},
    RefundStep{RefundStage::sent, RefundEvent::channel_accepted, RefundStage::processing},
    RefundStep{RefundStage::sent, RefundEvent::channel_unclear, RefundStage::unknown},
    RefundStep{RefundStage::sent, RefundEvent::channel_succeeded, RefundStage::succeeded},
    RefundStep{RefundStage::sent, RefundEvent::channel_refused, RefundStage::refused},
    RefundStep{RefundStage::unknown, RefundEvent::send, RefundStage::sent},
    RefundStep{RefundStage::unknown, RefundEvent::channel_accepted, RefundStage::processing},
    RefundStep{RefundStage::unknown, RefundEvent::channel_succeeded, RefundStage::succeeded},
    RefundStep{RefundStage::unknown, RefundEvent::channel_refused, RefundStage::refused},
    RefundStep{RefundStage::processing, RefundEvent::channel_succeeded, RefundStage::succeeded},
    RefundStep{RefundStage::processing, RefundEvent::channel_refused, RefundStage::refused},
    RefundStep{RefundStage::refused, RefundEvent::reissue, RefundStage::reissued},
    RefundStep{RefundStage::refused, RefundEvent::settle_by_hand, RefundStage::succeeded},
};

constexpr std::optional<RefundStage> next(RefundStage from, RefundEvent on) {
  for (std::size_t i = 0; i < kRefundSteps.size(); ++i) {
    if (kRefundSteps[i].from == from && kRefundSteps[i].on == on) return kRefundSteps[i].to;
  }
  return std::nullopt;
}
constexpr RefundEvent channel_event(Outcome outcome) {
  switch (outcome) {
    case Outcome::done:
      return RefundEvent::channel_succeeded;
    case Outcome::accepted:
      return RefundEvent::channel_accepted;
    case Outcome::definite_fail:
      return RefundEvent::channel_refused;
    case Outcome::unknown:
      break;
  }
  return RefundEvent::channel_unclear;
}

// Whether its amount may have left or may still leave, so that nobody gives it a second time.
constexpr bool counts(RefundStage stage) {
  return stage != RefundStage::refused && stage != RefundStage::declined &&
         stage != RefundStage::reissued;
}

struct RefundShare {  // a refund of the same payment, whatever became of it
  Money amount;
  RefundStage stage = RefundStage::requested;
};

// How much of `paid` is left after the refunds that count. Errors: currency_mismatch,
// amount_overflow, refund_exceeds_paid (the refunds there are already too much).
Result<Money> refundable(Money paid, std::span<const RefundShare> existing);

// The event that a refund of `asked` causes for an order in `state`: refund_ordered when nothing is
// left afterwards (refund_reissued when that replaces a refused one), else partial_refund_ordered.
// Errors, by precedence: refund_not_allowed_in_state (nobody may order one there),
// currency_mismatch, refund_amount_not_positive, amount_overflow, refund_exceeds_paid (`detail`:
// what is left), refund_not_allowed_in_state (a part, where only everything can go back).
Result<Event> may_refund(State state, Money paid, std::span<const RefundShare> existing,
                         Money asked);

std::string_view to_word(RefundStage stage);
std::string_view to_word(RefundEvent event);
WordList refund_stage_words();
inline std::optional<RefundStage> parse_refund_stage(std::string_view word) {
  return parse_word<RefundStage>(refund_stage_words(), word);
}

}  // namespace topup
