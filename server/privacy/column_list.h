// The rows of columns() that are about who buyers and staff are; all others stand in
// column_list.cpp.
#pragma once

#include "server/privacy/columns.h"

namespace topup::privacy {

std::span<const Column> people_columns();

}  // namespace topup::privacy
