// key list, key rotate.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>

#include "server/app.h"
#include "server/app_keys.h"
#include "server/base/process.h"
#include "server/commands.h"
#include "server/privacy/key_file.h"
#include "server/storage/migrate.h"

namespace topup {
namespace {

constexpr std::int64_t kStatementOfKeysMs = 600'000;
constexpr std::int64_t kFirstAnswerMs = 20'000;
constexpr std::int64_t kSilenceMs = 600'000;
constexpr std::int64_t kPollMs = 100;

void print(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

void wait_a_little() {
  std::mutex mutex;
  std::condition_variable nobody;
  std::unique_lock hold(mutex);
  nobody.wait_for(hold, std::chrono::milliseconds(kPollMs), [] { return false; });
}

// A shop that runs on SQLite has its file to itself: it is asked to do the work.
int ask_running_shop(const std::string& data_dir, const privacy::KeyOrder& order) {
  if (order.index) {
    print("--index needs a stopped shop: a look-up knows one index key");
    return 1;
  }
  base::SystemRandom random;
  const base::SystemClock clock;
  const std::string id = base::new_token(random);
  const auto asked =
      privacy::replace_private_file(privacy::order_file(data_dir), privacy::order_text(order, id));
  if (!asked) {
    print("the running shop cannot be asked: " + std::string(asked.error().detail.view()));
    return 1;
  }
  bool is_ours = false;
  std::size_t told = 0;
  std::int64_t heard = clock.mono_ms();
  for (;;) {
    std::ifstream answer(privacy::answer_file(data_dir));
    std::string line;
    is_ours = std::getline(answer, line) && line == id;
    for (std::size_t number = 0; is_ours && std::getline(answer, line); ++number) {
      if (answer.eof() && line != "." && line != "!") break;  // half a line
      if (number < told) continue;
      ++told;
      heard = clock.mono_ms();
      if (line == "." || line == "!") return line == "." ? 0 : 1;
      print(line);
    }
    if (clock.mono_ms() - heard > (is_ours ? kSilenceMs : kFirstAnswerMs)) break;
    wait_a_little();
  }
  ::unlink(privacy::order_file(data_dir).c_str());
  print(is_ours ? "the running shop has fallen silent; see its log" : "no answer from the shop");
  return 1;
}

int work_directly(const Config& config, storage::Db& db, const privacy::KeyOrder& order) {
  if (!storage::has_shop(db)) {
    print("there is no shop here yet");
    return 1;
  }
  const base::SystemClock clock;
  base::SystemRandom random;
  ShopKeys keys(config, config.server.data_dir, "command-" + base::new_token(random).substr(0, 8),
                db, clock, random, false);
  storage::migrate(db, clock.wall_ms());
  const privacy::Pii pii = keys.open();
  privacy::ResealSettings settings;
  // Nobody else has a SQLite file open, so that nothing sealed before is still on its way.
  if (db.engine() == "sqlite") settings.retire_after_ms = 0;
  const bool done = keys.keeper(pii, 0, settings).carry_out(order, print);
  keys.sign_head();
  return done ? 0 : 1;
}

int run_order(const Config& config, const privacy::KeyOrder& order) {
  std::unique_ptr<storage::Db> db;
  try {
    const base::SystemClock clock;
    db = open_store(config, clock, kStatementOfKeysMs);
  } catch (const storage::SqlError& error) {
    const bool is_running =
        config.store.url.empty() && error.why.find("another process is using") != std::string::npos;
    if (!is_running) throw;
  }
  return db ? work_directly(config, *db, order) : ask_running_shop(config.server.data_dir, order);
}

}  // namespace

namespace commands {
namespace {

struct Options {
  ShopOptions shop;
  privacy::KeyOrder order;
};

int run_key_order(const Options& options, bool is_list) {
  (void)base::keep_memory_private();
  Config config;
  if (!read_config(options.shop, &config)) return kFailed;
  privacy::KeyOrder order = options.order;
  order.list = is_list;
  if (!order.list && !order.master && !order.finish && !order.index) order.data = true;
  // One node: nobody else has to learn of the new master key first.
  if (order.master && config.store.url.empty()) order.finish = true;
  return run_order(config, order);
}

}  // namespace

void add_key_commands(Commands& commands) {
  const auto options = std::make_shared<Options>();
  CLI::App& key = commands.add_group("key", "the keys that seal personal data");
  CLI::App& list = commands.add_below(
      key, "list",
      {"print the keys and how many values each seals", "topup key list --data /var/lib/topup"},
      [options] { return run_key_order(*options, true); });
  add_shop_options(list, &options->shop);
  CLI::App& rotate =
      commands.add_below(key, "rotate",
                         {"make a new data key and seal every value anew; beside a running shop "
                          "too; may be ended at any time and run again",
                          "topup key rotate --data /var/lib/topup"},
                         [options] { return run_key_order(*options, false); });
  add_shop_options(rotate, &options->shop);
  rotate.add_flag(
      "--data-key", options->order.data,
      "a new data key, and every value sealed anew (what happens without another flag)");
  rotate.add_flag("--master", options->order.master,
                  "a new master key in topup.keys that wraps every data key");
  rotate.add_flag("--finish", options->order.finish,
                  "drop the old master keys, once every node has the new topup.keys");
  rotate.add_flag("--index", options->order.index,
                  "a new key of the blind indexes, each made anew; of a stopped shop");
  rotate.add_option("--batch", options->order.batch, "rows a transaction (500 when not given)")
      ->check(CLI::Range(1, 100'000));
}

}  // namespace commands
}  // namespace topup
