#include "server/observability/metrics.h"

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

using topup::observability::Metrics;

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

}  // namespace

TEST_CASE("every event appears under its name and labels") {
  Metrics metrics;
  metrics.count_http_request("/api/orders/{id}", "GET", 200, 3'000);
  metrics.count_http_request("/api/orders/{id}", "GET", 204, 700);
  metrics.count_http_request("/api/orders/{id}", "GET", 503, 2'000'000);
  metrics.count_store_commit(3);
  metrics.count_store_commit(1);
  metrics.count_job("submit", "done");
  metrics.set_jobs_due(12);
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
  CHECK(has_line(metrics, "store_commits_total 2"));
  CHECK(has_line(metrics, "store_group_size_sum 4"));
  CHECK(has_line(metrics, R"(store_group_size_bucket{le="1"} 1)"));
  CHECK(has_line(metrics, R"(jobs_total{kind="submit",outcome="done"} 1)"));
  CHECK(has_line(metrics, "jobs_due 12"));
  CHECK(has_line(metrics, R"(outbound_total{outcome="2xx",party="wechat"} 1)"));
  CHECK(has_line(metrics, R"(outbound_total{outcome="deadline",party="wechat"} 1)"));
  CHECK(has_line(metrics, R"(outbound_seconds_bucket{party="wechat",le="0.25"} 1)"));
  CHECK(has_line(metrics, R"(orders_total{state="paid"} 1)"));
  CHECK(has_line(metrics, R"(refused_total{reason="price_changed"} 1)"));
  CHECK(has_line(metrics, "# TYPE http_requests_total counter"));
  CHECK(has_line(metrics, "# TYPE jobs_due gauge"));
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
  metrics.count_http_request("/", "GET", 0, 1);
  metrics.count_http_request("/", "GET", 999, 1);
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
