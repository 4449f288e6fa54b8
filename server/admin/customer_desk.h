// What staff do about customers: finding them, freezing, ending their sessions, notes, and looking
// at what is masked, which needs a reason, leaves a row of the audit trail and has an hourly limit.
// A frozen customer signs in and sees orders and refunds as before; placing and paying is refused
// by risk::may_buy() in the transaction of the order. Each change is one transaction with its audit
// row. Thread-safe. Errors: not_found/user_not_found, note_missing; conflict/customer_frozen,
// customer_not_frozen, customer_merged; invalid_argument/reason_missing; rejected/too_many_notes;
// not_found/identity_not_found, order_not_found; rate_limited/too_many_reveals;
// unavailable/ciphertext_invalid.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/admin/customer_store.h"
#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/privacy/pii.h"
#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/result.h"

namespace topup::admin {

inline constexpr std::int64_t kCustomersPage = 20;
inline constexpr std::int64_t kMaxFound = 20;  // by a search, which has no second page
inline constexpr std::size_t kMaxReasonBytes = 400;
inline constexpr std::size_t kMaxCustomerNote = 1'000;
inline constexpr std::int64_t kRevealsPerHour = 30;  // of one member of staff
inline constexpr std::int64_t kRevealWindowMs = 3'600'000;

struct Deed {  // who does something, and why
  StaffId staff;
  std::string reason;
  TraceId trace;
};
struct ReadableNote {
  std::string id;
  StaffId staff;
  std::string text;
  std::int64_t at_ms = 0;
};
struct FrozenState {
  std::int64_t at_ms = 0;  // 0: not frozen
  std::string by, reason;
};

class CustomerDesk {
 public:
  // `apps`: kind and appid of each platform whose openids may be searched for.
  CustomerDesk(storage::Db& db, const base::Clock& clock, base::Random& random,
               const privacy::Pii& pii, std::vector<std::pair<std::string, std::string>> apps)
      : db_(db), clock_(clock), random_(random), pii_(pii), apps_(std::move(apps)) {}

  std::vector<Customer> list(CustomerList wanted, const UserId& before) const;  // one more: goes on
  // By user id, order number, phone number or its last four digits (bound, or ordered for), openid
  // or unionid.
  std::vector<Customer> search(storage::Reader& reader, std::string_view q) const;

  FrozenState frozen(storage::Reader& reader, const UserId& user) const;
  std::vector<ReadableNote> notes(storage::Reader& reader, const UserId& user) const;

  Result<bool> freeze(const UserId& user, const Deed& deed) const;
  Result<bool> unfreeze(const UserId& user, const Deed& deed) const;
  Result<int> end_sessions(const UserId& user, const Deed& deed) const;  // how many
  Result<std::string> add_note(const UserId& user, const std::string& text, const StaffId& staff,
                               const TraceId& trace) const;  // its id
  // An identity of this customer, or whom an order of theirs was for.
  Result<std::string> reveal_identity(const UserId& user, std::string_view identity_id,
                                      const Deed& deed) const;
  Result<std::string> reveal_recipient(const UserId& user, const OrderId& order,
                                       const Deed& deed) const;

 private:
  Result<Customer> target(storage::Reader& reader, const UserId& user) const;
  std::vector<UserId> candidates(storage::Reader& reader, std::string_view q) const;
  storage::Db& db_;
  const base::Clock& clock_;
  base::Random& random_;
  const privacy::Pii& pii_;
  std::vector<std::pair<std::string, std::string>> apps_;
};

inline constexpr std::string_view kRevealed = "personal_data.revealed";
// Whether this member of staff may look at one more masked value within the hour.
Result<bool> may_reveal(storage::Reader& reader, const StaffId& staff, std::int64_t now_ms);
// Blanks around it do not count; refuses an empty one.
Result<std::string> checked_reason(const std::string& typed);

}  // namespace topup::admin
