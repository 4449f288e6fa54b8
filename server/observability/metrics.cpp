#include "server/observability/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace topup::observability {
namespace {

using Labels = std::map<std::string, std::string>;
using Bounds = prometheus::Histogram::BucketBoundaries;

constexpr std::string_view kOther = "other";
constexpr std::size_t kMaxLabelBytes = 128;
constexpr std::size_t kMaxKeyBytes = 256;
constexpr std::size_t kMaxPlaces = 8'192;  // rows of one family that are found without a search

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

// From the values of the labels to what counts them, so that a count neither builds a map nor takes
// a lock that others wait for.
template <class Counted>
class Places {
 public:
  template <class... Value>
  static std::string_view key_of(std::array<char, kMaxKeyBytes>& room, const Value&... value) {
    std::size_t size = 0;
    bool fits = true;
    const auto append = [&](std::string_view text) {
      fits = fits && size + text.size() + 1 <= room.size();
      if (!fits) return;
      std::copy(text.begin(), text.end(), room.data() + size);
      size += text.size();
      room[size++] = '\0';
    };
    (append(value), ...);
    return fits ? std::string_view(room.data(), size) : std::string_view();
  }

  Counted* find(std::string_view key) const {
    const std::shared_lock lock(mutex_);
    const auto found = places_.find(key);
    return found == places_.end() ? nullptr : found->second;
  }

  void keep(std::string_view key, Counted* place) {
    const std::lock_guard lock(mutex_);
    if (places_.size() < kMaxPlaces) places_.emplace(key, place);
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, Counted*, Hash, std::equal_to<>> places_;
};

// A family whose rows are told apart by labels; `more` is what a row is made with besides.
template <class Counted, class... More>
class LabelledFamily {
 public:
  LabelledFamily(prometheus::Family<Counted>& family, std::vector<std::string> names, More... more)
      : family_(family), names_(std::move(names)), values_(names_.size()), more_(more...) {}

  template <class... Value>
  Counted& at(const Value&... value) {
    std::array<char, kMaxKeyBytes> room;
    const std::string_view key = Places<Counted>::key_of(room, value...);
    if (Counted* const known = key.empty() ? nullptr : places_.find(key)) return *known;
    Labels labels;
    std::size_t at = 0;
    bool is_exact = true;
    const auto admit = [&](std::string_view given) {
      std::string admitted = values_[at].admit(given);
      is_exact = is_exact && admitted == given;
      labels.emplace(names_[at++], std::move(admitted));
    };
    (admit(value), ...);
    Counted& place = std::apply(
        [&](const auto&... more) -> Counted& { return family_.Add(labels, more...); }, more_);
    // Values without end share one row; each must not take a place of its own here.
    if (is_exact && !key.empty()) places_.keep(key, &place);
    return place;
  }

 private:
  prometheus::Family<Counted>& family_;
  std::vector<std::string> names_;
  std::vector<LabelValues> values_;
  std::tuple<More...> more_;
  Places<Counted> places_;
};

class CounterFamily {
 public:
  CounterFamily(prometheus::Registry& registry, const char* name, const char* help,
                std::vector<std::string> labels)
      : family_(prometheus::BuildCounter().Name(name).Help(help).Register(registry),
                std::move(labels)) {}

  template <class... Value>
  void count(const Value&... value) {
    family_.at(value...).Increment();
  }
  template <class... Value>
  void add(std::int64_t amount, const Value&... value) {
    family_.at(value...).Increment(static_cast<double>(amount));
  }

 private:
  LabelledFamily<prometheus::Counter> family_;
};

class SecondsFamily {
 public:
  SecondsFamily(prometheus::Registry& registry, const char* name, const char* help,
                std::vector<std::string> labels, Bounds bounds)
      : family_(prometheus::BuildHistogram().Name(name).Help(help).Register(registry),
                std::move(labels), std::move(bounds)) {}

  template <class... Value>
  void observe(double seconds, const Value&... value) {
    family_.at(value...).Observe(seconds);
  }

