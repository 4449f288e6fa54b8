#include "server/admin/blacklist_desk.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>

#include "server/admin/customer_store.h"
#include "server/audit/audit_log.h"
#include "server/base/csv.h"
#include "server/base/mask.h"
#include "server/risk/subject.h"
#include "shared/time_point.h"

namespace topup::admin {
namespace {

namespace rows = risk::blacklist_store;

constexpr std::array<std::string_view, 4> kColumns = {"kind", "subject", "reason", "expires"};
constexpr std::string_view kByTime = "expired";
constexpr std::string_view kSystem = "system";

std::string actor_of(const StaffId& staff) { return "staff:" + staff.text; }

// The end of a day in Shanghai; nothing for what is no day.
std::optional<std::int64_t> end_of_day(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto number = [&text](std::size_t from, std::size_t count) {
    int value = 0;
    for (const char c : text.substr(from, count)) {
      if (c < '0' || c > '9') return -1;
      value = value * 10 + (c - '0');
    }
    return value;
  };
  const int year = number(0, 4), month = number(5, 2), day = number(8, 2);
  if (year < 0 || month < 0 || day < 0) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return (days + 1) * kDayMs - kShanghaiOffsetMs;
}

// Where each of our columns stands in the file; npos for one that is not there.
Result<std::array<std::size_t, kColumns.size()>> columns_of(const std::vector<std::string>& head) {
  std::array<std::size_t, kColumns.size()> at{};
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    const auto found = std::find(head.begin(), head.end(), kColumns[i]);
    at[i] =
        found == head.end() ? std::string::npos : static_cast<std::size_t>(found - head.begin());
  }
  if (at[0] == std::string::npos || at[1] == std::string::npos || at[2] == std::string::npos)
    return refuse(Code::invalid_argument, "csv_columns", "csv", "kind, subject, reason, expires");
  return at;
}

std::string cell_at(const std::vector<std::string>& cells, std::size_t at) {
  return at < cells.size() ? cells[at] : "";
}

bool is_live(const risk::Entry& entry, std::int64_t now) {
  return entry.ended_at_ms == 0 && (entry.expires_at_ms == 0 || entry.expires_at_ms > now);
}

}  // namespace

struct BlacklistDesk::Draft {
  risk::Entry entry;
  std::string subject;
};

Result<BlacklistDesk::Draft> BlacklistDesk::draft(const NewEntry& wanted, const std::string& reason,
                                                  std::int64_t now) const {
  if (!risk::is_kind(wanted.kind)) return refuse(Code::invalid_argument, "out_of_range", "kind");
  const auto subject = risk::canonical_subject(wanted.kind, wanted.subject);
  if (!subject) return tl::unexpected<Error>(subject.error());
  const auto why = checked_reason(reason);
  if (!why) return tl::unexpected<Error>(why.error());
  if (why->size() > kMaxReasonBytes)
    return refuse(Code::invalid_argument, "out_of_range", "reason");
  if (wanted.expires_at_ms != 0 && wanted.expires_at_ms <= now)
    return refuse(Code::invalid_argument, "out_of_range", "expires_at_ms");
  Draft made;
  made.subject = *subject;
  made.entry.id = base::new_id(random_, now);
  made.entry.kind = wanted.kind;
  made.entry.subject_index = risk::index_of(pii_, wanted.kind, *subject);
  made.entry.subject_sealed = pii_.seal("blacklist", "subject_sealed", made.entry.id,
                                        risk::whole_subject(wanted.kind, *subject));
  made.entry.subject_masked = risk::masked_subject(wanted.kind, *subject);
  made.entry.reason = base::scrub(*why);
  made.entry.expires_at_ms = wanted.expires_at_ms;
  made.entry.created_at_ms = now;
  return made;
}

Result<risk::Entry> BlacklistDesk::insert(storage::Tx& tx, const Draft& draft, const Deed& deed,
                                          std::int64_t now) const {
  if (draft.entry.kind == risk::kind::kUser && !customer_store::find(tx, UserId(draft.subject)))
    return refuse(Code::not_found, "user_not_found", "subject");
  if (const auto earlier = rows::find_open(tx, draft.entry.subject_index)) {
    if (is_live(*earlier, now))
      return refuse(Code::conflict, "already_listed", "subject", earlier->id);
    rows::end(tx, earlier->id, kSystem, kByTime, now);
  }
  risk::Entry entry = draft.entry;
  entry.created_by = actor_of(deed.staff);
  rows::insert(tx, entry);
  return entry;
}

Result<risk::Entry> BlacklistDesk::add(const NewEntry& wanted, const Deed& deed) const {
  const std::int64_t now = clock_.wall_ms();
  const auto made = draft(wanted, deed.reason, now);
  if (!made) return tl::unexpected<Error>(made.error());
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<risk::Entry> {
    if (rows::count_open(tx) >= rows::kMaxLive) return refuse(Code::rejected, "blacklist_full");
    auto entry = insert(tx, *made, deed, now);
    if (!entry) return entry;
    audit::append(tx,
                  {actor_of(deed.staff), "blacklist.added", entry->id,
                   entry->kind + " " + entry->subject_masked + ": " + entry->reason},
                  deed.trace, now);
    return entry;
  });
}

