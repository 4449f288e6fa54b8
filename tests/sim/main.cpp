// topup_sim: runs seeds, replays one, shrinks one, proves that planted bugs are caught.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/log.h"
#include "tests/sim/crash_points.h"
#include "tests/sim/invariants.h"
#include "tests/sim/run.h"

namespace topup::sim {
namespace {

constexpr std::uint64_t kMostSeedsPerBug = 300;
constexpr std::uint64_t kNewSeedSpan = 1'000'000'000;

struct Choice {
  RunOptions run;
  std::uint64_t first = 1, last = 0;
  std::string seeds_file, commit;
  std::int64_t fresh = 0;            // seeds that follow from the commit
  std::int64_t part = 0, parts = 1;  // of several programs side by side
  std::vector<std::string> logs;     // of such programs: were all crash points hit?
  bool shrinks = false, checks_bugs = false, checks_determinism = false, checks_parity = false;
};

int passed = 0, failed = 0;

void count(bool is_right, const std::string& what) {
  ++(is_right ? passed : failed);
  std::printf("%s %s\n", is_right ? "ok:" : "FAIL", what.c_str());
  std::fflush(stdout);
}

std::string line_of(const RunOptions& options, const Violation& violation) {
  return "seed=" + std::to_string(options.seed) +
         " profile=" + std::string(to_word(options.profile)) + " invariant=" + violation.invariant +
         ": " + violation.what;
}

std::unique_ptr<Stores> stores_for(Profile profile) {
  if (profile == Profile::pg) return postgres_stores();
  return profile == Profile::file ? file_stores() : memory_stores();
}

void tell_figures(const Counts& all, std::int64_t seeds, std::int64_t orders, double seconds) {
  std::printf(
      "%lld seeds, %lld orders, %lld crashes at %zu places, %lld faults, %lld statements, %lld "
      "commits, %lld calls, %lld jobs, %lld forged, %lld duplicates, %lld left to a person; %.1f s,"
      " %.1f seeds/s, %.0f orders/s\n",
      static_cast<long long>(seeds), static_cast<long long>(orders),
      static_cast<long long>(all.crashes), all.crash_points.size(),
      static_cast<long long>(all.faults), static_cast<long long>(all.statements),
      static_cast<long long>(all.commits), static_cast<long long>(all.calls),
      static_cast<long long>(all.jobs), static_cast<long long>(all.forged),
      static_cast<long long>(all.duplicates), static_cast<long long>(all.manual), seconds,
      static_cast<double>(seeds) / seconds, static_cast<double>(orders) / seconds);
  std::printf(
      "  people: %lld asked for their money, %lld took it back at once, %lld given back by staff, "
      "%lld large orders decided; "
      "%lld orders went to a second supplier, %lld coupons were used\n",
      static_cast<long long>(all.asked_back), static_cast<long long>(all.taken_back),
      static_cast<long long>(all.given_back), static_cast<long long>(all.reviewed),
      static_cast<long long>(all.second_suppliers), static_cast<long long>(all.coupons));
  std::printf(
      "  %lld PINs were shown; %lld times a whole process stood still; %lld bills with %lld "
      "differences, %lld of them settled by people\n",
      static_cast<long long>(all.pins), static_cast<long long>(all.frozen),
      static_cast<long long>(all.bills), static_cast<long long>(all.differences),
      static_cast<long long>(all.resolved));
  std::printf(
      "  %lld payments came from a wallet, %lld found too little in it, %lld went back into it; "
      "%lld sums put in or taken out by two people\n",
      static_cast<long long>(all.wallet_orders), static_cast<long long>(all.wallet_short),
      static_cast<long long>(all.wallet_back), static_cast<long long>(all.wallet_sums));
  for (const auto& [kind, hits] : all.fault_kinds)
    std::printf("  fault %s: %lld\n", kind.c_str(), static_cast<long long>(hits));
  for (const auto& [name, hits] : all.crash_points)
    std::printf("  crash %s: %lld\n", name.c_str(), static_cast<long long>(hits));
}

void run_seeds(const Choice& choice, const std::string& name,
               const std::vector<std::pair<std::uint64_t, Profile>>& seeds) {
  std::map<Profile, std::unique_ptr<Stores>> stores;
  Counts all;
  std::int64_t ran = 0, bad = 0;
  const auto began = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    if (static_cast<std::int64_t>(i) % choice.parts != choice.part) continue;
    RunOptions options = choice.run;
    options.seed = seeds[i].first;
    options.profile = seeds[i].second;
    auto& store = stores[options.profile];
    if (!store) store = stores_for(options.profile);
    const RunResult result = run_seed(*store, options);
    all.add(result.counts);
    ++ran;
    if (result.holds()) continue;
    ++bad;
    std::printf("FAIL %s\n", line_of(options, result.violation).c_str());
    std::fflush(stdout);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  tell_figures(all, ran, ran * choice.run.orders, std::max(took.count(), 0.001));
  count(bad == 0, name + ": " + std::to_string(bad) + " of " + std::to_string(ran) +
                      " seeds violate an invariant");
}

void check_determinism(const Choice& choice) {
  const auto stores = stores_for(choice.run.profile);
  RunOptions options = choice.run;
  for (options.seed = choice.first; options.seed <= choice.last; ++options.seed) {
    const RunResult one = run_seed(*stores, options), two = run_seed(*stores, options);
    if (one.trace_hash == two.trace_hash) continue;
    count(false, "seed " + std::to_string(options.seed) + " has two traces");
    return;
  }
  count(true, "each seed is one run: " + std::to_string(choice.last - choice.first + 1) +
                  " traces, twice the same");
}

void check_parity(const Choice& choice) {
  const auto memory = memory_stores(), file = file_stores(), server = postgres_stores();
  RunOptions options = choice.run;
  for (options.seed = choice.first; options.seed <= choice.last; ++options.seed) {
    const RunResult one = run_seed(*memory, options);
    for (Stores* other : {file.get(), server.get()}) {
      const std::string name = other == file.get() ? "a file of SQLite" : "PostgreSQL";
      const RunResult two = run_seed(*other, options);
      if (!two.holds()) count(false, name + ": " + line_of(options, two.violation));
      if (one.trace_hash == two.trace_hash) continue;
      return count(false, "seed " + std::to_string(options.seed) + " differs on " + name);
    }
  }
  count(true, "SQLite in memory, its file and PostgreSQL: the same events in " +
                  std::to_string(choice.last - choice.first + 1) + " seeds");
}

// Which of the first seeds catches each: the one that did so last time is tried first.
void check_bugs(const Choice& choice) {
  const auto stores = memory_stores();
  for (std::size_t i = 1; i < kBugCount; ++i) {
    if (static_cast<std::int64_t>(i) % choice.parts != choice.part) continue;
    RunOptions options = choice.run;
    options.bug = static_cast<Bug>(i);
    options.profile = profile_for(options.bug);
    const std::string name(to_word(options.bug));
    bool is_caught = false;
    for (std::uint64_t turn = 0; turn <= kMostSeedsPerBug && !is_caught; ++turn) {
      options.seed = turn == 0 ? first_seed_for(options.bug) : turn;
      const RunResult result = run_seed(*stores, options);
      is_caught = !result.holds();
      if (is_caught) count(true, "planted bug " + name + ": " + line_of(options, result.violation));
    }
    if (!is_caught)
      count(false, "planted bug " + name + " is not caught within " +
                       std::to_string(kMostSeedsPerBug) + " seeds");
  }
}

void check_crash_points(const std::vector<std::string>& logs) {
  const std::vector<std::string> missed = missed_crash_points(logs);
  for (const std::string& sentence : missed) count(false, sentence);
  if (missed.empty())
    count(true, "died at each of the " +
                    std::to_string(crash_points().size() + wallet_crash_points().size()) +
                    " crash points");
}

// Fewer orders, then fewer kinds of faults, as long as it still fails.
void shrink(const Choice& choice) {
  const auto stores = stores_for(choice.run.profile);
  RunOptions best = choice.run;
  best.prints_trace = false;
  RunResult result = run_seed(*stores, best);
  if (result.holds()) return count(true, "nothing to shrink: the seed holds");
  const auto keep_if_failing = [&](RunOptions candidate) {
    const RunResult again = run_seed(*stores, candidate);
    if (again.holds()) return false;
    best = std::move(candidate);
    result = again;
    return true;
  };
  for (int half = best.orders / 2; half >= 1; half /= 2) {
    for (bool smaller = true; smaller && best.orders > half;) {
      RunOptions tail = best, head = best;
      head.orders = tail.orders = best.orders - half;
      tail.first_order += half;
      smaller = keep_if_failing(head) || keep_if_failing(tail);
    }
  }
  for (std::size_t i = 0; i < kFaultCount; ++i) {
    RunOptions fewer = best;
    fewer.without.push_back(static_cast<Fault>(i));
    keep_if_failing(fewer);
  }
  std::string left;
  for (const Fault fault : best.without) left += " --without " + std::string(to_word(fault));
  std::printf("%s\nsmallest: --seed %llu --first-order %d --orders %d --profile %s%s --trace\n",
              line_of(best, result.violation).c_str(), static_cast<unsigned long long>(best.seed),
              best.first_order, best.orders, std::string(to_word(best.profile)).c_str(),
              left.c_str());
  count(false, "seed " + std::to_string(best.seed) + " fails");
}

// "seed profile" a line; # begins a comment.
std::vector<std::pair<std::uint64_t, Profile>> read_seeds(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read " + path);
  std::vector<std::pair<std::uint64_t, Profile>> seeds;
  for (std::string line; std::getline(in, line);) {
    const std::size_t blank = line.find(' ');
    if (line.empty() || line[0] == '#') continue;
    const auto profile =
        blank == std::string::npos ? Profile::swarm : parse_profile(line.substr(blank + 1));
    if (!profile) throw std::runtime_error(path + ": " + line);
    seeds.emplace_back(std::stoull(line), *profile);
  }
  return seeds;
}

std::uint64_t hash_of(const std::string& text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return hash;
}

int usage() {
  std::fputs(
      "topup_sim [--seeds A-B | --seed N] [--orders N] [--first-order N] [--profile P]\n"
      "  [--seeds-file FILE] [--fresh N --commit TEXT] [--part I/N] [--trace] [--shrink]\n"
      "  [--determinism] [--parity] [--bugs] [--bug NAME] [--without FAULT]...\n"
      "  [--crash-points LOG]...  whether the runs of these logs died at each\n"
      "profiles: swarm all-callbacks-lost no-dedup-supplier clock pg file calm\n",
      stderr);
  return 2;
}

bool parse(int argc, char** argv, Choice& choice) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const auto flag = [&](std::string_view name, bool& to) { return word == name && (to = true); };
    if (flag("--trace", choice.run.prints_trace) || flag("--shrink", choice.shrinks) ||
        flag("--determinism", choice.checks_determinism) ||
        flag("--parity", choice.checks_parity) || flag("--bugs", choice.checks_bugs)) {
      continue;
    }
    if (i + 1 == argc) return false;
    const std::string value = argv[++i];
    if (word == "--seed") {
      choice.first = choice.last = choice.run.seed = std::stoull(value);
    } else if (word == "--seeds") {
      const std::size_t dash = value.find('-');
      if (dash == std::string::npos) return false;
      choice.first = std::stoull(value);
      choice.last = std::stoull(value.substr(dash + 1));
    } else if (word == "--orders") {
      choice.run.orders = std::stoi(value);
    } else if (word == "--first-order") {
      choice.run.first_order = std::stoi(value);
    } else if (word == "--profile") {
      const auto profile = parse_profile(value);
      if (!profile) return false;
      choice.run.profile = *profile;
    } else if (word == "--bug") {
      const auto bug = parse_bug(value);
      if (!bug) return false;
      choice.run.bug = *bug;
    } else if (word == "--without") {
      const auto fault = parse_fault(value);
      if (!fault) return false;
      choice.run.without.push_back(*fault);
    } else if (word == "--seeds-file") {
      choice.seeds_file = value;
    } else if (word == "--fresh") {
      choice.fresh = std::stoll(value);
    } else if (word == "--commit") {
      choice.commit = value;
    } else if (word == "--crash-points") {
      choice.logs.push_back(value);
    } else if (word == "--part") {
      choice.part = std::stoll(value);
      choice.parts = std::stoll(value.substr(value.find('/') + 1));
    } else {
      return false;
    }
  }
  return true;
}

