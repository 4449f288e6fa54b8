#include "server/suppliers/exchange_store.h"

#include <algorithm>

#include "server/base/random.h"
#include "server/suppliers/supplier_store.h"

namespace topup::suppliers {

std::string_view to_word(SupplyState state) {
  switch (state) {
    case SupplyState::accepted:
      return "accepted";
    case SupplyState::succeeded:
      return "succeeded";
    case SupplyState::rejected:
      return "rejected";
    case SupplyState::held:
      return "held";
    case SupplyState::unknown:
      return "unknown";
    case SupplyState::not_found:
      break;
  }
  return "not_found";
}

namespace exchange_store {
namespace {

constexpr std::int64_t kStepRows = 1'000;
constexpr std::string_view kAfterAll = "~";  // ids are digits and capital letters
constexpr std::string_view kColumns = R"sql(
    SELECT exchange_id, order_id, attempt_id, supplier, operation, request, response, code, outcome, latency_ms,
           trace_id, at_ms
      FROM supplier_exchanges )sql";

Exchange read(const storage::Row& row) {
  Exchange one;
  one.id = row.text(0);
  one.order = OrderId(row.text(1));
  one.attempt = AttemptId(row.text(2));
  one.supplier = row.text(3);
  one.operation = row.text(4);
  one.request = row.text(5);
  one.response = row.text(6);
  one.code = row.text(7);
  one.outcome = row.text(8);
  one.latency_ms = row.integer(9);
  one.trace = TraceId(row.text(10));
  one.at_ms = row.integer(11);
  return one;
}

bool fits(const Exchange& one, const Search& wanted) {
  const auto is = [](const std::string& text, const std::string& asked) {
    return asked.empty() || text == asked;
  };
  return is(one.supplier, wanted.supplier) && is(one.operation, wanted.operation) &&
         is(one.outcome, wanted.outcome) && one.latency_ms >= wanted.slow_ms &&
         (wanted.number.empty() || one.order.text == wanted.number ||
          one.attempt.text == wanted.number);
}

// Of an order or one of its attempts; "" where no number is asked for, the number itself where it
// is nobody's.
OrderId order_of(storage::Reader& reader, const std::string& number) {
  if (number.empty()) return OrderId();
  const auto attempt = supplier_store::find(reader, AttemptId(number));
  return attempt ? attempt->order : OrderId(number);
}

}  // namespace

void insert(storage::Tx& tx, const Exchange& exchange) {
  tx.exec(R"sql(
    INSERT INTO supplier_exchanges (exchange_id, order_id, attempt_id, supplier, operation, request, response, code,
                                    outcome, latency_ms, trace_id, at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12))sql",
          {exchange.id, exchange.order.text, exchange.attempt.text, exchange.supplier,
           exchange.operation, exchange.request, exchange.response, exchange.code, exchange.outcome,
           exchange.latency_ms, exchange.trace.text, exchange.at_ms});
}

std::vector<Exchange> of_order(storage::Reader& reader, const OrderId& order) {
  std::vector<Exchange> found;
  reader.query(std::string(kColumns) + "WHERE order_id = $1 ORDER BY exchange_id DESC LIMIT $2",
               {order.text, kMostShown},
               [&found](const storage::Row& row) { found.push_back(read(row)); });
  std::reverse(found.begin(), found.end());
  return found;
}

Found search(storage::Reader& reader, const Search& wanted, std::string_view before,
             std::int64_t limit) {
  const OrderId order = order_of(reader, wanted.number);
  const std::string sql = std::string(kColumns) + "WHERE exchange_id < $1 AND exchange_id >= $2 " +
                          (order.text.empty() ? "" : "AND order_id = $4 ") +
                          "ORDER BY exchange_id DESC LIMIT $3";
  const std::string from = base::id_floor(wanted.from_ms);
  std::string below = wanted.to_ms > 0 ? base::id_floor(wanted.to_ms) : std::string(kAfterAll);
  if (!before.empty() && before < below) below = before;
  Found found;
  for (std::int64_t walked = 0; walked < kMaxWalked; walked += kStepRows) {
    std::int64_t step = 0;
    const auto take = [&](const storage::Row& row) {
      ++step;
      if (std::ssize(found.rows) == limit) return;
      Exchange one = read(row);
      below = one.id;
      found.reached_ms = one.at_ms;
      if (fits(one, wanted)) found.rows.push_back(std::move(one));
    };
    if (order.text.empty()) {
      reader.query(sql, {std::string(below), from, kStepRows}, take);
    } else {
      reader.query(sql, {std::string(below), from, kStepRows, order.text}, take);
    }
    const bool is_full = std::ssize(found.rows) == limit;
    const bool is_over = step < kStepRows && !is_full;
    found.before = is_over ? "" : below;
    if (is_full || is_over) return found;
  }
  return found;
}

}  // namespace exchange_store
}  // namespace topup::suppliers
