#include "server/orders/work_item_store.h"

#include "shared/check.h"

namespace topup::orders::work_item_store {
namespace {

constexpr std::string_view kColumns =
    "work_item_id, kind, subject, order_id, detail, state, created_at_ms, held_minor, "
    "held_currency, owner, claimed_at_ms, resolved_by, resolved_at_ms, resolution, times";

std::string select(std::string_view rest) {
  return "SELECT " + std::string(kColumns) + " FROM work_items " + std::string(rest);
}

WorkItem read_item(const storage::Row& row) {
  WorkItem item;
  item.id = row.text(0);
  item.kind = row.text(1);
  item.subject = row.text(2);
  item.order = OrderId(row.text(3));
  item.detail = row.text(4);
  item.state = row.text(5);
  item.created_at_ms = row.integer(6);
  item.held.minor = row.integer(7);
  if (item.held.minor != 0) {
    const auto currency = parse_currency(row.text(8));
    check(currency.has_value(), "a stored currency is one we know");
    item.held.currency = *currency;
  }
  item.owner = StaffId(row.text(9));
  item.claimed_at_ms = row.integer(10);
  item.resolved_by = row.text(11);
  item.resolved_at_ms = row.integer(12);
  item.resolution = row.text(13);
  item.times = row.integer(14);
  return item;
}

std::vector<WorkItem> read_all(storage::Reader& reader, std::string_view sql,
                               std::initializer_list<storage::Value> values) {
  std::vector<WorkItem> items;
  reader.query(sql, values, [&items](const storage::Row& row) { items.push_back(read_item(row)); });
  return items;
}
std::optional<WorkItem> first_of(std::vector<WorkItem> items) {
  if (items.empty()) return std::nullopt;
  return std::move(items.front());
}

}  // namespace

bool insert(storage::Tx& tx, const WorkItem& item) {
  return tx.exec(R"sql(
    INSERT INTO work_items (work_item_id, kind, subject, order_id, detail, state, created_at_ms,
                            held_minor, held_currency)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (kind, subject) DO UPDATE
       SET detail = excluded.detail, state = excluded.state, created_at_ms = excluded.created_at_ms,
           held_minor = excluded.held_minor, held_currency = excluded.held_currency, owner = '',
           claimed_at_ms = 0, resolved_by = '', resolved_at_ms = 0, resolution = '',
           times = work_items.times + 1
     WHERE work_items.state <> 'open')sql",
                 {item.id, item.kind, item.subject, item.order.text, item.detail, item.state,
                  item.created_at_ms, item.held.minor,
                  item.held.minor == 0 ? std::string_view() : to_word(item.held.currency)}) == 1;
}

std::optional<WorkItem> find(storage::Reader& reader, std::string_view id) {
  static const std::string sql = select("WHERE work_item_id = $1");
  return first_of(read_all(reader, sql, {id}));
}

std::optional<WorkItem> find_open(storage::Reader& reader, std::string_view kind,
                                  std::string_view subject) {
  static const std::string sql = select("WHERE kind = $1 AND subject = $2 AND state = 'open'");
  return first_of(read_all(reader, sql, {kind, subject}));
}

std::vector<WorkItem> of_order(storage::Reader& reader, const OrderId& order) {
  static const std::string sql = select("WHERE order_id = $1 ORDER BY created_at_ms LIMIT 100");
  return read_all(reader, sql, {order.text});
}

std::vector<WorkItem> open_items(storage::Reader& reader, std::int64_t limit) {
  static const std::string sql = select("WHERE state = 'open' ORDER BY created_at_ms LIMIT $1");
  return read_all(reader, sql, {limit});
}

std::vector<WorkItem> list(storage::Reader& reader, const Filter& filter, const WorkItem* after,
                           std::int64_t limit) {
  return read_all(reader, list_sql(!filter.state.empty()),
                  {filter.state, filter.kind, filter.owner,
                   after == nullptr ? std::int64_t{-1} : after->created_at_ms,
                   after == nullptr ? std::string_view() : std::string_view(after->id), limit});
}

// The first bound of a row value is one that an index serves; the second takes out the rows of that
// very millisecond that came before.
const std::string& list_sql(bool in_one_state) {
  const auto text = [](std::string_view state) {
    return select("WHERE " + std::string(state) + R"sql( AND ($2 = '' OR kind = $2)
      AND ($3 = '' OR owner = CASE WHEN $3 = '-' THEN '' ELSE $3 END)
      AND created_at_ms >= $4 AND (created_at_ms > $4 OR work_item_id > $5)
    ORDER BY created_at_ms, work_item_id LIMIT $6)sql");
  };
  static const std::string of_state = text("state = $1");
  static const std::string all = text("$1 = ''");
  return in_one_state ? of_state : all;
}

bool claim(storage::Tx& tx, std::string_view id, const StaffId& owner, std::int64_t now_ms) {
  return tx.exec(R"sql(
    UPDATE work_items SET owner = $2, claimed_at_ms = $3
     WHERE work_item_id = $1 AND state = 'open' AND (owner = '' OR owner = $2))sql",
                 {id, owner.text, now_ms}) == 1;
}

bool give_back(storage::Tx& tx, std::string_view id, const StaffId& owner) {
  return tx.exec(R"sql(
    UPDATE work_items SET owner = '', claimed_at_ms = 0
     WHERE work_item_id = $1 AND state = 'open' AND owner = $2)sql",
                 {id, owner.text}) == 1;
}

bool resolve(storage::Tx& tx, std::string_view id, std::string_view by, std::string_view resolution,
             std::int64_t now_ms) {
  return tx.exec(R"sql(
    UPDATE work_items SET state = 'resolved', resolved_by = $2, resolution = $3, resolved_at_ms = $4
     WHERE work_item_id = $1 AND state = 'open')sql",
                 {id, by, resolution, now_ms}) == 1;
}

}  // namespace topup::orders::work_item_store
