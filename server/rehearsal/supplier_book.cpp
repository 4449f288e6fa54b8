#include "server/rehearsal/supplier_book.h"

#include "shared/check.h"

namespace topup::rehearsal {
namespace {

using storage::Reader;
using storage::Row;
using storage::Tx;

constexpr std::int64_t kFirstNumber = 2'237'500'001;
constexpr std::string_view kTables[] = {
    R"sql(
  CREATE TABLE IF NOT EXISTS supplier_wallets (
    party TEXT PRIMARY KEY, minor INTEGER NOT NULL, currency TEXT NOT NULL))sql",
    R"sql(
  CREATE TABLE IF NOT EXISTS supplier_orders (
    party TEXT NOT NULL, number INTEGER NOT NULL, reference TEXT NOT NULL, sku TEXT NOT NULL,
    account TEXT NOT NULL, face_minor INTEGER NOT NULL, face_currency TEXT NOT NULL,
    cost_minor INTEGER NOT NULL, cost_currency TEXT NOT NULL, state TEXT NOT NULL,
    end_state TEXT NOT NULL, code TEXT NOT NULL, created_ms INTEGER NOT NULL,
    due_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL, takes_ms INTEGER NOT NULL,
    reversed_after_ms INTEGER NOT NULL, callbacks INTEGER NOT NULL,
    is_forged_first INTEGER NOT NULL, callback_url TEXT NOT NULL, pin_code TEXT NOT NULL,
    pin_serial TEXT NOT NULL, plant TEXT NOT NULL, PRIMARY KEY (party, number)))sql",
    R"sql(CREATE INDEX IF NOT EXISTS supplier_orders_reference
            ON supplier_orders (party, reference))sql",
    R"sql(CREATE INDEX IF NOT EXISTS supplier_orders_made
            ON supplier_orders (party, created_ms))sql",
    R"sql(
  CREATE TABLE IF NOT EXISTS supplier_callbacks (
    row_id INTEGER PRIMARY KEY, party TEXT NOT NULL, url TEXT NOT NULL,
    content_type TEXT NOT NULL, body TEXT NOT NULL, due_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL, is_owed INTEGER NOT NULL))sql",
};

constexpr std::string_view kOrderColumns = R"sql(
  SELECT number, reference, sku, account, face_minor, face_currency, cost_minor, cost_currency,
         state, end_state, code, created_ms, due_ms, ended_ms, takes_ms, reversed_after_ms,
         callbacks, is_forged_first, callback_url, pin_code, pin_serial, plant
    FROM supplier_orders WHERE party = $1 )sql";

constexpr std::string_view kCallbackColumns = R"sql(
  SELECT row_id, url, content_type, body, due_ms, attempts
    FROM supplier_callbacks WHERE party = $1 AND is_owed = 1 )sql";

Money money_of(const Row& row, int column) {
  const auto currency = parse_currency(row.text(column + 1));
  check(currency.has_value(), "the rehearsed book holds known currencies");
  return {row.integer(column), *currency};
}

SupplierOrder order_of(const Row& row) {
  SupplierOrder out;
  out.number = row.integer(0);
  out.reference = row.text(1);
  out.sku = row.text(2);
  out.account = row.text(3);
  out.face = money_of(row, 4);
  out.cost = money_of(row, 6);
  out.state = row.text(8);
  out.end = row.text(9);
  out.code = row.text(10);
  out.created_ms = row.integer(11);
  out.due_ms = row.integer(12);
  out.ended_ms = row.integer(13);
  out.takes_ms = row.integer(14);
  out.reversed_after_ms = row.integer(15);
  out.callbacks = static_cast<int>(row.integer(16));
  out.is_forged_first = row.integer(17) != 0;
  out.callback_url = row.text(18);
  out.pin_code = row.text(19);
  out.pin_serial = row.text(20);
  out.plant = row.text(21);
  return out;
}

OwedCallback callback_of(const Row& row) {
  return {row.integer(0), row.text(1),    row.text(2),
          row.text(3),    row.integer(4), static_cast<int>(row.integer(5))};
}

}  // namespace

void SupplierBook::create_tables(Tx& tx, Money first_balance) const {
  for (const auto sql : kTables) tx.exec(sql, {});
  tx.exec(R"sql(
    INSERT INTO supplier_wallets (party, minor, currency) VALUES ($1, $2, $3)
      ON CONFLICT (party) DO NOTHING)sql",
          {party_, first_balance.minor, to_word(first_balance.currency)});
}

Money SupplierBook::balance(Reader& reader) const {
  Money out;
  reader.query("SELECT minor, currency FROM supplier_wallets WHERE party = $1", {party_},
               [&](const Row& row) { out = money_of(row, 0); });
  return out;
}

void SupplierBook::set_balance(Tx& tx, std::int64_t minor) const {
  tx.exec("UPDATE supplier_wallets SET minor = $2 WHERE party = $1", {party_, minor});
}

