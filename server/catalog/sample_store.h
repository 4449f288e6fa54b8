// What was bought of late, for trying price rules out on orders that happened.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/storage/db.h"

namespace topup::catalog::sample_store {

struct Sample {
  std::string order_id, product_id, currency;  // the currency's three letters, of the face
  std::int64_t face_minor = 0, payable_minor = 0, created_at_ms = 0;
};
std::vector<Sample> newest(storage::Reader& reader, std::int64_t limit);

}  // namespace topup::catalog::sample_store
