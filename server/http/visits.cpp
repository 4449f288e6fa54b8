#include "server/http/visits.h"

#include "server/auth/caller.h"
#include "server/http/visits_store.h"

namespace topup::http {
namespace {

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::string_view kRest = "other";  // when too many different ones came at once

}  // namespace

std::int64_t Visits::weight(std::int64_t now_mono_ms) {
  const std::int64_t second = now_mono_ms / 1'000;
  if (second != second_) {
    second_ = second;
    in_second_ = 0;
  }
  if (++in_second_ <= kCountAllPerSecond) return 1;
  return in_second_ % kSampleEvery == 0 ? kSampleEvery : 0;
}

void Visits::seen(const Route& route, const Request& request) {
  if (route.auth != Auth::none && route.auth != Auth::buyer) return;
  if (route.rate == Rate::free || route.pattern.starts_with("/api/admin/"))
    return;  // probes, staff
  const std::int64_t now = clock_.wall_ms();
  {
    const std::lock_guard hold(mutex_);
    const std::int64_t counts = weight(clock_.mono_ms());
    if (counts == 0) return;
    Key key{now - now % kHourMs, route.pattern, auth::masked_address(request.client_address),
            auth::device_class(request.header("user-agent"))};
    if (held_.size() >= kMaxVisitsHeld && !held_.contains(key))
      key = Key{now - now % kHourMs, std::string(route.pattern), kRest, kRest};
    Count& count = held_[key];
    count.hits += counts;
    count.last_at_ms = now;
  }
}

void Visits::flush_when_due() {
  const std::int64_t now = clock_.mono_ms();
  {
    const std::lock_guard hold(mutex_);
    if (now - flushed_mono_ms_ < kVisitsFlushMs) return;
    flushed_mono_ms_ = now;
  }
  flush();
}

void Visits::flush() {
  std::map<Key, Count> taken;
  {
    const std::lock_guard hold(mutex_);
    taken.swap(held_);
  }
  if (taken.empty()) return;
  const std::int64_t oldest = clock_.wall_ms() - kVisitsKeptMs;
  db_.write([&](storage::Tx& tx) {
    for (const auto& [key, count] : taken) {
      const auto& [hour, place, network, device] = key;
      visits_store::add(tx, {hour, place, network, device, count.hits, count.last_at_ms});
    }
    visits_store::prune(tx, oldest, kMaxVisitRows);
    return true;
  });
}

VisitsReport Visits::report(std::int64_t hours, std::int64_t most) const {
  const std::int64_t since = clock_.wall_ms() - hours * kHourMs;
  VisitsReport report;
  db_.read([&](storage::Reader& reader) {
    report.hours = visits_store::by_hour(reader, since);
    report.places = visits_store::by(reader, visits_store::By::place, since, most);
    report.networks = visits_store::by(reader, visits_store::By::network, since, most);
    report.devices = visits_store::by(reader, visits_store::By::device, since, most);
  });
  return report;
}

}  // namespace topup::http