std::int64_t SupplierBook::insert(Tx& tx, const SupplierOrder& order) const {
  std::int64_t number = 0;
  tx.query(R"sql(
    INSERT INTO supplier_orders (party, number, reference, sku, account, face_minor, face_currency,
        cost_minor, cost_currency, state, end_state, code, created_ms, due_ms, ended_ms, takes_ms,
        reversed_after_ms, callbacks, is_forged_first, callback_url, pin_code, pin_serial, plant)
      VALUES ($1, (SELECT COALESCE(MAX(number), $2) + 1 FROM supplier_orders WHERE party = $1),
              $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
              $21, $22, $23)
      RETURNING number)sql",
           {party_,
            kFirstNumber,
            order.reference,
            order.sku,
            order.account,
            order.face.minor,
            to_word(order.face.currency),
            order.cost.minor,
            to_word(order.cost.currency),
            order.state,
            order.end,
            order.code,
            order.created_ms,
            order.due_ms,
            order.ended_ms,
            order.takes_ms,
            order.reversed_after_ms,
            std::int64_t{order.callbacks},
            std::int64_t{order.is_forged_first},
            order.callback_url,
            order.pin_code,
            order.pin_serial,
            order.plant},
           [&](const Row& row) { number = row.integer(0); });
  return number;
}

void SupplierBook::save(Tx& tx, const SupplierOrder& order) const {
  tx.exec(R"sql(
    UPDATE supplier_orders SET state = $3, code = $4, due_ms = $5, ended_ms = $6
     WHERE party = $1 AND number = $2)sql",
          {party_, order.number, order.state, order.code, order.due_ms, order.ended_ms});
}

std::vector<SupplierOrder> SupplierBook::orders(
    Reader& reader, std::string_view rest, std::initializer_list<storage::Value> values) const {
  std::vector<SupplierOrder> out;
  reader.query(std::string(kOrderColumns) + std::string(rest), values,
               [&](const Row& row) { out.push_back(order_of(row)); });
  return out;
}

std::optional<SupplierOrder> SupplierBook::find(Reader& reader, std::int64_t number) const {
  auto found = orders(reader, "AND number = $2", {party_, number});
  if (found.empty()) return {};
  return std::move(found.front());
}

std::vector<SupplierOrder> SupplierBook::find_by_reference(Reader& reader,
                                                           std::string_view reference) const {
  return orders(reader, "AND reference = $2 ORDER BY number", {party_, reference});
}

std::vector<SupplierOrder> SupplierBook::unfinished(Reader& reader) const {
  return orders(reader,
                "AND (state IN ('processing', 'reserved') OR "
                "(state = 'succeeded' AND reversed_after_ms > 0)) ORDER BY due_ms",
                {party_});
}

std::vector<SupplierOrder> SupplierBook::made_between(Reader& reader, std::int64_t from_ms,
                                                      std::int64_t until_ms) const {
  return orders(reader, "AND created_ms >= $2 AND created_ms < $3 ORDER BY number",
                {party_, from_ms, until_ms});
}

std::int64_t SupplierBook::insert_callback(Tx& tx, const OwedCallback& callback) const {
  std::int64_t row_id = 0;
  tx.query(R"sql(
    INSERT INTO supplier_callbacks (party, url, content_type, body, due_ms, attempts, is_owed)
      VALUES ($1, $2, $3, $4, $5, 0, 1) RETURNING row_id)sql",
           {party_, callback.url, callback.content_type, callback.body, callback.due_ms},
           [&](const Row& row) { row_id = row.integer(0); });
  return row_id;
}

std::optional<OwedCallback> SupplierBook::find_callback(Reader& reader, std::int64_t row_id) const {
  std::optional<OwedCallback> out;
  reader.query(std::string(kCallbackColumns) + "AND row_id = $2", {party_, row_id},
               [&](const Row& row) { out = callback_of(row); });
  return out;
}

std::vector<OwedCallback> SupplierBook::owed_callbacks(Reader& reader) const {
  std::vector<OwedCallback> out;
  reader.query(std::string(kCallbackColumns) + "ORDER BY due_ms", {party_},
               [&](const Row& row) { out.push_back(callback_of(row)); });
  return out;
}

void SupplierBook::postpone_callback(Tx& tx, std::int64_t row_id, int attempts,
                                     std::int64_t due_ms) const {
  tx.exec("UPDATE supplier_callbacks SET attempts = $2, due_ms = $3 WHERE row_id = $1",
          {row_id, std::int64_t{attempts}, due_ms});
}

void SupplierBook::end_callback(Tx& tx, std::int64_t row_id) const {
  tx.exec("UPDATE supplier_callbacks SET is_owed = 0 WHERE row_id = $1", {row_id});
}

}  // namespace topup::rehearsal
