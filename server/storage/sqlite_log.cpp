#include "server/storage/sqlite_log.h"

#include <sqlite3.h>

#include <cstddef>
#include <cstring>
#include <new>

#include "server/storage/db.h"

namespace topup::storage {
namespace {

constexpr const char* kName = "topup-gather";
// Bytes of one write. The engine's way to the system takes 17 bits of a size and no more.
constexpr std::size_t kMostGathered = 127 * 1024;

struct Log {
  sqlite3_file base;   // what SQLite sees, so it comes first
  sqlite3_file* file;  // the system's, in the same piece of memory
  char* gathered;
  std::size_t size;
  sqlite3_int64 offset;  // of the gathered in the file
};

// The system's file stands right behind ours.
constexpr std::size_t kBehind = sizeof(Log);
static_assert(kBehind % alignof(sqlite3_int64) == 0);

Log& log_of(sqlite3_file* file) { return *reinterpret_cast<Log*>(file); }

// After an error the gathered is gone: SQLite takes the commit back, and writes anew what it still
// wants there.
int put_down(Log& log) {
  if (log.size == 0) return SQLITE_OK;
  const int size = static_cast<int>(log.size);
  log.size = 0;
  return log.file->pMethods->xWrite(log.file, log.gathered, size, log.offset);
}

int close_log(sqlite3_file* file) {
  Log& log = log_of(file);
  const int put = put_down(log);
  const int closed = log.file->pMethods->xClose(log.file);
  delete[] log.gathered;
  return put != SQLITE_OK ? put : closed;
}

int read_log(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
  Log& log = log_of(file);
  const int put = put_down(log);
  return put != SQLITE_OK ? put : log.file->pMethods->xRead(log.file, to, size, offset);
}

int write_log(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  Log& log = log_of(file);
  const auto more = static_cast<std::size_t>(size);
  const bool continues = offset == log.offset + static_cast<sqlite3_int64>(log.size);
  if (!continues || log.size + more > kMostGathered) {
    const int put = put_down(log);
    if (put != SQLITE_OK) return put;
  }
  if (more > kMostGathered) return log.file->pMethods->xWrite(log.file, bytes, size, offset);
  if (log.size == 0) log.offset = offset;
  std::memcpy(log.gathered + log.size, bytes, more);
  log.size += more;
  return SQLITE_OK;
}

int truncate_log(sqlite3_file* file, sqlite3_int64 size) {
  Log& log = log_of(file);
  const int put = put_down(log);
  return put != SQLITE_OK ? put : log.file->pMethods->xTruncate(log.file, size);
}

int sync_log(sqlite3_file* file, int flags) {
  Log& log = log_of(file);
  const int put = put_down(log);
  return put != SQLITE_OK ? put : log.file->pMethods->xSync(log.file, flags);
}

int size_of_log(sqlite3_file* file, sqlite3_int64* size) {
  Log& log = log_of(file);
  const int put = put_down(log);
  return put != SQLITE_OK ? put : log.file->pMethods->xFileSize(log.file, size);
}

int control_log(sqlite3_file* file, int what, void* with) {
  Log& log = log_of(file);
  const int put = put_down(log);
  return put != SQLITE_OK ? put : log.file->pMethods->xFileControl(log.file, what, with);
}

// The engine never locks its log; these are here because a file has them.
int lock_log(sqlite3_file* file, int level) {
  Log& log = log_of(file);
  return log.file->pMethods->xLock(log.file, level);
}
int unlock_log(sqlite3_file* file, int level) {
  Log& log = log_of(file);
  return log.file->pMethods->xUnlock(log.file, level);
}
int is_reserved_log(sqlite3_file* file, int* is_reserved) {
  Log& log = log_of(file);
  return log.file->pMethods->xCheckReservedLock(log.file, is_reserved);
}
int sector_of_log(sqlite3_file* file) {
  Log& log = log_of(file);
  return log.file->pMethods->xSectorSize(log.file);
}
int traits_of_log(sqlite3_file* file) {
  Log& log = log_of(file);
  return log.file->pMethods->xDeviceCharacteristics(log.file);
}

constexpr sqlite3_io_methods kMethods = {
    1,        close_log,  read_log,        write_log,   truncate_log,  sync_log,      size_of_log,
    lock_log, unlock_log, is_reserved_log, control_log, sector_of_log, traits_of_log, nullptr,
    nullptr,  nullptr,    nullptr,         nullptr,     nullptr};

sqlite3_vfs* system_files() {
  static sqlite3_vfs* const found = sqlite3_vfs_find(nullptr);
  return found;
}

// Every other file is the system's own, as if this layer were not there.
int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* flags_out) {
  sqlite3_vfs* const system = system_files();
  if ((flags & SQLITE_OPEN_WAL) == 0) return system->xOpen(system, name, file, flags, flags_out);
  Log& log = log_of(file);
  log.base.pMethods = nullptr;
  log.file = reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + kBehind);
  log.gathered = new (std::nothrow) char[kMostGathered];
  log.size = 0;
  log.offset = 0;
  if (log.gathered == nullptr) return SQLITE_NOMEM;
  const int opened = system->xOpen(system, name, log.file, flags, flags_out);
  if (opened != SQLITE_OK) {
    delete[] log.gathered;
    return opened;
  }
  log.base.pMethods = &kMethods;
  return SQLITE_OK;
}

int register_layer() {
  sqlite3_vfs* const system = system_files();
  if (system == nullptr) return SQLITE_ERROR;
  static sqlite3_vfs layer = *system;
  layer.zName = kName;
  layer.szOsFile = system->szOsFile + static_cast<int>(kBehind);
  layer.xOpen = open_file;
  return sqlite3_vfs_register(&layer, 0);
}

}  // namespace

const char* gathering_vfs() {
  static const int registered = register_layer();
  if (registered != SQLITE_OK) throw SqlError("the engine takes no layer over its files", false);
  return kName;
}

}  // namespace topup::storage
