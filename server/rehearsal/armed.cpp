#include "server/rehearsal/armed.h"

#include <algorithm>

namespace topup::rehearsal {

Armed::Armed(storage::Db& db, std::string party, std::vector<FaultKind> kinds)
    : db_(db), party_(std::move(party)), kinds_(std::move(kinds)) {
  db_.write([](storage::Tx& tx) {
    tx.exec(R"sql(
      CREATE TABLE IF NOT EXISTS armed (
        party TEXT NOT NULL, kind TEXT NOT NULL, remaining INTEGER NOT NULL,
        PRIMARY KEY (party, kind)))sql",
            {});
    return true;
  });
  db_.read([this](storage::Reader& reader) {
    reader.query(R"sql(SELECT kind, remaining FROM armed WHERE party = $1)sql", {party_},
                 [this](const storage::Row& row) { counts_[row.text(0)] = row.integer(1); });
  });
}

bool Armed::arm(const std::string& kind, std::int64_t count) {
  const bool is_known = std::any_of(kinds_.begin(), kinds_.end(),
                                    [&](const FaultKind& known) { return known.word == kind; });
  if (!is_known || count < 0 || count > kMaxArmed) return false;
  const std::lock_guard lock(mutex_);
  counts_[kind] = count;
  keep(kind, count);
  return true;
}

bool Armed::take(std::string_view kind) {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find(kind);
  if (found == counts_.end() || found->second <= 0) return false;
  keep(found->first, --found->second);
  return true;
}

void Armed::give_back(std::string_view kind) {
  const std::lock_guard lock(mutex_);
  auto& count = counts_[std::string(kind)];
  keep(std::string(kind), ++count);
}

void Armed::keep(const std::string& kind, std::int64_t count) {
  db_.write([&](storage::Tx& tx) {
    tx.exec(R"sql(
      INSERT INTO armed (party, kind, remaining) VALUES ($1, $2, $3)
      ON CONFLICT (party, kind) DO UPDATE SET remaining = $3)sql",
            {party_, kind, count});
    return true;
  });
}

base::Json Armed::listed() const {
  const std::lock_guard lock(mutex_);
  base::Json out = base::Json::array();
  for (const FaultKind& kind : kinds_) {
    const auto found = counts_.find(kind.word);
    out.push_back({{"next", kind.word},
                   {"count", found == counts_.end() ? 0 : found->second},
                   {"meaning", kind.meaning}});
  }
  return out;
}

}  // namespace topup::rehearsal
