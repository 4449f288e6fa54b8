// Spans: how long each step of a traced piece of work took, and what it was a step of. A Span lives
// on one thread, between its construction and its destruction; those begun meanwhile on the same
// thread are its children. It belongs to the trace of the TraceScope around it; without one, or
// while nobody listens, it costs one relaxed load. Whether a trace is kept is decided by its id
// alone, so that all machines that see it decide alike. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/ids.h"

namespace topup::base {

enum class SpanKind : std::uint8_t { internal = 1, server = 2, client = 3, consumer = 5 };  // OTLP

struct SpanRecord {
  std::string trace_id;
  std::uint64_t span_id = 0;
  std::uint64_t parent_id = 0;  // 0: the first of its trace that we know of
  std::string name;
  SpanKind kind = SpanKind::internal;
  std::int64_t start_us = 0;  // since 1970, as the monotonic clock counts on from a first look
  std::int64_t end_us = 0;
  bool has_failed = false;
  // Keys are static text, values words, patterns and numbers; never personal data.
  std::vector<std::pair<std::string_view, std::string>> attributes;
};

// Hears of each finished span of a kept trace, on the thread that ended it; must be quick and must
// not throw. sample_bp: of 10,000 traces so many are kept. An empty sink ends it.
void set_span_sink(std::function<void(SpanRecord&&)> sink, int sample_bp);

// The other machine's side of an incoming request.
struct TraceParent {
  TraceId trace;
  std::uint64_t span_id = 0;
};
// W3C traceparent; nothing for anything malformed. Versions after 00 are read as far as 00 goes.
std::optional<TraceParent> parse_traceparent(std::string_view header);
// For an outgoing request from here; "" outside a trace. Says whether we keep the trace.
std::string traceparent_here();

class Span {
 public:
  // `remote`: of an incoming request, when it belongs to the current trace.
  explicit Span(SpanKind kind, std::string_view name, std::string_view more = "",
                const std::optional<TraceParent>& remote = std::nullopt);
  ~Span();
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;

  bool is_kept() const { return record_.has_value(); }
  void note(std::string_view static_key, std::string_view value);
  void note(std::string_view static_key, std::int64_t value);
  void fail();

 private:
  std::optional<SpanRecord> record_;
  const SpanRecord* outer_ = nullptr;
};

}  // namespace topup::base
