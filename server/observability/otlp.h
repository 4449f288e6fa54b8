// Sends finished spans to a collector as OTLP/HTTP JSON, in batches, from a thread of its own.
// Whoever ends a span only puts it into a bounded queue: what finds it full is dropped and counted.
// A batch that the collector does not take is given up and counted, so that a collector that is
// down costs nothing but its spans. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "server/base/http_client.h"
#include "server/base/span.h"

namespace topup::observability {

inline constexpr std::size_t kMaxQueuedSpans = 8'192;
inline constexpr std::size_t kMaxSpansPerBatch = 256;

struct OtlpOptions {
  std::string service = "topup";
  std::string version = {};
  std::string instance = {};                                      // tells this node from others
  std::vector<std::pair<std::string, std::string>> headers = {};  // of the collector, e.g. a key
  std::size_t max_queued = kMaxQueuedSpans;
  std::int64_t linger_ms = 1'000;  // how long the first span of a batch may wait for others
};

// The body of POST /v1/traces.
std::string otlp_json(const std::vector<base::SpanRecord>& spans, const OtlpOptions& options);

class OtlpExporter {
 public:
  // `counted` hears how many spans were "exported", "dropped" or "failed".
  using Counted = std::function<void(std::string_view outcome, std::int64_t spans)>;
  OtlpExporter(base::Outbound& collector, OtlpOptions options, Counted counted);
  ~OtlpExporter();
  OtlpExporter(const OtlpExporter&) = delete;
  OtlpExporter& operator=(const OtlpExporter&) = delete;

  void take(base::SpanRecord&& span);  // never waits for the collector
  void stop();                         // sends what is queued, once; safe to repeat

 private:
  void run();
  void send(const std::vector<base::SpanRecord>& batch);

  base::Outbound& collector_;
  const OtlpOptions options_;
  const Counted counted_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<base::SpanRecord> queue_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace topup::observability
