#include "server/orders/error_account_store.h"

#include "shared/check.h"

namespace topup::orders::error_account_store {
namespace {

ErrorAccount read_account(const storage::Row& row) {
  const auto currency = parse_currency(row.text(4));
  check(currency.has_value(), "a stored currency is one we know");
  return {OrderId(row.text(0)), row.text(1),    row.text(2),    {row.integer(3), *currency},
          row.text(5),          row.integer(6), row.integer(7), row.text(8)};
}

}  // namespace

void open(storage::Tx& tx, const ErrorAccount& account) {
  tx.exec(R"sql(
    INSERT INTO error_accounts (order_id, cause, party, amount_minor, amount_currency, state, opened_at_ms)
    VALUES ($1, $2, $3, $4, $5, 'open', $6)
    ON CONFLICT (order_id) DO UPDATE
       SET cause = excluded.cause, party = excluded.party, amount_minor = excluded.amount_minor,
           amount_currency = excluded.amount_currency, state = 'open',
           opened_at_ms = excluded.opened_at_ms, closed_at_ms = 0, closed_by = ''
     WHERE error_accounts.state = 'closed')sql",
          {account.order.text, account.cause, account.party, account.amount.minor,
           to_word(account.amount.currency), account.opened_at_ms});
}

void close(storage::Tx& tx, const OrderId& order, std::string_view by, std::int64_t now_ms) {
  tx.exec(R"sql(
    UPDATE error_accounts SET state = 'closed', closed_at_ms = $2, closed_by = $3
     WHERE order_id = $1 AND state = 'open')sql",
          {order.text, now_ms, by});
}

std::optional<ErrorAccount> find(storage::Reader& reader, const OrderId& order) {
  std::optional<ErrorAccount> found;
  reader.query(R"sql(
    SELECT order_id, cause, party, amount_minor, amount_currency, state, opened_at_ms, closed_at_ms, closed_by
      FROM error_accounts WHERE order_id = $1)sql",
               {order.text}, [&found](const storage::Row& row) { found = read_account(row); });
  return found;
}

const std::string& list_sql(bool in_one_state) {
  const auto text = [](std::string_view state) {
    return "SELECT order_id, cause, party, amount_minor, amount_currency, state, opened_at_ms,"
           " closed_at_ms, closed_by FROM error_accounts WHERE " +
           std::string(state) + " AND order_id > $2 ORDER BY order_id LIMIT $3";
  };
  static const std::string of_state = text("state = $1");
  static const std::string all = text("$1 = ''");
  return in_one_state ? of_state : all;
}

std::vector<ErrorAccount> list(storage::Reader& reader, std::string_view state,
                               std::string_view after, std::int64_t limit) {
  std::vector<ErrorAccount> found;
  reader.query(list_sql(!state.empty()), {state, after, limit},
               [&found](const storage::Row& row) { found.push_back(read_account(row)); });
  return found;
}

}  // namespace topup::orders::error_account_store
