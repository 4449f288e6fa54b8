#include "server/base/span.h"

#include <atomic>
#include <charconv>
#include <memory>
#include <mutex>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/random.h"
#include "shared/buckets.h"

namespace topup::base {
namespace {

constexpr std::size_t kTraceDigits = 32;
constexpr std::size_t kSpanDigits = 16;
constexpr std::size_t kParentBytes = 55;  // 00-<32>-<16>-<2>
constexpr std::uint32_t kSamples = 10'000;
constexpr std::size_t kMaxNotes = 16;
constexpr std::size_t kMaxNoteBytes = 256;

using Sink = std::function<void(SpanRecord&&)>;

std::atomic<std::uint32_t> kept_bp{0};  // 0: nobody listens
std::atomic<std::int64_t> wall_minus_mono_us{0};
std::mutex sink_mutex;
std::shared_ptr<const Sink> sink_now;

thread_local const SpanRecord* current = nullptr;  // the innermost kept span of this thread

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}
bool is_id(std::string_view text) {
  return is_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

std::uint64_t from_hex(std::string_view digits) {
  std::uint64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return value;
}

void append_hex(std::string& out, std::uint64_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (int shift = 60; shift >= 0; shift -= 4) out += kDigits[value >> shift & 15U];
}

// Unpredictable only as far as it must not meet another: drawn once per thread, then counted on.
std::uint64_t new_span_id() {
  thread_local std::uint64_t state = [] {
    std::uint64_t seed = 0;
    for (const char byte : SystemRandom().bytes(sizeof seed)) {
      seed = seed << 8 | static_cast<unsigned char>(byte);
    }
    return seed;
  }();
  std::uint64_t id = 0;
  while (id == 0) id = splitmix64(state++);
  return id;
}

bool keeps(std::string_view trace) {
  const std::uint32_t kept = kept_bp.load(std::memory_order_relaxed);
  return kept != 0 && from_hex(trace.substr(kTraceDigits - 8)) % kSamples < kept;
}

// 0 when the innermost span belongs to another trace, as where one piece of work wakes another.
std::uint64_t parent_in(std::string_view trace) {
  return current != nullptr && current->trace_id == trace ? current->span_id : 0;
}

bool is_trace(std::string_view text) { return text.size() == kTraceDigits && is_id(text); }

std::int64_t now_us() {
  return SystemClock().mono_us() + wall_minus_mono_us.load(std::memory_order_relaxed);
}

}  // namespace

void set_span_sink(std::function<void(SpanRecord&&)> sink, int sample_bp) {
  const bool is_heard = sink && sample_bp > 0;
  auto next = std::make_shared<const Sink>(std::move(sink));
  const std::lock_guard lock(sink_mutex);
  const SystemClock clock;
  wall_minus_mono_us = clock.wall_ms() * 1'000 - clock.mono_us();
  sink_now = std::move(next);
  kept_bp = is_heard ? static_cast<std::uint32_t>(sample_bp) : 0;
}

std::optional<TraceParent> parse_traceparent(std::string_view header) {
  if (header.size() < kParentBytes || !is_hex(header.substr(0, 2))) return std::nullopt;
  const std::string_view version = header.substr(0, 2);
  if (version == "ff" || (version == "00" && header.size() != kParentBytes)) return std::nullopt;
  if (header.size() > kParentBytes && header[kParentBytes] != '-') return std::nullopt;
  const std::string_view trace = header.substr(3, kTraceDigits);
  const std::string_view span = header.substr(36, kSpanDigits);
  const bool has_dashes = header[2] == '-' && header[35] == '-' && header[52] == '-';
  if (!has_dashes || !is_id(trace) || !is_id(span) || !is_hex(header.substr(53, 2))) {
    return std::nullopt;
  }
  return TraceParent{TraceId(std::string(trace)), from_hex(span)};
}

std::string traceparent_here() {
  const std::string& trace = TraceScope::current().text;
  if (!is_trace(trace)) return "";
  const bool is_kept = keeps(trace);
  std::string text = "00-" + trace + "-";
  const std::uint64_t parent = is_kept ? parent_in(trace) : 0;
  append_hex(text, parent != 0 ? parent : new_span_id());
  // While nobody listens here, the decision is left to those who do.
  return text + (is_kept || kept_bp.load(std::memory_order_relaxed) == 0 ? "-01" : "-00");
}

Span::Span(SpanKind kind, std::string_view name, std::string_view more,
           const std::optional<TraceParent>& remote) {
  if (kept_bp.load(std::memory_order_relaxed) == 0) return;
  const std::string& trace = TraceScope::current().text;
  if (!is_trace(trace) || !keeps(trace)) return;
  record_.emplace();
  record_->trace_id = trace;
  record_->span_id = new_span_id();
  record_->parent_id = parent_in(trace);
  if (remote && remote->trace.text == trace) record_->parent_id = remote->span_id;
  record_->name = name;
  if (!more.empty()) record_->name.append(" ").append(more);
  record_->kind = kind;
  record_->start_us = now_us();
  outer_ = current;
  current = &*record_;
}

Span::~Span() {
  if (!record_) return;
  current = outer_;
  record_->end_us = now_us();
  std::shared_ptr<const Sink> sink;
  {
    const std::lock_guard lock(sink_mutex);
    sink = sink_now;
  }
  if (sink && *sink) (*sink)(std::move(*record_));
}

void Span::note(std::string_view static_key, std::string_view value) {
  if (!record_ || record_->attributes.size() >= kMaxNotes) return;
  record_->attributes.emplace_back(static_key, value.substr(0, kMaxNoteBytes));
}

void Span::note(std::string_view static_key, std::int64_t value) {
  if (record_) note(static_key, std::to_string(value));
}

void Span::fail() {
  if (record_) record_->has_failed = true;
}

}  // namespace topup::base
