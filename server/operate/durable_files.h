// Files that must be on the disk before anything is built on them. Errors are std::runtime_error
// in words, with the path and what the system said.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace topup::operate {

using FileTold = std::function<void(std::int64_t done_bytes, std::int64_t all_bytes)>;

void sync_path(const std::string& path);                                  // a file or a folder
void write_durably(const std::string& path, const std::string& content);  // a new file, mode 0600
// Returns the SHA-256 of what was read, as hexadecimal.
std::string hash_of_file(const std::string& path, const FileTold& told);
// Into a new file of mode 0600, synced; returns the SHA-256 of what was copied.
std::string copy_durably(const std::string& from, const std::string& to, const FileTold& told);
std::int64_t free_bytes(const std::string& folder);
// What root makes for somebody else belongs to whom the folder belongs; nothing when not root.
void give_to_owner_of(const std::string& folder, const std::string& path);

}  // namespace topup::operate
