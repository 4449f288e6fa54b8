// Rows of visits. Only visits.cpp calls this.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/http/visits.h"
#include "server/storage/db.h"

namespace topup::http::visits_store {

struct VisitRow {
  std::int64_t hour_ms = 0;
  std::string place, network, device;
  std::int64_t hits = 0, last_at_ms = 0;
};
enum class By : std::uint8_t { place, network, device };

void add(storage::Tx& tx, const VisitRow& row);  // on top of what is counted already
// Older hours go, and of more rows than that the oldest hours.
void prune(storage::Tx& tx, std::int64_t before_hour_ms, std::int64_t most_rows);
std::vector<VisitCount> by_hour(storage::Reader& reader, std::int64_t since_ms);
std::vector<VisitCount> by(storage::Reader& reader, By by, std::int64_t since_ms,
                           std::int64_t most);

}  // namespace topup::http::visits_store
