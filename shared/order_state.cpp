#include "shared/order_state.h"

namespace topup {
namespace {

constexpr std::array<std::string_view, 12> kStateWords = {
    "awaiting_payment", "paying",    "paid",     "submitting", "recharging", "unknown",
    "succeeded",        "refunding", "refunded", "closed",     "review",     "manual"};
constexpr std::array<std::string_view, 14> kEventWords = {"start_payment",
                                                          "payment_confirmed",
                                                          "payment_mismatch",
                                                          "expire",
                                                          "cancel",
                                                          "submit",
                                                          "supplier_accepted",
                                                          "supplier_succeeded",
                                                          "supplier_rejected",
                                                          "supplier_unknown",
                                                          "supplier_held",
                                                          "refund_succeeded",
                                                          "refund_refused",
                                                          "give_up"};
static_assert(kStateWords.size() == static_cast<std::size_t>(State::manual) + 1);
static_assert(kEventWords.size() == static_cast<std::size_t>(Event::give_up) + 1);

}  // namespace

std::string_view to_word(State state) { return kStateWords[static_cast<std::size_t>(state)]; }
std::string_view to_word(Event event) { return kEventWords[static_cast<std::size_t>(event)]; }

std::string_view to_word(BuyerWord word) {
  switch (word) {
    case BuyerWord::awaiting_payment:
      return "awaiting_payment";
    case BuyerWord::paying:
      return "paying";
    case BuyerWord::recharging:
      return "recharging";
    case BuyerWord::succeeded:
      return "succeeded";
    case BuyerWord::failed:
      return "failed";
  }
  return "failed";
}

std::optional<State> parse_state(std::string_view word) {
  for (std::size_t i = 0; i < kStateWords.size(); ++i) {
    if (kStateWords[i] == word) return static_cast<State>(i);
  }
  return std::nullopt;
}

}  // namespace topup
