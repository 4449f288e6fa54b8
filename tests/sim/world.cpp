#include "tests/sim/world.h"

#include <cstdio>

#include "tests/sim/crash_points.h"

namespace topup::sim {

void Counts::add(const Counts& other) {
  crashes += other.crashes;
  faults += other.faults;
  statements += other.statements;
  commits += other.commits;
  events += other.events;
  calls += other.calls;
  jobs += other.jobs;
  forged += other.forged;
  duplicates += other.duplicates;
  orders += other.orders;
  manual += other.manual;
  asked_back += other.asked_back;
  taken_back += other.taken_back;
  given_back += other.given_back;
  reviewed += other.reviewed;
  second_suppliers += other.second_suppliers;
  coupons += other.coupons;
  pins += other.pins;
  frozen += other.frozen;
  bills += other.bills;
  differences += other.differences;
  resolved += other.resolved;
  wallet_orders += other.wallet_orders;
  wallet_short += other.wallet_short;
  wallet_back += other.wallet_back;
  wallet_sums += other.wallet_sums;
  for (const auto& [name, count] : other.crash_points) crash_points[name] += count;
  for (const auto& [name, count] : other.fault_kinds) fault_kinds[name] += count;
}

World::World(std::uint64_t seed, Faults drawn, bool prints_trace)
    : chance(seed * 3 + 1),
      faults(drawn),
      crash_chance_(seed * 3 + 2),
      prints_trace_(prints_trace),
      born_ms_(clock.mono_ms()) {
  testing::SeededRandom aims(seed * 7 + 5);
  const auto drawn_of = [&aims](std::span<const std::string_view> points) {
    return points[static_cast<std::size_t>(aims.below(static_cast<std::int64_t>(points.size())))];
  };
  if (faults.rate(Fault::crash) == 0 || aims.percent(50)) return;
  aim_ = drawn_of(crash_points());
  aim_left_ = aims.percent(60) ? 1 : 1 + aims.below(12);
  if (faults.has_wallets && aims.percent(50)) aim_ = drawn_of(wallet_crash_points());
}

bool World::is_aimed_at(std::string_view name, std::string_view place) {
  if (aim_left_ == 0 || faults.rate(Fault::crash) == 0) return false;
  if (aim_.size() != name.size() + place.size() || !aim_.starts_with(name) ||
      !aim_.ends_with(place))
    return false;
  return --aim_left_ == 0;
}

bool World::stand_still(std::int64_t ms) {
  const bool is_whole = faults.two_nodes && life != nullptr;
  if (is_whole) {
    ++counts.frozen;
    note("the process " + life->name + " stands still");
    life->frozen_until_ms = now() + ms;
  }
  live_on(now() + ms);
  if (is_dead()) throw Crash{};
  return is_whole;
}

bool World::strikes(Fault fault) {
  if (!chance.percent(faults.rate(fault))) return false;
  ++counts.faults;
  ++counts.fault_kinds[std::string(to_word(fault))];
  return true;
}

void World::after(std::int64_t ms, std::function<void()> what) {
  queue_.emplace(std::pair(now() + ms, sequence_++), std::move(what));
}

std::int64_t World::next_event_ms() const {
  return queue_.empty() ? INT64_MAX : queue_.begin()->first.first;
}

void World::run_next_event() {
  auto event = queue_.extract(queue_.begin());
  ++counts.events;
  event.mapped()();
}

void World::advance_to(std::int64_t mono_ms) {
  if (mono_ms > now()) clock.advance(mono_ms - now());
}

void World::crash_point(std::string_view name, std::string_view place) {
  if (is_dead()) throw Crash{};
  if (life == nullptr) return;
  const bool strikes = crash_chance_.below(10'000) < faults.rate(Fault::crash);
  if (!is_aimed_at(name, place) && !strikes) return;
  life->is_dead = true;
  ++counts.crashes;
  const std::string where = std::string(name) + std::string(place);
  ++counts.crash_points[where];
  note("crash " + where);
  throw Crash{};
}

void World::yield_point() {
  if (!may_yield || is_dead() || !strikes(Fault::preempt)) return;
  live_on(now() + between(0, 3'000));
  if (is_dead()) throw Crash{};
}

void World::note(std::string_view what) {
  const std::string line = std::to_string(now() - born_ms_) + " " + std::string(what);
  for (const char c : line) {
    hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 1099511628211U;
  }
  if (prints_trace_) std::printf("%s\n", line.c_str());
}

void World::fail(std::string_view invariant, std::string what) {
  if (has_failed()) return;
  note("VIOLATION " + std::string(invariant) + ": " + what);
  violation = {std::string(invariant), std::move(what)};
}

}  // namespace topup::sim
