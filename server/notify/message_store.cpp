#include "server/notify/message_store.h"

#include "server/base/id_time.h"

namespace topup::notify::message_store {
namespace {

constexpr std::string_view kAfterEveryId = "ZZZZZZZZZZZZZZZZZZZZZZZZZZZ";

Message read_message(const storage::Row& row) {
  Message message;
  message.id = row.text(0);
  message.user = UserId(row.text(1));
  message.order = OrderId(row.text(2));
  message.topic = row.text(3);
  message.way = row.text(4);
  message.state = row.text(5);
  message.template_id = row.text(6);
  message.party_id = row.text(7);
  message.code = row.text(8);
  message.tries = row.integer(9);
  message.read_at_ms = row.integer(10);
  message.created_at_ms = row.integer(11);
  message.updated_at_ms = row.integer(12);
  return message;
}

std::int64_t count_of(storage::Reader& reader, std::string_view sql,
                      std::initializer_list<storage::Value> values) {
  std::int64_t count = 0;
  reader.query(sql, values, [&count](const storage::Row& row) { count = row.integer(0); });
  return count;
}

ShippingReport read_report(const storage::Row& row) {
  return {OutTradeNo(row.text(0)), OrderId(row.text(1)), row.text(2),   row.text(3),
          row.integer(4),          row.integer(5),       row.integer(6)};
}

}  // namespace

bool insert(storage::Tx& tx, const Message& message) {
  return tx.exec(R"sql(
    INSERT INTO messages (message_id, user_id, order_id, topic, way, state, template_id, party_id, code, created_at_ms,
                          updated_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, '', '', '', $7, $7) ON CONFLICT (order_id, topic) DO NOTHING)sql",
                 {message.id, message.user.text, message.order.text, message.topic, message.way,
                  message.state, message.created_at_ms}) == 1;
}

void show_again(storage::Tx& tx, const OrderId& order, std::string_view topic,
                std::int64_t now_ms) {
  tx.exec(R"sql(
    UPDATE messages SET read_at_ms = 0, created_at_ms = $3, updated_at_ms = $3
     WHERE order_id = $1 AND topic = $2)sql",
          {order.text, topic, now_ms});
}

std::optional<Message> find(storage::Reader& reader, const std::string& id) {
  std::optional<Message> message;
  reader.query(R"sql(
    SELECT message_id, user_id, order_id, topic, way, state, template_id, party_id, code, tries, read_at_ms,
           created_at_ms, updated_at_ms
      FROM messages WHERE message_id = $1)sql",
               {id}, [&message](const storage::Row& row) { message = read_message(row); });
  return message;
}

void save(storage::Tx& tx, const Message& message) {
  tx.exec(R"sql(
    UPDATE messages SET way = $2, state = $3, template_id = $4, party_id = $5, code = $6, tries = $7,
           updated_at_ms = $8
     WHERE message_id = $1)sql",
          {message.id, message.way, message.state, message.template_id, message.party_id,
           message.code, message.tries, message.updated_at_ms});
}

std::vector<Message> of_user(storage::Reader& reader, const UserId& user, std::string_view before,
                             std::int64_t limit) {
  std::vector<Message> messages;
  reader.query(R"sql(
    SELECT message_id, user_id, order_id, topic, way, state, template_id, party_id, code, tries, read_at_ms,
           created_at_ms, updated_at_ms
      FROM messages WHERE user_id = $1 AND message_id < $2 ORDER BY message_id DESC LIMIT $3)sql",
               {user.text, before.empty() ? kAfterEveryId : before, limit},
               [&messages](const storage::Row& row) { messages.push_back(read_message(row)); });
  return messages;
}

std::vector<Message> of_order(storage::Reader& reader, const OrderId& order) {
  std::vector<Message> messages;
  reader.query(R"sql(
    SELECT message_id, user_id, order_id, topic, way, state, template_id, party_id, code, tries, read_at_ms,
           created_at_ms, updated_at_ms
      FROM messages WHERE order_id = $1 ORDER BY message_id LIMIT 50)sql",
               {order.text},
               [&messages](const storage::Row& row) { messages.push_back(read_message(row)); });
  return messages;
}

