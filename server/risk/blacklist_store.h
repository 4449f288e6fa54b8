// Rows of blacklist, and the freezing of users. An entry is live while it is neither ended nor past
// its time; of one subject there is at most one that was not ended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"
#include "shared/ids.h"

namespace topup::risk {

struct Entry {
  std::string id, kind, subject_index, subject_sealed, subject_masked, reason, created_by;
  std::int64_t created_at_ms = 0;
  std::int64_t expires_at_ms = 0;  // 0: never
  std::int64_t ended_at_ms = 0;    // 0: it was not ended
  std::string ended_by, ended_why;
};
struct Freeze {
  std::int64_t at_ms = 0;  // 0: not frozen
  std::string by, why_sealed;
};

namespace blacklist_store {

inline constexpr std::int64_t kMaxLive = 20'000;

void insert(storage::Tx& tx, const Entry& entry);
std::optional<Entry> find(storage::Reader& reader, std::string_view id);
// The one that was not ended, whether its time is over or not.
std::optional<Entry> find_open(storage::Reader& reader, std::string_view subject_index);
void end(storage::Tx& tx, std::string_view id, std::string_view by, std::string_view why,
         std::int64_t now_ms);
std::int64_t count_open(storage::Reader& reader);  // counted up to kMaxLive

struct Selection {
  std::string kind;           // "": every kind
  std::string subject_index;  // "": every subject
  bool with_ended = false;
};
// Newest first, after `before` ("" from the newest).
std::vector<Entry> list(storage::Reader& reader, const Selection& wanted, std::string_view before,
                        std::int64_t limit);
// Whether one of the indexes ("" is skipped) has a live entry.
bool has_any(storage::Reader& reader, const std::vector<std::string>& indexes, std::int64_t now_ms);
struct Standing {
  bool is_frozen = false;
  bool is_account_blocked = false;
  bool is_asker_blocked = false;  // one of the indexes, or something that this user signs in with
};
// All that a purchase depends on, asked at once; an index "" is skipped.
Standing standing_of(storage::Reader& reader, const UserId& user, const std::string& account_index,
                     const std::vector<std::string>& indexes, std::int64_t now_ms);

Freeze freeze_of(storage::Reader& reader, const UserId& user);
// False when there is no such user.
bool set_freeze(storage::Tx& tx, const UserId& user, const Freeze& freeze);

}  // namespace blacklist_store
}  // namespace topup::risk
