#include "server/orders/day_figures_store.h"

#include "server/orders/order_store.h"
#include "shared/time_point.h"

namespace topup::orders::day_figures_store {

const std::string& hours_sql() {
  static const std::string sql = R"sql(
    SELECT (created_at_ms - $3) / 3600000 AS hour, state, COUNT(*),
           SUM(CASE WHEN payable_currency = 'CNY' THEN payable_minor ELSE 0 END)
      FROM orders WHERE order_id >= $1 AND order_id < $2
     GROUP BY hour, state ORDER BY hour, state)sql";
  return sql;
}

std::vector<HourFigure> hours_of(storage::Reader& reader, std::int64_t from_ms) {
  std::vector<HourFigure> figures;
  reader.query(
      hours_sql(),
      {order_store::first_id_of(from_ms), order_store::first_id_of(from_ms + kDayMs), from_ms},
      [&figures](const storage::Row& row) {
        figures.push_back({row.integer(0), row.text(1), row.integer(2), row.integer(3)});
      });
  return figures;
}

}  // namespace topup::orders::day_figures_store
