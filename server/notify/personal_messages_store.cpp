#include "server/notify/personal_messages_store.h"

namespace topup::notify {
namespace {

using base::Json;
using privacy::Persons;

constexpr std::int64_t kMaxMessagesTold = 5'000;

Json tell(storage::Reader& reader, const Persons& persons) {
  Json inbox = Json::array(), subscriptions = Json::array();
  for (const UserId& user : persons) {
    reader.query(R"sql(
      SELECT order_id, topic, way, state, created_at_ms, read_at_ms FROM messages
       WHERE user_id = $1 ORDER BY message_id DESC LIMIT $2)sql",
                 {user.text, kMaxMessagesTold}, [&inbox](const storage::Row& row) {
                   inbox.push_back({{"order_id", row.text(0)},
                                    {"topic", row.text(1)},
                                    {"way", row.text(2)},
                                    {"state", row.text(3)},
                                    {"created_at_ms", row.integer(4)},
                                    {"read_at_ms", row.integer(5)}});
                 });
    reader.query(R"sql(
      SELECT template_id, accepted, updated_at_ms FROM message_quotas
       WHERE user_id = $1 ORDER BY template_id)sql",
                 {user.text}, [&subscriptions](const storage::Row& row) {
                   subscriptions.push_back({{"template_id", row.text(0)},
                                            {"accepted", row.integer(1)},
                                            {"updated_at_ms", row.integer(2)}});
                 });
  }
  return {{"inbox", std::move(inbox)}, {"subscriptions", std::move(subscriptions)}};
}

std::int64_t erase(storage::Tx& tx, const Persons& persons) {
  std::int64_t removed = 0;
  for (const UserId& user : persons) {
    removed += tx.exec("DELETE FROM messages WHERE user_id = $1", {user.text});
    removed += forget_subscriptions(tx, user);
  }
  return removed;
}

}  // namespace

int forget_subscriptions(storage::Tx& tx, const UserId& user) {
  return tx.exec("DELETE FROM message_quotas WHERE user_id = $1", {user.text});
}

privacy::Holder messages_holder() {
  privacy::Holder holder;
  holder.name = "messages";
  holder.tables = {"messages", "message_quotas"};
  holder.tell = tell;
  holder.erase = erase;
  return holder;
}

}  // namespace topup::notify
