// What a buyer's wallet holds, told. It is part of the books: nothing of it is removed, and nobody
// leaves while there is money in it.
#pragma once

#include "server/privacy/data_requests.h"

namespace topup::ledger {

privacy::Holder wallet_holder();

}  // namespace topup::ledger
