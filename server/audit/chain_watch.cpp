#include "server/audit/chain_watch.h"

#include "server/base/log.h"

namespace topup::audit {

bool ChainWatch::start() {
  const std::lock_guard hold(mutex_);
  if (status_.state == "running") return false;
  if (thread_.joinable()) thread_.join();  // it has said its last word
  status_ = {};
  status_.state = "running";
  status_.started_at_ms = clock_.wall_ms();
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  return true;
}

ChainStatus ChainWatch::status() const {
  const std::lock_guard hold(mutex_);
  return status_;
}

void ChainWatch::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void ChainWatch::note(const std::function<void(ChainStatus&)>& change) {
  const std::lock_guard hold(mutex_);
  change(status_);
}

void ChainWatch::run(const std::stop_token& stop) {
  try {
    const std::vector<Head> heads = heads_();
    ChainWalk walk(heads);
    std::int64_t of = 0;
    db_.read([&of](storage::Reader& reader) { of = head_of(reader).seq; });
    note([&](ChainStatus& status) {
      status.of = of;
      status.signed_heads = static_cast<std::int64_t>(heads.size());
    });
    for (bool goes_on = true; goes_on && !stop.stop_requested();) {
      db_.read([&](storage::Reader& reader) { goes_on = walk.step(reader); });
      note([&](ChainStatus& status) {
        status.rows = walk.rows();
        status.last_seq = walk.last_seq();
      });
    }
    if (stop.stop_requested()) return;
    const ChainVerdict& verdict = walk.verdict();
    if (!verdict.holds) base::log(base::Level::error, "audit_chain_broken", {{"why", verdict.why}});
    note([&](ChainStatus& status) {
      status.state = verdict.holds ? "holds" : "broken";
      status.first_bad_seq = verdict.first_bad_seq;
      status.why = verdict.why;
      status.finished_at_ms = clock_.wall_ms();
    });
  } catch (const std::exception& failure) {
    base::log(base::Level::error, "audit_chain_unread", {{"why", failure.what()}});
    note([&](ChainStatus& status) {
      status.state = "failed";
      status.why = "the trail could not be read";
      status.finished_at_ms = clock_.wall_ms();
    });
  }
}

}  // namespace topup::audit
