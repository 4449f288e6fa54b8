// Which world each party is in: rehearsed (played on this machine) or live. A number (out_trade_no,
// attempt id) carries the moment it was made, and belongs for ever to the world its party was in at
// that moment: what began in a world is asked about, refunded and closed there. A change is known
// here before it takes effect, so that every thread decides alike. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace topup::parties {

enum class World : std::uint8_t { rehearsed, live };
std::string_view to_word(World world);  // stored
World parse_world(std::string_view word);

// A change is told this long before it takes effect.
inline constexpr std::int64_t kSwitchAfterMs = 2'000;

class Worlds {
 public:
  // `first`: the world of a party that was never switched.
  explicit Worlds(World first = World::rehearsed) : first_(first) {}
  void add(std::string_view party, std::int64_t from_ms, World world);
  void take_back(std::string_view party, std::int64_t from_ms);  // the change was not stored

  World at(std::string_view party, std::int64_t wall_ms) const;
  // Of an id, with or without its letter in front ("T01J…", "S01J…", "01J…").
  World of(std::string_view party, std::string_view id) const;
  bool was_ever_live(std::string_view party) const;

 private:
  struct Change {
    std::int64_t from_ms;
    std::string id_time;  // ids of that moment and later are not before it
    World world;
  };
  const World first_;
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<Change>, std::less<>> changes_;  // by time
};

}  // namespace topup::parties
