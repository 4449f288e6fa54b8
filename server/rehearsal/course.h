// What becomes of one order at a rehearsed supplier.
#pragma once

#include <cstdint>
#include <string>

namespace topup::rehearsal {

inline constexpr std::int64_t kStuckMs = 24LL * 3'600'000;  // longer than any promise of delivery

struct Course {
  std::string refusal;  // the party's own code: nothing is created
  std::string end = "succeeded", code;
  std::int64_t takes_ms = 0;  // scaled already, as all here
  std::int64_t holds_ms = 0;  // the answer is kept back
  std::int64_t reversed_after_ms = 0;
  bool is_away = false;     // unavailable in the words of the protocol, nothing is created
  bool is_lost = false;     // the connection is dropped, nothing is created
  bool is_dropped = false;  // the connection is dropped after the effect
  bool is_failing = false;  // an internal error is answered after the effect
  int callbacks = 1;
  bool is_forged_first = false;
};

}  // namespace topup::rehearsal
