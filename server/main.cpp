// The commands. Nothing here decides anything about a shop: it reads options, opens what is asked
// for, waits for a signal. Exit codes: 0 done, 1 could not start or a check failed, 2 wrong use.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <thread>

#include "server/app.h"
#include "server/audit/audit_log.h"
#include "server/base/log.h"
#include "server/entrance.h"
#include "server/ledger/ledger_store.h"
#include "server/rehearsal/world.h"
#include "server/storage/migrate.h"

namespace {

using namespace topup;  // NOLINT: the one file above every namespace of ours

constexpr const char* kVersion = "0.1.0";
constexpr std::int64_t kDrainMs = 10'000;
constexpr int kIoThreads = 2;

struct Options {
  std::string config_file;
  std::optional<int> port;
  std::string data_dir, client_files, console_files, log_file, log_level = "info";
  int speed_percent = 100;
};

// Blocks SIGINT and SIGTERM for every thread started afterwards, so that one place waits for them.
sigset_t block_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

void wait_for(const sigset_t& signals) {
  int signal = 0;
  sigwait(&signals, &signal);
}

void set_up_log(const Options& options) {
  if (options.log_level == "debug") base::set_log_level(base::Level::debug);
  if (options.log_level == "warn") base::set_log_level(base::Level::warn);
  if (options.log_level == "error") base::set_log_level(base::Level::error);
  if (!options.log_file.empty()) base::set_log_file(options.log_file);
}

bool read_config(const Options& options, Config* config) {
  const std::vector<std::string> mistakes = load_config(options.config_file, config);
  for (const std::string& mistake : mistakes)
    std::fprintf(stderr, "configuration: %s\n", mistake.c_str());
  if (options.port) config->server.port = static_cast<std::uint16_t>(*options.port);
  if (!options.data_dir.empty()) config->server.data_dir = options.data_dir;
  if (!options.client_files.empty()) config->server.client_files = options.client_files;
  if (!options.console_files.empty()) config->server.console_files = options.console_files;
  return mistakes.empty();
}

void fill_from(const rehearsal::PartyAccess& access, Config* config) {
  WechatSection wechat;
  wechat.origin = access.wechat_origin;
  wechat.mchid = access.mchid;
  wechat.appid = access.appid;
  wechat.serial_no = access.merchant_serial_no;
  wechat.private_key_pem = access.merchant_private_key_pem;
  wechat.apiv3_key = access.apiv3_key;
  wechat.verify_keys.emplace_back(access.platform_key_id, access.platform_public_key_pem);
  config->wechat_pay = std::move(wechat);
  ReloadlySection reloadly;
  reloadly.auth_origin = access.reloadly_auth_origin;
  reloadly.origin = access.reloadly_origin;
  reloadly.client_id = access.reloadly_client_id;
  reloadly.client_secret = access.reloadly_client_secret;
  reloadly.webhook_secret = access.reloadly_webhook_secret;
  config->reloadly = std::move(reloadly);
}

void announce(const Config& config, const App& app, const rehearsal::World* world) {
  const std::string& origin = config.server.public_origin;
  std::printf("\n  Topup %s %s\n\n", kVersion,
              world != nullptr ? "· rehearsal: every outside party is played" : "");
  std::printf("  Shop     %s/\n  Console  %s/admin/\n", origin.c_str(), origin.c_str());
  if (world != nullptr) {
    std::printf("  Played   WeChat Pay %s · Reloadly %s\n", world->access().wechat_origin.c_str(),
                world->access().reloadly_origin.c_str());
  }
  if (app.new_owner_password()) {
    std::printf(
        "\n  Owner's first sign-in (shown once, keep it):\n    name      owner\n    password  %s\n",
        app.new_owner_password()->c_str());
  }
  std::printf("\n  Ctrl-C stops it.\n\n");
  std::fflush(stdout);
}

void wait_until_ready(const App& app, const base::Clock& clock) {
  const std::int64_t give_up = clock.mono_ms() + 15'000;
  while (!app.ready() && clock.mono_ms() < give_up)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  std::printf(app.ready() ? "ready\n" : "not ready yet: see /readyz for what is missing\n");
  std::fflush(stdout);
}

int run_shop(const Options& options, bool rehearse) {
  const sigset_t signals = block_stop_signals();
  Config config;
  if (!read_config(options, &config)) return 1;
  set_up_log(options);
  base::SystemClock clock;
  base::SystemRandom random;
  const std::unique_ptr<http::Front> front = http::make_front(kIoThreads);
  Entrance entrance;
  config.server.port = front->listen(config.server.address, config.server.port, entrance);
  const std::string host = "127.0.0.1:" + std::to_string(config.server.port);
  if (rehearse) {
    config.server.public_origin = "http://" + host;
    entrance.set_origin(host);
  } else if (config.server.public_origin.empty()) {
    std::fprintf(
        stderr,
        "configuration: [server] public_origin is needed, for example https://shop.example\n");
    return 1;
  }

  std::unique_ptr<rehearsal::World> world;
  std::vector<std::string> parties;
  if (rehearse) {
    const auto first_port =
        static_cast<std::uint16_t>(options.port == 0 ? 0 : config.server.port + 1);
    world = rehearsal::World::open(
        {config.server.data_dir, first_port, options.speed_percent, config.server.public_origin},
        *front, clock, random);
    fill_from(world->access(), &config);
    parties = world->parties();
  }
  const std::unique_ptr<App> app = App::open(config, *front, clock, random, std::move(parties));
  entrance.set_site(&app->site());
  front->start();
  if (world) world->start();
  app->start();
  announce(config, *app, world.get());
  wait_until_ready(*app, clock);

  wait_for(signals);
  std::printf("stopping\n");
  std::fflush(stdout);
  if (world) world->stop();
  front->stop(kDrainMs);
  app->stop();
  return 0;
}

int verify_books(const Options& options) {
  Config config;
  if (!read_config(options, &config)) return 1;
  const auto db = storage::open_sqlite(config.server.data_dir + "/topup.sqlite");
  std::vector<std::string> wrong;
  audit::ChainVerdict chain;
  db->read([&](storage::Reader& reader) {
    wrong = ledger::verify(reader);
    chain = audit::verify(reader);
  });
  if (!chain.holds)
    wrong.push_back("audit chain breaks at row " + std::to_string(chain.first_bad_seq));
  for (const std::string& line : wrong) std::printf("wrong: %s\n", line.c_str());
  std::printf("%s: %lld audit rows\n", wrong.empty() ? "the books hold" : "the books do not hold",
              static_cast<long long>(chain.rows));
  return wrong.empty() ? 0 : 1;
}

std::string auth_word(http::Auth auth) {
  switch (auth) {
    case http::Auth::none:
      return "none";
    case http::Auth::buyer:
      return "buyer";
    case http::Auth::staff:
      return "staff";
    case http::Auth::party:
      return "party";
  }
  return "none";
}

// Opens a shop on an empty folder of its own, only to read its route table.
int print_routes(const Options& options) {
  Config config;
  if (!read_config(options, &config)) return 1;
  base::SystemClock clock;
  base::SystemRandom random;
  const std::unique_ptr<http::Front> front = http::make_front(1);
  const std::unique_ptr<App> app = App::open(config, *front, clock, random, {});
  base::Json out = base::Json::array();
  for (const http::Route& route : app->routes()) {
    out.push_back({{"method", route.method},
                   {"path", route.pattern},
                   {"auth", auth_word(route.auth)},
                   {"permission", route.permission},
                   {"body_limit", route.body_limit},
                   {"idempotent", route.idempotent_by_key}});
  }
  std::printf("%s\n", out.dump(2).c_str());
  return 0;
}

void add_shop_options(CLI::App* command, Options* options) {
  command->add_option("--config", options->config_file, "configuration file (TOML)")
      ->check(CLI::ExistingFile);
  command->add_option("--port", options->port, "port to listen on; 0 takes any free one")
      ->check(CLI::Range(0, 65'535));
  command->add_option("--data", options->data_dir, "folder of the shop's data");
  command->add_option("--web", options->client_files, "folder of the buyer's page");
  command->add_option("--console", options->console_files, "folder of the console");
  command->add_option("--log-file", options->log_file,
                      "write the log there instead of standard error");
  command->add_option("--log-level", options->log_level, "debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App cli{"Topup: a self-hosted top-up shop"};
  cli.require_subcommand(1);
  Options options;
  CLI::App* serve = cli.add_subcommand("serve", "run the shop");
  CLI::App* rehearse = cli.add_subcommand(
      "rehearse", "run the shop with every outside party played on this machine");
  CLI::App* verify =
      cli.add_subcommand("verify", "prove the books and the audit chain of a stopped shop");
  CLI::App* routes = cli.add_subcommand("routes", "print the route table as JSON");
  CLI::App* version = cli.add_subcommand("version", "print the version");
  add_shop_options(serve, &options);
  add_shop_options(rehearse, &options);
  rehearse
      ->add_option("--speed", options.speed_percent,
                   "delays of the played parties in percent; 10 is ten times quicker")
      ->check(CLI::Range(1, 10'000));
  verify->add_option("--data", options.data_dir, "folder of the shop's data")->required();
  routes->add_option("--data", options.data_dir, "an empty folder to open a shop in")->required();
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? 0 : 2;
  }
  try {
    if (*version) {
      std::printf("topup %s\n", kVersion);
      return 0;
    }
    if (*verify) return verify_books(options);
    if (*routes) return print_routes(options);
    return run_shop(options, static_cast<bool>(*rehearse));
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "topup: %s\n", failure.what());
    return 1;
  }
}
