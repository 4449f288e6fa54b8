// What a person decides about an order that waits for one: a large order that is paid
// (awaiting_approval), or money that does not fit its order (review). Approving delivers, declining
// gives the money back; nobody deciding in time gives it back, too. Each decision has an actor and
// a reason, in the order's story and the audit trail. Errors: order_not_found,
// conflict/order_not_in_review, rejected/nothing_paid_to_us (the money went to somebody else: there
// is nothing to deliver or to return), conflict/order_changed. Thread-safe; a decision made twice
// is refused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/jobs/outbox.h"
#include "server/orders/order_env.h"
#include "server/orders/order_store.h"
#include "shared/result.h"

namespace topup::orders {

enum class ReviewDecision : std::uint8_t { approve, decline };
inline constexpr std::size_t kMaxReviewReason = 300;

class ReviewDesk {
 public:
  explicit ReviewDesk(const OrderEnv& env) : env_(env) {}

  // Inside the caller's transaction, so that a second person's consent is used up with it.
  Result<State> decide(storage::Tx& tx, const OrderId& id, ReviewDecision decision,
                       const std::string& actor, const std::string& reason) const;
  // Whether this decision wants a second person now. Errors as above.
  Result<bool> wants_second(storage::Reader& reader, const OrderId& id,
                            ReviewDecision decision) const;
  void run_expiry(const jobs::Job& job) const;  // job_kind::kReview

 private:
  Result<Order> in_review(storage::Reader& reader, const OrderId& id) const;
  const OrderEnv& env_;
};

}  // namespace topup::orders
