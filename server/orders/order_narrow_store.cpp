#include "server/orders/order_narrow_store.h"

namespace topup::orders::order_narrow_store {
namespace {

constexpr std::string_view kAfterEveryId = "ZZZZZZZZZZZZZZZZZZZZZZZZZZZ";

// $1 the way in, $2 before, $3 from, $4 the state or "".
std::string_view way_in(const order_store::Selection& wanted) {
  if (!wanted.account_index.empty()) return "account_index = $1 AND ($4 = '' OR state = $4)";
  if (!wanted.tail_index.empty()) return "tail_index = $1 AND ($4 = '' OR state = $4)";
  if (!wanted.user.empty()) return "user_id = $1 AND ($4 = '' OR state = $4)";
  if (!wanted.states.empty()) return "state = $1 AND $4 = ''";
  return "$1 = '' AND $4 = ''";
}

std::string key_of(const order_store::Selection& wanted) {
  if (!wanted.account_index.empty()) return wanted.account_index;
  if (!wanted.tail_index.empty()) return wanted.tail_index;
  if (!wanted.user.empty()) return wanted.user.text;
  return wanted.states.empty() ? "" : std::string(to_word(wanted.states.front()));
}

}  // namespace

std::string window_sql(const order_store::Selection& wanted, bool with_product) {
  // Without the product the index answers alone.
  const std::string_view columns =
      with_product ? "order_id, product_id" : "order_id, '' AS product_id";
  return "SELECT " + std::string(columns) + " FROM orders WHERE " + std::string(way_in(wanted)) +
         " AND order_id < $2 AND order_id >= $3 ORDER BY order_id DESC LIMIT " +
         std::to_string(kMostLookedAt);
}

Found list(storage::Reader& reader, const order_store::Selection& wanted, const Narrow& narrow,
           const OrderId& before, std::int64_t limit) {
  std::string upto =
      wanted.to_ms > 0 ? order_store::first_id_of(wanted.to_ms) : std::string(kAfterEveryId);
  if (!before.empty() && before.text < upto) upto = before.text;
  const std::string from = wanted.from_ms > 0 ? order_store::first_id_of(wanted.from_ms) : "";
  const std::string key = key_of(wanted);
  const bool has_number = !wanted.account_index.empty() || !wanted.tail_index.empty();
  const bool keeps_state = !wanted.states.empty() && (has_number || !wanted.user.empty());
  const std::string_view state = keeps_state ? to_word(wanted.states.front()) : std::string_view();
  const std::string window = window_sql(wanted, false);

  Found found;
  std::int64_t looked = 0;
  std::string last;
  reader.query("SELECT COUNT(*), COALESCE(MIN(order_id), '') FROM (" + window + ") AS seen",
               {key, upto, from, state}, [&](const storage::Row& row) {
                 looked = row.integer(0);
                 last = row.text(1);
               });
  if (looked == kMostLookedAt) found.looked_to = OrderId(last);
  reader.query(
      "SELECT seen.order_id FROM (" + window_sql(wanted, !narrow.products.empty()) + R"sql() AS seen
     WHERE ($5 = '' OR EXISTS (SELECT 1 FROM payment_attempts a
                                WHERE a.order_id = seen.order_id AND a.channel = $5))
       AND ($6 = '' OR EXISTS (SELECT 1 FROM supplier_attempts s
                                WHERE s.order_id = seen.order_id AND s.supplier = $6))
       AND ($7 = '' OR $7 LIKE '%|' || seen.product_id || '|%')
     ORDER BY seen.order_id DESC LIMIT $8)sql",
      {key, upto, from, state, narrow.channel, narrow.supplier, narrow.products, limit},
      [&](const storage::Row& row) { found.ids.emplace_back(row.text(0)); });
  return found;
}

}  // namespace topup::orders::order_narrow_store
