// The master key on disk: 64 hex digits and an optional newline, mode 0600 or stricter, owned by
// the server's user. Errors as in pii.h; `detail` names the path and never the content.
#pragma once

#include <string>
#include <string_view>

#include "shared/result.h"

namespace topup::privacy {

Result<std::string> load_key(const std::string& path);  // 32 raw bytes
// Writes a new file, or loads the one that another process has put there first. Never replaces a
// file.
Result<std::string> create_key(const std::string& path, std::string_view key);

}  // namespace topup::privacy
