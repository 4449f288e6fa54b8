// How far long work is, on standard error: nothing for the first two seconds; then one line that is
// written over on a terminal, and a plain line now and then elsewhere.
#pragma once

#include <cstdint>
#include <string_view>

#include "server/base/clock.h"

namespace topup::commands {

class Progress {
 public:
  Progress();
  ~Progress();  // ends the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  // `all` 0: how much there is cannot be told.
  void operator()(std::string_view step, std::int64_t done, std::int64_t all);

 private:
  base::SystemClock clock_;
  std::int64_t began_ms_, next_ms_;
  bool is_terminal_, has_line_ = false;
};

}  // namespace topup::commands
