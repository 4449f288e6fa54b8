#include "server/suppliers/pin_store.h"

#include <utility>

#include "server/suppliers/supplier_store.h"
#include "shared/check.h"

namespace topup::suppliers::pin_store {
namespace {

constexpr std::string_view kTable = "pin_stock";
constexpr std::int64_t kMostOfOrder = 20;

PinProduct read_product(const storage::Row& row) {
  PinProduct product;
  product.sku = row.text(0);
  product.country = row.text(1);
  product.operator_name = row.text(2);
  product.name = row.text(3);
  product.face = {row.integer(4), parse_currency(row.text(5)).value_or(Currency::cny)};
  product.cost = {row.integer(6), parse_currency(row.text(7)).value_or(Currency::cny)};
  product.validity_days = static_cast<std::uint32_t>(row.integer(8));
  return product;
}

// One that nobody has, or whose hold is over, and that is still good; the first to expire first.
constexpr std::string_view kFree = R"sql(
  SELECT pin_id FROM pin_stock
   WHERE sku = $1 AND (state = 'available' OR (state = 'held' AND held_until_ms <= $2))
     AND (expires_at_ms = 0 OR expires_at_ms > $2)
   ORDER BY CASE WHEN expires_at_ms = 0 THEN 1 ELSE 0 END, expires_at_ms, pin_id LIMIT 1)sql";

std::string first_free(storage::Reader& reader, std::string_view sku, std::int64_t now_ms) {
  std::string found;
  reader.query(kFree, {sku, now_ms}, [&found](const storage::Row& row) { found = row.text(0); });
  return found;
}

// One that has ended meanwhile is held for nobody.
std::string held_for(storage::Reader& reader, std::string_view sku, const OrderId& order,
                     std::int64_t now_ms) {
  std::string found;
  reader.query(R"sql(
    SELECT pin_id FROM pin_stock WHERE order_id = $1 AND sku = $2 AND state = 'held'
       AND (expires_at_ms = 0 OR expires_at_ms > $3) LIMIT 1)sql",
               {order.text, sku, now_ms},
               [&found](const storage::Row& row) { found = row.text(0); });
  return found;
}

// Whoever stood still since it was asked for this PIN finds the money given back: in the same
// transaction, so that no PIN is spent for nothing.
bool is_given_up(storage::Reader& reader, const AttemptId& attempt) {
  return reader.query("SELECT 1 FROM supplier_attempts WHERE attempt_id = $1 AND state IN ($2, $3)",
                      {attempt.text, supply_state::kRejected, supply_state::kReversed},
                      [](const storage::Row&) {}) > 0;
}

}  // namespace

void save_product(storage::Tx& tx, const PinProduct& product, std::string_view by,
                  std::int64_t now_ms) {
  tx.exec(R"sql(
    INSERT INTO pin_products (sku, country, operator_name, name, face_minor, face_currency, cost_minor, cost_currency,
                              validity_days, added_by, added_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    ON CONFLICT (sku) DO UPDATE
       SET operator_name = excluded.operator_name, name = excluded.name, cost_minor = excluded.cost_minor,
           cost_currency = excluded.cost_currency, validity_days = excluded.validity_days)sql",
          {product.sku, product.country, product.operator_name, product.name, product.face.minor,
           to_word(product.face.currency), product.cost.minor, to_word(product.cost.currency),
           std::int64_t{product.validity_days}, by, now_ms});
}

std::vector<PinProduct> products(storage::Reader& reader, std::string_view country) {
  std::vector<PinProduct> found;
  reader.query(R"sql(
    SELECT sku, country, operator_name, name, face_minor, face_currency, cost_minor, cost_currency, validity_days
      FROM pin_products WHERE $1 = '' OR country = $1 ORDER BY sku LIMIT 5000)sql",
               {country},
               [&found](const storage::Row& row) { found.push_back(read_product(row)); });
  return found;
}

std::optional<PinProduct> find_product(storage::Reader& reader, std::string_view sku) {
  std::optional<PinProduct> found;
  reader.query(R"sql(
    SELECT sku, country, operator_name, name, face_minor, face_currency, cost_minor, cost_currency, validity_days
      FROM pin_products WHERE sku = $1)sql",
               {sku}, [&found](const storage::Row& row) { found = read_product(row); });
  return found;
}

bool add(storage::Tx& tx, const privacy::Pii& pii, const NewPin& pin, std::int64_t now_ms) {
  const bool is_delivered = !pin.order.empty();
  const std::string code = pii.seal(kTable, "code_sealed", pin.id, pin.pin.code);
  const std::string serial = pii.seal(kTable, "serial_sealed", pin.id, pin.pin.serial);
  const std::string index = pii.blind_index("pin", pin.pin.code);
  return tx.exec(R"sql(
    INSERT INTO pin_stock (pin_id, sku, state, code_sealed, serial_sealed, code_index, source, order_id, attempt_id,
                           expires_at_ms, added_by, added_at_ms, delivered_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    ON CONFLICT (code_index) DO NOTHING)sql",
                 {pin.id, pin.sku, is_delivered ? "delivered" : "available", code, serial, index,
                  pin.source, pin.order.text, pin.attempt.text, pin.pin.expires_at_ms, pin.added_by,
                  now_ms, is_delivered ? now_ms : std::int64_t{0}}) == 1;
}