 private:
  LabelledFamily<prometheus::Histogram, Bounds> family_;
};

// Rows of sources become families: one for each name.
class FamilySheet final : public Sheet {
 public:
  void gauge(const char* name, const char* help, std::int64_t value, Labels labels) override {
    row(name, help, prometheus::MetricType::Gauge, labels).gauge.value = static_cast<double>(value);
  }
  void counter(const char* name, const char* help, std::int64_t value, Labels labels) override {
    row(name, help, prometheus::MetricType::Counter, labels).counter.value =
        static_cast<double>(value);
  }
  void gauge_seconds(const char* name, const char* help, std::int64_t us, Labels labels) override {
    row(name, help, prometheus::MetricType::Gauge, labels).gauge.value = seconds(us);
  }
  void counter_seconds(const char* name, const char* help, std::int64_t us,
                       Labels labels) override {
    row(name, help, prometheus::MetricType::Counter, labels).counter.value = seconds(us);
  }
  void histogram_seconds(const char* name, const char* help, const std::int64_t* bounds_us,
                         const std::int64_t* counts, std::size_t bounds,
                         std::int64_t sum_us) override {
    auto& histogram = row(name, help, prometheus::MetricType::Histogram, {}).histogram;
    std::uint64_t below = 0;
    for (std::size_t i = 0; i <= bounds; ++i) {
      below += static_cast<std::uint64_t>(counts[i]);
      const double bound =
          i < bounds ? seconds(bounds_us[i]) : std::numeric_limits<double>::infinity();
      histogram.bucket.push_back({below, bound});
    }
    histogram.sample_count = below;
    histogram.sample_sum = seconds(sum_us);
  }

  std::vector<prometheus::MetricFamily> take() { return std::move(families_); }

 private:
  static double seconds(std::int64_t us) { return static_cast<double>(us) / 1e6; }

  prometheus::ClientMetric& row(const char* name, const char* help, prometheus::MetricType type,
                                Labels labels) {
    if (families_.empty() || families_.back().name != name) {
      families_.push_back({name, help, type, {}});
    }
    prometheus::ClientMetric& metric = families_.back().metric.emplace_back();
    for (const auto& [key, value] : labels) {
      metric.label.push_back({std::string(key), std::string(value)});
    }
    return metric;
  }

