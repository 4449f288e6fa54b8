// Hostile bytes for everything that reads bytes from outside. A target is a function that reads one
// input and says what is wrong with what came of it; that it comes back at all is half of the
// proof. Runs are drawn from a seed: the same seed makes the same inputs on every machine.
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace topup::fuzz {

struct Found : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// What an oracle says.
inline void holds(bool is_so, const char* what) {
  if (!is_so) throw Found(what);
}

struct Target {
  std::string_view name;
  // How many of a thousand runs are this target's: cheap readers get more. They add up to it.
  int share;
  void (*run)(std::string_view input);
  // Inputs that are made rather than stored; may be null.
  std::vector<std::string> (*seeds)();
  // What inputs are made of, beside bytes.
  std::vector<std::string_view> words;
};

std::span<const Target> core_targets();   // numbers, money, price books, drafts, the border
std::span<const Target> door_targets();   // requests, bodies, cursors, cookies
std::span<const Target> file_targets();   // certificates, imports, exports
std::span<const Target> party_targets();  // channels, suppliers, bills

// splitmix64, seeded for each run apart, so that any run can be made alone.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : next() % bound; }
  bool one_in(std::size_t n) { return below(n) == 0; }

 private:
  std::uint64_t state_;
};

inline constexpr int kAllShares = 1'000;
inline constexpr std::size_t kMaxInput = 16 * 1024;

// One input after another: flipped, cut, doubled, spliced with others, with words and numbers put
// in.
std::string mutated(Chance& chance, const std::vector<std::string>& corpus, const Target& target);

}  // namespace topup::fuzz
