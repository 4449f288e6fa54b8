#include "server/orders/order_store.h"

#include <algorithm>

#include "server/base/id_time.h"
#include "server/storage/ahead.h"
#include "shared/check.h"

namespace topup::orders::order_store {
namespace {

constexpr std::string_view kColumns =
    "order_id, user_id, client_key, client_fingerprint, state, version, product_id, operator_id, "
    "operator_name_zh, "
    "operator_name_en, account_sealed, account_masked, face_minor, face_currency, payable_minor, "
    "payable_currency, "
    "delivered_minor, delivered_currency, quote, event_seq, trace_id, created_at_ms, "
    "updated_at_ms, pay_by_ms, account_index";

const std::string& find_sql() {
  static const std::string sql =
      "SELECT " + std::string(kColumns) + " FROM orders WHERE order_id = $1 /*in order_id $1*/";
  return sql;
}
// $1 the way in, $2 before, $3 from, $4 the states in bars or "", $5 limit.
std::string list_text(std::string_view way_in) {
  return "SELECT " + std::string(kColumns) + " FROM orders WHERE " + std::string(way_in) +
         " AND order_id < $2 AND order_id >= $3"
         " AND ($4 = '' OR $4 LIKE '%|' || state || '|%') ORDER BY order_id DESC LIMIT $5";
}
const std::string kListAccount = list_text("account_index = $1");
const std::string kListTail = list_text("tail_index = $1");
const std::string kListOwn = list_text("user_id = $1");
const std::string kListOwnAccount = list_text("user_id = $6 AND account_index = $1");
const std::string kListOwnTail = list_text("user_id = $6 AND tail_index = $1");
const std::string kListState = list_text("state = $1");
const std::string kListAll = "SELECT " + std::string(kColumns) +
                             " FROM orders WHERE order_id < $1 AND order_id >= $2"
                             " ORDER BY order_id DESC LIMIT $3";

// States in which the buyer's money is kept for a delivery or has been turned into one.
constexpr std::string_view kSpentStates =
    "('awaiting_approval', 'paid', 'submitting', 'recharging', 'unknown', 'succeeded', 'manual',"
    " 'reversed')";
constexpr std::string_view kAfterEveryId = "ZZZZZZZZZZZZZZZZZZZZZZZZZZZ";

// The second condition is what lets an engine use the index that leaves out the empty ones.
constexpr std::string_view kByReferenceSql =
    "SELECT order_id FROM supplier_attempts WHERE supplier_order_id = $1"
    " AND supplier_order_id <> '' ORDER BY attempt_id DESC LIMIT 20";
constexpr std::string_view kByNumberSql =
    "SELECT a.order_id FROM payment_numbers n JOIN payment_attempts a"
    " ON a.out_trade_no = n.out_trade_no WHERE n.channel = $1 AND n.transaction_id = $2";

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
  order.account_index = row.text(24);
  return order;
}

constexpr std::string_view kEvents = R"sql(
  SELECT seq, event, from_state, to_state, actor, reason, trace_id, at_ms
    FROM order_events WHERE order_id = $1 /*in order_id $1*/ ORDER BY seq LIMIT 500)sql";

OrderEvent read_event(const storage::Row& row) {
  return {row.integer(0), row.text(1), row.text(2), row.text(3),
          row.text(4),    row.text(5), row.text(6), row.integer(7)};
}

std::optional<Order> one(storage::Reader& reader, const std::string& sql,
                         std::initializer_list<storage::Value> values) {
  std::optional<Order> order;
  reader.query(sql, values, [&order](const storage::Row& row) { order = read_order(row); });
  return order;
}

std::int64_t sum_of(storage::Reader& reader, const std::string& sql,
                    std::initializer_list<storage::Value> values) {
  std::int64_t sum = 0;
  reader.query(sql, values, [&sum](const storage::Row& row) { sum = row.integer(0); });
  return sum;
}

}  // namespace

void insert(storage::Tx& tx, const Order& order) {
  tx.exec(R"sql(
    INSERT INTO orders (order_id, user_id, client_key, client_fingerprint, state, version, product_id, operator_id,
      operator_name_zh, operator_name_en, account_sealed, account_masked, face_minor, face_currency, payable_minor,
      payable_currency, delivered_minor, delivered_currency, quote, event_seq, trace_id, created_at_ms, updated_at_ms,
      pay_by_ms, account_index, tail_index)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
      $25, $26))sql",
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
           order.pay_by_ms,
           order.account_index,
           order.tail_index});
}

