// A business day as it is compared: the statement that was kept and what our books say, all of one
// moment, so that it can be seen later whether anything has moved meanwhile.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/reconcile/matcher.h"
#include "server/reconcile/reconcile_store.h"
#include "server/storage/db.h"
#include "shared/money.h"

namespace topup::reconcile {

struct Day {
  bool is_ready = true;        // false: a fund flow whose trade bill is not matched
  std::vector<Theirs> lines;   // as they were kept
  std::vector<Theirs> traded;  // of a fund flow: the lines as they are matched
  std::vector<Ours> ours;
  std::vector<Neighbour> neighbours;
  Terms terms;
  std::optional<Difference> balance;                     // of a fund flow
  std::map<std::pair<Side, std::string>, Money> booked;  // of our records
  std::vector<std::int64_t> stamp;                       // of what else was read
};

Day read_day(storage::Reader& reader, const Party& party, const Run& run, std::int64_t from_ms);
Matched match(const Party& party, const Day& day);
// Whether what the differences were found by is as it was.
bool is_as_read(storage::Reader& reader, const Party& party, const Day& day,
                const std::vector<Difference>& differences);

}  // namespace topup::reconcile