  std::vector<prometheus::MetricFamily> families_;
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
  SecondsFamily http_seconds{registry,
                             "http_request_seconds",
                             "Time from the whole request to the answer.",
                             {"route"},
                             request_seconds()};
  CounterFamily class_requests{registry,
                               "http_class_requests_total",
                               "Answered requests by who may ask and what it costs.",
                               {"auth", "rate", "status_class"}};
  SecondsFamily class_seconds{registry,
                              "http_class_request_seconds",
                              "Time of requests by who may ask and what it costs.",
                              {"auth", "rate"},
                              request_seconds()};
  prometheus::Counter& store_commits = prometheus::BuildCounter()
                                           .Name("store_commits_total")
                                           .Help("Group commits made durable.")
                                           .Register(registry)
                                           .Add({});
  prometheus::Histogram& group_size = prometheus::BuildHistogram()
                                          .Name("store_group_size")
                                          .Help("Transactions made durable with one sync.")
                                          .Register(registry)
                                          .Add({}, group_sizes());
  CounterFamily jobs{registry, "jobs_total", "Finished runs of jobs.", {"kind", "outcome"}};
  SecondsFamily job_seconds{
      registry, "job_run_seconds", "Time of one run of a job.", {"kind"}, outbound_seconds()};
  CounterFamily outbound{
      registry, "outbound_total", "Calls to outside parties.", {"party", "outcome"}};
  SecondsFamily outbound_time{registry,
                              "outbound_seconds",
                              "Time of calls to outside parties.",
                              {"party"},
                              outbound_seconds()};
  CounterFamily orders{registry, "orders_total", "Orders that entered a state.", {"state"}};
  CounterFamily refusals{registry, "refused_total", "Refused requests by reason.", {"reason"}};
  CounterFamily backups{registry, "backups_total", "Backups that the shop tried.", {"outcome"}};
  prometheus::Gauge& backup_made = prometheus::BuildGauge()
                                       .Name("backup_last_good_seconds")
                                       .Help("When the newest whole backup was made; 0: none.")
                                       .Register(registry)
                                       .Add({});
  prometheus::Gauge& door_connections = prometheus::BuildGauge()
                                            .Name("door_connections")
                                            .Help("Connections of clients that are open.")
                                            .Register(registry)
                                            .Add({});
  CounterFamily door_refusals{registry,
                              "door_refused_total",
                              "Connections and requests that the door refused, by reason.",
                              {"reason"}};
  CounterFamily door_handshakes{registry,
                                "door_handshakes_failed_total",
                                "TLS handshakes that failed, by reason.",
                                {"reason"}};
  prometheus::Gauge& tls_expires = prometheus::BuildGauge()
                                       .Name("tls_certificate_expires_seconds")
                                       .Help(
                                           "When the certificate in use ends, in Unix time; 0 "
                                           "without TLS.")
                                       .Register(registry)
                                       .Add({});
  prometheus::Gauge& websockets = prometheus::BuildGauge()
                                      .Name("websocket_connections")
                                      .Help("Open WebSockets of order pages.")
                                      .Register(registry)
                                      .Add({});
  CounterFamily spans{registry, "trace_spans_total", "Spans by what became of them.", {"outcome"}};
  std::vector<std::function<void(Sheet&)>> sources;
};

Metrics::Metrics() : families_(std::make_unique<Families>()) {}

Metrics::~Metrics() = default;

void Metrics::count_http_request(const HttpRequest& request) {
  const std::string_view status = class_of(request.status);
  const double seconds = static_cast<double>(request.elapsed_us) / 1e6;
  families_->http_requests.count(request.route, request.method, status);
  families_->http_seconds.observe(seconds, request.route);
  families_->class_requests.count(request.auth, request.rate, status);
  families_->class_seconds.observe(seconds, request.auth, request.rate);
}

void Metrics::count_store_commit(std::int64_t group_size) {
  families_->store_commits.Increment();
  families_->group_size.Observe(static_cast<double>(group_size));
}

void Metrics::count_job(std::string_view kind, std::string_view outcome) {
  families_->jobs.count(kind, outcome);
}

void Metrics::count_job_run(std::string_view kind, std::int64_t elapsed_us) {
  families_->job_seconds.observe(static_cast<double>(elapsed_us) / 1e6, kind);
}

void Metrics::count_outbound(std::string_view party, std::string_view outcome,
                             std::int64_t elapsed_ms) {
  families_->outbound.count(party, outcome);
  families_->outbound_time.observe(static_cast<double>(elapsed_ms) / 1e3, party);
}

void Metrics::count_order(std::string_view state) { families_->orders.count(state); }

void Metrics::count_refusal(std::string_view reason) { families_->refusals.count(reason); }

void Metrics::count_backup(bool is_good) {
  families_->backups.count(std::string_view(is_good ? "good" : "failed"));
}

void Metrics::set_backup_made_at(std::int64_t made_at_ms) {
  families_->backup_made.Set(static_cast<double>(made_at_ms) / 1e3);
}

void Metrics::count_door(std::string_view event, std::string_view reason, std::int64_t wall_ms) {
  if (event == "opened") families_->door_connections.Increment();
  if (event == "closed") families_->door_connections.Decrement();
  if (event == "refused") families_->door_refusals.count(reason);
  if (event == "handshake_failed") families_->door_handshakes.count(reason);
  if (event == "certificate") families_->tls_expires.Set(static_cast<double>(wall_ms) / 1e3);
}

void Metrics::count_websocket(int change) { families_->websockets.Increment(change); }

void Metrics::count_spans(std::string_view outcome, std::int64_t spans) {
  families_->spans.add(spans, outcome);
}

void Metrics::add_source(std::function<void(Sheet&)> source) {
  families_->sources.push_back(std::move(source));
}

std::string Metrics::text() const {
  FamilySheet sheet;
  for (const auto& source : families_->sources) source(sheet);
  std::vector<prometheus::MetricFamily> all = families_->registry.Collect();
  for (prometheus::MetricFamily& family : sheet.take()) all.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(all);
}

}  // namespace topup::observability