bool mark_read(storage::Tx& tx, const UserId& user, std::string_view id, std::int64_t now_ms) {
  return tx.exec(R"sql(
    UPDATE messages SET read_at_ms = CASE WHEN read_at_ms = 0 THEN $3 ELSE read_at_ms END
     WHERE message_id = $1 AND user_id = $2)sql",
                 {id, user.text, now_ms}) == 1;
}

std::int64_t sms_since(storage::Reader& reader, const UserId& user, std::int64_t since_ms) {
  return count_of(reader,
                  "SELECT COUNT(*) FROM messages WHERE user_id = $1 AND message_id >= $2 AND way = "
                  "'sms'",
                  {user.text, base::id_time(since_ms)});
}

std::int64_t all_sms_since(storage::Reader& reader, std::int64_t since_ms) {
  return count_of(reader, "SELECT COUNT(*) FROM messages WHERE way = 'sms' AND message_id >= $1",
                  {base::id_time(since_ms)});
}

void accept(storage::Tx& tx, const UserId& user, std::string_view template_id,
            std::int64_t now_ms) {
  tx.exec(R"sql(
    INSERT INTO message_quotas (user_id, template_id, accepted, updated_at_ms) VALUES ($1, $2, 1, $3)
    ON CONFLICT (user_id, template_id) DO UPDATE
       SET accepted = CASE WHEN message_quotas.accepted < $4 THEN message_quotas.accepted + 1
                           ELSE message_quotas.accepted END, updated_at_ms = $3)sql",
          {user.text, template_id, now_ms, kMaxQuota});
}

std::int64_t quota(storage::Reader& reader, const UserId& user, std::string_view template_id) {
  return count_of(reader,
                  "SELECT accepted FROM message_quotas WHERE user_id = $1 AND template_id = $2",
                  {user.text, template_id});
}

bool spend_quota(storage::Tx& tx, const UserId& user, std::string_view template_id,
                 std::int64_t now_ms) {
  return tx.exec(R"sql(
    UPDATE message_quotas SET accepted = accepted - 1, updated_at_ms = $3
     WHERE user_id = $1 AND template_id = $2 AND accepted > 0)sql",
                 {user.text, template_id, now_ms}) == 1;
}

void clear_quota(storage::Tx& tx, const UserId& user, std::string_view template_id,
                 std::int64_t now_ms) {
  tx.exec(R"sql(
    UPDATE message_quotas SET accepted = 0, updated_at_ms = $3
     WHERE user_id = $1 AND template_id = $2)sql",
          {user.text, template_id, now_ms});
}

bool insert_report(storage::Tx& tx, const ShippingReport& report) {
  return tx.exec(R"sql(
    INSERT INTO shipping_reports (out_trade_no, order_id, state, code, created_at_ms, updated_at_ms)
    VALUES ($1, $2, $3, '', $4, $4) ON CONFLICT (out_trade_no) DO NOTHING)sql",
                 {report.out_trade_no.text, report.order.text, report.state,
                  report.created_at_ms}) == 1;
}

std::optional<ShippingReport> find_report(storage::Reader& reader, const OutTradeNo& no) {
  std::optional<ShippingReport> report;
  reader.query(R"sql(
    SELECT out_trade_no, order_id, state, code, tries, created_at_ms, updated_at_ms
      FROM shipping_reports WHERE out_trade_no = $1)sql",
               {no.text}, [&report](const storage::Row& row) { report = read_report(row); });
  return report;
}

std::vector<ShippingReport> reports_of(storage::Reader& reader, const OrderId& order) {
  std::vector<ShippingReport> reports;
  reader.query(R"sql(
    SELECT out_trade_no, order_id, state, code, tries, created_at_ms, updated_at_ms
      FROM shipping_reports WHERE order_id = $1 ORDER BY out_trade_no LIMIT 50)sql",
               {order.text},
               [&reports](const storage::Row& row) { reports.push_back(read_report(row)); });
  return reports;
}

void save_report(storage::Tx& tx, const ShippingReport& report) {
  tx.exec(
      R"sql(
    UPDATE shipping_reports SET state = $2, code = $3, tries = $4, updated_at_ms = $5
     WHERE out_trade_no = $1)sql",
      {report.out_trade_no.text, report.state, report.code, report.tries, report.updated_at_ms});
}

}  // namespace topup::notify::message_store
