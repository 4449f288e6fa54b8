// Master keys in the file `topup.keys` of the data folder: as JSON, plain (mode 0600) or sealed by
// a passphrase (scrypt, AES-256-GCM). A shop from before this format has `topup.key`, 64 hex
// digits, which keeps working until its master key is rotated; then it is renamed topup.key.old.
// A file that exists is never replaced by a fresh key, whatever is wrong with it. Further errors:
// key_passphrase_missing, key_passphrase_wrong.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "server/base/random.h"
#include "server/privacy/key_provider.h"

namespace topup::privacy {

inline constexpr std::size_t kMasterKeyBytes = 32;

// An existing shop must find its key: without it nothing sealed before would ever open again.
enum class KeyFile : std::uint8_t { must_exist, create_if_absent };

struct KeyFilePlaces {
  std::string data_dir;
  std::string passphrase_file;  // "": the file is plain
};
// The files of a data folder that a backup of the keys needs; those that exist.
std::vector<std::string> key_files_of(const std::string& data_dir);

Result<std::unique_ptr<KeyProvider>> open_key_file(const KeyFilePlaces& places,
                                                   base::Random& random, KeyFile key_file,
                                                   std::int64_t now_ms);

}  // namespace topup::privacy
