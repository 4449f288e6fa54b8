#include "server/catalog/exchange_rate_store.h"

#include <algorithm>
#include <map>

#include "server/audit/audit_log.h"

namespace topup::catalog::exchange_rates {
namespace {

std::optional<Entry> read_entry(const storage::Row& row) {
  const auto from = parse_currency(row.text(0));
  if (!from) return std::nullopt;
  Entry entry;
  entry.rate = {*from, Currency::cny, row.integer(2)};
  entry.set_at_ms = row.integer(1);
  entry.valid_until_ms = row.integer(3);
  entry.source = row.text(4);
  entry.reason = row.text(5);
  entry.set_by = row.text(6);
  return entry;
}

// More than so many ten-thousandths away from what holds.
bool drifts(std::int64_t before, std::int64_t now) {
  const __int128 moved = before > now ? before - now : now - before;
  return moved * kBasisPointsPerWhole > static_cast<__int128>(before) * kMostDriftBp;
}

}  // namespace

std::vector<Entry> in_force(storage::Reader& reader, const std::vector<Rate>& configured) {
  std::map<Currency, Entry> found;
  for (const Rate& rate : configured) found[rate.from].rate = rate;
  reader.query(R"sql(
    SELECT currency, set_at_ms, scaled, valid_until_ms, source, reason, set_by
      FROM exchange_rates one
     WHERE set_at_ms = (SELECT MAX(set_at_ms) FROM exchange_rates other
                         WHERE other.currency = one.currency))sql",
               {}, [&found](const storage::Row& row) {
                 if (const auto entry = read_entry(row)) found[entry->rate.from] = *entry;
               });
  std::vector<Entry> entries;
  for (const auto& [currency, entry] : found) entries.push_back(entry);
  return entries;
}

std::vector<Rate> rates_now(storage::Db& db, const std::vector<Rate>& configured) {
  std::vector<Rate> rates;
  db.read([&](storage::Reader& reader) {
    rates.clear();
    for (const Entry& entry : in_force(reader, configured)) rates.push_back(entry.rate);
  });
  return rates;
}

std::vector<Entry> history(storage::Reader& reader, Currency currency) {
  std::vector<Entry> entries;
  reader.query(R"sql(
    SELECT currency, set_at_ms, scaled, valid_until_ms, source, reason, set_by
      FROM exchange_rates WHERE currency = $1 ORDER BY set_at_ms DESC LIMIT $2)sql",
               {to_word(currency), kHistoryShown}, [&entries](const storage::Row& row) {
                 if (auto entry = read_entry(row)) entries.push_back(std::move(*entry));
               });
  return entries;
}

Result<bool> set(storage::Tx& tx, const std::vector<Rate>& configured, const Entry& entry,
                 const TraceId& trace) {
  if (entry.rate.from == entry.rate.to || entry.rate.scaled <= 0)
    return refuse(Code::invalid_argument, "out_of_range", "currency");
  std::string before;
  std::int64_t at_ms = entry.set_at_ms;
  for (const Entry& now : in_force(tx, configured)) {
    if (now.rate.from != entry.rate.from) continue;
    before = rate_text(now.rate);
    at_ms = std::max(at_ms, now.set_at_ms + 1);  // two changes of one millisecond stay two rows
    if (drifts(now.rate.scaled, entry.rate.scaled)) {
      return refuse(Code::rejected, "rate_drifts", "rate",
                    "at most " + std::to_string(kMostDriftBp / 100) + " % from " + before);
    }
  }
  const std::string_view currency = to_word(entry.rate.from);
  tx.exec(R"sql(
    INSERT INTO exchange_rates
      (currency, set_at_ms, scaled, valid_until_ms, source, reason, set_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7))sql",
          {currency, at_ms, entry.rate.scaled, entry.valid_until_ms, entry.source, entry.reason,
           entry.set_by});
  audit::append(tx,
                {entry.set_by, "catalog.rate_set", "rate:" + std::string(currency),
                 (before.empty() ? "" : before + " > ") + rate_text(entry.rate) + ", " +
                     entry.source + ": " + entry.reason},
                trace, entry.set_at_ms);
  return true;
}

}  // namespace topup::catalog::exchange_rates
