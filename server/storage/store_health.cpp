#include "server/storage/store_health.h"

#include "server/base/log.h"
#include "server/storage/store_stats.h"

namespace topup::storage {
namespace {

constexpr std::int64_t kTryAgainMs = 1'000;
// Changes nothing, and still has to be written to the disk.
constexpr std::string_view kTouch =
    "UPDATE schema_migrations SET applied_at_ms = applied_at_ms WHERE number = 1";

}  // namespace

std::string_view StoreHealth::trouble() {
  const StoreStats* stats = db_.stats();
  if (stats == nullptr) return "";
  const std::int64_t since = stats->busy_since_mono_ms;
  if (since != 0 && clock_.mono_ms() - since > kWriterStuckMs) return "store_stuck";
  if (!stats->is_failing) return "";
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || clock_.mono_ms() < next_try_mono_ms_) return "store_writes";
  const bool healed = try_write();
  next_try_mono_ms_ = clock_.mono_ms() + kTryAgainMs;
  return healed ? "" : "store_writes";
}

bool StoreHealth::try_write() {
  try {
    db_.write([](Tx& tx) {
      tx.exec(kTouch, {});
      return true;
    });
    base::log(base::Level::info, "store_takes_writes_again");
    return true;
  } catch (const std::exception&) {
    return false;  // the store has logged why
  }
}

}  // namespace topup::storage
