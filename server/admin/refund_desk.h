// Refunds that staff order. Each has a reason; above the shop's limit, of what was delivered, by
// whoever may only ask, and by hand always, a second person agrees first (approval_service.h), and
// what was asked for is judged anew at that moment. Thread-safe. Errors: those of refund_deeds.h
// and approval_service.h.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "server/admin/approval_service.h"
#include "server/orders/refund_deeds.h"

namespace topup::admin {

inline constexpr std::string_view kRefundOrder = "refund.order";
inline constexpr std::string_view kRefundReissue = "refund.reissue";
inline constexpr std::string_view kRefundByHand = "refund.by_hand";
inline constexpr std::size_t kMaxReason = 200;  // bytes; staff write no personal data there

class RefundDesk {
 public:
  // Adds its deeds to `approvals`. `second_above_minor`: the live limit, in fen.
  RefundDesk(const orders::OrderEnv& env, ApprovalService& approvals,
             std::function<std::int64_t()> second_above_minor);

  // Why a second person must agree. The words are sent.
  enum class Second : std::uint8_t { none, delivered, above_limit, asker };
  // What this person would give back by ordering all that is left, before doing it. Refused as
  // order() would be.
  struct Terms {
    Money left, paid;
    bool may_part = false;  // else only all that is left can go back
    Second second = Second::none;
    Money limit;  // more than this wants a second person
  };
  Result<Terms> terms(storage::Reader& reader, const StaffId& asker, const OrderId& id) const;

  // Each gives the approval that it waits for, or nothing when it is done. `amount` nothing: all
  // that is left.
  Result<std::optional<Approval>> order(const Person& asker, const OrderId& id,
                                        std::optional<Money> amount, const std::string& reason,
                                        const std::optional<orders::RefundAnswer>& said = {});
  Result<std::optional<Approval>> reissue(const Person& asker, const OutRefundNo& out_refund_no,
                                          const std::string& reason);
  Result<std::optional<Approval>> by_hand(const Person& asker, const OutRefundNo& out_refund_no,
                                          const std::string& proof);

 private:
  Result<bool> apply_order(storage::Tx& tx, const Approval& approval, const Person& second) const;
  bool needs_second(storage::Reader& reader, const StaffId& asker, Money amount) const;
  const orders::OrderEnv& env_;
  ApprovalService& approvals_;
  std::function<std::int64_t()> second_above_minor_;
};

std::string_view to_word(RefundDesk::Second second);

}  // namespace topup::admin
