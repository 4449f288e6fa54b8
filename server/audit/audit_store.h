// Rows of audit_log and its head. Only audit_log.cpp and audit_search.cpp call this.
#pragma once

#include <functional>

#include "server/audit/audit_log.h"

namespace topup::audit::audit_store {

struct Head {
  std::int64_t seq = 0;
  std::string hash;
};
Head load_head(storage::Reader& reader);
// As load_head() for whoever adds a row: read once in a transaction, which follows its own rows.
Head head_to_follow(storage::Tx& tx);
void insert(storage::Tx& tx, const Row& row);  // moves the head along
// At most `limit` rows after that one, in order; how many.
int slice(storage::Reader& reader, std::int64_t after_seq, std::int64_t limit,
          const std::function<void(const Row&)>& row);
void each(storage::Reader& reader, std::int64_t after_seq,
          const std::function<void(const Row&)>& row);
std::vector<Row> list_of(storage::Reader& reader, std::string_view subject, std::int64_t limit);

// Newest first, below `before_seq` and not below `from_seq`; one index each.
enum class Among : std::uint8_t { all, staff, sign_ins };
std::string_view search_sql(Among among);
std::vector<Row> search(storage::Reader& reader, Among among, std::int64_t before_seq,
                        std::int64_t from_seq, std::int64_t limit);
std::vector<Row> newest_of(storage::Reader& reader, std::string_view subject,
                           std::int64_t before_seq, std::int64_t limit);
// The first row with at least this number; 0 and the largest time when there is none.
struct Moment {
  std::int64_t seq = 0, at_ms = INT64_MAX;
};
Moment moment_at(storage::Reader& reader, std::int64_t seq);

}  // namespace topup::audit::audit_store
