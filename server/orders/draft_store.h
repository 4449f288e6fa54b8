// Rows of sync_lists: what one buyer's devices share. A row is one list, its items sealed as one
// text, bound to its key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/storage/db.h"
#include "shared/ids.h"

namespace topup::orders::draft_store {

struct StoredList {
  std::string sealed;
  std::int64_t revision = 0;
};

// The primary key, and the row id that the text is sealed with.
std::string key_of(const UserId& user, std::string_view list);

std::optional<StoredList> find(storage::Reader& reader, const UserId& user, std::string_view list);
void insert(storage::Tx& tx, const UserId& user, std::string_view list, const StoredList& fresh,
            std::int64_t now_ms);
// False when the list is no longer at revision `was`.
bool replace(storage::Tx& tx, const UserId& user, std::string_view list, const StoredList& fresh,
             std::int64_t was, std::int64_t now_ms);
// Everything that was not changed since; returns how many lists went.
int forget_before(storage::Tx& tx, std::int64_t before_ms);
// All lists of one buyer, for the eraser of an account.
int forget_user(storage::Tx& tx, const UserId& user);

}  // namespace topup::orders::draft_store
