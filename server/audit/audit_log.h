// The audit trail: append-only, hash-chained, written in the transaction of the change it records.
// hash = SHA-256 over the previous hash and every column of the row, so a changed, removed,
// inserted or reordered row breaks the chain at its place. A cut tail shows only against a head
// that was kept elsewhere. Details never hold personal data or secrets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"
#include "shared/ids.h"

namespace topup::audit {

struct Entry {
  std::string_view
      actor;  // "buyer:<user id>", "staff:<staff id>", "wechat", "reloadly", "job:<kind>", "system"
  std::string_view action;   // a stable word, e.g. "order.payment_confirmed"
  std::string_view subject;  // the id of what changed
  std::string_view detail;
};

void append(storage::Tx& tx, const Entry& entry, const TraceId& trace, std::int64_t now_ms);

struct Row {
  std::int64_t seq = 0;
  std::int64_t at_ms = 0;
  std::string actor, action, subject, detail, trace_id, previous_hash, hash;
};
std::vector<Row> list_of(storage::Reader& reader,
                         std::string_view subject);  // at most kMaxListed, oldest first
inline constexpr std::int64_t kMaxListed = 200;

struct ChainVerdict {
  bool holds = true;
  std::int64_t rows = 0;
  std::int64_t first_bad_seq = 0;  // 0 when it holds
};
// Walks the whole chain: for `verify` and tests, not for a request.
ChainVerdict verify(storage::Reader& reader);
// The newest kTailRows rows only: cheap enough for a page, and what an edit of today would break.
bool tail_holds(storage::Reader& reader);
inline constexpr std::int64_t kTailRows = 1'000;

}  // namespace topup::audit
