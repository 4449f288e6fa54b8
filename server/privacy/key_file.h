// Key files on disk: regular files of the server's user, mode 0600 or stricter, never followed
// through a link. Errors as in pii.h; `detail` names the path and never the content.
#pragma once

#include <string>
#include <string_view>

#include "server/base/secret.h"
#include "shared/result.h"

namespace topup::privacy {

inline constexpr std::size_t kMaxKeyFileBytes = 64 * 1024;

// The content. Errors: key_file_missing, key_file_unreadable, key_file_exposed, key_file_malformed
// (longer than kMaxKeyFileBytes).
Result<base::Secret> read_private_file(const std::string& path);
// Complete on disk when it returns. The first never replaces a file (key_file_exists); the second
// does, in one step, so that a reader sees the old content or the new one.
Result<bool> create_private_file(const std::string& path, std::string_view text);
Result<bool> replace_private_file(const std::string& path, std::string_view text);

// The plain form of a key: 64 hex digits and an optional newline; 32 raw bytes.
Result<std::string> load_key(const std::string& path);
// Writes a new file, or loads the one that another process has put there first. Never replaces a
// file.
Result<std::string> create_key(const std::string& path, std::string_view key);

}  // namespace topup::privacy
