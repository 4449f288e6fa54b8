// How products are shown and found, as staff say it: labels, a place among others, other names.
// None of it decides a price, so it stands beside the price book and not in it. Errors:
// invalid_argument/out_of_range (labels, place, aliases), rejected/too_many_product_notes.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/result.h"

namespace topup::catalog::product_notes {

// Pages have a word for each.
inline constexpr std::array<std::string_view, 5> kLabels = {"hot", "new", "recommended", "value",
                                                            "limited"};
inline constexpr std::size_t kMostLabels = 2;
inline constexpr std::int64_t kLastPlace = 9'999;
inline constexpr std::size_t kMostAliases = 8;
inline constexpr std::size_t kMaxAlias = 60;       // bytes
inline constexpr std::int64_t kMostNotes = 2'000;  // products that have one

struct Note {
  std::string product_id;
  std::vector<std::string> labels;
  std::int64_t place = 0;  // 1 first; 0: after those that have one, by amount
  std::vector<std::string> aliases;
  std::string edited_by;
  std::int64_t edited_at_ms = 0;
  bool is_empty() const { return labels.empty() && place == 0 && aliases.empty(); }
};

std::vector<Note> all(storage::Reader& reader);  // by product
// Inserts or replaces, with its audit row; an empty one goes away. False when nothing differs.
Result<bool> save(storage::Tx& tx, const Note& note, const TraceId& trace);

}  // namespace topup::catalog::product_notes
