// How many nodes of this shop live: each writes now and then that it does, and watches whose rows
// still count up. By its own steady clock, so clocks that differ between machines do not matter. A
// node that is killed counts for kGoneMs more, unless it starts again. Of one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "server/base/clock.h"
#include "server/storage/db.h"

namespace topup::jobs {

class NodeRoll {
 public:
  static constexpr std::int64_t kBeatMs = 2'000;
  static constexpr std::int64_t kGoneMs = 10'000;
  static constexpr std::int64_t kStaleMs = 60'000;  // at first sight
  static constexpr std::int64_t kForgetMs = 24LL * 3'600'000;

  // `process` is new with each start, `node` is not.
  NodeRoll(storage::Db& db, const base::Clock& clock, std::string node, std::string process)
      : db_(db), clock_(clock), node_(std::move(node)), process_(std::move(process)) {}
  const std::string& process() const { return process_; }
  // Writes when it is time to; how many nodes live, this one included. Throws storage::SqlError.
  std::int64_t beat();
  void leave() noexcept;  // a node that stops takes itself off

 private:
  struct Seen {
    std::int64_t beats, since_mono_ms;
  };
  storage::Db& db_;
  const base::Clock& clock_;
  const std::string node_, process_;
  std::map<std::string, Seen> seen_;
  std::int64_t next_mono_ms_ = 0, live_ = 1;
};

}  // namespace topup::jobs
