// Rows of refund_wishes: what a buyer wished of an order's money, and what staff answered. The work
// item refund_requested is what waits for staff; these rows are what the buyer is told.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"
#include "shared/ids.h"

namespace topup::orders {

inline constexpr std::int64_t kMaxRefundWishes = 3;  // of one order; the table says so, too

// Stored words.
namespace wish_decision {
inline constexpr std::string_view kApproved = "approved";
inline constexpr std::string_view kDeclined = "declined";
}  // namespace wish_decision
// The reasons that a buyer may read, one of a list for each decision; the first is that of an
// answer that names none.
inline constexpr std::array<std::string_view, 6> kDeclineReasons = {
    "looked_into",          "has_arrived", "as_ordered",
    "cannot_be_taken_back", "was_used",    "partly_refunded"};
inline constexpr std::array<std::string_view, 4> kApproveReasons = {"agreed", "not_delivered",
                                                                    "our_mistake", "goodwill"};

struct RefundAnswer {
  std::string_view decision;
  std::string reason;
  std::string words;  // of staff, shown as text; "" for none
};
struct RefundWish {
  std::int64_t no = 0, asked_at_ms = 0;
  std::string decision;  // "" while nobody has answered
  std::string reason, words, answered_by;
  std::int64_t answered_at_ms = 0;
};

namespace refund_wish_store {

std::vector<RefundWish> of_order(storage::Reader& reader, const OrderId& order);  // oldest first
void insert(storage::Tx& tx, const OrderId& order, std::int64_t no, std::int64_t now_ms);
// False when no wish of the order waits.
bool answer(storage::Tx& tx, const OrderId& order, const RefundAnswer& said, std::string_view by,
            std::int64_t now_ms);

}  // namespace refund_wish_store
}  // namespace topup::orders
