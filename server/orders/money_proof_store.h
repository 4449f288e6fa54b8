// What the rows of payments, refunds, work items and wallets must say together, beside the books'
// own balance: for `verify`, the doctor, backups and tests. Read-only.
#pragma once

#include <string>
#include <vector>

#include "server/storage/db.h"

namespace topup::orders {

// One sentence for each row that is wrong, naming it; empty when all holds.
std::vector<std::string> verify_money(storage::Reader& reader);

}  // namespace topup::orders
