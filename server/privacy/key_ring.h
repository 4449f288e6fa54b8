// The data keys of a shop, opened. The database holds them wrapped by a master key
// (key_provider.h); here they lie in memory, each under its id. One key of purpose "seal" is
// active: it seals what is new; every other known one still opens. The keys of purpose "index" and
// "audit" stand apart: they stay the same when sealing keys change. Thread-safe. Errors: key_wrong
// (the database was made with other master keys), key_unknown, ciphertext_invalid, and those of the
// provider.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/random.h"
#include "server/privacy/key_provider.h"
#include "server/storage/db.h"

namespace topup::privacy {

// Random nonces of 96 bits are safe for 2^32 values under one key (NIST SP 800-38D, section 8.3).
inline constexpr std::uint64_t kMaxSealsPerKey = std::uint64_t{1} << 32;
// Long before, another data key takes its place.
inline constexpr std::int64_t kRenewAtSeals = std::int64_t{1} << 30;
// How many seals a process sets aside at once in the database. What it does not use is lost, so
// that the count is never too low, also after kill -9.
inline constexpr std::int64_t kSealsAside = std::int64_t{1} << 20;

namespace purpose {  // stored; do not rename
inline constexpr std::string_view kSeal = "seal";
inline constexpr std::string_view kIndex = "index";
inline constexpr std::string_view kAudit = "audit";
}  // namespace purpose

// What happened to the keys, told inside the transaction that did it: for the audit trail.
using KeyTold = std::function<void(storage::Tx& tx, std::string_view action,
                                   std::string_view subject, std::string_view detail)>;

class KeyRing {
 public:
  using Key = std::shared_ptr<const base::Secret>;
  struct Active {
    std::string id;
    Key key;
    std::atomic<std::int64_t> left{0};
  };

  // Makes the first data keys of a new shop, takes over what `topup.key` alone sealed before, and
  // refuses (key_wrong, key_unknown) a database of other master keys. After storage::migrate().
  static Result<std::shared_ptr<KeyRing>> open(storage::Db& db, KeyProvider& provider,
                                               base::Random& random, std::int64_t now_ms,
                                               KeyTold told = {});
  // Only opens: seals nothing, writes nothing. For `verify`.
  static Result<std::shared_ptr<KeyRing>> look(storage::Db& db, KeyProvider& provider,
                                               base::Random& random);
  // Two keys and no database: for tests and for tools that only open values.
  KeyRing(std::string id, base::Secret seal, base::Secret index);

  // The active key, with one seal counted. Throws std::runtime_error when none is set aside: the
  // keeper (key_keeper.h) has not been able to write for a million seals.
  std::shared_ptr<Active> take();
  std::string active_id() const;
  Key find(const std::string& id) const;  // nullptr for one that is not known here
  // Looks into the database for keys that another process made; for one that is not there at most
  // once a second. Waits while another thread looks.
  Key find_again(const std::string& id);
  Key named(std::string_view purpose) const;

  // Follows what other processes did, and sets seals aside. True when something was new.
  Result<bool> refresh();
  // A new data key becomes the active one of its purpose; the old one is kept.
  Result<std::string> renew(std::string_view purpose, std::int64_t now_ms);
  // The same for the index key; `make_anew` writes every index under it in the same transaction and
  // returns how many.
  Result<std::int64_t> renew_index(
      std::int64_t now_ms,
      const std::function<std::int64_t(storage::Tx& tx, std::string_view key)>& make_anew);
  // Wraps every data key by the active master key too. Returns how many.
  Result<int> rewrap();
  // Removes the wraps of every other master key, then those keys themselves from their holder.
  Result<int> drop_old_masters();
  // Whether the key of this purpose was ever put to use, and that it is now: kept in the database.
  bool was_used(std::string_view purpose) const;
  void mark_used(std::string_view purpose);
  // How many seals the active key has given away, at least.
  std::int64_t seals_of_active() const;
  std::int64_t active_since_ms() const;

  KeyRing(const KeyRing&) = delete;
  KeyRing& operator=(const KeyRing&) = delete;

 private:
  struct Wrapped;
  KeyRing(storage::Db& db, KeyProvider& provider, base::Random& random, KeyTold told);
  Result<bool> begin(std::int64_t now_ms);
  Result<bool> learn(bool must_open_all, std::string* active_id);
  Result<bool> set_aside(const std::string& id);
  Result<base::Secret> unwrap(const Wrapped& wrapped);
  std::string insert_new(storage::Tx& tx, std::string_view purpose, std::string_view key,
                         std::int64_t now_ms);
  void tell(storage::Tx& tx, std::string_view action, std::string_view subject,
            std::string_view detail) const;

  storage::Db* db_ = nullptr;
  KeyProvider* provider_ = nullptr;
  base::Random* random_ = nullptr;
  KeyTold told_;
  std::atomic<std::int64_t> seals_{0}, since_ms_{0};
  std::mutex look_mutex_;
  std::condition_variable looked_;
  bool is_looking_ = false;                     // one thread looks for other processes' keys
  std::map<std::string, std::int64_t> missed_;  // looked for in vain, and when
  mutable std::mutex mutex_;
  std::map<std::string, Key> keys_;                     // by id
  std::map<std::string, Key, std::less<>> by_purpose_;  // the active one
  std::shared_ptr<Active> active_;
};

}  // namespace topup::privacy
