// Who holds the master keys. A master key wraps the data keys that seal the shop's personal data;
// it never leaves its holder and seals nothing else. The default holder is a file
// (key_store_file.h); a hardware module would be another. Calls are thread-safe. Errors:
// key_unknown (a master key that this holder has not got), ciphertext_invalid (another key wrapped
// it, or it was changed), and those of key_file.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/secret.h"
#include "shared/result.h"

namespace topup::privacy {

struct MasterKey {
  std::string id;  // 8 hex digits; tells nothing about the key
  std::int64_t created_at_ms = 0;
  bool is_active = false;  // wraps what is made now
};

// What a shop sealed with before it had data keys: derived from its one key file.
struct FirstKeys {
  std::string id;
  base::Secret seal, index;
};

class KeyProvider {
 public:
  virtual ~KeyProvider() = default;
  virtual std::string words() const = 0;            // for the operator: which holder, how protected
  virtual std::vector<MasterKey> list() const = 0;  // oldest first
  virtual std::string active_id() const = 0;
  // `place` is bound to the result: unwrap() wants the same.
  virtual std::string wrap(std::string_view place, std::string_view key) const = 0;  // by active_id
  virtual Result<base::Secret> unwrap(const std::string& master_id, std::string_view place,
                                      std::string_view wrapped) const = 0;
  // A new master key, durable before it is active. Returns its id.
  virtual Result<std::string> add(std::int64_t now_ms) = 0;
  // Forgets a master key that wraps nothing any more; never the active one.
  virtual Result<bool> drop(const std::string& id) = 0;
  virtual Result<bool> reload() = 0;  // another process may have added keys
  virtual std::optional<FirstKeys> first_keys() const = 0;
};

}  // namespace topup::privacy
