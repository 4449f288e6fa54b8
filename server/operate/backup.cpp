#include "server/operate/backup.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>

#include "server/operate/durable_files.h"
#include "server/operate/proof.h"
#include "server/storage/lock_file.h"
#include "server/storage/save.h"
#include "server/storage/sqlite_file.h"

namespace topup::operate {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "topup-";
constexpr std::string_view kPartial = ".topup-partial-";
constexpr std::string_view kRestoring = ".restoring";
const std::string kHeadsName = "audit.head";
constexpr std::string_view kKeyFiles = "topup.key";  // topup.key, topup.keys, topup.keys.1.old …
constexpr std::int64_t kSpareBytes = 16 << 20;

// A folder that goes away unless it was kept.
class PartialFolder {
 public:
  explicit PartialFolder(std::string path) : path_(std::move(path)) {}
  ~PartialFolder() {
    std::error_code ignored;
    if (!is_kept_) fs::remove_all(path_, ignored);
  }
  PartialFolder(const PartialFolder&) = delete;
  PartialFolder& operator=(const PartialFolder&) = delete;
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }
  const std::string& path() const { return path_; }
  void keep_as(const std::string& path) {
    fs::rename(path_, path);
    is_kept_ = true;
  }

 private:
  std::string path_;
  bool is_kept_ = false;
};

std::string name_at(std::int64_t ms) {
  std::string digits;
  for (const char c : utc_text(ms)) {
    if (c >= '0' && c <= '9') digits += c;
    if (c == ' ' && digits.size() == 8) digits += 'T';
  }
  char rest[8];
  std::snprintf(rest, sizeof rest, "%03dZ", static_cast<int>(ms % 1'000));
  return std::string(kPrefix) + digits + rest;
}

bool is_backup(const fs::path& path) {
  return path.filename().string().starts_with(kPrefix) && fs::exists(path / kManifestName);
}

void make_folder(const std::string& path) {
  const bool is_new = !fs::exists(path);
  fs::create_directories(path);
  if (is_new) ::chmod(path.c_str(), 0700);
}

void remove_leftovers(const std::string& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with(kPartial)) fs::remove_all(entry.path());
  }
}

std::string new_partial(const std::string& folder) {
  std::string path = folder + "/" + std::string(kPartial) + "XXXXXX";
  if (::mkdtemp(path.data()) == nullptr)
    throw std::runtime_error("cannot make a folder in " + folder);
  return path;
}

void refuse_without_room(const std::string& folder, std::int64_t needed) {
  const std::int64_t free = free_bytes(folder);
  if (free >= needed + kSpareBytes) return;
  throw std::runtime_error("the disk of " + folder + " has " + std::to_string(free >> 20) +
                           " MB free, " + std::to_string((needed + kSpareBytes) >> 20) +
                           " MB are needed");
}

void save_database(const BackupOrder& order, const std::string& to, std::int64_t now_ms,
                   const Told& told) {
  if (order.shared != nullptr) {
    std::int64_t tables = 0;
    told("copying the database", 0, 0);
    storage::save_shop(*order.shared, to, now_ms, [&](const storage::MovedTable&) {
      told("copying the database, tables", ++tables, 0);
    });
    fs::remove(to + ".lock");
    return;
  }
  const std::string from = order.data_dir + "/" + kDatabaseName;
  if (!fs::exists(from)) throw std::runtime_error("there is no shop in " + order.data_dir);
  std::error_code none;
  const auto wal = fs::file_size(from + "-wal", none);
  const auto bytes = fs::file_size(from) + (none ? 0 : wal);
  refuse_without_room(order.folder, static_cast<std::int64_t>(bytes));
  storage::copy_sqlite(from, to, [&told](std::int64_t done, std::int64_t all) {
    told("copying the database, bytes", done, all);
  });
}

