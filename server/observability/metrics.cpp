#include "server/observability/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

namespace topup::observability {
namespace {

using Labels = std::map<std::string, std::string>;
using Bounds = prometheus::Histogram::BucketBoundaries;

constexpr std::string_view kOther = "other";
constexpr std::size_t kMaxLabelBytes = 128;

Bounds request_seconds() { return {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5}; }
Bounds outbound_seconds() { return {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30}; }
Bounds group_sizes() { return {1, 2, 4, 8, 16, 32, 64, 128}; }

// Bounds what one label of one metric can hold, since each value costs memory for as long as the
// process lives.
class LabelValues {
 public:
  std::string admit(std::string_view value) {
    if (value.size() > kMaxLabelBytes) return std::string(kOther);
    const std::lock_guard lock(mutex_);
    if (seen_.find(value) != seen_.end()) return std::string(value);
    // One place is kept for "other" itself.
    if (seen_.size() + 1 >= kMaxLabelValues) return std::string(kOther);
    return *seen_.emplace(value).first;
  }

 private:
  std::mutex mutex_;
  std::set<std::string, std::less<>> seen_;
};

class CounterFamily {
 public:
  CounterFamily(prometheus::Registry& registry, const char* name, const char* help,
                std::vector<std::string> labels)
      : family_(prometheus::BuildCounter().Name(name).Help(help).Register(registry)),
        names_(std::move(labels)),
        values_(names_.size()) {}

  template <class... Value>
  void count(const Value&... value) {
    Labels labels;
    std::size_t at = 0;
    ((labels.emplace(names_[at], values_[at].admit(value)), ++at), ...);
    family_.Add(labels).Increment();
  }

 private:
  prometheus::Family<prometheus::Counter>& family_;
  std::vector<std::string> names_;
  std::vector<LabelValues> values_;
};

class SecondsFamily {
 public:
  SecondsFamily(prometheus::Registry& registry, const char* name, const char* help,
                const char* label, Bounds bounds)
      : family_(prometheus::BuildHistogram().Name(name).Help(help).Register(registry)),
        label_(label),
        bounds_(std::move(bounds)) {}

  void observe(std::string_view value, double seconds) {
    family_.Add(Labels{{label_, values_.admit(value)}}, bounds_).Observe(seconds);
  }

 private:
  prometheus::Family<prometheus::Histogram>& family_;
  std::string label_;
  Bounds bounds_;
  LabelValues values_;
};

std::string_view class_of(int status) {
  constexpr std::string_view kClasses[] = {"1xx", "2xx", "3xx", "4xx", "5xx"};
  return status >= 100 && status < 600 ? kClasses[status / 100 - 1] : kOther;
}

}  // namespace

struct Metrics::Families {
  prometheus::Registry registry;
  CounterFamily http_requests{
      registry, "http_requests_total", "Answered requests.", {"route", "method", "status_class"}};
  SecondsFamily http_seconds{registry, "http_request_seconds",
                             "Time from the whole request to the answer.", "route",
                             request_seconds()};
  CounterFamily store_commits{registry, "store_commits_total", "Group commits made durable.", {}};
  prometheus::Histogram& group_size = prometheus::BuildHistogram()
                                          .Name("store_group_size")
                                          .Help("Transactions made durable with one sync.")
                                          .Register(registry)
                                          .Add({}, group_sizes());
  CounterFamily jobs{registry, "jobs_total", "Finished runs of jobs.", {"kind", "outcome"}};
  prometheus::Gauge& jobs_due = prometheus::BuildGauge()
                                    .Name("jobs_due")
                                    .Help("Jobs whose time has come and which nobody has taken.")
                                    .Register(registry)
                                    .Add({});
  CounterFamily outbound{
      registry, "outbound_total", "Calls to outside parties.", {"party", "outcome"}};
  SecondsFamily outbound_time{registry, "outbound_seconds", "Time of calls to outside parties.",
                              "party", outbound_seconds()};
  CounterFamily orders{registry, "orders_total", "Orders that entered a state.", {"state"}};
  CounterFamily refusals{registry, "refused_total", "Refused requests by reason.", {"reason"}};
};

Metrics::Metrics() : families_(std::make_unique<Families>()) {}

Metrics::~Metrics() = default;

void Metrics::count_http_request(std::string_view route, std::string_view method, int status,
                                 std::int64_t elapsed_us) {
  families_->http_requests.count(route, method, class_of(status));
  families_->http_seconds.observe(route, static_cast<double>(elapsed_us) / 1e6);
}

void Metrics::count_store_commit(std::int64_t group_size) {
  families_->store_commits.count();
  families_->group_size.Observe(static_cast<double>(group_size));
}

void Metrics::count_job(std::string_view kind, std::string_view outcome) {
  families_->jobs.count(kind, outcome);
}

void Metrics::set_jobs_due(std::int64_t due) { families_->jobs_due.Set(static_cast<double>(due)); }

void Metrics::count_outbound(std::string_view party, std::string_view outcome,
                             std::int64_t elapsed_ms) {
  families_->outbound.count(party, outcome);
  families_->outbound_time.observe(party, static_cast<double>(elapsed_ms) / 1e3);
}

void Metrics::count_order(std::string_view state) { families_->orders.count(state); }

void Metrics::count_refusal(std::string_view reason) { families_->refusals.count(reason); }

std::string Metrics::text() const {
  return prometheus::TextSerializer().Serialize(families_->registry.Collect());
}

}  // namespace topup::observability
