#include "server/base/version.h"

namespace topup::base {

std::string_view version() { return TOPUP_VERSION; }

}  // namespace topup::base
