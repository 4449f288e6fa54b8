#include "server/suppliers/exchange_store.h"

#include <algorithm>

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
  reader.query(R"sql(
    SELECT exchange_id, order_id, attempt_id, supplier, operation, request, response, code, outcome, latency_ms,
           trace_id, at_ms
      FROM supplier_exchanges WHERE order_id = $1 ORDER BY exchange_id DESC LIMIT $2)sql",
               {order.text, kMostShown}, [&found](const storage::Row& row) {
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
                 found.push_back(std::move(one));
               });
  std::reverse(found.begin(), found.end());
  return found;
}

}  // namespace exchange_store
}  // namespace topup::suppliers