// Before the database is copied, so that every signed head names a row that the copy has; without
// them the audit trail of what was restored would rightly be doubted.
void save_heads(const BackupOrder& order, const PartialFolder& partial, Manifest* manifest) {
  const std::string from =
      order.audit_head_file.empty() ? order.data_dir + "/" + kHeadsName : order.audit_head_file;
  std::ifstream in(from, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  text.erase(text.rfind('\n') + 1);  // a line may be half written
  if (text.empty()) return;
  const std::string to = partial.file(kHeadsName);
  write_durably(to, text);
  ::chmod(to.c_str(), 0600);
  manifest->files.push_back({kHeadsName, static_cast<std::int64_t>(text.size()),
                             hash_of_file(to, [](std::int64_t, std::int64_t) {})});
}

void save_keys(const BackupOrder& order, const PartialFolder& partial, Manifest* manifest) {
  for (const auto& entry : fs::directory_iterator(order.data_dir)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kKeyFiles) || !entry.is_regular_file()) continue;
    const std::string to = partial.file(name);
    const std::string hash =
        copy_durably(entry.path().string(), to, [](std::int64_t, std::int64_t) {});
    manifest->files.push_back({name, static_cast<std::int64_t>(fs::file_size(to)), hash});
    manifest->has_keys = true;
  }
  if (!manifest->has_keys)
    throw std::runtime_error("there is no key file in " + order.data_dir + " to take along");
}

[[noreturn]] void refuse_unproved(const std::string& what, const std::vector<std::string>& wrong) {
  std::string why = what;
  for (const std::string& line : wrong) why += "\n  " + line;
  throw std::runtime_error(why);
}

Manifest proved(const BackupOrder& order, const std::string& database, std::int64_t now_ms,
                const Told& told) {
  told("proving the copy", 0, 0);
  const std::unique_ptr<storage::Db> copy =
      storage::open_sqlite_read_only(database, order.stopping);
  Proof proof = prove(*copy);
  if (!proof.wrong.empty())
    refuse_unproved("the copy does not hold, so there is no backup:", proof.wrong);
  Manifest manifest;
  manifest.program = order.program;
  manifest.made_at_ms = now_ms;
  manifest.engine = order.shared != nullptr ? order.shared->engine() : "sqlite";
  manifest.schema = proof.schema;
  manifest.rows = std::move(proof.rows);
  manifest.audit_rows = proof.audit_rows;
  manifest.audit_hash = std::move(proof.audit_hash);
  return manifest;
}

std::vector<std::string> remove_older(const std::string& folder, std::int64_t keep) {
  std::vector<std::string> removed;
  if (keep <= 0) return removed;
  std::vector<std::string> all = backups_in(folder);
  while (static_cast<std::int64_t>(all.size()) > keep) {
    // First its manifest, without which nothing takes it for whole.
    fs::remove(fs::path(all.front()) / kManifestName);
    fs::remove_all(all.front());
    removed.push_back(all.front());
    all.erase(all.begin());
  }
  return removed;
}

bool is_saved(const fs::path& path, const Manifest& manifest) {
  const std::string name = path.filename().string();
  const auto file = std::find_if(manifest.files.begin(), manifest.files.end(),
                                 [&name](const SavedFile& one) { return one.name == name; });
  return file != manifest.files.end() && fs::is_regular_file(path) &&
         hash_of_file(path.string(), [](std::int64_t, std::int64_t) {}) == file->sha256;
}

// Empty, or as a restore of this very backup left it that was killed while it put its files in
// their places: the same bytes come again. The database comes last; where it lies is a shop.
bool takes(const std::string& folder, const Manifest& manifest) {
  const bool was_restoring = fs::exists(folder + "/" + std::string(kRestoring));
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name == kRestoring || name == "lost+found") continue;
    if (!was_restoring || name == kDatabaseName || !is_saved(entry.path(), manifest)) return false;
  }
  return true;
}

// A folder of backups is a likely mistake for one of them.
Manifest manifest_of(const std::string& from) {
  const std::vector<std::string> inside = backups_in(from);
  if (!inside.empty()) {
    throw std::runtime_error(from + " holds " + std::to_string(inside.size()) +
                             " backups; name one, such as the newest: " + inside.back());
  }
  if (fs::path(from).filename().string().starts_with(kPartial))
    throw std::runtime_error(from + " is what a backup left behind that never ended");
  return read_manifest(from);
}

void copy_files(const Manifest& manifest, const std::string& from, const PartialFolder& partial,
                const Told& told) {
  for (const SavedFile& file : manifest.files) {
    const std::string source = from + "/" + file.name;
    if (!fs::exists(source)) throw std::runtime_error("the backup lacks " + file.name);
    const std::string hash =
        copy_durably(source, partial.file(file.name), [&](std::int64_t done, std::int64_t all) {
          told("copying " + file.name + ", bytes", done, all);
        });
    if (hash != file.sha256 ||
        static_cast<std::int64_t>(fs::file_size(partial.file(file.name))) != file.bytes) {
      throw std::runtime_error(source + " is not the file that was saved: its checksum differs");
    }
  }
}

