#include "tests/support/source_dir.h"

namespace topup::testing {

std::string source_dir() { return TOPUP_SOURCE_DIR; }

}  // namespace topup::testing
