// A call from the shop to a party outside, with all that may go wrong on the way: lost, late,
// answered into the void, the process dead before, between or after. While a call is on its way
// the world goes on, and so do the shop's other threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "tests/sim/world.h"

namespace topup::sim {

class Wire {
 public:
  explicit Wire(World& world) : world_(world) {}

  // What `arrive` answers at the party; nothing when the caller hears no answer in time.
  template <class Arrive>
  auto call(std::string_view name, Arrive arrive) -> std::optional<std::invoke_result_t<Arrive>> {
    begin(name);
    if (world_.strikes(Fault::request_loss)) {
      wait(kDeadlineMs);
      return std::nullopt;
    }
    if (world_.strikes(Fault::late_arrival)) {
      world_.after(world_.between(kDeadlineMs + 1, kLatestMs), [arrive] { (void)arrive(); });
      wait(kDeadlineMs);
      return std::nullopt;
    }
    // At its own time, however long the other threads, whose frames lie above this one, take.
    const auto answer = std::make_shared<std::optional<std::invoke_result_t<Arrive>>>();
    const std::int64_t way_ms = world_.between(20, 400);
    world_.after(way_ms, [arrive, answer] { *answer = arrive(); });
    wait(way_ms);
    world_.crash_point("after the request of ", name);
    if (world_.strikes(Fault::reply_loss)) {
      wait(kDeadlineMs);
      return std::nullopt;
    }
    wait(world_.between(20, 400));
    world_.crash_point("after the answer to ", name);
    return std::move(*answer);
  }
  // The process stands still; others go on.
  void wait(std::int64_t ms);

 private:
  static constexpr std::int64_t kDeadlineMs = 10'000;
  static constexpr std::int64_t kLatestMs = 600'000;
  void begin(std::string_view name);
  World& world_;
};

}  // namespace topup::sim
