// One type per kind of identifier, so that a user's id cannot be passed where an order's is wanted.
// Text inside; compared by bytes; made by server/base/random.h (ids are arguments here, never
// drawn).
#pragma once

#include <string>
#include <type_traits>
#include <utility>

namespace topup {

template <class Tag>
struct Id {
  std::string text;
  Id() = default;
  explicit Id(std::string value) : text(std::move(value)) {}
  bool empty() const { return text.empty(); }
  friend bool operator==(const Id& a, const Id& b) { return a.text == b.text; }
  friend bool operator!=(const Id& a, const Id& b) { return a.text != b.text; }
  friend bool operator<(const Id& a, const Id& b) { return a.text < b.text; }
};

using UserId = Id<struct UserTag>;
using StaffId = Id<struct StaffTag>;
using OrderId = Id<struct OrderTag>;
using OutTradeNo = Id<struct OutTradeTag>;        // ours: one payment attempt at a channel
using TransactionId = Id<struct TransactionTag>;  // theirs: the channel's number of a payment
using OutRefundNo =
    Id<struct OutRefundTag>;  // ours: one refund; a repeat with it is the same refund
using AttemptId =
    Id<struct AttemptTag>;  // ours: one submission to a supplier (their customIdentifier)
using ProductId = Id<struct ProductTag>;
using TraceId = Id<struct TraceTag>;  // 32 hex digits of W3C trace context

static_assert(!std::is_convertible_v<OrderId, UserId>);

}  // namespace topup
