// topup_races: many threads at once on the real services and a real store; then what must hold. Its
// outcomes are proved by any build, the absence of data races by one with the thread sanitizer.
//   topup_races [--seconds N] [--threads N] [--only NAME] [--list]
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "server/base/log.h"
#include "tests/races/race.h"

namespace topup::races {
namespace {

struct Scenario {
  std::string_view name, proves;
  void (*play)(const Effort&, Tally&);
};

constexpr Scenario kScenarios[] = {
    {"callback_and_query",
     "C-09: an order heard of by callbacks, queries and its jobs at once is paid and delivered "
     "once",
     callback_and_query},
    {"coupon_rush", "B-01, B-02: of coupons and stock exactly what there is goes out", coupon_rush},
    {"wallet_rush", "B-03: a balance spent from everywhere is exact and never below zero",
     wallet_rush},
    {"refunds", "R-02: staff, a buyer and the jobs at once give back what was paid, once", refunds},
    {"twins", "I-01: requests with one key act once, and all get the same answer", twins},
    {"settings_beside_requests",
     "settings and channel keys change under requests: each sees one whole version",
     settings_beside_requests},
    {"rotation_beside_reads", "K-03: keys rotate under readers and writers, and every value opens",
     rotation_beside_reads},
    {"shutdown_under_load",
     "a shop that stops under load cuts no answer and keeps what it acknowledged",
     shutdown_under_load},
};

// A scenario that hangs ends the program: the slowest build needs far less.
constexpr unsigned kMostSeconds = 300;

struct Choice {
  Effort effort;
  std::string only;
  bool lists = false;
};

bool read_number(std::string_view text, std::int64_t least, std::int64_t most, std::int64_t* out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size() && *out >= least && *out <= most;
}

bool read_choice(int argc, char** argv, Choice* choice) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--list") {
      choice->lists = true;
      continue;
    }
    if (i + 1 >= argc) return false;
    const std::string_view value = argv[++i];
    std::int64_t number = 0;
    if (word == "--only") {
      choice->only = value;
    } else if (word == "--seconds" && read_number(value, 0, 3'600, &number)) {
      choice->effort.ms = number * 1'000;
    } else if (word == "--ms" && read_number(value, 0, 3'600'000, &number)) {
      choice->effort.ms = number;
    } else if (word == "--threads" && read_number(value, 8, 1'000, &number)) {
      choice->effort.threads = static_cast<int>(number);
    } else {
      return false;
    }
  }
  return true;
}

bool play(const Scenario& scenario, const Effort& effort) {
  const auto began = std::chrono::steady_clock::now();
  ::alarm(kMostSeconds + static_cast<unsigned>(effort.ms / 1'000) * 2);
  base::set_log_file("/dev/null");  // refusals are expected, by the thousand
  Tally tally(effort);
  try {
    scenario.play(effort, tally);
  } catch (const std::exception& failure) {
    tally.expect(false, std::string("it threw: ") + failure.what());
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  const bool holds = tally.wrong.empty() && tally.checks > 0 && tally.rounds > 0;
  std::printf("%s %s: %s (%d threads, %lld rounds, %lld acts, %lld checks, %.1f s)\n",
              holds ? "ok:" : "FAIL", std::string(scenario.name).c_str(),
              std::string(scenario.proves).c_str(), effort.threads,
              static_cast<long long>(tally.rounds), static_cast<long long>(tally.acts.load()),
              static_cast<long long>(tally.checks), seconds);
  for (const std::string& what : tally.wrong) std::printf("  %s\n", what.c_str());
  std::fflush(stdout);
  return holds;
}

int run(const Choice& choice) {
  int passed = 0, failed = 0;
  for (const Scenario& scenario : kScenarios) {
    if (choice.lists) {
      std::printf("%s: %s\n", std::string(scenario.name).c_str(),
                  std::string(scenario.proves).c_str());
      continue;
    }
    if (!choice.only.empty() && choice.only != scenario.name) continue;
    ++(play(scenario, choice.effort) ? passed : failed);
  }
  if (choice.lists) return 0;
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace
}  // namespace topup::races

int main(int argc, char** argv) {
  topup::races::Choice choice;
  if (!topup::races::read_choice(argc, argv, &choice)) {
    std::fprintf(stderr,
                 "topup_races [--seconds N | --ms N] [--threads N] [--only NAME] [--list]\n");
    return 2;
  }
  return topup::races::run(choice);
}
