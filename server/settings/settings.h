// Live settings. The current values are one immutable snapshot that readers share; a change or a
// way back is one transaction with its audit row and becomes a new version, and nothing of an older
// one is ever altered. Other nodes follow by refresh(). A stored value that this release no longer
// allows counts as not set and is told in the log. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/clock.h"
#include "server/base/json.h"
#include "server/settings/definitions.h"
#include "server/settings/settings_store.h"
#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/result.h"

namespace topup::settings {

// Every setting with its value. The getters check() that the key is one of the table and has their
// type: a slip in the code, never in an input.
class Snapshot {
 public:
  std::int64_t version = 0;  // 0: nothing was ever changed
  base::Json values = base::Json::object();

  bool boolean(const char* key) const;
  std::int64_t integer(const char* key) const;
  std::string text(const char* key) const;  // also of a word
  std::vector<std::string> list(const char* key) const;
};

// What was wrong with one member of a change; `key` is as sent when the table has none such.
struct FieldError {
  std::string key;
  std::string_view reason;
  std::string detail;
};

struct Author {
  std::string_view actor;  // "staff:<staff id>"
  TraceId trace;
  std::function<bool(std::string_view permission)> may;
};

class Settings {
 public:
  // `configured` holds the presets that the table leaves to the configuration. Throws
  // storage::SqlError; check()s that every preset is there and valid.
  Settings(storage::Db& db, const base::Clock& clock, base::Json configured,
           std::span<const Definition> definitions = kDefinitions);

  std::shared_ptr<const Snapshot> current() const;
  std::span<const Definition> definitions() const { return definitions_; }
  const base::Json& presets() const { return presets_; }

  // `changes` maps keys to values; null takes a value back to its preset. `seen` is the version the
  // author looked at. What is as it was stays so; without any difference no version is made. The
  // first of `wrong` is also the error. Errors: wrong_type, out_of_range, unknown_field,
  // permission_missing, changes_empty; conflict/settings_changed.
  Result<std::shared_ptr<const Snapshot>> change(const base::Json& changes, std::int64_t seen,
                                                 const Author& author,
                                                 std::vector<FieldError>* wrong);
  // Every value as it was in version `to` (0: all presets), as a new version. What this release no
  // longer allows is refused by name. Errors as for change(), and not_found/version_unknown.
  Result<std::shared_ptr<const Snapshot>> roll_back(std::int64_t to, std::int64_t seen,
                                                    const Author& author,
                                                    std::vector<FieldError>* wrong);
  // Newest first, after `place` ("" from the newest), at most `limit` rows.
  std::vector<settings_store::StoredRow> history(const settings_store::Place& after,
                                                 std::int64_t limit) const;

  // Takes over what another node has changed; cheap when nothing is new.
  void refresh();
  // Told each snapshot, the present one at once. Add observers before the first request.
  void observe(std::function<void(const Snapshot&)> observer);

 private:
  const Definition* find(std::string_view key) const;
  std::vector<FieldError> faults(const base::Json& changes, const Author& author) const;
  Result<bool> write(storage::Tx& tx, const base::Json& changes, std::int64_t seen,
                     const Author& author, std::string_view action) const;
  std::shared_ptr<const Snapshot> snapshot_of(
      std::int64_t version, const std::vector<settings_store::StoredValue>& stored) const;
  void load();

  storage::Db& db_;
  const base::Clock& clock_;
  const std::span<const Definition> definitions_;
  base::Json presets_ = base::Json::object();
  std::vector<std::function<void(const Snapshot&)>> observers_;
  std::mutex loading_;        // held over a load, so that observers hear versions in order
  mutable std::mutex mutex_;  // held for a pointer copy only
  std::shared_ptr<const Snapshot> current_;
};

}  // namespace topup::settings
