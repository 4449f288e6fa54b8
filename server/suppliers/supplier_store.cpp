#include "server/suppliers/supplier_store.h"

namespace topup::suppliers::supplier_store {
namespace {

constexpr std::string_view kFind = R"sql(
  SELECT attempt_id, order_id, attempt_no, supplier, supplier_operator_id, country, state, supplier_order_id, code,
         queries, not_found_count, cost_minor, cost_currency, created_at_ms, updated_at_ms, sku, kind,
         most_cost_minor, most_cost_currency, choice
    FROM supplier_attempts WHERE attempt_id = $1 /*in attempt_id $1*/)sql";
constexpr std::string_view kOf = R"sql(
  SELECT attempt_id, order_id, attempt_no, supplier, supplier_operator_id, country, state, supplier_order_id, code,
         queries, not_found_count, cost_minor, cost_currency, created_at_ms, updated_at_ms, sku, kind,
         most_cost_minor, most_cost_currency, choice
    FROM supplier_attempts
   WHERE order_id = $1 AND attempt_id >= 'S' || $1 AND attempt_id < 'S' || $1 || '~' /*in attempt_id S$1*/
   ORDER BY attempt_no LIMIT 100)sql";

SupplyAttempt read_attempt(const storage::Row& row) {
  SupplyAttempt attempt;
  attempt.id = AttemptId(row.text(0));
  attempt.order = OrderId(row.text(1));
  attempt.attempt_no = row.integer(2);
  attempt.supplier = row.text(3);
  attempt.supplier_operator_id = row.text(4);
  attempt.country = row.text(5);
  attempt.state = row.text(6);
  attempt.supplier_order_id = row.text(7);
  attempt.code = row.text(8);
  attempt.queries = row.integer(9);
  attempt.not_found_count = row.integer(10);
  const auto currency = parse_currency(row.text(12));
  if (!row.is_null(11) && currency) attempt.cost = Money{row.integer(11), *currency};
  attempt.created_at_ms = row.integer(13);
  attempt.updated_at_ms = row.integer(14);
  attempt.sku = row.text(15);
  attempt.kind = parse_product_kind(row.text(16)).value_or(ProductKind::airtime);
  attempt.most_cost = {row.integer(17), parse_currency(row.text(18)).value_or(Currency::cny)};
  attempt.choice = row.text(19);
  return attempt;
}

}  // namespace

void insert(storage::Tx& tx, const SupplyAttempt& attempt) {
  tx.exec(R"sql(
    INSERT INTO supplier_attempts (attempt_id, order_id, attempt_no, supplier, supplier_operator_id, country, state,
                                   created_at_ms, updated_at_ms, sku, kind, most_cost_minor, most_cost_currency,
                                   choice)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10, $11, $12, $13))sql",
          {attempt.id.text, attempt.order.text, attempt.attempt_no, attempt.supplier,
           attempt.supplier_operator_id, attempt.country, attempt.state, attempt.created_at_ms,
           attempt.sku, to_word(attempt.kind), attempt.most_cost.minor,
           to_word(attempt.most_cost.currency), attempt.choice});
}

std::optional<SupplyAttempt> find(storage::Reader& reader, const AttemptId& id) {
  std::optional<SupplyAttempt> attempt;
  reader.query(kFind, {id.text},
               [&attempt](const storage::Row& row) { attempt = read_attempt(row); });
  return attempt;
}

std::vector<SupplyAttempt> attempts_of(storage::Reader& reader, const OrderId& order) {
  std::vector<SupplyAttempt> attempts;
  reader.query(kOf, {order.text},
               [&attempts](const storage::Row& row) { attempts.push_back(read_attempt(row)); });
  return attempts;
}

void save(storage::Tx& tx, const SupplyAttempt& attempt) {
  const storage::Value minor =
      attempt.cost ? storage::Value(attempt.cost->minor) : storage::Value(nullptr);
  const storage::Value currency =
      attempt.cost ? storage::Value(to_word(attempt.cost->currency)) : storage::Value(nullptr);
  tx.exec(R"sql(
    UPDATE supplier_attempts
       SET state = $2, supplier_order_id = $3, code = $4, queries = $5, not_found_count = $6, cost_minor = $7,
           cost_currency = $8, updated_at_ms = $9
     WHERE attempt_id = $1 /*in attempt_id $1*/)sql",
          {attempt.id.text, attempt.state, attempt.supplier_order_id, attempt.code, attempt.queries,
           attempt.not_found_count, minor, currency, attempt.updated_at_ms});
}

}  // namespace topup::suppliers::supplier_store
