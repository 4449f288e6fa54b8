#include "server/privacy/data_request_store.h"

namespace topup::privacy::data_request_store {

std::vector<UserId> merged_into(storage::Reader& reader, const UserId& user) {
  std::vector<UserId> found;
  reader.query("SELECT user_id FROM merged_users WHERE into_user_id = $1 ORDER BY user_id",
               {user.text}, [&found](const storage::Row& row) { found.emplace_back(row.text(0)); });
  return found;
}

void insert_erased(storage::Tx& tx, const UserId& user, std::int64_t now_ms, std::int64_t removed) {
  tx.exec(R"sql(
    INSERT INTO erased_users (user_id, erased_at_ms, removed) VALUES ($1, $2, $3)
    ON CONFLICT (user_id) DO NOTHING)sql",
          {user.text, now_ms, removed});
}

}  // namespace topup::privacy::data_request_store
