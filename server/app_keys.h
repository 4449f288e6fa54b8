// The shop's keys as its configuration names them: the key file, the data keys, the thread that
// keeps them, and the signed heads of the audit trail that lie beside the database.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "server/audit/head_file.h"
#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/config.h"
#include "server/privacy/key_keeper.h"
#include "server/privacy/pii.h"
#include "server/storage/db.h"

namespace topup {

class ShopKeys {
 public:
  // Opens the key file, before anything is written to the database; makes one for a new shop.
  // Throws std::runtime_error in words for the operator, here and in open().
  ShopKeys(const Config& config, std::string data_dir, std::string node, storage::Db& db,
           const base::Clock& clock, base::Random& random, bool is_new);
  ~ShopKeys();
  ShopKeys(const ShopKeys&) = delete;
  ShopKeys& operator=(const ShopKeys&) = delete;

  privacy::Pii open();  // after the migrations
  void start(const privacy::Pii& pii);
  void stop();  // signs the last head; safe to repeat
  // The keeper without its thread, for `topup key`.
  privacy::KeyKeeper& keeper(const privacy::Pii& pii, std::int64_t pause_ms,
                             privacy::ResealSettings settings);
  void sign_head();
  // The heads that lie beside the database and are ours.
  audit::SignedHeads heads() const;

 private:
  void sign_loop();

  const Config& config_;
  std::string data_dir_, node_;
  storage::Db& db_;
  const base::Clock& clock_;
  base::Random& random_;
  std::unique_ptr<privacy::KeyProvider> provider_;
  std::shared_ptr<privacy::KeyRing> ring_;
  std::unique_ptr<privacy::KeyKeeper> keeper_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::int64_t signed_seq_ = 0;
  std::thread signer_;
};

// Where the passphrase of the key file lies: the configuration, TOPUP_KEY_PASSPHRASE_FILE, or the
// credential topup-passphrase of systemd; "" for none.
std::string passphrase_file_of(const Config& config);

struct AuditCheck {
  std::int64_t rows = 0;
  std::vector<std::string> wrong;  // one sentence each, with the first bad row
  std::string note;                // what could not be looked at, for the operator; or ""
};
// The whole chain, and the signed heads beside it. Writes nothing.
AuditCheck check_audit(const Config& config, storage::Db& db, const base::Clock& clock,
                       base::Random& random);

}  // namespace topup
