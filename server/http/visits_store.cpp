#include "server/http/visits_store.h"

namespace topup::http::visits_store {
namespace {

constexpr std::string_view kByPlace = R"sql(
  SELECT place, CAST(SUM(hits) AS BIGINT), MAX(last_at_ms) FROM visits WHERE hour_ms >= $1
   GROUP BY place ORDER BY 2 DESC, 1 LIMIT $2)sql";
constexpr std::string_view kByNetwork = R"sql(
  SELECT network, CAST(SUM(hits) AS BIGINT), MAX(last_at_ms) FROM visits WHERE hour_ms >= $1
   GROUP BY network ORDER BY 2 DESC, 1 LIMIT $2)sql";
constexpr std::string_view kByDevice = R"sql(
  SELECT device, CAST(SUM(hits) AS BIGINT), MAX(last_at_ms) FROM visits WHERE hour_ms >= $1
   GROUP BY device ORDER BY 2 DESC, 1 LIMIT $2)sql";

VisitCount read_count(const storage::Row& row) {
  return {row.text(0), row.integer(1), row.integer(2)};
}

}  // namespace

void add(storage::Tx& tx, const VisitRow& row) {
  tx.exec(R"sql(
    INSERT INTO visits (hour_ms, place, network, device, hits, last_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (hour_ms, place, network, device) DO UPDATE
       SET hits = visits.hits + excluded.hits, last_at_ms = excluded.last_at_ms)sql",
          {row.hour_ms, row.place, row.network, row.device, row.hits, row.last_at_ms});
}

void prune(storage::Tx& tx, std::int64_t before_hour_ms, std::int64_t most_rows) {
  tx.exec("DELETE FROM visits WHERE hour_ms < $1", {before_hour_ms});
  tx.exec(R"sql(
    DELETE FROM visits WHERE hour_ms <=
      (SELECT hour_ms FROM visits ORDER BY hour_ms DESC LIMIT 1 OFFSET $1))sql",
          {most_rows});
}

std::vector<VisitCount> by_hour(storage::Reader& reader, std::int64_t since_ms) {
  std::vector<VisitCount> found;
  reader.query(R"sql(
    SELECT hour_ms, CAST(SUM(hits) AS BIGINT), MAX(last_at_ms) FROM visits WHERE hour_ms >= $1
     GROUP BY hour_ms ORDER BY hour_ms)sql",
               {since_ms}, [&found](const storage::Row& row) {
                 found.push_back({std::to_string(row.integer(0)), row.integer(1), row.integer(2)});
               });
  return found;
}

std::vector<VisitCount> by(storage::Reader& reader, By by, std::int64_t since_ms,
                           std::int64_t most) {
  std::vector<VisitCount> found;
  const std::string_view sql = by == By::place     ? kByPlace
                               : by == By::network ? kByNetwork
                                                   : kByDevice;
  reader.query(sql, {since_ms, most},
               [&found](const storage::Row& row) { found.push_back(read_count(row)); });
  return found;
}

}  // namespace topup::http::visits_store
