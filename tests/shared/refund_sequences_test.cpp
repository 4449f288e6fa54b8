// R-01 in its number: 10^5 sequences of wishes and answers, without a store.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "shared/refund_flow.h"

namespace topup {
namespace {

constexpr int kSequences = 100'000;

class Draw {  // xorshift: the same sequences in every run
 public:
  std::int64_t below(std::int64_t bound) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<std::int64_t>(state_ % static_cast<std::uint64_t>(bound));
  }

 private:
  std::uint64_t state_ = 0x9E3779B97F4A7C15ULL;
};

TEST_CASE("R-01: in 100,000 sequences the refunds that count never exceed what was paid") {
  Draw draw;
  std::int64_t ordered = 0;
  std::int64_t worst = 0;  // how far above what was paid
  for (int sequence = 0; sequence < kSequences; ++sequence) {
    const std::int64_t paid = draw.below(10'000);
    std::vector<RefundShare> refunds;
    for (int step = 0; step < 8; ++step) {
      const Money asked = fen(draw.below(12'000) - 100);
      if (may_refund(State::succeeded, fen(paid), refunds, asked)) {
        refunds.push_back({asked, RefundStage::requested});
        ++ordered;
      }
      if (!refunds.empty()) {
        RefundShare& one = refunds[static_cast<std::size_t>(
            draw.below(static_cast<std::int64_t>(refunds.size())))];
        const auto on = static_cast<RefundEvent>(
            draw.below(static_cast<std::int64_t>(RefundEvent::settle_by_hand)));
        if (const auto to = next(one.stage, on)) one.stage = *to;
      }
      std::int64_t sum = 0;
      for (const RefundShare& one : refunds) sum += counts(one.stage) ? one.amount.minor : 0;
      worst = std::max(worst, sum - paid);
    }
  }
  CHECK(worst == 0);
  MESSAGE("figure R-01: " << kSequences << " sequences with " << ordered
                          << " refunds, none too much");
  CHECK(ordered > kSequences / 4);
}

}  // namespace
}  // namespace topup
