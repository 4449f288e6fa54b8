#include "server/observability/otlp.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "server/base/json.h"

namespace topup::observability {
namespace {

using base::Json;

constexpr std::int64_t kSendMs = 5'000;
constexpr int kOtlpError = 2;

std::string hex16(std::uint64_t value) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
  const std::string_view text(digits.data(), static_cast<std::size_t>(end - digits.data()));
  return std::string(digits.size() - text.size(), '0') + std::string(text);
}

Json attribute(std::string_view key, std::string_view value) {
  return {{"key", key}, {"value", {{"stringValue", value}}}};
}

// 64-bit numbers are texts in OTLP's JSON (opentelemetry-proto, "JSON Protobuf Encoding").
std::string nanoseconds(std::int64_t us) { return std::to_string(us * 1'000); }

Json span_json(const base::SpanRecord& span) {
  Json attributes = Json::array();
  for (const auto& [key, value] : span.attributes) attributes.push_back(attribute(key, value));
  Json out = {{"traceId", span.trace_id},
              {"spanId", hex16(span.span_id)},
              {"name", span.name},
              {"kind", static_cast<int>(span.kind)},
              {"startTimeUnixNano", nanoseconds(span.start_us)},
              {"endTimeUnixNano", nanoseconds(span.end_us)},
              {"attributes", std::move(attributes)},
              {"status", Json::object()}};
  if (span.parent_id != 0) out["parentSpanId"] = hex16(span.parent_id);
  if (span.has_failed) out["status"]["code"] = kOtlpError;
  return out;
}

}  // namespace

std::string otlp_json(const std::vector<base::SpanRecord>& spans, const OtlpOptions& options) {
  Json list = Json::array();
  for (const base::SpanRecord& span : spans) list.push_back(span_json(span));
  Json resource = Json::array({attribute("service.name", options.service)});
  if (!options.version.empty()) resource.push_back(attribute("service.version", options.version));
  if (!options.instance.empty())
    resource.push_back(attribute("service.instance.id", options.instance));
  const Json scope = {{"scope", {{"name", "topup"}}}, {"spans", std::move(list)}};
  const Json whole = {{"resource", {{"attributes", std::move(resource)}}},
                      {"scopeSpans", Json::array({scope})}};
  // A value that is not UTF-8 must not end the exporter.
  return Json({{"resourceSpans", Json::array({whole})}})
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

OtlpExporter::OtlpExporter(base::Outbound& collector, OtlpOptions options, Counted counted)
    : collector_(collector),
      options_(std::move(options)),
      counted_(std::move(counted)),
      thread_([this] { run(); }) {}

OtlpExporter::~OtlpExporter() { stop(); }

void OtlpExporter::take(base::SpanRecord&& span) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_ && queue_.size() < options_.max_queued) {
      queue_.push_back(std::move(span));
      // The sender wakes by itself; only the first span and a full batch are news.
      if (queue_.size() != 1 && queue_.size() != kMaxSpansPerBatch) return;
      changed_.notify_one();
      return;
    }
  }
  counted_("dropped", 1);
}

void OtlpExporter::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void OtlpExporter::run() {
  std::vector<base::SpanRecord> batch;
  for (;;) {
    bool is_last = false;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      changed_.wait_for(lock, std::chrono::milliseconds(options_.linger_ms),
                        [this] { return stopping_ || queue_.size() >= kMaxSpansPerBatch; });
      const std::size_t taken = std::min(queue_.size(), kMaxSpansPerBatch);
      batch.assign(std::move_iterator(queue_.begin()),
                   std::move_iterator(queue_.begin() + static_cast<std::ptrdiff_t>(taken)));
      queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(taken));
      is_last = stopping_;
    }
    if (!batch.empty()) send(batch);
    if (is_last) break;
  }
  const std::lock_guard lock(mutex_);
  if (!queue_.empty()) counted_("dropped", static_cast<std::int64_t>(queue_.size()));
}

void OtlpExporter::send(const std::vector<base::SpanRecord>& batch) {
  base::OutboundRequest request;
  request.method = "POST";
  request.target = "/v1/traces";
  request.headers = options_.headers;
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = otlp_json(batch, options_);
  request.deadline_ms = kSendMs;
  const base::OutboundReply reply = collector_.call(request);
  const bool is_taken =
      reply.kind == base::OutboundReply::Kind::answered && reply.status / 100 == 2;
  counted_(is_taken ? "exported" : "failed", static_cast<std::int64_t>(batch.size()));
}

}  // namespace topup::observability
