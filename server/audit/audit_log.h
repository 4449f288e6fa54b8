// The audit trail: append-only, hash-chained, written in the transaction of the change it records.
// hash = SHA-256 over the previous hash and every column of the row, so a changed, removed,
// inserted or reordered row breaks the chain at its place. A cut tail, or a chain that was computed
// anew, shows against heads that were signed and kept elsewhere (head_file.h). Details, before and
// after never hold secrets; what looks like personal data in before and after is masked here.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/json.h"
#include "server/base/origin.h"
#include "server/storage/db.h"
#include "shared/ids.h"

namespace topup::audit {

// Who asks, from where: set by the router around each handler and by the worker around each job.
// append() takes address, device and session from the scope of its thread.
using base::Origin;
using base::OriginScope;

struct Entry {
  std::string_view
      actor;  // "buyer:<user id>", "staff:<staff id>", "wechat", "reloadly", "job:<kind>", "system"
  std::string_view action;   // a stable word, e.g. "order.payment_confirmed"
  std::string_view subject;  // the id of what changed
  std::string_view detail;
  // What it was and what it became, of the fields that changed: Change below, or a short text.
  std::string_view before = {};
  std::string_view after = {};
};
inline constexpr std::size_t kMaxChangeBytes = 4'096;  // of each; the rest is cut, with "..."

void append(storage::Tx& tx, const Entry& entry, const TraceId& trace, std::int64_t now_ms);

// The members that differ between two flat objects, as canonical JSON (sorted names, no blanks).
struct Change {
  std::string before, after;
};
Change change_between(const base::Json& before, const base::Json& after);

struct Row {
  std::int64_t seq = 0;
  std::int64_t at_ms = 0;
  std::string actor, action, subject, detail, trace_id, previous_hash, hash;
  std::int64_t chain_version = 2;
  std::string before, after, address_masked, device, session_prefix;
};
std::vector<Row> list_of(storage::Reader& reader,
                         std::string_view subject);  // at most kMaxListed, oldest first
inline constexpr std::int64_t kMaxListed = 200;

struct Head {
  std::int64_t seq = 0;
  std::string hash;
  std::int64_t at_ms = 0;  // when it was signed
};
Head head_of(storage::Reader& reader);

struct ChainVerdict {
  bool holds = true;
  std::int64_t rows = 0;
  std::int64_t first_bad_seq = 0;  // 0 when it holds
  std::string head_hash;           // of the newest row
  std::string why;                 // one sentence for the operator; "" when it holds
};
// Walks the whole chain: for `verify` and tests, not for a request. `signed_heads` were kept
// elsewhere: each names a row and its hash.
ChainVerdict verify(storage::Reader& reader, const std::vector<Head>& signed_heads = {});
// The same in slices, each with a reader of its own, so that a long trail holds no snapshot open.
class ChainWalk {
 public:
  explicit ChainWalk(const std::vector<Head>& signed_heads);
  ~ChainWalk();
  bool step(storage::Reader& reader);  // false when it is over
  std::int64_t rows() const;           // walked so far
  std::int64_t last_seq() const;
  const ChainVerdict& verdict() const;  // once it is over

 private:
  struct State;
  std::unique_ptr<State> state_;
};
inline constexpr std::int64_t kSliceRows = 5'000;
// The newest kTailRows rows only: cheap enough for a page, and what an edit of today would break.
bool tail_holds(storage::Reader& reader);
inline constexpr std::int64_t kTailRows = 1'000;

}  // namespace topup::audit
