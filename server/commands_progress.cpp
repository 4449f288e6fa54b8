#include "server/commands_progress.h"

#include <unistd.h>

#include <cstdio>
#include <string>

namespace topup::commands {
namespace {

constexpr std::int64_t kQuietMs = 2'000;
constexpr std::int64_t kTerminalMs = 200;
constexpr std::int64_t kPlainMs = 5'000;

std::string amount_of(std::string_view step, std::int64_t count) {
  if (step.ends_with("bytes")) return std::to_string(count >> 20) + " MB";
  return std::to_string(count);
}

}  // namespace

Progress::Progress()
    : began_ms_(clock_.mono_ms()),
      next_ms_(began_ms_ + kQuietMs),
      is_terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (has_line_) std::fprintf(stderr, "\r\033[K");
}

void Progress::operator()(std::string_view step, std::int64_t done, std::int64_t all) {
  const std::int64_t now = clock_.mono_ms();
  if (now < next_ms_) return;
  next_ms_ = now + (is_terminal_ ? kTerminalMs : kPlainMs);
  std::string line(step);
  if (line.ends_with(", bytes")) line.resize(line.size() - 7);
  if (done > 0) line += " " + amount_of(step, done);
  if (all > 0) line += " of " + amount_of(step, all);
  line += ", " + std::to_string((now - began_ms_) / 1'000) + " s";
  has_line_ = is_terminal_;
  std::fprintf(stderr, is_terminal_ ? "\r\033[K%s" : "%s\n", line.c_str());
  std::fflush(stderr);
}

}  // namespace topup::commands
