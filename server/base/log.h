// One event, one JSON line on standard error: ts (RFC 3339 UTC, ms), level, event (a stable word),
// trace_id, fields. Values are escaped, so that no input can forge a line. Callers mask personal
// data first (mask_phone() …); never pass a secret, a token or a full account number. The trace id
// is the one of the current thread's TraceScope. Thread-safe.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "shared/ids.h"

namespace topup::base {

enum class Level : std::uint8_t { debug, info, warn, error };

struct LogField {
  std::string_view key;
  std::variant<std::string_view, std::int64_t, bool> value;
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, std::int64_t v) : key(k), value(v) {}
  LogField(std::string_view k, int v) : key(k), value(std::int64_t{v}) {}
  LogField(std::string_view k, bool v) : key(k), value(v) {}
};

void log(Level level, std::string_view event, std::initializer_list<LogField> fields = {});
void set_log_level(Level lowest);
void set_log_file(
    const std::string& path);  // instead of standard error; throws if it cannot be opened

// While it lives, lines of this thread carry the trace id; scopes nest.
class TraceScope {
 public:
  explicit TraceScope(TraceId trace);
  ~TraceScope();
  TraceScope(const TraceScope&) = delete;
  TraceScope& operator=(const TraceScope&) = delete;
  static const TraceId& current();  // empty outside any scope

 private:
  TraceId previous_;
};

}  // namespace topup::base
