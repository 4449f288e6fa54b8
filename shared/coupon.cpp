#include "shared/coupon.h"

#include <array>

namespace topup {
namespace {

constexpr std::array<std::string_view, kWhyNots> kWords = {"template_unknown",
                                                           "used",
                                                           "held",
                                                           "not_started",
                                                           "expired",
                                                           "wrong_product",
                                                           "degraded",
                                                           "first_order_only",
                                                           "growth_short",
                                                           "spend_short",
                                                           "not_with_member",
                                                           "not_with_promotion",
                                                           "not_with_coupon",
                                                           "better_in_group",
                                                           "stands_alone",
                                                           "no_benefit",
                                                           "not_chosen"};
static_assert(static_cast<std::size_t>(WhyNot::not_chosen) + 1 == kWhyNots);

}  // namespace

std::string_view to_word(WhyNot why) { return kWords[static_cast<std::size_t>(why)]; }

}  // namespace topup
