// Counters, gauges and histograms of the server, in Prometheus text. One method per event that is
// worth counting, so that a name or a label cannot be mistyped at the call. A label takes at most
// kMaxLabelValues different values, later ones are counted as "other": callers pass words and route
// patterns, never ids or anything a customer typed. Thread-safe. Times are counted in seconds as
// floating point: these numbers never meet money.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace topup::observability {

inline constexpr std::size_t kMaxLabelValues = 200;  // per metric and label

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // http_requests_total{route,method,status_class}, http_request_seconds{route}; `route` is the
  // pattern, "/orders/{id}".
  void count_http_request(std::string_view route, std::string_view method, int status,
                          std::int64_t elapsed_us);
  // store_commits_total, store_group_size: transactions that became durable with one sync.
  void count_store_commit(std::int64_t group_size);
  // jobs_total{kind,outcome}: done, again, dead.
  void count_job(std::string_view kind, std::string_view outcome);
  void set_jobs_due(std::int64_t due);  // jobs_due
  // outbound_total{party,outcome}, outbound_seconds{party}; the shape of base::OutboundObserver.
  void count_outbound(std::string_view party, std::string_view outcome, std::int64_t elapsed_ms);
  void count_order(std::string_view state);  // orders_total{state}: orders that entered the state
  void count_refusal(std::string_view reason);  // refused_total{reason}

  std::string text() const;  // text/plain; version=0.0.4

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace topup::observability