std::vector<PinCount> counts(storage::Reader& reader, std::int64_t now_ms) {
  std::vector<PinCount> found;
  reader.query(R"sql(
    SELECT sku,
           SUM(CASE WHEN (state = 'available' OR (state = 'held' AND held_until_ms <= $1))
                     AND (expires_at_ms = 0 OR expires_at_ms > $1) THEN 1 ELSE 0 END),
           SUM(CASE WHEN state = 'held' AND held_until_ms > $1 THEN 1 ELSE 0 END),
           SUM(CASE WHEN state = 'delivered' THEN 1 ELSE 0 END)
      FROM pin_stock GROUP BY sku ORDER BY sku LIMIT 5000)sql",
               {now_ms}, [&found](const storage::Row& row) {
                 found.push_back({row.text(0), row.integer(1), row.integer(2), row.integer(3)});
               });
  return found;
}

bool hold(storage::Tx& tx, std::string_view sku, const OrderId& order, std::int64_t until_ms,
          std::int64_t now_ms) {
  std::string pin = held_for(tx, sku, order, now_ms);
  if (pin.empty()) pin = first_free(tx, sku, now_ms);
  if (pin.empty()) return false;
  tx.exec(
      "UPDATE pin_stock SET state = 'held', order_id = $2, held_until_ms = $3 WHERE pin_id = $1",
      {pin, order.text, until_ms});
  return true;
}

void release(storage::Tx& tx, const OrderId& order) {
  tx.exec(R"sql(
    UPDATE pin_stock SET state = 'available', order_id = '', held_until_ms = 0
     WHERE order_id = $1 AND state = 'held')sql",
          {order.text});
}

bool take(storage::Tx& tx, std::string_view sku, const OrderId& order, const AttemptId& attempt,
          std::int64_t now_ms) {
  if (was_taken(tx, attempt)) return true;
  if (is_given_up(tx, attempt)) return false;
  std::string pin = held_for(tx, sku, order, now_ms);
  if (pin.empty()) pin = first_free(tx, sku, now_ms);
  if (pin.empty()) return false;
  tx.exec(R"sql(
    UPDATE pin_stock SET state = 'delivered', order_id = $2, attempt_id = $3, held_until_ms = 0, delivered_at_ms = $4
     WHERE pin_id = $1)sql",
          {pin, order.text, attempt.text, now_ms});
  return true;
}

bool was_taken(storage::Reader& reader, const AttemptId& attempt) {
  return reader.query("SELECT 1 FROM pin_stock WHERE attempt_id = $1 LIMIT 1", {attempt.text},
                      [](const storage::Row&) {}) > 0;
}

std::optional<PinProduct> product_taken_by(storage::Reader& reader, const AttemptId& attempt) {
  std::optional<std::string> sku;
  reader.query("SELECT sku FROM pin_stock WHERE attempt_id = $1 LIMIT 1", {attempt.text},
               [&sku](const storage::Row& row) { sku = row.text(0); });
  if (!sku) return std::nullopt;
  auto product = find_product(reader, *sku);
  check(product.has_value(), "a PIN is of a product, which is never removed");
  return product;
}

Result<std::vector<Pin>> delivered(storage::Reader& reader, const privacy::Pii& pii,
                                   const OrderId& order) {
  struct Sealed {
    std::string id, code, serial;
    std::int64_t expires_at_ms;
  };
  std::vector<Sealed> rows;
  reader.query(R"sql(
    SELECT pin_id, code_sealed, serial_sealed, expires_at_ms FROM pin_stock
     WHERE order_id = $1 AND state = 'delivered' ORDER BY pin_id LIMIT $2)sql",
               {order.text, kMostOfOrder}, [&rows](const storage::Row& row) {
                 rows.push_back({row.text(0), row.text(1), row.text(2), row.integer(3)});
               });
  std::vector<Pin> pins;
  for (const Sealed& row : rows) {
    auto code = pii.open(kTable, "code_sealed", row.id, row.code);
    if (!code) return tl::unexpected<Error>(code.error());
    auto serial = pii.open(kTable, "serial_sealed", row.id, row.serial);
    if (!serial) return tl::unexpected<Error>(serial.error());
    pins.push_back({std::move(*code), std::move(*serial), row.expires_at_ms});
  }
  return pins;
}

int mark_revealed(storage::Tx& tx, const OrderId& order, std::int64_t now_ms) {
  return tx.exec(R"sql(
    UPDATE pin_stock SET revealed_at_ms = $2
     WHERE order_id = $1 AND state = 'delivered' AND revealed_at_ms = 0)sql",
                 {order.text, now_ms});
}

}  // namespace topup::suppliers::pin_store
