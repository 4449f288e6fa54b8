#include "server/auth/sms_code_store.h"

#include <array>

namespace topup::auth::sms_code_store {
namespace {

constexpr std::array<std::string_view, 4> kNthNewest = {
    "SELECT created_at_ms FROM sms_codes WHERE phone_index = $1"
    " ORDER BY created_at_ms DESC LIMIT 1 OFFSET $2",
    "SELECT created_at_ms FROM sms_codes WHERE address_index = $1"
    " ORDER BY created_at_ms DESC LIMIT 1 OFFSET $2",
    "SELECT created_at_ms FROM sms_codes WHERE device_index = $1"
    " ORDER BY created_at_ms DESC LIMIT 1 OFFSET $2",
    "SELECT created_at_ms FROM sms_codes WHERE $1 = ''"
    " ORDER BY created_at_ms DESC LIMIT 1 OFFSET $2"};

}  // namespace

std::optional<std::int64_t> nth_newest_ms(storage::Reader& reader, By by, std::string_view key,
                                          std::int64_t nth) {
  std::optional<std::int64_t> found;
  reader.query(kNthNewest.at(static_cast<std::size_t>(by)), {key, nth - 1},
               [&found](const storage::Row& row) { found = row.integer(0); });
  return found;
}

void insert(storage::Tx& tx, const CodeRow& row) {
  tx.exec(R"sql(
    INSERT INTO sms_codes (code_id, phone_index, purpose, code_hash, state, address_index,
                           device_index, created_at_ms, expires_at_ms)
    VALUES ($1, $2, $3, $4, 'sending', $5, $6, $7, $8))sql",
          {row.code_id, row.phone_index, row.purpose, row.code_hash, row.address_index,
           row.device_index, row.created_at_ms, row.expires_at_ms});
}

void set_state(storage::Tx& tx, std::string_view code_id, std::string_view state) {
  tx.exec("UPDATE sms_codes SET state = $2 WHERE code_id = $1", {code_id, state});
}

std::optional<CodeRow> newest(storage::Reader& reader, std::string_view phone_index,
                              std::string_view purpose) {
  std::optional<CodeRow> found;
  reader.query(R"sql(
    SELECT code_id, code_hash, tries, created_at_ms, expires_at_ms, used_at_ms FROM sms_codes
     WHERE phone_index = $1 AND purpose = $2
     ORDER BY created_at_ms DESC, code_id DESC LIMIT 1)sql",
               {phone_index, purpose}, [&found](const storage::Row& row) {
                 CodeRow code;
                 code.code_id = row.text(0);
                 code.code_hash = row.text(1);
                 code.tries = row.integer(2);
                 code.created_at_ms = row.integer(3);
                 code.expires_at_ms = row.integer(4);
                 code.is_used = !row.is_null(5);
                 found = code;
               });
  return found;
}

void count_try(storage::Tx& tx, std::string_view code_id) {
  tx.exec("UPDATE sms_codes SET tries = tries + 1 WHERE code_id = $1", {code_id});
}

void use(storage::Tx& tx, std::string_view code_id, std::int64_t now_ms) {
  tx.exec("UPDATE sms_codes SET used_at_ms = $2 WHERE code_id = $1", {code_id, now_ms});
}

}  // namespace topup::auth::sms_code_store
