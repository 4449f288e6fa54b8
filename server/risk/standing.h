// Whether somebody may buy now, asked in the very transaction that places or pays, so that a freeze
// or an entry of the blacklist counts from its commit on and no parallel order slips past it. What
// is refused says what to do and not which rule met: how the list works is nobody's business.
// Errors: rejected/account_frozen, rejected/account_blocked (field account_number),
// rejected/order_not_accepted. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/privacy/pii.h"
#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/result.h"

namespace topup::risk {

struct Asker {
  UserId user;
  std::string address;      // as the door saw it; "" when it is not known
  std::string device_code;  // device_code() of subject.h; "" for none
};

// `account`: whom the order is for, canonical.
Result<bool> may_buy(storage::Reader& reader, const privacy::Pii& pii, const Asker& asker,
                     std::string_view account, std::int64_t now_ms);
// The recipient alone: what a quote asks, which has no buyer.
Result<bool> may_be_served(storage::Reader& reader, const privacy::Pii& pii,
                           std::string_view account, std::int64_t now_ms);
bool is_frozen(storage::Reader& reader, const UserId& user);

}  // namespace topup::risk