std::optional<Order> find(storage::Reader& reader, const OrderId& id) {
  return one(reader, find_sql(), {id.text});
}

std::optional<Order> find_by_key(storage::Reader& reader, const UserId& user,
                                 std::string_view client_key) {
  // In two steps: nearly always there is none, and the first can tell.
  std::string id;
  reader.query("SELECT order_id FROM order_keys WHERE user_id = $1 AND client_key = $2 /*any*/",
               {user.text, client_key}, [&id](const storage::Row& row) { id = row.text(0); });
  if (id.empty()) return std::nullopt;
  return find(reader, OrderId(id));
}

std::string_view unpaid_sql() {
  return R"sql(
    SELECT COUNT(*) FROM (SELECT 1 AS one FROM orders
     WHERE user_id = $1 AND state IN ('awaiting_payment', 'paying') LIMIT $2) AS unpaid /*any*/)sql";
}

bool has_unpaid(storage::Reader& reader, const UserId& user, std::int64_t count) {
  std::int64_t found = 0;
  reader.query(unpaid_sql(), {user.text, count},
               [&found](const storage::Row& row) { found = row.integer(0); });
  return found >= count;
}

std::string first_id_of(std::int64_t at_ms) { return base::id_time(at_ms); }

const std::string& list_sql(const Selection& wanted) {
  const bool own = !wanted.user.empty();
  if (!wanted.account_index.empty()) return own ? kListOwnAccount : kListAccount;
  if (!wanted.tail_index.empty()) return own ? kListOwnTail : kListTail;
  if (own) return kListOwn;
  return wanted.states.empty() ? kListAll : kListState;
}

std::vector<Order> list(storage::Reader& reader, const Selection& wanted, const OrderId& before,
                        std::int64_t limit) {
  std::string upto = wanted.to_ms > 0 ? first_id_of(wanted.to_ms) : std::string(kAfterEveryId);
  if (!before.empty() && before.text < upto) upto = before.text;
  const std::string from = wanted.from_ms > 0 ? first_id_of(wanted.from_ms) : "";
  std::string states;
  for (const State state : wanted.states) states += "|" + std::string(to_word(state));
  if (!states.empty()) states += "|";
  std::vector<Order> orders;
  const auto keep = [&orders](const storage::Row& row) { orders.push_back(read_order(row)); };
  const std::string& sql = list_sql(wanted);
  const std::string& number =
      wanted.account_index.empty() ? wanted.tail_index : wanted.account_index;
  if (&sql == &kListAll) {
    reader.query(sql, {upto, from, limit}, keep);
  } else if (&sql == &kListState) {
    check(wanted.states.size() == 1, "the whole shop is listed by one state");
    reader.query(sql, {to_word(wanted.states.front()), upto, from, "", limit}, keep);
  } else if (&sql == &kListOwn) {
    reader.query(sql, {wanted.user.text, upto, from, states, limit}, keep);
  } else if (wanted.user.empty()) {
    reader.query(sql, {number, upto, from, states, limit}, keep);
  } else {
    reader.query(sql, {number, upto, from, states, limit, wanted.user.text}, keep);
  }
  return orders;
}

std::vector<OrderId> find_by_reference(storage::Reader& reader, std::string_view reference,
                                       const std::vector<std::string>& channels) {
  std::vector<OrderId> found;
  const auto keep = [&found](const storage::Row& row) {
    const OrderId id(row.text(0));
    if (std::find(found.begin(), found.end(), id) == found.end()) found.push_back(id);
  };
  reader.query("SELECT order_id FROM orders WHERE order_id = $1", {reference}, keep);
  reader.query("SELECT order_id FROM payment_attempts WHERE out_trade_no = $1", {reference}, keep);
  reader.query("SELECT order_id FROM refunds WHERE out_refund_no = $1", {reference}, keep);
  reader.query("SELECT order_id FROM supplier_attempts WHERE attempt_id = $1", {reference}, keep);
  reader.query(std::string(kByReferenceSql), {reference}, keep);
  for (const std::string& channel : channels) {
    reader.query(std::string(kByNumberSql), {channel, reference}, keep);
  }
  return found;
}

