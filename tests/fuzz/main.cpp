// topup_fuzz: every target on its corpus, then on what is made of it.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "server/base/log.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/source_dir.h"

namespace topup::fuzz {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::uint64_t runs = 2'200'000, seed = 1, only_run = 0;
  long seconds = 0;
  unsigned part = 0, parts = 1;
  std::string only, corpus, input;
};

// What is run now, for whoever handles a signal.
struct Now {
  char where[160] = "";
  char bytes[kMaxInput] = "";
  std::size_t size = 0;
} now;

// Leaves the input behind, so that it becomes a file of the corpus.
void on_signal(int number) {
  const int file = open("fuzz-crash.input", O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file >= 0) {
    (void)!write(file, now.bytes, now.size);
    close(file);
  }
  (void)!write(2, now.where, std::strlen(now.where));
  static constexpr char kSaid[] = " ended by a signal; its input is in fuzz-crash.input\n";
  (void)!write(2, kSaid, sizeof kSaid - 1);
  std::signal(number, SIG_DFL);
  raise(number);
}

std::string read_whole(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::string> corpus_of(const Target& target, const Options& options) {
  std::map<std::string, std::string> stored;  // by name: the order is the same everywhere
  const fs::path folder = fs::path(options.corpus) / target.name;
  if (fs::is_directory(folder)) {
    for (const auto& entry : fs::directory_iterator(folder))
      stored[entry.path().filename().string()] = read_whole(entry.path());
  }
  std::vector<std::string> all;
  for (auto& [name, bytes] : stored) all.push_back(std::move(bytes));
  if (target.seeds != nullptr) {
    for (std::string& bytes : target.seeds()) all.push_back(std::move(bytes));
  }
  if (all.empty()) all.emplace_back();
  return all;
}

// False when it found something, which is printed.
bool run_one(const Target& target, const std::string& input, const Options& options,
             std::uint64_t run) {
  std::snprintf(now.where, sizeof now.where, "FAIL target=%.*s seed=%llu run=%llu",
                static_cast<int>(target.name.size()), target.name.data(),
                static_cast<unsigned long long>(options.seed),
                static_cast<unsigned long long>(run));
  now.size = std::min(input.size(), kMaxInput);
  std::memcpy(now.bytes, input.data(), now.size);
  try {
    target.run(input);
    return true;
  } catch (const std::exception& wrong) {
    std::printf("%s: %s\n", now.where, wrong.what());
  }
  const std::string name = "fuzz-" + std::string(target.name) + ".input";
  std::ofstream(name, std::ios::binary) << input;
  std::printf("  its input is in %s; again: topup_fuzz --only %s --seed %llu --run %llu\n",
              name.c_str(), std::string(target.name).c_str(),
              static_cast<unsigned long long>(options.seed), static_cast<unsigned long long>(run));
  return false;
}

std::uint64_t seed_of(const Options& options, const Target& target, std::uint64_t run) {
  Chance chance(options.seed ^ (run * 0x9E3779B97F4A7C15ULL));
  std::uint64_t seed = chance.next();
  for (const char c : target.name) seed = Chance(seed ^ static_cast<unsigned char>(c)).next();
  return seed;
}

struct Told {
  std::uint64_t runs = 0;
  bool is_good = true;
};

Told explore(const Target& target, const Options& options) {
  const auto began = std::chrono::steady_clock::now();
  const auto elapsed_ms = [&began] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 began)
        .count();
  };
  const std::vector<std::string> corpus = corpus_of(target, options);
  Told told;
  for (const std::string& input : corpus) {
    ++told.runs;
    told.is_good = run_one(target, input, options, 0) && told.is_good;
  }
  const std::uint64_t most = options.runs * static_cast<std::uint64_t>(target.share) / kAllShares;
  const std::uint64_t first = options.only_run == 0 ? 1 : options.only_run;
  for (std::uint64_t run = first; told.is_good; ++run) {
    if (options.only_run != 0 && run > options.only_run) break;
    if (options.only_run == 0 && options.seconds == 0 && run > most) break;
    if (options.seconds != 0 && run % 256 == 0 && elapsed_ms() >= options.seconds * 1'000) break;
    Chance chance(seed_of(options, target, run));
    ++told.runs;
    told.is_good = run_one(target, mutated(chance, corpus, target), options, run);
  }
  std::printf("%s %-10s %9llu runs, %3zu inputs, %6lld ms\n", told.is_good ? "ok  " : "FAIL",
              std::string(target.name).c_str(), static_cast<unsigned long long>(told.runs),
              corpus.size(), static_cast<long long>(elapsed_ms()));
  std::fflush(stdout);
  return told;
}

int misused(const char* why) {
  std::fprintf(stderr,
               "topup_fuzz: %s\n"
               "  --runs N      in all, shared by the targets (2200000)\n"
               "  --seconds N   of each target instead\n"
               "  --seed N      another one makes other inputs (1)\n"
               "  --only NAME   one target    --run N  one run of it    --input FILE  one input\n"
               "  --part I/N    every N-th target, from I\n"
               "  --corpus DIR  instead of tests/fuzz/corpus\n",
               why);
  return 2;
}

bool read_options(int count, char** words, Options* options) {
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string name = words[i], value = words[i + 1];
    char* end = nullptr;
    const std::uint64_t number = std::strtoull(value.c_str(), &end, 10);
    const bool is_number = end != value.c_str() && *end == '\0';
    if (name == "--only") {
      options->only = value;
    } else if (name == "--corpus") {
      options->corpus = value;
    } else if (name == "--input") {
      options->input = value;
    } else if (name == "--part") {
      if (std::sscanf(value.c_str(), "%u/%u", &options->part, &options->parts) != 2) return false;
      if (options->parts == 0) return false;
    } else if (!is_number) {
      return false;
    } else if (name == "--runs") {
      options->runs = number;
    } else if (name == "--seed") {
      options->seed = number;
    } else if (name == "--run") {
      options->only_run = number;
    } else if (name == "--seconds") {
      options->seconds = static_cast<long>(number);
    } else {
      return false;
    }
  }
  return count % 2 == 1;
}

int run_all(const Options& options) {
  std::vector<const Target*> all;
  for (const auto targets : {core_targets(), door_targets(), file_targets(), party_targets()}) {
    for (const Target& target : targets) all.push_back(&target);
  }
  int shares = 0;
  for (const Target* target : all) shares += target->share;
  if (shares != kAllShares) return misused("the shares of its targets are not a thousand");
  std::uint64_t runs = 0;
  int passed = 0, failed = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Target& target = *all[i];
    if (options.only.empty() ? i % options.parts != options.part : target.name != options.only)
      continue;
    if (!options.input.empty()) {
      (run_one(target, read_whole(options.input), options, 0) ? passed : failed) += 1;
      continue;
    }
    const Told told = explore(target, options);
    runs += told.runs;
    (told.is_good ? passed : failed) += 1;
  }
  std::printf("%llu runs, seed %llu\n%d passed, %d failed\n", static_cast<unsigned long long>(runs),
              static_cast<unsigned long long>(options.seed), passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace
}  // namespace topup::fuzz

int main(int count, char** words) {
  using namespace topup::fuzz;
  Options options;
  options.corpus = std::string(topup::testing::source_dir()) + "/tests/fuzz/corpus";
  if (!read_options(count, words, &options)) return misused("an option it does not know");
  topup::base::set_log_level(topup::base::Level::error);  // what is refused is said a million times
  for (const int number : {SIGSEGV, SIGABRT, SIGFPE, SIGBUS, SIGILL})
    std::signal(number, on_signal);
  return run_all(options);
}
