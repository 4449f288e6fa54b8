// One event, one JSON line on standard error: ts (RFC 3339 UTC, ms), level, event (a stable word),
// trace_id, fields. Values are escaped, so that no input can forge a line. Callers mask personal
// data first (mask_phone() …); never pass a secret, a token or a full account number. The trace id
// is the one of the current thread's TraceScope. Thread-safe.
#pragma once

#include <cstddef>
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
Level parse_level(std::string_view word);  // debug, warn, error; anything else is info
inline constexpr std::size_t kMaxLogFileBytes = 64 * 1024 * 1024;
inline constexpr std::size_t kMaxOldLogFiles = 7;
// Instead of standard error. A regular file is put aside when it is full, as name.1.log, …2 and so
// on, the oldest going away. Throws std::runtime_error in words for the operator.
void set_log_file(const std::string& path, std::size_t max_bytes = kMaxLogFileBytes,
                  std::size_t max_old_files = kMaxOldLogFiles);
// Opens the same path anew, for whoever has moved the file away (logrotate); nothing without a log
// file. When that fails, lines go where they went before and one of them says so.
void reopen_log_file();

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
