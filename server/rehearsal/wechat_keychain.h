// The keys that the rehearsed WeChat Pay signs with, and the merchants' that it knows: one public
// key, platform certificates of an authority of its own, and which of them signs what, as while a
// merchant moves from certificates to the public key or while a certificate is replaced. Durable,
// thread-safe. Source: WeChat Pay APIv3, "platform certificates" and "WeChat Pay public key".
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/clock.h"
#include "server/base/crypto.h"
#include "server/base/json.h"
#include "server/base/random.h"
#include "server/storage/db.h"

namespace topup::rehearsal {

enum class KeyMode : std::uint8_t {
  certificates,  // as before 2024: the header that asks for the public key has no effect
  migrating,     // answers as the header asks, notifications with either
  public_key     // new merchants: there are no certificates
};

class WechatKeychain {
 public:
  struct Signer {
    std::string serial;
    base::RsaKey key;
  };
  struct Opening {
    std::string apiv3_key, public_key_id;
    base::RsaKey public_key, authority;
  };
  WechatKeychain(storage::Db& db, const base::Clock& clock, base::Random& random, Opening opening);

  Signer for_answer(std::string_view asked_serial);
  Signer for_notice();
  bool knows(std::string_view serial) const;  // a key of ours
  const std::string& authority_pem() const { return authority_pem_; }
  // What GET /v3/certificates gives; nothing for a merchant without certificates.
  std::optional<base::Json> certificate_list();

  // The public key of another certificate of the merchant, added or taken away by a tester.
  std::optional<base::RsaKey> merchant_key(std::string_view serial) const;
  void add_merchant_key(const std::string& serial, const std::string& pem);

  void set_mode(KeyMode mode, std::int64_t public_key_percent);
  void set_new_percent(
      std::int64_t percent);                 // of what certificates sign, how much the newest does
  std::string rotate(std::int64_t lives_s);  // makes a certificate; its serial
  base::Json told() const;

 private:
  struct Certificate {
    std::string serial, pem;
    base::RsaKey key;
    std::int64_t from_ms = 0, until_ms = 0;
  };
  void load();
  void keep_fact(const std::string& name, const std::string& value);
  const Certificate& make(std::int64_t lives_s);
  Signer by_certificate();
  bool falls_to(std::int64_t percent);

  storage::Db& db_;
  const base::Clock& clock_;
  base::Random& random_;
  const Opening opening_;
  std::string authority_pem_;
  mutable std::mutex mutex_;
  KeyMode mode_ = KeyMode::public_key;
  std::int64_t public_key_percent_ = 100, new_percent_ = 100, downloads_ = 0;
  std::vector<Certificate> certificates_;  // the newest last
  std::vector<std::pair<std::string, base::RsaKey>> merchant_keys_;
};

std::string_view to_word(KeyMode mode);
std::optional<KeyMode> parse_key_mode(std::string_view word);

}  // namespace topup::rehearsal
