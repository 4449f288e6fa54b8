// Whose number a buyer typed, as a hint. The number stands in the body, never in an address that
// others log.
#pragma once

#include "server/http/router.h"
#include "server/suppliers/number_lookup.h"

namespace topup::http::routes {

inline constexpr std::size_t kMaxLookupBody = 128;

void mount_number_lookup(Router& router, suppliers::NumberLookup& lookup);

}  // namespace topup::http::routes