void run_choice(const Choice& choice) {
  if (!choice.logs.empty()) return check_crash_points(choice.logs);
  if (choice.shrinks) return shrink(choice);
  if (choice.checks_determinism) return check_determinism(choice);
  if (choice.checks_parity) return check_parity(choice);
  if (choice.checks_bugs) return check_bugs(choice);
  if (!choice.seeds_file.empty())
    run_seeds(choice, "regression seeds", read_seeds(choice.seeds_file));
  std::vector<std::pair<std::uint64_t, Profile>> seeds;
  for (std::uint64_t seed = choice.first; seed <= choice.last; ++seed)
    seeds.emplace_back(seed, choice.run.profile);
  if (!seeds.empty()) run_seeds(choice, std::string(to_word(choice.run.profile)), seeds);
  if (choice.fresh == 0) return;
  seeds.clear();
  const std::uint64_t base = hash_of(choice.commit) % kNewSeedSpan;
  for (std::int64_t i = 0; i < choice.fresh; ++i)
    seeds.emplace_back(base + static_cast<std::uint64_t>(i), choice.run.profile);
  run_seeds(choice, "seeds of commit " + choice.commit, seeds);
}

}  // namespace
}  // namespace topup::sim

int main(int argc, char** argv) {
  using namespace topup::sim;
  Choice choice;
  try {
    if (argc < 2 || !parse(argc, argv, choice)) return usage();
    topup::base::set_log_file("/dev/null");
    topup::base::set_log_level(topup::base::Level::error);
    run_choice(choice);
    for (const std::string_view sentence : not_covered())
      std::printf("not covered: %s\n", std::string(sentence).c_str());
  } catch (const std::exception& failure) {
    count(false, failure.what());
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}
