#include "server/observability/metrics.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/base/clock.h"
#include "server/observability/process.h"

using topup::observability::HttpRequest;
using topup::observability::Metrics;
using topup::observability::Sheet;

namespace {

bool has_line(const Metrics& metrics, const std::string& line) {
  return ("\n" + metrics.text()).find("\n" + line + "\n") != std::string::npos;
}

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

HttpRequest asked(std::string_view route, int status, std::int64_t elapsed_us) {
  return {route, "GET", "buyer", "read", status, elapsed_us};
}

}  // namespace

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)  // They have heaps of their own.
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif

TEST_CASE("memory in use is told as it is taken and given back" * doctest::skip(kIsSanitized)) {
  constexpr std::int64_t kBytes = 8'000'000, kElse = 1'000'000;
  const auto in_use = [] { return topup::observability::process_figures().heap_bytes; };
  const std::int64_t before = in_use();
  auto large = std::make_unique<std::string>(kBytes, 'x');
  auto small = std::make_unique<std::vector<std::string>>(20'000, std::string(200, 'x'));
  const std::int64_t within = in_use();
  CHECK(within - before > kBytes + 20'000 * 200);
  CHECK(within - before < kBytes + 20'000 * 300 + kElse);
  large.reset();
  small.reset();
  CHECK(in_use() - before < kElse);
}

TEST_CASE("every event appears under its name and labels") {
  Metrics metrics;
  metrics.count_http_request(asked("/api/orders/{id}", 200, 3'000));
  metrics.count_http_request(asked("/api/orders/{id}", 204, 700));
  metrics.count_http_request(asked("/api/orders/{id}", 503, 2'000'000));
  metrics.count_store_commit(3);
  metrics.count_store_commit(1);
  metrics.count_job("submit", "done");
  metrics.count_job_run("submit", 20'000);
  metrics.count_websocket(1);
  metrics.count_websocket(1);
  metrics.count_websocket(-1);
  metrics.count_spans("exported", 7);
  metrics.count_outbound("wechat", "2xx", 120);
  metrics.count_outbound("wechat", "deadline", 10'000);
  metrics.count_order("paid");
  metrics.count_refusal("price_changed");

  CHECK(has_line(
      metrics,
      R"(http_requests_total{method="GET",route="/api/orders/{id}",status_class="2xx"} 2)"));
  CHECK(has_line(
      metrics,
      R"(http_requests_total{method="GET",route="/api/orders/{id}",status_class="5xx"} 1)"));
  CHECK(has_line(metrics, R"(http_request_seconds_count{route="/api/orders/{id}"} 3)"));
  CHECK(has_line(metrics, R"(http_request_seconds_bucket{route="/api/orders/{id}",le="0.001"} 1)"));
  CHECK(has_line(metrics, R"(http_request_seconds_bucket{route="/api/orders/{id}",le="0.005"} 2)"));
  CHECK(has_line(metrics,
                 R"(http_class_requests_total{auth="buyer",rate="read",status_class="2xx"} 2)"));
  CHECK(has_line(metrics, R"(http_class_request_seconds_count{auth="buyer",rate="read"} 3)"));
  CHECK(has_line(metrics, R"(job_run_seconds_bucket{kind="submit",le="0.025"} 1)"));
  CHECK(has_line(metrics, "websocket_connections 1"));
  CHECK(has_line(metrics, R"(trace_spans_total{outcome="exported"} 7)"));
  CHECK(has_line(metrics, "store_commits_total 2"));
  CHECK(has_line(metrics, "store_group_size_sum 4"));
  CHECK(has_line(metrics, R"(store_group_size_bucket{le="1"} 1)"));
  CHECK(has_line(metrics, R"(jobs_total{kind="submit",outcome="done"} 1)"));
  CHECK(has_line(metrics, R"(outbound_total{outcome="2xx",party="wechat"} 1)"));
  CHECK(has_line(metrics, R"(outbound_total{outcome="deadline",party="wechat"} 1)"));
  CHECK(has_line(metrics, R"(outbound_seconds_bucket{party="wechat",le="0.25"} 1)"));
  CHECK(has_line(metrics, R"(orders_total{state="paid"} 1)"));
  CHECK(has_line(metrics, R"(refused_total{reason="price_changed"} 1)"));
  CHECK(has_line(metrics, "# TYPE http_requests_total counter"));
  CHECK(has_line(metrics, "# TYPE outbound_seconds histogram"));
}

TEST_CASE("a label that runs away is counted as other and nothing is lost") {
  Metrics metrics;
  for (int i = 0; i < 1000; ++i) metrics.count_refusal("reason_" + std::to_string(i));
  const std::string text = metrics.text();
  CHECK(occurrences(text, "refused_total{") == topup::observability::kMaxLabelValues);
  CHECK(has_line(metrics, R"(refused_total{reason="reason_0"} 1)"));
  CHECK(has_line(metrics, R"(refused_total{reason="other"} 801)"));
  metrics.count_refusal("reason_0");
  CHECK(has_line(metrics, R"(refused_total{reason="reason_0"} 2)"));
  metrics.count_refusal(std::string(10'000, 'x'));
  CHECK(has_line(metrics, R"(refused_total{reason="other"} 802)"));
}

TEST_CASE("a hostile label cannot forge a line") {
  Metrics metrics;
  metrics.count_refusal("a\"} 9\njobs_due 5");
  CHECK_FALSE(has_line(metrics, "jobs_due 5"));
  CHECK(has_line(metrics, R"(refused_total{reason="a\"} 9\njobs_due 5"} 1)"));
}

TEST_CASE("a status outside HTTP is other") {
  Metrics metrics;
  metrics.count_http_request(asked("/", 0, 1));
  metrics.count_http_request(asked("/", 999, 1));
  CHECK(has_line(metrics, R"(http_requests_total{method="GET",route="/",status_class="other"} 2)"));
}

TEST_CASE("threads count without losing any while the text is read") {
  Metrics metrics;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&metrics] {
      for (int i = 0; i < 2000; ++i) metrics.count_order("paid");
    });
  }
  for (int i = 0; i < 20; ++i) CHECK_FALSE(metrics.text().empty());
  for (std::thread& thread : threads) thread.join();
  CHECK(has_line(metrics, R"(orders_total{state="paid"} 8000)"));
}

TEST_CASE("a source writes its rows when the text is read, one family for each name") {
  Metrics metrics;
  int reads = 0;
  metrics.add_source([&reads](Sheet& sheet) {
    ++reads;
    sheet.gauge("breaker_state", "Steps.", 2, {{"party", "wechat_pay"}});
    sheet.gauge("breaker_state", "Steps.", 0, {{"party", "reloadly"}});
    sheet.counter("looks_total", "Looks.", 9'007'199'254);
    sheet.gauge_seconds("lateness_seconds", "Late.", 1'500'000);
    const std::int64_t bounds[] = {1'000, 10'000};
    const std::int64_t counts[] = {3, 2, 1};
    sheet.histogram_seconds("write_seconds", "Writes.", bounds, counts, 2, 25'000);
  });
  CHECK(reads == 0);
  CHECK(has_line(metrics, R"(breaker_state{party="wechat_pay"} 2)"));
  CHECK(has_line(metrics, R"(breaker_state{party="reloadly"} 0)"));
  CHECK(occurrences(metrics.text(), "# TYPE breaker_state gauge") == 1);
  CHECK(has_line(metrics, "looks_total 9007199254"));
  CHECK(has_line(metrics, "lateness_seconds 1.5"));
  CHECK(has_line(metrics, R"(write_seconds_bucket{le="0.001"} 3)"));
  CHECK(has_line(metrics, R"(write_seconds_bucket{le="0.01"} 5)"));
  CHECK(has_line(metrics, R"(write_seconds_bucket{le="+Inf"} 6)"));
  CHECK(has_line(metrics, "write_seconds_count 6"));
  CHECK(has_line(metrics, "write_seconds_sum 0.025"));
  CHECK(reads == 10);
}

TEST_CASE("the process tells what it uses") {
  const auto figures = topup::observability::process_figures();
  CHECK(figures.resident_bytes > 1'000'000);
  CHECK(figures.threads >= 1);
  CHECK(figures.cpu_us > 0);
  CHECK(figures.open_fds >= 3);
  CHECK(figures.max_fds >= figures.open_fds);
}

TEST_CASE("a count costs little on the path of a request") {
  Metrics metrics;
  const topup::base::SystemClock clock;
  constexpr int kCounts = 200'000;
  std::int64_t start = clock.mono_us();
  for (int i = 0; i < kCounts; ++i) metrics.count_http_request(asked("/api/orders/{id}", 200, i));
  const std::int64_t request_ns = (clock.mono_us() - start) * 1'000 / kCounts;
  start = clock.mono_us();
  for (int i = 0; i < kCounts; ++i) metrics.count_outbound("wechat_pay", "2xx", 12);
  const std::int64_t outbound_ns = (clock.mono_us() - start) * 1'000 / kCounts;
  start = clock.mono_us();
  for (int i = 0; i < kCounts; ++i) metrics.count_store_commit(3);
  const std::int64_t commit_ns = (clock.mono_us() - start) * 1'000 / kCounts;
  MESSAGE("an answered request costs " << request_ns << " ns in four counts, a call outside "
                                       << outbound_ns << " ns, a commit " << commit_ns << " ns");
  CHECK(request_ns < 10'000);
  CHECK(outbound_ns < 5'000);
  CHECK(commit_ns < 2'500);
}
