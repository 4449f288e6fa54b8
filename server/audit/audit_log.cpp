#include "server/audit/audit_log.h"

#include <cstdint>

#include "server/audit/audit_store.h"
#include "server/base/crypto.h"

namespace topup::audit {
namespace {

// Each field is preceded by its length, so that no two different rows hash the same bytes.
std::string hash_of(const Row& row) {
  std::string bytes;
  const std::string seq = std::to_string(row.seq);
  const std::string at = std::to_string(row.at_ms);
  for (const std::string* field : {&row.previous_hash, &seq, &at, &row.actor, &row.action,
                                   &row.subject, &row.detail, &row.trace_id}) {
    bytes += std::to_string(field->size());
    bytes += ':';
    bytes += *field;
  }
  return base::hex(base::sha256(bytes));
}

}  // namespace

void append(storage::Tx& tx, const Entry& entry, const TraceId& trace, std::int64_t now_ms) {
  const audit_store::Head head = audit_store::load_head(tx);
  Row row;
  row.seq = head.seq + 1;
  row.at_ms = now_ms;
  row.actor = entry.actor;
  row.action = entry.action;
  row.subject = entry.subject;
  row.detail = entry.detail;
  row.trace_id = trace.text;
  row.previous_hash = head.hash;
  row.hash = hash_of(row);
  audit_store::insert(tx, row);
}

std::vector<Row> list_of(storage::Reader& reader, std::string_view subject) {
  return audit_store::list_of(reader, subject, kMaxListed);
}

namespace {

constexpr std::int64_t kWhole = INT64_MIN;

// The chain from the row after `after_seq` on; the first row's link to what lies before is taken as
// it is. The whole chain starts at row 1, and a row numbered below that was smuggled in.
ChainVerdict walk(storage::Reader& reader, std::int64_t after_seq) {
  ChainVerdict verdict;
  std::string previous;
  std::int64_t expected = after_seq == kWhole ? 1 : after_seq + 1;
  audit_store::each(reader, after_seq, [&](const Row& row) {
    const bool first_of_tail = verdict.rows++ == 0 && after_seq != kWhole;
    if (!verdict.holds) return;
    const bool linked = first_of_tail || row.previous_hash == previous;
    if (row.seq != expected || !linked || hash_of(row) != row.hash) {
      verdict.holds = false;
      verdict.first_bad_seq = row.seq < expected ? row.seq : expected;
    }
    previous = row.hash;
    ++expected;
  });
  const audit_store::Head head = audit_store::load_head(reader);
  if (verdict.holds && (head.seq != expected - 1 || head.hash != previous)) {
    verdict.holds = false;
    verdict.first_bad_seq = expected;  // the tail was cut
  }
  return verdict;
}

}  // namespace

ChainVerdict verify(storage::Reader& reader) { return walk(reader, kWhole); }

bool tail_holds(storage::Reader& reader) {
  const std::int64_t newest = audit_store::load_head(reader).seq;
  return walk(reader, newest > kTailRows ? newest - kTailRows : kWhole).holds;
}

}  // namespace topup::audit
