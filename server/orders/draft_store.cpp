#include "server/orders/draft_store.h"

namespace topup::orders::draft_store {

std::string key_of(const UserId& user, std::string_view list) {
  return user.text + ":" + std::string(list);
}

std::optional<StoredList> find(storage::Reader& reader, const UserId& user, std::string_view list) {
  std::optional<StoredList> found;
  const std::string key = key_of(user, list);
  reader.query("SELECT items_sealed, revision FROM sync_lists WHERE list_key = $1", {key},
               [&found](const storage::Row& row) {
                 found = StoredList{row.text(0), row.integer(1)};
               });
  return found;
}

void insert(storage::Tx& tx, const UserId& user, std::string_view list, const StoredList& fresh,
            std::int64_t now_ms) {
  const std::string key = key_of(user, list);
  tx.exec(R"sql(
    INSERT INTO sync_lists (list_key, user_id, list, revision, items_sealed, changed_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6))sql",
          {key, user.text, list, fresh.revision, fresh.sealed, now_ms});
}

bool replace(storage::Tx& tx, const UserId& user, std::string_view list, const StoredList& fresh,
             std::int64_t was, std::int64_t now_ms) {
  const std::string key = key_of(user, list);
  return tx.exec(R"sql(
    UPDATE sync_lists SET revision = $3, items_sealed = $4, changed_at_ms = $5
     WHERE list_key = $1 AND revision = $2)sql",
                 {key, was, fresh.revision, fresh.sealed, now_ms}) == 1;
}

int forget_before(storage::Tx& tx, std::int64_t before_ms) {
  return tx.exec("DELETE FROM sync_lists WHERE changed_at_ms < $1", {before_ms});
}

int forget_user(storage::Tx& tx, const UserId& user) {
  return tx.exec("DELETE FROM sync_lists WHERE user_id = $1", {user.text});
}

}  // namespace topup::orders::draft_store