Result<risk::Entry> BlacklistDesk::end(const std::string& id, const Deed& deed) const {
  const std::int64_t now = clock_.wall_ms();
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<risk::Entry> {
    const auto entry = rows::find(tx, id);
    if (!entry) return refuse(Code::not_found, "entry_not_found", "entry_id");
    if (!is_live(*entry, now)) return refuse(Code::conflict, "entry_ended", "entry_id");
    rows::end(tx, id, actor_of(deed.staff), base::scrub(deed.reason), now);
    audit::append(tx,
                  {actor_of(deed.staff), "blacklist.ended", id,
                   entry->kind + " " + entry->subject_masked + ": " + deed.reason},
                  deed.trace, now);
    return *rows::find(tx, id);
  });
}

Result<ImportReport> BlacklistDesk::import(std::string_view csv, bool is_trial,
                                           const Deed& deed) const {
  const std::int64_t now = clock_.wall_ms();
  const auto lines = base::csv_rows(csv, kMaxImportRows + 1);
  if (!lines) return tl::unexpected<Error>(lines.error());
  if (lines->empty()) return refuse(Code::invalid_argument, "csv_columns", "csv");
  const auto at = columns_of(lines->front().cells);
  if (!at) return tl::unexpected<Error>(at.error());

  std::vector<RowMistake> malformed;
  std::vector<std::pair<std::size_t, Draft>> drafts;
  for (std::size_t i = 1; i < lines->size(); ++i) {
    const base::CsvRow& line = (*lines)[i];
    NewEntry wanted{cell_at(line.cells, (*at)[0]), cell_at(line.cells, (*at)[1]), 0};
    const std::string expires = cell_at(line.cells, (*at)[3]);
    const auto end = expires.empty() ? std::optional<std::int64_t>(0) : end_of_day(expires);
    wanted.expires_at_ms = end.value_or(0);
    auto made = draft(wanted, cell_at(line.cells, (*at)[2]), now);
    if (!end) {
      malformed.push_back({line.line, "day_malformed"});
    } else if (!made) {
      malformed.push_back({line.line, std::string(made.error().reason)});
    } else {
      drafts.emplace_back(line.line, std::move(*made));
    }
  }
  ImportReport report;
  bool is_full = false;
  db_.write([&](storage::Tx& tx) {
    report = {};
    report.mistakes = malformed;
    const std::int64_t live = rows::count_open(tx);
    is_full = live + static_cast<std::int64_t>(drafts.size()) > rows::kMaxLive;
    if (is_full) return false;
    for (const auto& [line, made] : drafts) {
      const auto entry = insert(tx, made, deed, now);
      if (entry) {
        ++report.added;
      } else if (entry.error().reason == "already_listed") {
        ++report.known;
      } else {
        report.mistakes.push_back({line, std::string(entry.error().reason)});
      }
    }
    if (is_trial) return false;  // rolls back what it tried
    audit::append(
        tx,
        {actor_of(deed.staff), "blacklist.imported", "blacklist",
         std::to_string(report.added) + " added, " + std::to_string(report.known) + " known, " +
             std::to_string(report.mistakes.size()) + " refused: " + deed.reason},
        deed.trace, now);
    return true;
  });
  if (is_full) return refuse(Code::rejected, "blacklist_full");
  std::sort(report.mistakes.begin(), report.mistakes.end(),
            [](const RowMistake& a, const RowMistake& b) { return a.line < b.line; });
  return report;
}

Result<std::string> BlacklistDesk::export_csv(const Deed& deed) const {
  const std::int64_t now = clock_.wall_ms();
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<std::string> {
    std::string csv = base::csv_line({kColumns.begin(), kColumns.end()});
    std::int64_t count = 0;
    for (const risk::Entry& entry : rows::list(tx, {}, "", kMaxExportRows)) {
      if (!is_live(entry, now)) continue;
      const auto whole = pii_.open("blacklist", "subject_sealed", entry.id, entry.subject_sealed);
      if (!whole) return tl::unexpected<Error>(whole.error());
      const std::string until =
          entry.expires_at_ms == 0 ? "" : day_text(entry.expires_at_ms - 1, kShanghaiOffsetMs);
      csv += base::csv_line(
          {entry.kind, whole->substr(whole->rfind('\x1f') + 1), entry.reason, until});
      ++count;
    }
    audit::append(tx,
                  {actor_of(deed.staff), "blacklist.exported", "blacklist",
                   std::to_string(count) + " entries: " + deed.reason},
                  deed.trace, now);
    return csv;
  });
}

Result<std::string> BlacklistDesk::reveal(const std::string& id, const Deed& deed) const {
  const std::int64_t now = clock_.wall_ms();
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<std::string> {
    const auto entry = rows::find(tx, id);
    if (!entry) return refuse(Code::not_found, "entry_not_found", "entry_id");
    const auto allowed = may_reveal(tx, deed.staff, now);
    if (!allowed) return tl::unexpected<Error>(allowed.error());
    const auto whole = pii_.open("blacklist", "subject_sealed", entry->id, entry->subject_sealed);
    if (!whole) return tl::unexpected<Error>(whole.error());
    audit::append(tx, {actor_of(deed.staff), kRevealed, id, entry->kind + " entry: " + deed.reason},
                  deed.trace, now);
    return whole->substr(whole->rfind('\x1f') + 1);
  });
}

}  // namespace topup::admin
