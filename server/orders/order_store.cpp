#include "server/orders/order_store.h"

#include "shared/check.h"

namespace topup::orders::order_store {
namespace {

constexpr std::string_view kColumns =
    "order_id, user_id, client_key, client_fingerprint, state, version, product_id, operator_id, "
    "operator_name_zh, "
    "operator_name_en, account_sealed, account_masked, face_minor, face_currency, payable_minor, "
    "payable_currency, "
    "delivered_minor, delivered_currency, quote, event_seq, trace_id, created_at_ms, "
    "updated_at_ms, pay_by_ms";

const std::string& find_sql() {
  static const std::string sql =
      "SELECT " + std::string(kColumns) + " FROM orders WHERE order_id = $1";
  return sql;
}
const std::string& find_by_key_sql() {
  static const std::string sql =
      "SELECT " + std::string(kColumns) + " FROM orders WHERE user_id = $1 AND client_key = $2";
  return sql;
}
const std::string& list_own_sql() {
  static const std::string sql = "SELECT " + std::string(kColumns) +
                                 " FROM orders WHERE user_id = $1 AND ($2 = '' OR order_id < $2)"
                                 " ORDER BY order_id DESC LIMIT $3";
  return sql;
}
const std::string& list_all_sql() {
  static const std::string sql =
      "SELECT " + std::string(kColumns) +
      " FROM orders WHERE ($1 = '' OR order_id < $1) ORDER BY order_id DESC LIMIT $2";
  return sql;
}
const std::string& list_state_sql() {
  static const std::string sql = "SELECT " + std::string(kColumns) +
                                 " FROM orders WHERE state = $1 AND ($2 = '' OR order_id < $2)"
                                 " ORDER BY order_id DESC LIMIT $3";
  return sql;
}

Money money_at(const storage::Row& row, int column) {
  const auto currency = parse_currency(row.text(column + 1));
  check(currency.has_value(), "a stored currency is one we know");
  return {row.integer(column), *currency};
}

Order read_order(const storage::Row& row) {
  Order order;
  order.id = OrderId(row.text(0));
  order.user = UserId(row.text(1));
  order.client_key = row.text(2);
  order.client_fingerprint = row.text(3);
  const auto state = parse_state(row.text(4));
  check(state.has_value(), "a stored state is one we know");
  order.state = *state;
  order.version = row.integer(5);
  order.product = ProductId(row.text(6));
  order.operator_id = row.text(7);
  order.operator_name_zh = row.text(8);
  order.operator_name_en = row.text(9);
  order.account_sealed = row.text(10);
  order.account_masked = row.text(11);
  order.face = money_at(row, 12);
  order.payable = money_at(row, 14);
  order.delivered = money_at(row, 16);
  order.quote = row.text(18);
  order.event_seq = row.integer(19);
  order.trace = TraceId(row.text(20));
  order.created_at_ms = row.integer(21);
  order.updated_at_ms = row.integer(22);
  order.pay_by_ms = row.integer(23);
  return order;
}

std::optional<Order> one(storage::Reader& reader, const std::string& sql,
                         std::initializer_list<storage::Value> values) {
  std::optional<Order> order;
  reader.query(sql, values, [&order](const storage::Row& row) { order = read_order(row); });
  return order;
}

}  // namespace

void insert(storage::Tx& tx, const Order& order) {
  tx.exec(R"sql(
    INSERT INTO orders (order_id, user_id, client_key, client_fingerprint, state, version, product_id, operator_id,
      operator_name_zh, operator_name_en, account_sealed, account_masked, face_minor, face_currency, payable_minor,
      payable_currency, delivered_minor, delivered_currency, quote, event_seq, trace_id, created_at_ms, updated_at_ms,
      pay_by_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24))sql",
          {order.id.text,
           order.user.text,
           order.client_key,
           order.client_fingerprint,
           to_word(order.state),
           order.version,
           order.product.text,
           order.operator_id,
           order.operator_name_zh,
           order.operator_name_en,
           order.account_sealed,
           order.account_masked,
           order.face.minor,
           to_word(order.face.currency),
           order.payable.minor,
           to_word(order.payable.currency),
           order.delivered.minor,
           to_word(order.delivered.currency),
           order.quote,
           order.event_seq,
           order.trace.text,
           order.created_at_ms,
           order.updated_at_ms,
           order.pay_by_ms});
}

