// Drafts and saved recipients of one buyer, equal on all of the buyer's devices (feature F080). The
// rules are those of shared/sync_merge.h, run here over the stored list in one transaction: field
// by field the side that changed wins, two different changes are both kept until somebody chooses.
// A draft is not an order: it reserves and promises nothing, and its price is asked for anew.
// Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "server/base/clock.h"
#include "server/privacy/data_requests.h"
#include "server/privacy/pii.h"
#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/result.h"
#include "shared/sync_merge.h"

namespace topup::orders {

enum class SyncList : std::uint8_t { drafts, recipients };  // stored as words
std::string_view to_word(SyncList list);
std::optional<SyncList> parse_sync_list(std::string_view word);

// Of one stored list; more is refused, what is stored stays.
inline constexpr std::size_t kMaxStoredListBytes = 128 * 1024;
// Lists that nobody touched for so long are forgotten here; a device that still has its copy starts
// anew with it.
inline constexpr std::int64_t kSyncListKeptMs = 180LL * 24 * 3'600'000;

class DraftService {
 public:
  DraftService(storage::Db& db, const base::Clock& clock, const privacy::Pii& pii)
      : db_(db), clock_(clock), pii_(pii) {}

  // Takes what a device pushed and answers with all it does not know yet. The same push again
  // changes nothing. A push without items only reads. Errors: rejected/sync_list_too_large,
  // unavailable/sync_list_damaged, conflict/sync_list_changed, those of Pii::open().
  Result<Answer> sync(const UserId& user, SyncList list, const Push& push) const;

  // What is kept here about a buyer, for export and erasure. Must not outlive this.
  privacy::Holder holder() const;

  // Forgets what is older than kSyncListKeptMs; returns how many lists went.
  int sweep() const;

 private:
  base::Json tell(storage::Reader& reader, const privacy::Persons& persons) const;
  struct Loaded {
    bool is_stored = false;
    std::int64_t revision = 0;
    std::vector<ServerItem> items;
  };
  Result<Loaded> load(storage::Reader& reader, const UserId& user, SyncList list) const;
  Result<bool> save(storage::Tx& tx, const UserId& user, SyncList list, const Loaded& before,
                    const Loaded& now) const;

  storage::Db& db_;
  const base::Clock& clock_;
  const privacy::Pii& pii_;
};

}  // namespace topup::orders
