#include "server/audit/audit_store.h"

#include <charconv>
#include <string>
#include <string_view>

#include "server/storage/ahead.h"

namespace topup::audit::audit_store {
namespace {

constexpr std::string_view kHeadNote = "audit head";
constexpr std::int64_t kRowsAtOnce = 5'000;  // an engine may hold a whole answer in memory

Row read_row(const storage::Row& row) {
  return {row.integer(0), row.integer(1), row.text(2),  row.text(3),  row.text(4),
          row.text(5),    row.text(6),    row.text(7),  row.text(8),  row.integer(9),
          row.text(10),   row.text(11),   row.text(12), row.text(13), row.text(14)};
}

}  // namespace

Head load_head(storage::Reader& reader) {
  Head head;
  reader.query("SELECT seq, hash FROM audit_head WHERE id = 1", {},
               [&head](const storage::Row& row) {
                 head = {row.integer(0), row.text(1)};
               });
  return head;
}

Head head_to_follow(storage::Tx& tx) {
  const std::string* noted = storage::note_of(tx, kHeadNote);
  if (noted == nullptr || noted->empty()) return load_head(tx);
  const std::size_t blank = noted->find(' ');
  Head head;
  std::from_chars(noted->data(), noted->data() + blank, head.seq);
  head.hash = noted->substr(blank + 1);
  return head;
}

// The head first: who meets another node's row there is told of a conflict and runs again, where
// the same number in the log would be a refusal that looks like the body's own fault.
void insert(storage::Tx& tx, const Row& row) {
  storage::put(tx, "UPDATE audit_head SET seq = $1, hash = $2 WHERE id = 1", {row.seq, row.hash});
  tx.exec(R"sql(
    INSERT INTO audit_log (seq, at_ms, actor, action, subject, detail, trace_id, previous_hash, hash,
      chain_version, before_text, after_text, address_masked, device, session_prefix)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15))sql",
          {row.seq, row.at_ms, row.actor, row.action, row.subject, row.detail, row.trace_id,
           row.previous_hash, row.hash, row.chain_version, row.before, row.after,
           row.address_masked, row.device, row.session_prefix});
  if (std::string* noted = storage::note_of(tx, kHeadNote))
    *noted = std::to_string(row.seq) + " " + row.hash;
}

int slice(storage::Reader& reader, std::int64_t after_seq, std::int64_t limit,
          const std::function<void(const Row&)>& row) {
  return reader.query(R"sql(
    SELECT seq, at_ms, actor, action, subject, detail, trace_id, previous_hash, hash,
           chain_version, before_text, after_text, address_masked, device, session_prefix
      FROM audit_log WHERE seq > $1 ORDER BY seq LIMIT $2)sql",
                      {after_seq, limit},
                      [&row](const storage::Row& found) { row(read_row(found)); });
}

void each(storage::Reader& reader, std::int64_t after_seq,
          const std::function<void(const Row&)>& row) {
  std::int64_t last = after_seq;
  const auto pass_on = [&](const Row& read) {
    last = read.seq;
    row(read);
  };
  while (slice(reader, last, kRowsAtOnce, pass_on) == kRowsAtOnce) {
  }
}

std::vector<Row> list_of(storage::Reader& reader, std::string_view subject, std::int64_t limit) {
  std::vector<Row> rows;
  reader.query(R"sql(
    SELECT seq, at_ms, actor, action, subject, detail, trace_id, previous_hash, hash,
           chain_version, before_text, after_text, address_masked, device, session_prefix
      FROM audit_log WHERE subject = $1 ORDER BY seq LIMIT $2)sql",
               {subject, limit},
               [&rows](const storage::Row& found) { rows.push_back(read_row(found)); });
  return rows;
}

namespace {

constexpr std::string_view kSearchAll = R"sql(
  SELECT seq, at_ms, actor, action, subject, detail, trace_id, previous_hash, hash,
         chain_version, before_text, after_text, address_masked, device, session_prefix
    FROM audit_log WHERE seq < $1 AND seq >= $2 ORDER BY seq DESC LIMIT $3)sql";
// The conditions are those of the indexes, word for word: that is how an engine knows its own.
constexpr std::string_view kSearchStaff = R"sql(
  SELECT seq, at_ms, actor, action, subject, detail, trace_id, previous_hash, hash,
         chain_version, before_text, after_text, address_masked, device, session_prefix
    FROM audit_log WHERE seq < $1 AND seq >= $2 AND SUBSTR(actor, 1, 6) = 'staff:'
   ORDER BY seq DESC LIMIT $3)sql";
constexpr std::string_view kSearchSignIns = R"sql(
  SELECT seq, at_ms, actor, action, subject, detail, trace_id, previous_hash, hash,
         chain_version, before_text, after_text, address_masked, device, session_prefix
    FROM audit_log
   WHERE seq < $1 AND seq >= $2 AND action IN ('staff.signed_in', 'staff.sign_in_refused')
   ORDER BY seq DESC LIMIT $3)sql";

}  // namespace

std::string_view search_sql(Among among) {
  if (among == Among::staff) return kSearchStaff;
  return among == Among::sign_ins ? kSearchSignIns : kSearchAll;
}

std::vector<Row> search(storage::Reader& reader, Among among, std::int64_t before_seq,
                        std::int64_t from_seq, std::int64_t limit) {
  std::vector<Row> rows;
  reader.query(search_sql(among), {before_seq, from_seq, limit},
               [&rows](const storage::Row& found) { rows.push_back(read_row(found)); });
  return rows;
}

std::vector<Row> newest_of(storage::Reader& reader, std::string_view subject,
                           std::int64_t before_seq, std::int64_t limit) {
  std::vector<Row> rows;
  reader.query(R"sql(
    SELECT seq, at_ms, actor, action, subject, detail, trace_id, previous_hash, hash,
           chain_version, before_text, after_text, address_masked, device, session_prefix
      FROM audit_log WHERE subject = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3)sql",
               {subject, before_seq, limit},
               [&rows](const storage::Row& found) { rows.push_back(read_row(found)); });
  return rows;
}

Moment moment_at(storage::Reader& reader, std::int64_t seq) {
  Moment moment;
  reader.query("SELECT seq, at_ms FROM audit_log WHERE seq >= $1 ORDER BY seq LIMIT 1", {seq},
               [&moment](const storage::Row& row) {
                 moment = {row.integer(0), row.integer(1)};
               });
  return moment;
}

}  // namespace topup::audit::audit_store
