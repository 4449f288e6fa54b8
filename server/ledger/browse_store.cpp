#include "server/ledger/browse_store.h"

#include <algorithm>

#include "shared/check.h"

namespace topup::ledger::browse_store {
namespace {

std::int64_t integer_of(storage::Reader& reader, std::string_view sql, std::int64_t value) {
  std::int64_t found = 0;
  reader.query(sql, {value}, [&found](const storage::Row& row) { found = row.integer(0); });
  return found;
}

std::int64_t head_of(storage::Reader& reader) {
  return integer_of(reader, "SELECT seq FROM ledger_head WHERE id = $1", 1);
}

// The first number posted at or after that moment; head + 1 when there is none. Journals are
// numbered as they are committed, so their times go up but for what a clock was set back.
std::int64_t seq_at(storage::Reader& reader, std::int64_t at_ms, std::int64_t head) {
  std::int64_t low = 1, high = head + 1;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    const std::int64_t posted_at =
        integer_of(reader, "SELECT at_ms FROM journals WHERE seq = $1", middle);
    if (posted_at < at_ms) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

Browsed browsed(storage::Reader& reader, std::string_view id, std::string_view order) {
  Browsed one;
  if (auto posted = find(reader, id)) one.journal = std::move(*posted);
  one.order = OrderId(std::string(order));
  return one;
}

}  // namespace

const std::string& journals_sql() {
  static const std::string sql = R"sql(
    SELECT j.journal_id, j.order_id, j.seq FROM journals j
     WHERE j.seq < $1 AND j.seq >= $2 AND ($3 = '' OR j.template = $3)
       AND ($4 = '' OR EXISTS (SELECT 1 FROM postings p
                                WHERE p.journal_id = j.journal_id AND p.account = $4))
     ORDER BY j.seq DESC LIMIT $5)sql";
  return sql;
}

Page journals(storage::Reader& reader, const Wanted& wanted, std::int64_t before_seq,
              std::int64_t limit) {
  const std::int64_t head = head_of(reader);
  std::int64_t upto = wanted.to_ms > 0 ? seq_at(reader, wanted.to_ms, head) : head + 1;
  if (before_seq > 0) upto = std::min(upto, before_seq);
  const std::int64_t bottom = wanted.from_ms > 0 ? seq_at(reader, wanted.from_ms, head) : 1;
  const std::int64_t floor = std::max(bottom, upto - kMostLookedAt);
  struct Place {
    std::string id, order;
    std::int64_t seq;
  };
  std::vector<Place> places;
  reader.query(journals_sql(), {upto, floor, wanted.name, wanted.account, limit + 1},
               [&places](const storage::Row& row) {
                 places.push_back({row.text(0), row.text(1), row.integer(2)});
               });
  Page page;
  if (places.size() > static_cast<std::size_t>(limit)) {
    places.pop_back();
    page.next_before = places.back().seq;
  } else if (floor > bottom) {
    page.next_before = floor;
  }
  for (const Place& place : places) page.journals.push_back(browsed(reader, place.id, place.order));
  return page;
}

std::optional<Browsed> journal(storage::Reader& reader, std::string_view journal_id) {
  std::optional<std::string> order;
  reader.query("SELECT order_id FROM journals WHERE journal_id = $1", {journal_id},
               [&order](const storage::Row& row) { order = row.text(0); });
  if (!order) return std::nullopt;
  return browsed(reader, journal_id, *order);
}

const std::string& earned_sql() {
  static const std::string sql = R"sql(
    SELECT day, SUM(CASE WHEN account LIKE 'revenue.%' THEN credit_minor - debit_minor ELSE 0 END),
           SUM(CASE WHEN account LIKE 'cost.%' THEN debit_minor - credit_minor ELSE 0 END), currency
      FROM finance_days WHERE day >= $1
     GROUP BY day, currency ORDER BY day, currency)sql";
  return sql;
}

std::vector<Earned> earned_since(storage::Reader& reader, std::string_view from_day) {
  std::vector<Earned> days;
  reader.query(earned_sql(), {from_day}, [&days](const storage::Row& row) {
    const auto currency = parse_currency(row.text(3));
    check(currency.has_value(), "the finance view names currencies that the journals have");
    days.push_back({row.text(0), {row.integer(1), *currency}, {row.integer(2), *currency}});
  });
  return days;
}

}  // namespace topup::ledger::browse_store