std::optional<Order> find_twin(storage::Reader& reader, const Order& like, std::int64_t from_ms) {
  static const std::string sql =
      "SELECT " + std::string(kColumns) +
      " FROM orders WHERE account_index = $1 AND order_id >= $2 AND user_id = $3"
      " AND face_minor = $4 AND face_currency = $5 AND state NOT IN ('closed', 'refunding',"
      " 'refunded') ORDER BY order_id DESC LIMIT 1";
  return one(reader, sql,
             {like.account_index, first_id_of(from_ms), like.user.text, like.face.minor,
              to_word(like.face.currency)});
}

std::int64_t paid_for_account(storage::Reader& reader, const Order& but, std::int64_t from_ms,
                              std::int64_t to_ms) {
  static const std::string sql =
      "SELECT COALESCE(SUM(payable_minor), 0) FROM orders WHERE account_index = $1"
      " AND order_id >= $2 AND order_id < $3 AND order_id <> $4 AND payable_currency = 'CNY'"
      " AND state IN " +
      std::string(kSpentStates);
  return sum_of(reader, sql,
                {but.account_index, first_id_of(from_ms), first_id_of(to_ms), but.id.text});
}

std::int64_t paid_by_user(storage::Reader& reader, const Order& but, std::int64_t from_ms,
                          std::int64_t to_ms) {
  static const std::string sql =
      "SELECT COALESCE(SUM(payable_minor), 0) FROM orders WHERE user_id = $1"
      " AND order_id >= $2 AND order_id < $3 AND order_id <> $4 AND payable_currency = 'CNY'"
      " AND state IN " +
      std::string(kSpentStates);
  return sum_of(reader, sql,
                {but.user.text, first_id_of(from_ms), first_id_of(to_ms), but.id.text});
}

std::vector<Order> changed_since(storage::Reader& reader, const UserId& user, std::int64_t since_ms,
                                 std::int64_t from_ms, std::int64_t limit) {
  static const std::string sql =
      "SELECT " + std::string(kColumns) +
      " FROM orders WHERE user_id = $1 AND order_id >= $2"
      " AND updated_at_ms >= $3 ORDER BY updated_at_ms, order_id LIMIT $4";
  std::vector<Order> orders;
  reader.query(sql, {user.text, first_id_of(from_ms), since_ms, limit},
               [&orders](const storage::Row& row) { orders.push_back(read_order(row)); });
  return orders;
}

Result<bool> save_state(storage::Tx& tx, Order& order) {
  const int rows = tx.exec(
      R"sql(
    UPDATE orders SET state = $3, event_seq = $4, updated_at_ms = $5, version = version + 1
     WHERE order_id = $1 AND version = $2 /*in order_id $1*/)sql",
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
  reader.query(kEvents, {order.text},
               [&events](const storage::Row& row) { events.push_back(read_event(row)); });
  return events;
}

std::optional<Order> find_with_events(storage::Reader& reader, const OrderId& id,
                                      std::vector<OrderEvent>* events) {
  std::optional<Order> order;
  storage::ask(
      reader,
      {{find_sql(), {id.text}, [&order](const storage::Row& row) { order = read_order(row); }},
       {kEvents, {id.text}, [events](const storage::Row& row) {
          events->push_back(read_event(row));
        }}});
  return order;
}

// By the range of ids: grouped by the plain column, an engine reads the index of states from end to
// end.
DayFigures figures_since(storage::Reader& reader, std::int64_t from_ms) {
  DayFigures figures;
  reader.query(R"sql(
    SELECT state || '' AS word, COUNT(*),
           SUM(CASE WHEN payable_currency = 'CNY' THEN payable_minor ELSE 0 END)
      FROM orders WHERE order_id >= $1 GROUP BY word ORDER BY word)sql",
               {first_id_of(from_ms)}, [&figures](const storage::Row& row) {
                 figures.by_state.emplace_back(row.text(0), row.integer(1));
                 if (row.text(0) == to_word(State::succeeded)) figures.sold_minor = row.integer(2);
               });
  return figures;
}

}  // namespace topup::orders::order_store
