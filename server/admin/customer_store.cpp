#include "server/admin/customer_store.h"

#include <algorithm>

namespace topup::admin::customer_store {
namespace {

constexpr std::string_view kAfterEveryId = "~";

constexpr std::string_view kAll = R"sql(
  SELECT u.user_id, u.created_at_ms, u.frozen_at_ms, '' FROM users u
   WHERE u.user_id < $1
     AND NOT EXISTS (SELECT 1 FROM merged_users m WHERE m.user_id = u.user_id)
   ORDER BY u.user_id DESC LIMIT $2)sql";
constexpr std::string_view kFrozen = R"sql(
  SELECT u.user_id, u.created_at_ms, u.frozen_at_ms, '' FROM users u
   WHERE u.user_id < $1 AND u.frozen_at_ms > 0
     AND NOT EXISTS (SELECT 1 FROM merged_users m WHERE m.user_id = u.user_id)
   ORDER BY u.user_id DESC LIMIT $2)sql";
constexpr std::string_view kGuest = R"sql(
  SELECT u.user_id, u.created_at_ms, u.frozen_at_ms, '' FROM users u
   WHERE u.user_id < $1
     AND NOT EXISTS (SELECT 1 FROM merged_users m WHERE m.user_id = u.user_id)
     AND NOT EXISTS (SELECT 1 FROM identities i WHERE i.user_id = u.user_id)
   ORDER BY u.user_id DESC LIMIT $2)sql";
constexpr std::string_view kPhone = R"sql(
  SELECT u.user_id, u.created_at_ms, u.frozen_at_ms, ''
    FROM (SELECT user_id FROM identities WHERE kind = 'phone' AND user_id < $1
           ORDER BY user_id DESC LIMIT $2) AS i
    JOIN users u ON u.user_id = i.user_id ORDER BY u.user_id DESC)sql";
constexpr std::string_view kWechat = R"sql(
  SELECT u.user_id, u.created_at_ms, u.frozen_at_ms, ''
    FROM (SELECT user_id FROM (SELECT user_id FROM identities
                                WHERE kind = 'wechat_mini' AND user_id < $1
                                ORDER BY user_id DESC LIMIT $2) AS mini
           UNION
          SELECT user_id FROM (SELECT user_id FROM identities
                                WHERE kind = 'wechat_oa' AND user_id < $1
                                ORDER BY user_id DESC LIMIT $2) AS oa) AS i
    JOIN users u ON u.user_id = i.user_id ORDER BY u.user_id DESC LIMIT $2)sql";

Customer read_customer(const storage::Row& row) {
  return {UserId(row.text(0)), row.integer(1), row.integer(2), UserId(row.text(3))};
}

std::vector<UserId> users_of(storage::Reader& reader, std::string_view sql,
                             std::initializer_list<storage::Value> values) {
  std::vector<UserId> users;
  reader.query(sql, values, [&users](const storage::Row& row) {
    const UserId user(row.text(0));
    if (std::find(users.begin(), users.end(), user) == users.end()) users.push_back(user);
  });
  return users;
}

}  // namespace

std::optional<Customer> find(storage::Reader& reader, const UserId& user) {
  std::optional<Customer> found;
  reader.query(R"sql(
    SELECT u.user_id, u.created_at_ms, u.frozen_at_ms,
           COALESCE((SELECT m.into_user_id FROM merged_users m WHERE m.user_id = u.user_id), '')
      FROM users u WHERE u.user_id = $1)sql",
               {user.text}, [&found](const storage::Row& row) { found = read_customer(row); });
  return found;
}

std::string_view list_sql(CustomerList wanted) {
  switch (wanted) {
    case CustomerList::frozen:
      return kFrozen;
    case CustomerList::guest:
      return kGuest;
    case CustomerList::wechat:
      return kWechat;
    case CustomerList::phone:
      return kPhone;
    case CustomerList::all:
      break;
  }
  return kAll;
}

std::vector<Customer> list(storage::Reader& reader, CustomerList wanted, const UserId& before,
                           std::int64_t limit) {
  std::vector<Customer> found;
  const std::string_view upto = before.empty() ? kAfterEveryId : std::string_view(before.text);
  reader.query(list_sql(wanted), {upto, limit},
               [&found](const storage::Row& row) { found.push_back(read_customer(row)); });
  return found;
}

std::vector<UserId> by_tail(storage::Reader& reader, std::string_view tail_index,
                            std::int64_t limit) {
  return users_of(reader, R"sql(
    SELECT user_id FROM identities WHERE tail_index = $1 AND tail_index <> ''
     ORDER BY user_id DESC LIMIT $2)sql",
                  {tail_index, limit});
}

std::vector<UserId> by_identity(storage::Reader& reader, std::string_view kind,
                                std::string_view app, std::string_view subject_index) {
  return users_of(reader, R"sql(
    SELECT user_id FROM identities WHERE kind = $1 AND app = $2 AND subject_index = $3)sql",
                  {kind, app, subject_index});
}

std::vector<UserId> by_order_account(storage::Reader& reader, std::string_view account_index,
                                     std::int64_t limit) {
  return users_of(reader, R"sql(
    SELECT user_id FROM orders WHERE account_index = $1 ORDER BY order_id DESC LIMIT $2)sql",
                  {account_index, limit});
}

std::vector<UserId> by_order_tail(storage::Reader& reader, std::string_view tail_index,
                                  std::int64_t limit) {
  return users_of(reader, R"sql(
    SELECT user_id FROM orders WHERE tail_index = $1 ORDER BY order_id DESC LIMIT $2)sql",
                  {tail_index, limit});
}

OrderFigures orders_of(storage::Reader& reader, const UserId& user) {
  OrderFigures figures;
  reader.query(R"sql(
    SELECT COUNT(*), COALESCE(MAX(order_id), '')
      FROM (SELECT order_id FROM orders WHERE user_id = $1 ORDER BY order_id DESC LIMIT $2) AS own
  )sql",
               {user.text, kMaxCounted}, [&figures](const storage::Row& row) {
                 figures = {row.integer(0), row.text(1)};
               });
  return figures;
}

bool insert_note(storage::Tx& tx, const CustomerNote& note) {
  std::int64_t count = 0;
  tx.query("SELECT COUNT(*) FROM customer_notes WHERE user_id = $1", {note.user.text},
           [&count](const storage::Row& row) { count = row.integer(0); });
  if (count >= kMaxNotes) return false;
  tx.exec(R"sql(
    INSERT INTO customer_notes (note_id, user_id, staff_id, text_sealed, at_ms)
    VALUES ($1, $2, $3, $4, $5))sql",
          {note.id, note.user.text, note.staff.text, note.text_sealed, note.at_ms});
  return true;
}

std::vector<CustomerNote> notes_of(storage::Reader& reader, const UserId& user) {
  std::vector<CustomerNote> notes;
  reader.query(
      R"sql(
    SELECT note_id, staff_id, text_sealed, at_ms FROM customer_notes
     WHERE user_id = $1 ORDER BY note_id LIMIT $2)sql",
      {user.text, kMaxNotes}, [&](const storage::Row& row) {
        notes.push_back({row.text(0), user, StaffId(row.text(1)), row.text(2), row.integer(3)});
      });
  return notes;
}

}  // namespace topup::admin::customer_store
