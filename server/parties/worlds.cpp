#include "server/parties/worlds.h"

#include <algorithm>

#include "server/base/id_time.h"

namespace topup::parties {
namespace {

constexpr std::size_t kIdLength = 26;  // of base::new_id
constexpr std::size_t kTimeLength = 10;

// Attempts end in their number and begin with a letter of their own: the time stands behind it.
std::string_view time_of(std::string_view id) {
  if (id.size() > kIdLength) id.remove_prefix(1);
  return id.substr(0, kTimeLength);
}

}  // namespace

std::string_view to_word(World world) { return world == World::live ? "live" : "rehearsed"; }
World parse_world(std::string_view word) { return word == "live" ? World::live : World::rehearsed; }

void Worlds::add(std::string_view party, std::int64_t from_ms, World world) {
  const std::lock_guard hold(mutex_);
  auto& changes = changes_[std::string(party)];
  changes.push_back({from_ms, base::id_time(from_ms), world});
  std::sort(changes.begin(), changes.end(),
            [](const Change& one, const Change& other) { return one.from_ms < other.from_ms; });
}

void Worlds::take_back(std::string_view party, std::int64_t from_ms) {
  const std::lock_guard hold(mutex_);
  const auto found = changes_.find(party);
  if (found == changes_.end()) return;
  std::erase_if(found->second, [from_ms](const Change& one) { return one.from_ms == from_ms; });
}

World Worlds::at(std::string_view party, std::int64_t wall_ms) const {
  return of(party, base::id_time(wall_ms));
}

World Worlds::of(std::string_view party, std::string_view id) const {
  const std::string_view time = time_of(id);
  const std::lock_guard hold(mutex_);
  const auto found = changes_.find(party);
  World world = first_;
  if (found == changes_.end()) return world;
  for (const Change& change : found->second)
    if (time >= change.id_time) world = change.world;
  return world;
}

bool Worlds::was_ever_live(std::string_view party) const {
  const std::lock_guard hold(mutex_);
  const auto found = changes_.find(party);
  return found != changes_.end() &&
         std::any_of(found->second.begin(), found->second.end(),
                     [](const Change& change) { return change.world == World::live; });
}

}  // namespace topup::parties
