// What signing in keeps about a person, told and removed: identities, sessions, the trail of
// sign-ins, consents, codes. Thread-safe.
#pragma once

#include "server/privacy/data_requests.h"
#include "server/privacy/pii.h"

namespace topup::auth {

// `pii` outlives the holder.
privacy::Holder account_holder(const privacy::Pii& pii);

}  // namespace topup::auth