std::optional<Order> find(storage::Reader& reader, const OrderId& id) {
  return one(reader, find_sql(), {id.text});
}

std::optional<Order> find_by_key(storage::Reader& reader, const UserId& user,
                                 std::string_view client_key) {
  return one(reader, find_by_key_sql(), {user.text, client_key});
}

std::int64_t count_unpaid(storage::Reader& reader, const UserId& user) {
  std::int64_t count = 0;
  reader.query(R"sql(
    SELECT COUNT(*) FROM orders WHERE user_id = $1 AND state IN ('awaiting_payment', 'paying'))sql",
               {user.text}, [&count](const storage::Row& row) { count = row.integer(0); });
  return count;
}

std::vector<Order> list(storage::Reader& reader, const UserId& user, std::string_view state,
                        const OrderId& before, std::int64_t limit) {
  std::vector<Order> orders;
  const auto keep = [&orders](const storage::Row& row) { orders.push_back(read_order(row)); };
  if (!user.empty()) {
    reader.query(list_own_sql(), {user.text, before.text, limit}, keep);
  } else if (!state.empty()) {
    reader.query(list_state_sql(), {state, before.text, limit}, keep);
  } else {
    reader.query(list_all_sql(), {before.text, limit}, keep);
  }
  return orders;
}

Result<bool> save_state(storage::Tx& tx, Order& order) {
  const int rows = tx.exec(
      R"sql(
    UPDATE orders SET state = $3, event_seq = $4, updated_at_ms = $5, version = version + 1
     WHERE order_id = $1 AND version = $2)sql",
      {order.id.text, order.version, to_word(order.state), order.event_seq, order.updated_at_ms});
  if (rows == 0) return refuse(Code::conflict, "order_changed");
  ++order.version;
  return true;
}

void insert_event(storage::Tx& tx, const OrderId& order, const OrderEvent& event) {
  tx.exec(R"sql(
    INSERT INTO order_events (order_id, seq, event, from_state, to_state, actor, reason, trace_id, at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9))sql",
          {order.text, event.seq, event.event, event.from_state, event.to_state, event.actor,
           event.reason, event.trace_id, event.at_ms});
}

std::vector<OrderEvent> events_of(storage::Reader& reader, const OrderId& order) {
  std::vector<OrderEvent> events;
  reader.query(R"sql(
    SELECT seq, event, from_state, to_state, actor, reason, trace_id, at_ms
      FROM order_events WHERE order_id = $1 ORDER BY seq LIMIT 500)sql",
               {order.text}, [&events](const storage::Row& row) {
                 events.push_back({row.integer(0), row.text(1), row.text(2), row.text(3),
                                   row.text(4), row.text(5), row.text(6), row.integer(7)});
               });
  return events;
}

DayFigures figures_since(storage::Reader& reader, std::int64_t from_ms) {
  DayFigures figures;
  reader.query(R"sql(
    SELECT state, COUNT(*), SUM(CASE WHEN payable_currency = 'CNY' THEN payable_minor ELSE 0 END)
      FROM orders WHERE created_at_ms >= $1 GROUP BY state ORDER BY state)sql",
               {from_ms}, [&figures](const storage::Row& row) {
                 figures.by_state.emplace_back(row.text(0), row.integer(1));
                 if (row.text(0) == to_word(State::succeeded)) figures.sold_minor = row.integer(2);
               });
  return figures;
}

}  // namespace topup::orders::order_store
