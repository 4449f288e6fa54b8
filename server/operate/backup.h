// Backups of a whole shop. One is made in a hidden folder beside its later place, proved there, and
// only then renamed: whatever has a backup's name is whole. The database is copied from one
// snapshot while the shop works (storage/sqlite_file.h, storage/save.h) and always saved as one
// SQLite file, so a backup of any engine can be restored to any engine. Errors are
// std::runtime_error or storage::SqlError in words.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/clock.h"
#include "server/operate/manifest.h"
#include "server/storage/db.h"

namespace topup::operate {

// What is being done and how far it is; all is 0 when that cannot be told.
using Told = std::function<void(std::string_view step, std::int64_t done, std::int64_t all)>;

struct BackupOrder {
  std::string data_dir;           // of the shop; its SQLite file and its keys
  storage::Db* shared = nullptr;  // the shop's PostgreSQL; null for the SQLite file
  std::string folder;             // that holds the backups; made when it is missing
  std::int64_t keep = 0;          // how many whole backups stay there; 0 for all
  bool with_keys = false;         // whoever has the backup can then read every personal detail
  std::string program;            // version, for the manifest
  std::function<bool()> stopping = {};  // true ends it early, and nothing is left
  std::string audit_head_file = {};     // "" for audit.head in data_dir
};
struct Backup {
  std::string path;
  Manifest manifest;
  std::int64_t took_ms = 0;
  std::vector<std::string> removed;  // older ones
};
// One at a time for one folder. When the process dies in it, what was begun goes away with the
// next.
Backup make_backup(const BackupOrder& order, const base::Clock& clock, const Told& told);

// The whole backups in a folder, oldest first. Empty when there is no such folder.
std::vector<std::string> backups_in(const std::string& folder);

struct Restored {
  Manifest manifest;
  std::vector<std::string> files;  // as they stand in the data folder now
};
// Into a folder that is empty or does not exist yet. Proves the backup before anything gets its
// final name there.
Restored restore_backup(const std::string& from, const std::string& data_dir, const Told& told);

}  // namespace topup::operate
