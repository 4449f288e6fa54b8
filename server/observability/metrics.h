// Counters, gauges and histograms of the server, in Prometheus text. One method per event that is
// worth counting, so that a name or a label cannot be mistyped at the call; what others count for
// themselves (the store, the clients of outside parties, the process) is asked for when the text is
// read. A label takes at most kMaxLabelValues different values, later ones are counted as "other":
// callers pass words and route patterns, never ids or anything a customer typed. Thread-safe. Times
// are counted in seconds as floating point: these numbers never meet money.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace topup::observability {

inline constexpr std::size_t kMaxLabelValues = 200;  // per metric and label

// One answered request.
struct HttpRequest {
  std::string_view route;  // the pattern, "/orders/{id}"
  std::string_view method;
  std::string_view auth;  // the words of http::Auth and http::Rate
  std::string_view rate;
  int status = 0;
  std::int64_t elapsed_us = 0;
};

// What a source writes when the text is read. Names and helps are static text; the rows of one
// name are written one after the other.
class Sheet {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;
  virtual ~Sheet() = default;
  virtual void gauge(const char* name, const char* help, std::int64_t value,
                     Labels labels = {}) = 0;
  virtual void counter(const char* name, const char* help, std::int64_t value,
                       Labels labels = {}) = 0;
  virtual void gauge_seconds(const char* name, const char* help, std::int64_t us,
                             Labels labels = {}) = 0;
  virtual void counter_seconds(const char* name, const char* help, std::int64_t us,
                               Labels labels = {}) = 0;
  // `counts` has one row more than `bounds_us`: what lies above them. Not cumulative.
  virtual void histogram_seconds(const char* name, const char* help, const std::int64_t* bounds_us,
                                 const std::int64_t* counts, std::size_t bounds,
                                 std::int64_t sum_us) = 0;
};

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // http_requests_total{route,method,status_class}, http_request_seconds{route},
  // http_class_requests_total{auth,rate,status_class}, http_class_request_seconds{auth,rate}.
  void count_http_request(const HttpRequest& request);
  // store_commits_total, store_group_size: transactions that became durable with one sync.
  void count_store_commit(std::int64_t group_size);
  // jobs_total{kind,outcome}: settled, failed, buried.
  void count_job(std::string_view kind, std::string_view outcome);
  void count_job_run(std::string_view kind, std::int64_t elapsed_us);  // job_run_seconds{kind}
  // outbound_total{party,outcome}, outbound_seconds{party}; the shape of base::OutboundObserver.
  void count_outbound(std::string_view party, std::string_view outcome, std::int64_t elapsed_ms);
  void count_order(std::string_view state);  // orders_total{state}: orders that entered the state
  void count_refusal(std::string_view reason);  // refused_total{reason}
  // An event of the door, by the words of http::DoorEvent: "opened" and "closed" move
  // door_connections, "refused" and "handshake_failed" count door_refused_total{reason} and
  // door_handshakes_failed_total{reason}, "certificate" sets tls_certificate_expires_seconds.
  void count_door(std::string_view event, std::string_view reason, std::int64_t wall_ms);

  void count_backup(bool is_good);  // backups_total{outcome}: good, failed
  // backup_last_good_seconds: when the newest whole backup was made, in seconds since 1970; 0:
  // none.
  void set_backup_made_at(std::int64_t made_at_ms);

  void count_websocket(int change);                                // websocket_connections: +1, -1
  void count_spans(std::string_view outcome, std::int64_t spans);  // trace_spans_total{outcome}

  // Called for each text(), from its thread; must not throw. Before the first text().
  void add_source(std::function<void(Sheet&)> source);

  std::string text() const;  // text/plain; version=0.0.4

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace topup::observability
