#include "server/orders/supply_choice_store.h"

#include <string>

#include "shared/order_state.h"

namespace topup::orders::supply_choice_store {
namespace {

using catalog::catalog_store::kWayColumnCount;

const std::string& ways_sql() {
  static const std::string sql = "SELECT " + std::string(catalog::catalog_store::kWayColumns) +
                                 R"sql(,
           s.state, s.reopen_at_ms, s.balance_minor, s.balance_currency, o.state, o.reopen_at_ms
      FROM supplier_products w
      LEFT JOIN supplier_lines s ON s.line = w.supplier
      LEFT JOIN supplier_lines o ON o.line = w.supplier || '/' || w.supplier_operator_id
     WHERE w.product_id = $1 ORDER BY w.supplier LIMIT $2)sql";
  return sql;
}

suppliers::LineState state_at(const storage::Row& row, int column) {
  if (row.is_null(column)) return suppliers::LineState::open;
  return suppliers::parse_line_state(row.text(column)).value_or(suppliers::LineState::open);
}

std::int64_t time_at(const storage::Row& row, int column) {
  return row.is_null(column) ? 0 : row.integer(column);
}

}  // namespace

std::vector<Way> ways_of(storage::Reader& reader, const ProductId& product) {
  std::vector<Way> ways;
  reader.query(ways_sql(), {product.text, catalog::catalog_store::kMaxWays},
               [&ways](const storage::Row& row) {
                 Way way;
                 way.product = catalog::catalog_store::read_way(row, 0);
                 way.supplier_state = state_at(row, kWayColumnCount);
                 way.supplier_reopen_at_ms = time_at(row, kWayColumnCount + 1);
                 if (!row.is_null(kWayColumnCount + 2)) {
                   const auto currency = parse_currency(row.text(kWayColumnCount + 3));
                   if (currency) way.balance = Money{row.integer(kWayColumnCount + 2), *currency};
                 }
                 way.operator_state = state_at(row, kWayColumnCount + 4);
                 way.operator_reopen_at_ms = time_at(row, kWayColumnCount + 5);
                 ways.push_back(std::move(way));
               });
  return ways;
}

std::int64_t paid_at_ms(storage::Reader& reader, const OrderId& order) {
  std::int64_t at_ms = 0;
  reader.query(
      "SELECT COALESCE(MIN(at_ms), 0) FROM order_events WHERE order_id = $1 AND to_state = $2"
      " /*in order_id $1*/",
      {order.text, to_word(State::paid)},
      [&at_ms](const storage::Row& row) { at_ms = row.integer(0); });
  return at_ms;
}

}  // namespace topup::orders::supply_choice_store
