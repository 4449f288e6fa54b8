#include "server/base/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

#include "server/base/clock.h"
#include "server/base/mask.h"
#include "server/base/utf8.h"

namespace topup::base {
namespace {

constexpr std::size_t kMaxValueBytes =
    4096;  // a longer value is cut; the line says so with a trailing "..."

std::atomic<Level> lowest_level{Level::info};
thread_local TraceId current_trace;

std::shared_ptr<spdlog::logger> make_logger(spdlog::sink_ptr sink) {
  auto logger = std::make_shared<spdlog::logger>("topup", std::move(sink));
  logger->set_pattern("%v");
  logger->set_level(spdlog::level::trace);
  logger->flush_on(spdlog::level::trace);
  // A full disk under the log must not fail the work that is being logged.
  logger->set_error_handler([](const std::string&) {});
  return logger;
}

struct LogPlace {
  std::string path;
  std::size_t max_bytes;
  std::size_t max_old_files;
};

// A device or a pipe has no size and no other name, so only a regular file is put aside.
std::shared_ptr<spdlog::logger> open_place(const LogPlace& place) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::path folder = fs::path(place.path).parent_path();
  if (!folder.empty() && !fs::is_directory(folder, ignored)) {
    throw std::runtime_error("cannot write the log " + place.path + ": there is no folder " +
                             folder.string());
  }
  try {
    if (fs::exists(place.path, ignored) && !fs::is_regular_file(place.path, ignored)) {
      return make_logger(std::make_shared<spdlog::sinks::basic_file_sink_mt>(place.path));
    }
    return make_logger(std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
        place.path, place.max_bytes, place.max_old_files));
  } catch (const spdlog::spdlog_ex& failure) {
    throw std::runtime_error("cannot write the log " + place.path + ": " + failure.what());
  }
}

class Output {
 public:
  void write(std::string_view line) {
    current()->log(spdlog::level::info, {line.data(), line.size()});
  }

  void replace(std::shared_ptr<spdlog::logger> next) {
    const std::lock_guard lock(mutex_);
    logger_ = std::move(next);
  }

  void remember(LogPlace place) {
    const std::lock_guard lock(mutex_);
    place_ = std::move(place);
  }
  std::optional<LogPlace> place() {
    const std::lock_guard lock(mutex_);
    return place_;
  }

 private:
  std::shared_ptr<spdlog::logger> current() {
    const std::lock_guard lock(mutex_);
    return logger_;
  }

  std::mutex mutex_;
  std::optional<LogPlace> place_;
  std::shared_ptr<spdlog::logger> logger_ =
      make_logger(std::make_shared<spdlog::sinks::stderr_sink_mt>());
};

// Never destroyed, because threads may still log while the process leaves main().
Output& output() {
  static Output* const one = new Output;
  return *one;
}

std::string_view to_word(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warn:
      return "warn";
    case Level::error:
      return "error";
  }
  return "error";
}

void append_unicode_escape(std::string& line, unsigned value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  line += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) line += kDigits[value >> shift & 15U];
}

// C1 controls and the Unicode line separators can move a terminal's cursor or split a line in a
// viewer.
bool is_risky_multibyte(std::string_view character) {
  if (character.size() == 2) return character[0] == '\xC2' && character[1] < '\xA0';
  return character == "\xE2\x80\xA8" || character == "\xE2\x80\xA9";
}

unsigned code_point(std::string_view character) {
  const auto bits = [&](std::size_t i, unsigned mask) {
    return static_cast<unsigned char>(character[i]) & mask;
  };
  if (character.size() == 2) return bits(0, 0x1F) << 6 | bits(1, 0x3F);
  return bits(0, 0x0F) << 12 | bits(1, 0x3F) << 6 | bits(2, 0x3F);
}

void append_ascii(std::string& line, char byte) {
  const auto value = static_cast<unsigned char>(byte);
  if (byte == '"' || byte == '\\') {
    line += '\\';
    line += byte;
  } else if (value < 0x20 || value == 0x7F) {
    append_unicode_escape(line, value);
  } else {
    line += byte;
  }
}

void append_text(std::string& line, std::string_view text) {
  line += '"';
  const std::string_view kept = text.substr(0, kMaxValueBytes);
  for (std::size_t at = 0; at < kept.size();) {
    const std::size_t length = utf8_length_at(kept, at);
    const std::string_view character = kept.substr(at, length);
    if (length == 0) {
      append_unicode_escape(line, 0xFFFD);
    } else if (length == 1) {
      append_ascii(line, character[0]);
    } else if (is_risky_multibyte(character)) {
      append_unicode_escape(line, code_point(character));
    } else {
      line += character;
    }
    at += length == 0 ? 1 : length;
  }
  if (kept.size() < text.size()) line += "...";
  line += '"';
}

void append_field(std::string& line, const LogField& field) {
  line += ',';
  append_text(line, field.key);
  line += ':';
  if (const auto* text = std::get_if<std::string_view>(&field.value))
    append_text(line, scrub(*text));
  if (const auto* number = std::get_if<std::int64_t>(&field.value)) line += std::to_string(*number);
  if (const auto* flag = std::get_if<bool>(&field.value)) line += *flag ? "true" : "false";
}

std::string rfc3339(std::int64_t wall_ms) {
  const std::time_t seconds = wall_ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32] = {};
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  const std::string fraction = std::to_string(1000 + wall_ms % 1000);
  return std::string(text, size) + "." + fraction.substr(1) + "Z";
}

std::string line_of(Level level, std::string_view event, std::initializer_list<LogField> fields) {
  std::string line = "{\"ts\":\"" + rfc3339(SystemClock().wall_ms()) + "\",\"level\":\"";
  line += to_word(level);
  line += "\",\"event\":";
  append_text(line, event);
  if (!current_trace.empty()) {
    line += ",\"trace_id\":";
    append_text(line, current_trace.text);
  }
  for (const LogField& field : fields) append_field(line, field);
  line += '}';
  return line;
}

}  // namespace

void log(Level level, std::string_view event, std::initializer_list<LogField> fields) {
  if (level < lowest_level.load(std::memory_order_relaxed)) return;
  try {
    output().write(line_of(level, event, fields));
  } catch (...) {
    std::fputs("{\"level\":\"error\",\"event\":\"log_line_lost\"}\n", stderr);
  }
}

Level parse_level(std::string_view word) {
  if (word == "debug") return Level::debug;
  if (word == "warn") return Level::warn;
  return word == "error" ? Level::error : Level::info;
}

void set_log_level(Level lowest) { lowest_level.store(lowest, std::memory_order_relaxed); }

void set_log_file(const std::string& path, std::size_t max_bytes, std::size_t max_old_files) {
  LogPlace place{path, max_bytes, max_old_files};
  output().replace(open_place(place));
  output().remember(std::move(place));
}

void reopen_log_file() {
  const std::optional<LogPlace> place = output().place();
  if (!place) return;
  try {
    output().replace(open_place(*place));
    log(Level::info, "log_reopened");
  } catch (const std::exception& failure) {
    log(Level::error, "log_reopen_failed", {{"why", failure.what()}});
  }
}

TraceScope::TraceScope(TraceId trace) : previous_(std::move(current_trace)) {
  current_trace = std::move(trace);
}

TraceScope::~TraceScope() { current_trace = std::move(previous_); }

const TraceId& TraceScope::current() { return current_trace; }

}  // namespace topup::base
