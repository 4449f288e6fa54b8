// The keys of a running shop: follows what other nodes did, sets seals aside, makes a new data key
// when the active one is old or has sealed much, and seals old values anew beside the traffic. What
// an operator asks for while the shop runs (`topup key`) arrives as a file in the data folder,
// which only the shop's user can write, and is answered line by line in another one.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "server/base/clock.h"
#include "server/privacy/reseal.h"

namespace topup::privacy {

struct KeeperSettings {
  std::string data_dir;
  std::string node;                  // whose turn it is to seal anew
  std::int64_t rotate_after_ms = 0;  // age at which a data key is replaced; 0: never by age
  std::int64_t pause_ms = 0;         // between two batches, for the traffic beside
  ResealSettings reseal;
};

// What `topup key` may ask for.
struct KeyOrder {
  bool list = false, data = false, master = false, finish = false, index = false;
  std::int64_t batch = 0;  // 0: as set
};
using Say = std::function<void(const std::string& line)>;

class KeyKeeper {
 public:
  KeyKeeper(storage::Db& db, KeyProvider& provider, std::shared_ptr<KeyRing> ring, const Pii& pii,
            const base::Clock& clock, KeeperSettings settings, KeyTold told = {});
  ~KeyKeeper();
  KeyKeeper(const KeyKeeper&) = delete;
  KeyKeeper& operator=(const KeyKeeper&) = delete;

  void start();
  void stop();  // safe to repeat; waits for the batch that runs
  // One round as the thread makes it. True when there is more to do at once.
  bool turn();

  // Carries an order out in this thread and says how it goes; for a stopped shop, or beside the
  // servers of a PostgreSQL shop. False when something failed.
  bool carry_out(const KeyOrder& order, const Say& say);

 private:
  bool carry_out_steps(const KeyOrder& order, const Say& say);
  bool rotate_master(const KeyOrder& order, const Say& say);
  bool seal_anew(const Reseal& reseal_of, const Say& say);
  void list(const Say& say) const;
  void take_order();
  void renew_when_due();
  bool hold_work();
  void leave_work();
  Reseal reseal(std::int64_t batch) const;

  storage::Db& db_;
  KeyProvider& provider_;
  std::shared_ptr<KeyRing> ring_;
  const Pii& pii_;
  const base::Clock& clock_;
  const KeeperSettings settings_;
  const KeyTold told_;
  bool pause();  // false when stop() was called
  std::int64_t look_again_ms_ = 0;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::thread thread_;
};

// The two files by which a command speaks with the running shop.
std::string order_file(const std::string& data_dir);
std::string answer_file(const std::string& data_dir);
std::string order_text(const KeyOrder& order, const std::string& id);

}  // namespace topup::privacy
