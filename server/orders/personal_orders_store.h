// A buyer's orders, told whole, and freed of what is personal in them: whose number it was and what
// staff wrote about it. Amounts, states and references stay, as books do. Nobody leaves while an
// order is on its way, a refund is due or a wish of theirs is unanswered. Thread-safe.
#pragma once

#include "server/privacy/data_requests.h"
#include "server/privacy/pii.h"

namespace topup::orders {

inline constexpr std::int64_t kMaxOrdersTold = 2'000;  // the newest; "left_out" counts the others

// `pii` outlives the holder.
privacy::Holder orders_holder(const privacy::Pii& pii);

}  // namespace topup::orders
