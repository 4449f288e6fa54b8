#include "server/base/span.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <string>
#include <tuple>
#include <vector>

#include "server/base/clock.h"
#include "server/base/log.h"

namespace topup::base {
namespace {

constexpr const char* kTrace = "0af7651916cd43dd8448eb211c80319c";
constexpr const char* kOther = "4bf92f3577b34da6a3ce929d0e0e4736";

class Listening {  // to every span of a trace in bp of 10,000, for as long as it lives
 public:
  explicit Listening(int sample_bp = 10'000) {
    set_span_sink([this](SpanRecord&& span) { heard.push_back(std::move(span)); }, sample_bp);
  }
  ~Listening() { set_span_sink({}, 0); }
  std::vector<SpanRecord> heard;
};

TEST_CASE("a traceparent is read strictly, and a malformed one counts for nothing") {
  const std::string good = std::string("00-") + kTrace + "-b7ad6b7169203331-01";
  const auto parsed = parse_traceparent(good);
  REQUIRE(parsed);
  CHECK(parsed->trace.text == kTrace);
  CHECK(parsed->span_id == 0xb7ad6b7169203331ULL);
  CHECK(parse_traceparent(std::string("00-") + kTrace + "-b7ad6b7169203331-00"));
  CHECK(parse_traceparent(std::string("cc-") + kTrace + "-b7ad6b7169203331-01-what-comes-later"));
  for (const std::string& wrong :
       {std::string(), std::string("00"), good + "-", good + "0", good.substr(0, 54),
        std::string("ff-") + kTrace + "-b7ad6b7169203331-01",
        std::string("00-00000000000000000000000000000000-b7ad6b7169203331-01"),
        std::string("00-") + kTrace + "-0000000000000000-01",
        std::string("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"),
        std::string("00-") + kTrace + "-b7ad6b716920333g-01",
        std::string("00-") + kTrace + "-b7ad6b7169203331-0g",
        std::string("00_") + kTrace + "-b7ad6b7169203331-01",
        std::string("0x-") + kTrace + "-b7ad6b7169203331-01",
        std::string("cc-") + kTrace + "-b7ad6b7169203331-01x"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_traceparent(wrong));
  }
}

TEST_CASE("spans are each other's children on one thread and in one trace only") {
  Listening listening;
  const TraceScope scope{TraceId(kTrace)};
  {
    const Span outer(SpanKind::server, "GET", "/orders/{id}", TraceParent{TraceId(kTrace), 0x1234});
    { const Span inner(SpanKind::internal, "store write"); }
    {
      const TraceScope other{TraceId(kOther)};
      const Span elsewhere(SpanKind::consumer, "job", "submit");
    }
    Span failed(SpanKind::client, "POST");
    failed.note("party", "wechat_pay");
    failed.note("http.response.status_code", std::int64_t{500});
    failed.fail();
  }
  { const Span stranger(SpanKind::server, "GET", "/", TraceParent{TraceId(kOther), 0x99}); }
  REQUIRE(listening.heard.size() == 5);
  const auto& [inner, elsewhere, failed, outer, stranger] =
      std::tie(listening.heard[0], listening.heard[1], listening.heard[2], listening.heard[3],
               listening.heard[4]);
  CHECK(outer.name == "GET /orders/{id}");
  CHECK(outer.parent_id == 0x1234);
  CHECK(inner.parent_id == outer.span_id);
  CHECK(inner.trace_id == kTrace);
  CHECK(elsewhere.trace_id == kOther);
  CHECK(elsewhere.parent_id == 0);
  CHECK(failed.parent_id == outer.span_id);
  CHECK(failed.has_failed);
  REQUIRE(failed.attributes.size() == 2);
  CHECK(failed.attributes[1].second == "500");
  CHECK(stranger.parent_id == 0);  // its parent is of another trace
  CHECK(outer.start_us <= inner.start_us);
  CHECK(inner.end_us <= outer.end_us);
}

TEST_CASE("what goes out names the innermost span as its parent, and whether we keep the trace") {
  {
    const TraceScope scope{TraceId(kTrace)};
    CHECK(traceparent_here().ends_with("-01"));  // nobody listens: left to others
    Listening listening;
    std::string said;
    {
      const Span span(SpanKind::client, "POST");
      said = traceparent_here();
    }
    REQUIRE(listening.heard.size() == 1);
    const auto parsed = parse_traceparent(said);
    REQUIRE(parsed);
    CHECK(parsed->span_id == listening.heard[0].span_id);
    CHECK(said.ends_with("-01"));
  }
  CHECK(traceparent_here().empty());
  const TraceScope odd{TraceId("not a trace")};
  CHECK(traceparent_here().empty());
}

TEST_CASE("a share of the traces is kept, each as a whole") {
  Listening listening(2'500);
  int kept = 0;
  for (int i = 0; i < 4'000; ++i) {
    std::string trace = std::string(24, 'a');
    char tail[9];
    std::snprintf(tail, sizeof tail, "%08x", static_cast<unsigned>(i) * 2'654'435'761U);
    const TraceScope scope{TraceId(trace + tail)};
    const Span first(SpanKind::server, "GET");
    const Span second(SpanKind::internal, "store write");
    CHECK(first.is_kept() == second.is_kept());
    CHECK(traceparent_here().ends_with(first.is_kept() ? "-01" : "-00"));
    kept += first.is_kept() ? 1 : 0;
  }
  CHECK(kept > 800);
  CHECK(kept < 1'200);
}

TEST_CASE("a span costs next to nothing while nobody listens") {
  const TraceScope scope{TraceId(kTrace)};
  const SystemClock clock;
  constexpr int kSpans = 1'000'000;
  const std::int64_t start = clock.mono_us();
  for (int i = 0; i < kSpans; ++i) const Span span(SpanKind::internal, "store write");
  const std::int64_t ns = (clock.mono_us() - start) * 1'000 / kSpans;
  MESSAGE("a span that nobody hears costs " << ns << " ns");
  CHECK(ns < 200);
}

}  // namespace
}  // namespace topup::base
