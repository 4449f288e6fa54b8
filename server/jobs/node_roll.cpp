#include "server/jobs/node_roll.h"

#include <set>

#include "server/base/log.h"
#include "server/jobs/node_roll_store.h"

namespace topup::jobs {

std::int64_t NodeRoll::beat() {
  const std::int64_t now = clock_.mono_ms();
  if (now < next_mono_ms_) return live_;
  const std::int64_t wall = clock_.wall_ms();
  db_.write([&](storage::Tx& tx) {
    node_roll_store::beat(tx, {process_, node_, wall, wall - kGoneMs, wall - kForgetMs});
    return true;
  });
  std::map<std::string, Seen> seen;
  std::set<std::string> nodes;  // a process that was killed may still count beside its next
  db_.read([&](storage::Reader& reader) {
    for (const auto& row : node_roll_store::all(reader)) {
      const auto before = seen_.find(row.process);
      Seen now_seen{row.beats, now};
      if (before == seen_.end()) {
        // One of yesterday's, unless it moves.
        if (row.seen_at_ms < wall - kStaleMs) now_seen.since_mono_ms = now - kGoneMs;
      } else if (before->second.beats == row.beats) {
        now_seen.since_mono_ms = before->second.since_mono_ms;
      }
      if (now - now_seen.since_mono_ms < kGoneMs) nodes.insert(row.node);
      seen.emplace(row.process, now_seen);
    }
  });
  const auto live = static_cast<std::int64_t>(nodes.size());
  seen_ = std::move(seen);
  next_mono_ms_ = now + kBeatMs;
  if (live != live_) base::log(base::Level::info, "nodes_live", {{"count", live}});
  live_ = live;
  return live_;
}

void NodeRoll::leave() noexcept {
  try {
    db_.write([&](storage::Tx& tx) {
      node_roll_store::leave(tx, process_);
      return true;
    });
  } catch (const std::exception& failure) {  // the others notice it by themselves
    base::log(base::Level::warn, "node_left_unsaid", {{"why", failure.what()}});
  }
}

}  // namespace topup::jobs
