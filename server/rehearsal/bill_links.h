// Links to files of a bill: each works for some time, and the oldest go first when there are too
// many. A file is as long as its day, so no more of them are kept than are being fetched.
// Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace topup::rehearsal {

class BillLinks {
 public:
  static constexpr std::size_t kMost = 4;  // that work at one time
  explicit BillLinks(std::int64_t valid_ms) : valid_ms_(valid_ms) {}

  void add(std::string token, std::string file, std::int64_t now_ms) {
    const std::lock_guard lock(mutex_);
    drop_old(now_ms);
    if (links_.size() >= kMost) links_.pop_front();
    links_.push_back({std::move(token), std::move(file), now_ms + valid_ms_});
  }
  std::optional<std::string> find(std::string_view token, std::int64_t now_ms) {
    const std::lock_guard lock(mutex_);
    drop_old(now_ms);
    for (const Link& link : links_) {
      if (link.token == token) return link.file;
    }
    return std::nullopt;
  }

 private:
  struct Link {
    std::string token, file;
    std::int64_t until_ms = 0;  // the last moment at which it works
  };
  void drop_old(std::int64_t now_ms) {
    while (!links_.empty() && links_.front().until_ms < now_ms) links_.pop_front();
  }

  const std::int64_t valid_ms_;
  std::mutex mutex_;
  std::deque<Link> links_;  // all work equally long, so the oldest is the first to end
};

}  // namespace topup::rehearsal
