// Personal data at rest. Each field is sealed with AES-256-GCM under the shop's active data key,
// bound to its table, column, row and key, so that a value copied to another place does not open
// there. Equality search goes through blind_index(): a keyed hash that nobody can compute without
// the keys. Thread-safe after construction. Errors: ciphertext_invalid, key_unknown; for key files
// those of key_file.h and key_store_file.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "server/base/random.h"
#include "server/privacy/key_store_file.h"
#include "shared/result.h"

namespace topup::privacy {

class KeyRing;

class Pii {
 public:
  // One master key and no database: for tests. `random` must outlive this.
  Pii(std::string_view master_key, base::Random& random);
  Pii(std::shared_ptr<KeyRing> ring, base::Random& random);

  // "v1.<key id>.<base64(nonce ‖ ciphertext ‖ tag)>"; sealing the same text twice gives two
  // different results.
  std::string seal(std::string_view table, std::string_view column, std::string_view row_id,
                   std::string_view plain) const;
  Result<std::string> open(std::string_view table, std::string_view column, std::string_view row_id,
                           std::string_view sealed) const;

  // 64 hex digits, the same for the same purpose and value. The caller brings the value to one form
  // first (phone.h).
  std::string blind_index(std::string_view purpose, std::string_view value) const;

  // 8 hex digits; tells nothing about the key.
  std::string key_id() const;  // of the key that seals now
  // Of the key that this value names; "" when it is no sealed value.
  static std::string_view key_id_of(std::string_view sealed);

 private:
  std::shared_ptr<KeyRing> ring_;
  base::Random* random_;
};

// As Pii::blind_index() under another index key.
std::string blind_index_under(std::string_view index_key, std::string_view purpose,
                              std::string_view value);

}  // namespace topup::privacy
