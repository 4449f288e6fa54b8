// Rows of settings: one per key and version that changed it. Append-only; triggers see to it. A
// value is JSON text; none means the preset.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"

namespace topup::settings::settings_store {

struct StoredValue {
  std::string key;
  std::optional<std::string> value;
};
struct StoredRow {
  std::int64_t version = 0;
  std::string key;
  std::optional<std::string> value, previous;
  std::string changed_by;
  std::int64_t changed_at_ms = 0;
};
struct Place {  // of a row in the history
  std::int64_t version = INT64_MAX;
  std::string key;
};

std::int64_t newest_version(storage::Reader& reader);
// The value of each key that was ever set, as it was in `version`.
std::vector<StoredValue> values_at(storage::Reader& reader, std::int64_t version);
std::vector<StoredRow> history(storage::Reader& reader, const Place& after, std::int64_t limit);
void insert(storage::Tx& tx, const StoredRow& row);

}  // namespace topup::settings::settings_store
