// Zip archives that stand in memory, read within bounds and written. Nothing touches a disk, so
// that the name of an entry leads nowhere. Stored and deflated entries; the checksum of each is
// checked. Thread-safe; never throws for what an archive holds.
// Errors: rejected/zip_malformed, rejected/zip_too_large.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "shared/result.h"

namespace topup::base {

struct ZipEntry {
  std::string name;  // the raw bytes, in whatever charset its writer had
  std::string content;
};
struct ZipBounds {
  std::size_t most_entries = 0;
  std::size_t most_bytes = 0;  // of all entries together, unpacked
};
// Folders are left out. What an entry says of its own size is not believed.
Result<std::vector<ZipEntry>> unzip(std::string_view archive, const ZipBounds& bounds);

std::string zip(const std::vector<ZipEntry>& entries);

}  // namespace topup::base
