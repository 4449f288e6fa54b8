// A buyer's coupons, for the export of their data and its erasure.
#pragma once

#include "server/privacy/data_requests.h"

namespace topup::marketing {

// Erased coupons are revoked: a campaign's count of what it gave stays true.
privacy::Holder coupons_holder(const base::Clock& clock);

}  // namespace topup::marketing