void prove_restored(const Manifest& manifest, const std::string& database, const Told& told) {
  told("proving the database", 0, 0);
  Proof proof = prove(*storage::open_sqlite_read_only(database));
  if (proof.audit_rows != manifest.audit_rows || proof.audit_hash != manifest.audit_hash)
    proof.wrong.push_back("the audit chain ends elsewhere than when it was saved");
  if (proof.schema != manifest.schema) proof.wrong.push_back("the schema is another");
  auto rows = manifest.rows;
  std::sort(rows.begin(), rows.end());
  std::sort(proof.rows.begin(), proof.rows.end());
  if (rows != proof.rows) proof.wrong.push_back("the tables hold other numbers of rows");
  if (!proof.wrong.empty()) refuse_unproved("the backup does not hold:", proof.wrong);
}

}  // namespace

std::vector<std::string> backups_in(const std::string& folder) {
  std::vector<std::string> found;
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator(folder, absent)) {
    if (is_backup(entry.path())) found.push_back(entry.path().string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

Backup make_backup(const BackupOrder& order, const base::Clock& clock, const Told& tell) {
  const std::int64_t began = clock.mono_ms();
  const Told told = [&order, &tell](std::string_view step, std::int64_t done, std::int64_t all) {
    if (order.stopping && order.stopping()) throw std::runtime_error("it was told to stop");
    tell(step, done, all);
  };
  make_folder(order.folder);
  const storage::LockFile turn(order.folder + "/.lock");
  remove_leftovers(order.folder);
  PartialFolder partial(new_partial(order.folder));
  const std::string database = partial.file(kDatabaseName);
  const std::int64_t now_ms = clock.wall_ms();
  Manifest heads;
  save_heads(order, partial, &heads);
  save_database(order, database, now_ms, told);
  sync_path(database);
  ::chmod(database.c_str(), 0600);
  Manifest manifest = proved(order, database, now_ms, told);
  const std::string hash = hash_of_file(database, [&told](std::int64_t done, std::int64_t all) {
    told("reading the copy again, bytes", done, all);
  });
  manifest.files.push_back(
      {kDatabaseName, static_cast<std::int64_t>(fs::file_size(database)), hash});
  for (const SavedFile& file : heads.files) manifest.files.push_back(file);
  if (order.with_keys) save_keys(order, partial, &manifest);
  write_durably(partial.file(kManifestName), text_of(manifest));
  sync_path(partial.path());
  Backup backup{order.folder + "/" + name_at(now_ms), std::move(manifest), 0, {}};
  partial.keep_as(backup.path);
  sync_path(order.folder);
  backup.removed = remove_older(order.folder, order.keep);
  backup.took_ms = clock.mono_ms() - began;
  return backup;
}

Restored restore_backup(const std::string& from, const std::string& data_dir, const Told& told) {
  Restored restored{manifest_of(from), {}};
  make_folder(data_dir);
  if (!takes(data_dir, restored.manifest)) {
    throw std::runtime_error(data_dir +
                             " is not empty: a backup is restored into an empty folder only");
  }
  const std::string path = data_dir + "/" + std::string(kRestoring);
  fs::remove_all(path);
  const auto bytes = [&restored] {
    std::int64_t sum = 0;
    for (const SavedFile& file : restored.manifest.files) sum += file.bytes;
    return sum;
  }();
  refuse_without_room(data_dir, bytes);
  make_folder(path);
  const PartialFolder partial(path);
  copy_files(restored.manifest, from, partial, told);
  prove_restored(restored.manifest, partial.file(kDatabaseName), told);
  // The database last: without it there is no shop here yet.
  auto files = restored.manifest.files;
  std::stable_partition(files.begin(), files.end(),
                        [](const SavedFile& file) { return file.name != kDatabaseName; });
  for (const SavedFile& file : files) {
    const std::string final_path = data_dir + "/" + file.name;
    give_to_owner_of(data_dir, partial.file(file.name));
    fs::rename(partial.file(file.name), final_path);
    restored.files.push_back(final_path);
  }
  sync_path(data_dir);
  return restored;
}

}  // namespace topup::operate
