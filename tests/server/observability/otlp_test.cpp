#include "server/observability/otlp.h"

#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/base/json.h"
#include "server/base/log.h"
#include "tests/support/far_side.h"
#include "tests/support/scratch_shop.h"

namespace topup::observability {
namespace {

using base::Json;
using testing::FarSide;
using testing::pause_ms;
using testing::Peer;

constexpr const char* kTrace = "0af7651916cd43dd8448eb211c80319c";

base::SpanRecord some_span(std::uint64_t id, std::uint64_t parent = 0) {
  base::SpanRecord span;
  span.trace_id = kTrace;
  span.span_id = id;
  span.parent_id = parent;
  span.name = "GET /orders/{id}";
  span.kind = base::SpanKind::server;
  span.start_us = 1'795'219'200'000'001;
  span.end_us = 1'795'219'200'004'321;
  return span;
}

class Counts {
 public:
  OtlpExporter::Counted counter() {
    return [this](std::string_view outcome, std::int64_t spans) {
      const std::lock_guard lock(mutex_);
      counts_[std::string(outcome)] += spans;
    };
  }
  std::int64_t of(const std::string& outcome) {
    const std::lock_guard lock(mutex_);
    return counts_[outcome];
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::int64_t> counts_;
};

bool is_hex(const std::string& text, std::size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

TEST_CASE("spans are written as OTLP's JSON") {
  base::SpanRecord failed = some_span(0xB7, 0x1234);
  failed.has_failed = true;
  failed.kind = base::SpanKind::client;
  failed.attributes = {{"party", "wechat_pay"}, {"odd", "\xff\xfe"}};
  const Json body = Json::parse(otlp_json({some_span(1), failed}, {.version = "0.1.0"}));
  const Json& resource = body.at("resourceSpans").at(0);
  CHECK(resource.at("resource").at("attributes").at(0) ==
        Json({{"key", "service.name"}, {"value", {{"stringValue", "topup"}}}}));
  const Json& spans = resource.at("scopeSpans").at(0).at("spans");
  REQUIRE(spans.size() == 2);
  CHECK(resource.at("scopeSpans").at(0).at("scope").at("name") == "topup");
  CHECK(spans[0].at("traceId") == kTrace);
  CHECK(spans[0].at("spanId") == "0000000000000001");
  CHECK_FALSE(spans[0].contains("parentSpanId"));
  CHECK(spans[0].at("kind") == 2);
  CHECK(spans[0].at("startTimeUnixNano") == "1795219200000001000");
  CHECK(spans[0].at("endTimeUnixNano") == "1795219200004321000");
  CHECK(spans[0].at("status") == Json::object());
  CHECK(spans[1].at("spanId") == "00000000000000b7");
  CHECK(spans[1].at("parentSpanId") == "0000000000001234");
  CHECK(spans[1].at("kind") == 3);
  CHECK(spans[1].at("status").at("code") == 2);
  CHECK(spans[1].at("attributes").at(0) ==
        Json({{"key", "party"}, {"value", {{"stringValue", "wechat_pay"}}}}));
}

TEST_CASE("a real collector gets every span once, in batches, with the operator's headers") {
  std::mutex mutex;
  std::set<std::string> ids;
  std::vector<std::string> heads;
  std::size_t largest = 0;
  bool all_right = true;
  FarSide collector([&](Peer& peer, int) {
    for (std::string request = peer.read_request(); !request.empty();
         request = peer.read_request()) {
      const std::size_t end = request.find("\r\n\r\n");
      const Json body = Json::parse(request.substr(end + 4));
      const Json& spans = body.at("resourceSpans").at(0).at("scopeSpans").at(0).at("spans");
      {
        const std::lock_guard lock(mutex);
        heads.push_back(request.substr(0, end));
        largest = std::max(largest, spans.size());
        for (const Json& span : spans) {
          all_right = all_right && is_hex(span.at("traceId"), 32) && is_hex(span.at("spanId"), 16);
          ids.insert(span.at("spanId"));
        }
      }
      peer.answer("{}");
    }
  });
  Counts counts;
  const auto outbound = base::make_outbound("otlp", collector.origin(), 1);
  OtlpOptions options;
  options.headers = {{"Api-Key", "of the collector"}};
  options.linger_ms = 50;
  {
    OtlpExporter exporter(*outbound, options, counts.counter());
    base::set_span_sink([&](base::SpanRecord&& span) { exporter.take(std::move(span)); }, 10'000);
    {
      const base::TraceScope scope{TraceId(kTrace)};
      for (int i = 0; i < 1'000; ++i) const base::Span span(base::SpanKind::internal, "step");
    }
    base::set_span_sink({}, 0);
    for (int i = 0; i < 200 && counts.of("exported") < 1'000; ++i) pause_ms(20);
  }
  CHECK(counts.of("exported") == 1'000);
  CHECK(counts.of("dropped") == 0);
  const std::lock_guard lock(mutex);
  CHECK(ids.size() == 1'000);
  CHECK(all_right);
  CHECK(largest <= kMaxSpansPerBatch);
  REQUIRE_FALSE(heads.empty());
  CHECK(heads[0].starts_with("POST /v1/traces HTTP/1.1\r\n"));
  CHECK(heads[0].find("\r\nApi-Key: of the collector") != std::string::npos);
  CHECK(heads[0].find("\r\nContent-Type: application/json") != std::string::npos);
  CHECK(heads[0].find("traceparent") == std::string::npos);  // it does not trace itself
}

TEST_CASE("a collector that is down or hangs costs spans, never time") {
  const testing::QuietLog quiet;
  std::atomic<bool> is_over{false};
  FarSide hanging([&](Peer& peer, int) {
    peer.read_request();
    while (!is_over) pause_ms(20);
  });
  const base::SystemClock clock;
  Counts counts;
  const auto outbound = base::make_outbound("otlp", hanging.origin(), 1);
  OtlpOptions options;
  options.max_queued = 100;
  options.linger_ms = 1;
  {
    OtlpExporter exporter(*outbound, options, counts.counter());
    exporter.take(some_span(1));
    pause_ms(100);  // it is on the wire now
    const std::int64_t start = clock.mono_us();
    for (std::uint64_t i = 0; i < 10'000; ++i) exporter.take(some_span(i));
    const std::int64_t us = clock.mono_us() - start;
    MESSAGE("a span into a full queue costs " << us * 1'000 / 10'000 << " ns");
    CHECK(us < 500'000);
    CHECK(counts.of("dropped") == 9'900);
    is_over = true;
    exporter.stop();
  }
  CHECK(counts.of("failed") + counts.of("dropped") == 10'001);
  CHECK(counts.of("exported") == 0);

  const auto nobody = base::make_outbound("otlp", "http://127.0.0.1:1", 1);
  Counts lost;
  {
    OtlpExporter exporter(*nobody, options, lost.counter());
    exporter.take(some_span(1));
  }
  CHECK(lost.of("failed") == 1);
}

}  // namespace
}  // namespace topup::observability
