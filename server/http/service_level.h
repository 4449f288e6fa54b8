// How far the shop is degraded right now (features F018 to F021), as the live settings say: which
// routes are refused, for whom, and what pages tell people. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/base/json.h"
#include "server/http/router.h"
#include "server/settings/settings.h"

namespace topup::http {

inline constexpr std::int64_t kMaxRetryAfterS = 86'400;

class ServiceLevels {
 public:
  explicit ServiceLevels(const base::Clock& clock) : clock_(clock) {}
  ServiceLevels(const ServiceLevels&) = delete;
  ServiceLevels& operator=(const ServiceLevels&) = delete;

  // For Settings::observe(): takes over service.*.
  void adopt(const settings::Snapshot& settings);
  // For Router::guard(): 503 unavailable/maintenance or degraded with level, notice and, when
  // known, reopens_at_ms and Retry-After, for a route above its last level; nothing for testers.
  std::optional<Response> refusal(const Route& route, const Request& request) const;
  // {"level", "notice": {"zh", "en"}, "reopens_at_ms", "lowest_client", "not_on_ios"}; 0 when
  // nobody knows, "" for any version, kinds of product.
  base::Json facts() const;
  Level level() const { return level_; }

 private:
  struct State {
    Level level = Level::normal;
    std::string notice_zh, notice_en;
    std::int64_t reopens_at_ms = 0;
    std::set<std::string> testers;
    std::string lowest_client;
    std::vector<std::string> not_on_ios;
  };
  std::shared_ptr<const State> state() const;

  const base::Clock& clock_;
  std::atomic<Level> level_ = Level::normal;  // asked for by every request
  mutable std::mutex mutex_;                  // held for a pointer copy only
  std::shared_ptr<const State> state_ = std::make_shared<State>();
};

std::optional<Level> parse_level(std::string_view word);

}  // namespace topup::http
