// A SQLite shop beside the process that owns it, or after it has ended. What this opens cannot
// write the file, never checkpoints and never resets the WAL (the three things that only the owner
// may do, because SQLite before 3.51.3 can lose a commit when two connections reset it at once): to
// the owner it is one more reader. While it reads, the owner's WAL grows.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "server/storage/db.h"

namespace topup::storage {

// A Db whose write() always throws SqlError. Thread-safe; every read() has a connection of its own.
// `stopping` is asked now and then while a statement runs: true ends it with SqlError.
std::unique_ptr<Db> open_sqlite_read_only(const std::string& path,
                                          std::function<bool()> stopping = {});

// Copies what is committed now, page by page, into a new file of its own that needs no WAL. The
// copy is not durable until the caller has synced it. `told` hears how far it is.
void copy_sqlite(const std::string& from, const std::string& to,
                 const std::function<void(std::int64_t done_bytes, std::int64_t all_bytes)>& told);

}  // namespace topup::storage
