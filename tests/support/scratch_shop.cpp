#include "tests/support/scratch_shop.h"

#include "server/base/clock.h"

namespace topup::testing {
namespace {

// A shop's file as the migrations leave it, made once: a copy of it is there in a moment.
const std::string& migrated_file() {
  static const ScratchFolder folder;
  static const std::string path = [] {
    const std::string made = folder.file("migrated.db");
    storage::migrate(*storage::open_sqlite(made), 1);
    return made;
  }();
  return path;
}

}  // namespace

void copy_migrated_shop(const std::string& to) { std::filesystem::copy_file(migrated_file(), to); }

}  // namespace topup::testing
