// Rows of sms_codes. Only sms_login.cpp calls this.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/storage/db.h"

namespace topup::auth::sms_code_store {

struct CodeRow {
  std::string code_id, phone_index, purpose, code_hash, address_index, device_index;
  std::int64_t tries = 0, created_at_ms = 0, expires_at_ms = 0;
  bool is_used = false;
};
enum class By : std::uint8_t { phone, address, device, shop };

// When the `nth` newest message was asked for (1: the last one); nothing when there are fewer.
std::optional<std::int64_t> nth_newest_ms(storage::Reader& reader, By by, std::string_view key,
                                          std::int64_t nth);
void insert(storage::Tx& tx, const CodeRow& row);
void set_state(storage::Tx& tx, std::string_view code_id, std::string_view state);
// The code sent last: an older one is worth nothing.
std::optional<CodeRow> newest(storage::Reader& reader, std::string_view phone_index,
                              std::string_view purpose);
void count_try(storage::Tx& tx, std::string_view code_id);
void use(storage::Tx& tx, std::string_view code_id, std::int64_t now_ms);

}  // namespace topup::auth::sms_code_store
