#include "server/orders/personal_orders_store.h"

#include <string>

#include "server/orders/order_store.h"
#include "server/payments/payment_store.h"
#include "shared/order_state.h"

namespace topup::orders {
namespace {

using base::Json;
using privacy::Persons;

constexpr std::size_t kMaxQuoteBytes = 64 * 1024;

Json payments_of(storage::Reader& reader, const OrderId& order) {
  Json out = Json::array();
  for (const payments::Attempt& one : payments::payment_store::attempts_of(reader, order)) {
    out.push_back({{"out_trade_no", one.out_trade_no.text},
                   {"channel", one.channel},
                   {"state", one.state},
                   {"amount", base::money_out(one.amount)},
                   {"transaction_id", one.transaction_id},
                   {"created_at_ms", one.created_at_ms}});
  }
  return out;
}

Json refunds_of(storage::Reader& reader, const OrderId& order) {
  Json out = Json::array();
  for (const payments::Refund& one : payments::payment_store::refunds_of(reader, order)) {
    out.push_back({{"out_refund_no", one.out_refund_no.text},
                   {"state", one.state},
                   {"amount", base::money_out(one.amount)},
                   {"reason", one.reason},
                   {"created_at_ms", one.created_at_ms}});
  }
  return out;
}

Json order_of(storage::Reader& reader, const privacy::Pii& pii, const Order& order) {
  const auto account = pii.open("orders", "account_sealed", order.id.text, order.account_sealed);
  Json events = Json::array();
  for (const OrderEvent& event : order_store::events_of(reader, order.id))
    events.push_back({{"state", event.to_state}, {"event", event.event}, {"at_ms", event.at_ms}});
  return {{"order_id", order.id.text},
          {"account", account ? *account : order.account_masked},
          {"state", to_word(order.state)},
          {"product_id", order.product.text},
          {"operator", order.operator_name_zh},
          {"face", base::money_out(order.face)},
          {"payable", base::money_out(order.payable)},
          {"delivered", base::money_out(order.delivered)},
          {"created_at_ms", order.created_at_ms},
          {"events", std::move(events)},
          {"payments", payments_of(reader, order.id)},
          {"refunds", refunds_of(reader, order.id)}};
}

std::int64_t count(storage::Reader& reader, std::string_view sql, const UserId& user) {
  std::int64_t found = 0;
  reader.query(sql, {user.text}, [&found](const storage::Row& row) { found = row.integer(0); });
  return found;
}

Json tell(storage::Reader& reader, const privacy::Pii& pii, const Persons& persons) {
  Json orders = Json::array();
  std::int64_t all = 0;
  for (const UserId& user : persons) {
    all += count(reader, "SELECT COUNT(*) FROM orders WHERE user_id = $1", user);
    order_store::Selection own;
    own.user = user;
    for (const Order& order : order_store::list(reader, own, OrderId(), kMaxOrdersTold))
      orders.push_back(order_of(reader, pii, order));
  }
  const std::int64_t left_out = all - static_cast<std::int64_t>(orders.size());
  return {{"list", std::move(orders)}, {"left_out", left_out}};
}

std::vector<privacy::Obstacle> obstacles(storage::Reader& reader, const Persons& persons) {
  privacy::Obstacle open{"orders_open", 0}, refunds{"refunds_open", 0}, wishes{"wishes_open", 0};
  for (const UserId& user : persons) {
    open.count += count(reader, R"sql(
      SELECT COUNT(*) FROM orders
       WHERE user_id = $1 AND state NOT IN ('succeeded', 'refunded', 'closed'))sql",
                        user);
    refunds.count += count(reader, R"sql(
      SELECT COUNT(*) FROM refunds r JOIN orders o ON o.order_id = r.order_id
       WHERE o.user_id = $1 AND r.state IN ('requested', 'processing', 'refused'))sql",
                           user);
    wishes.count += count(reader, R"sql(
      SELECT COUNT(*) FROM work_items w JOIN orders o ON o.order_id = w.order_id
       WHERE o.user_id = $1 AND w.state = 'open')sql",
                          user);
  }
  return {open, refunds, wishes};
}

// The stored quote shows the number once more, masked.
std::string quote_without_number(const std::string& text) {
  auto quote = base::json_in(text, kMaxQuoteBytes);
  if (!quote || !quote->is_object()) return "{}";
  if (quote->contains("account_masked")) (*quote)["account_masked"] = "";
  return quote->dump();
}

std::int64_t erase_order(storage::Tx& tx, const privacy::Pii& pii, const std::string& id,
                         const std::string& quote) {
  const std::string nothing = pii.seal("orders", "account_sealed", id, "");
  const std::string bare = quote_without_number(quote);
  tx.exec(R"sql(
    UPDATE orders SET account_sealed = $2, account_masked = '', account_index = '',
                      tail_index = '', quote = $3
     WHERE order_id = $1)sql",
          {id, nothing, bare});
  std::vector<std::string> notes;
  tx.query("SELECT note_id FROM order_notes WHERE order_id = $1", {id},
           [&notes](const storage::Row& row) { notes.push_back(row.text(0)); });
  for (const std::string& note : notes) {
    const std::string empty = pii.seal("order_notes", "text_sealed", note, "");
    tx.exec("UPDATE order_notes SET text_sealed = $2 WHERE note_id = $1", {note, empty});
  }
  return 1 + static_cast<std::int64_t>(notes.size());
}

std::int64_t erase(storage::Tx& tx, const privacy::Pii& pii, const Persons& persons) {
  std::int64_t changed = 0;
  for (const UserId& user : persons) {
    std::vector<std::pair<std::string, std::string>> orders;
    tx.query("SELECT order_id, quote FROM orders WHERE user_id = $1", {user.text},
             [&orders](const storage::Row& row) { orders.emplace_back(row.text(0), row.text(1)); });
    for (const auto& [id, quote] : orders) changed += erase_order(tx, pii, id, quote);
  }
  return changed;
}

}  // namespace

privacy::Holder orders_holder(const privacy::Pii& pii) {
  privacy::Holder holder;
  holder.name = "orders";
  holder.tables = {"orders", "order_notes"};
  holder.tell = [&pii](storage::Reader& reader, const Persons& persons) {
    return tell(reader, pii, persons);
  };
  holder.obstacles = obstacles;
  holder.erase = [&pii](storage::Tx& tx, const Persons& persons) {
    return erase(tx, pii, persons);
  };
  return holder;
}

}  // namespace topup::orders
