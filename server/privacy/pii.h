// Personal data at rest. Each field is sealed with AES-256-GCM under a key derived from the shop's
// master key, bound to its table, column, row and key, so that a value copied to another place does
// not open there. Equality search goes through blind_index(): a keyed hash that nobody can compute
// without the key file. Thread-safe after construction. Errors: ciphertext_invalid, key_unknown;
// for the key file key_file_missing, key_file_unreadable, key_file_exposed, key_file_malformed,
// key_file_unwritable, whose `detail` names the path.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/base/random.h"
#include "shared/result.h"

namespace topup::privacy {

inline constexpr std::size_t kMasterKeyBytes = 32;
// Random nonces of 96 bits are safe for 2^32 values under one key (NIST SP 800-38D, section 8.3).
inline constexpr std::uint64_t kMaxSealsPerKey = std::uint64_t{1} << 32;

// An existing shop must find its key: without it nothing sealed before would ever open again.
enum class KeyFile : std::uint8_t { must_exist, create_if_absent };

class Pii {
 public:
  Pii(std::string_view master_key, base::Random& random);  // `random` must outlive this

  // The file holds 64 hex digits, belongs to the server's user and has mode 0600 or stricter. A
  // file that exists is never replaced, whatever is wrong with it. A new one is complete on disk
  // before this returns.
  static Result<Pii> load_or_create(const std::string& key_file_path, base::Random& random,
                                    KeyFile key_file);

  // "v1.<key id>.<base64(nonce ‖ ciphertext ‖ tag)>"; sealing the same text twice gives two
  // different results.
  std::string seal(std::string_view table, std::string_view column, std::string_view row_id,
                   std::string_view plain) const;
  Result<std::string> open(std::string_view table, std::string_view column, std::string_view row_id,
                           std::string_view sealed) const;

  // 64 hex digits, the same for the same purpose and value. The caller brings the value to one form
  // first (phone.h).
  std::string blind_index(std::string_view purpose, std::string_view value) const;

  const std::string& key_id() const {
    return key_id_;
  }  // 8 hex digits; tells nothing about the key

 private:
  std::string index_root_;
  std::string seal_key_;
  std::string key_id_;
  base::Random* random_;
};

}  // namespace topup::privacy
