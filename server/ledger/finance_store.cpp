#include "server/ledger/finance_store.h"

#include <map>
#include <tuple>

#include "server/base/crypto.h"
#include "shared/time_point.h"

namespace topup::ledger {
namespace {

using Key = std::tuple<std::string, std::string, std::string>;
using Days = std::map<Key, FinanceDay>;

constexpr std::string_view kPostings = R"sql(
  SELECT j.seq, j.at_ms, p.account, p.amount_currency, p.amount_minor
    FROM journals j JOIN postings p ON p.journal_id = j.journal_id
   WHERE j.seq > $1 AND j.seq <= $2 ORDER BY j.seq, p.line)sql";
constexpr std::string_view kMove = R"sql(
  INSERT INTO finance_days (day, account, currency, debit_minor, credit_minor, postings)
  VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (day, account, currency) DO UPDATE
     SET debit_minor = finance_days.debit_minor + excluded.debit_minor,
         credit_minor = finance_days.credit_minor + excluded.credit_minor,
         postings = finance_days.postings + excluded.postings)sql";
constexpr std::string_view kDays = R"sql(
  SELECT day, account, currency, debit_minor, credit_minor, postings FROM finance_days
   WHERE ($1 = '' OR day >= $1) AND ($2 = '' OR day <= $2))sql";

std::int64_t cursor_of(storage::Reader& reader) {
  std::int64_t seq = 0;
  reader.query("SELECT seq FROM finance_cursor WHERE id = 1", {},
               [&seq](const storage::Row& row) { seq = row.integer(0); });
  return seq;
}

// Returns the newest journal it read; `after` when there was none.
std::int64_t gather(storage::Reader& reader, std::int64_t after, std::int64_t to, Days& days) {
  std::int64_t newest = after;
  reader.query(kPostings, {after, to}, [&](const storage::Row& row) {
    newest = row.integer(0);
    const std::string day = day_text(row.integer(1), kShanghaiOffsetMs);
    FinanceDay& one = days[{day, row.text(2), row.text(3)}];
    one.day = day;
    one.account = row.text(2);
    one.currency = row.text(3);
    const std::int64_t minor = row.integer(4);
    (minor > 0 ? one.debit_minor : one.credit_minor) += minor > 0 ? minor : -minor;
    ++one.postings;
  });
  return newest;
}

Days kept(storage::Reader& reader, std::string_view from_day, std::string_view to_day) {
  Days days;  // sorted here: the engines compare texts in different ways
  reader.query(kDays, {from_day, to_day}, [&days](const storage::Row& row) {
    days[{row.text(0), row.text(1), row.text(2)}] = {
        row.text(0), row.text(1), row.text(2), row.integer(3), row.integer(4), row.integer(5)};
  });
  return days;
}

std::string line_of(const FinanceDay& day) {
  return day.day + " " + day.account + " " + day.currency + " " + std::to_string(day.debit_minor) +
         " " + std::to_string(day.credit_minor) + " " + std::to_string(day.postings) + "\n";
}

FinanceSum sum_of(const Days& days, std::int64_t seq) {
  std::string text;
  for (const auto& [key, day] : days) text += line_of(day);
  return {seq, static_cast<std::int64_t>(days.size()), base::hex(base::sha256(text))};
}

Days rebuilt(storage::Reader& reader) {
  Days days;
  gather(reader, 0, cursor_of(reader), days);
  return days;
}

}  // namespace

std::int64_t advance_finance(storage::Tx& tx, std::int64_t most) {
  const std::int64_t after = cursor_of(tx);
  Days days;
  const std::int64_t newest = gather(tx, after, after + most, days);
  if (newest == after) return 0;
  for (const auto& [key, day] : days) {
    tx.exec(kMove,
            {day.day, day.account, day.currency, day.debit_minor, day.credit_minor, day.postings});
  }
  tx.exec("UPDATE finance_cursor SET seq = $1 WHERE id = 1", {newest});
  return newest - after;
}

std::vector<FinanceDay> finance_days(storage::Reader& reader, std::string_view from_day,
                                     std::string_view to_day) {
  std::vector<FinanceDay> found;
  for (auto& [key, day] : kept(reader, from_day, to_day)) found.push_back(day);
  return found;
}

FinanceSum finance_sum(storage::Reader& reader) {
  return sum_of(kept(reader, {}, {}), cursor_of(reader));
}

FinanceSum finance_rebuilt(storage::Reader& reader) {
  return sum_of(rebuilt(reader), cursor_of(reader));
}

std::string finance_difference(storage::Reader& reader) {
  const Days live = kept(reader, {}, {});
  const Days anew = rebuilt(reader);
  for (const auto& [key, day] : anew) {
    const auto same = live.find(key);
    const std::string has = same == live.end() ? "nothing\n" : line_of(same->second);
    if (has != line_of(day)) {
      return "it has " + has.substr(0, has.size() - 1) + ", the journals make " +
             line_of(day).substr(0, line_of(day).size() - 1);
    }
  }
  for (const auto& [key, day] : live) {
    if (anew.count(key) == 0)
      return "it has " + line_of(day).substr(0, line_of(day).size() - 1) + " of no journal";
  }
  return "";
}

}  // namespace topup::ledger
