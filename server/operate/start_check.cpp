#include "server/operate/start_check.h"

#include <filesystem>
#include <utility>

#include "server/base/log.h"
#include "server/operate/proof.h"
#include "server/storage/sqlite_file.h"

namespace topup::operate {
namespace {

constexpr const char* kRemedy =
    ": the file is damaged. Copy the data folder away, then restore the newest good backup into an "
    "empty folder";

}  // namespace

StartCheck::StartCheck(std::string sqlite_file, const base::Clock& clock)
    : file_(std::move(sqlite_file)), clock_(clock) {
  std::error_code absent;
  const auto bytes = std::filesystem::file_size(file_, absent);
  if (absent || bytes == 0) return;
  is_large_ = bytes > static_cast<std::uintmax_t>(kAtOnceBytes);
  if (is_large_) return;
  const auto faults = page_faults(*storage::open_sqlite_read_only(file_), true);
  if (!faults.empty()) throw storage::SqlError(file_ + ": " + faults.front() + kRemedy, false);
}

void StartCheck::start() {
  if (is_large_) thread_ = std::thread([this] { look(); });
}

void StartCheck::look() {
  const std::int64_t began = clock_.mono_ms();
  const auto late = [this, began] { return stopping_ || clock_.mono_ms() - began > kMostMs; };
  try {
    const auto faults = page_faults(*storage::open_sqlite_read_only(file_, late), true);
    found_damage_ = !faults.empty();
    base::log(faults.empty() ? base::Level::info : base::Level::error, "store_checked",
              {{"took_ms", clock_.mono_ms() - began},
               {"found", faults.empty() ? "nothing" : faults.front() + kRemedy}});
  } catch (const storage::SqlError& error) {
    if (stopping_) return;
    const bool was_late = late();
    found_damage_ = !was_late;
    base::log(was_late ? base::Level::warn : base::Level::error, "store_checked",
              {{"took_ms", clock_.mono_ms() - began},
               {"found", was_late ? "not all was read in time: run topup verify" : error.why}});
  }
}

void StartCheck::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

}  // namespace topup::operate
