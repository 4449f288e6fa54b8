// serve, rehearse: opens the shop and waits for a signal.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <optional>

#include "server/app.h"
#include "server/base/log.h"
#include "server/base/process.h"
#include "server/base/version.h"
#include "server/commands.h"
#include "server/doorway.h"
#include "server/entrance.h"
#include "server/http/rate_limits.h"
#include "server/rehearsal/world.h"

namespace topup::commands {
namespace {

constexpr std::int64_t kDrainMs = 7'000;  // the whole stop stays below ten seconds
constexpr std::int64_t kLookMs = 3'600'000;
constexpr int kIoThreads = 2;
constexpr std::int64_t kRehearsedCrowd = 20;  // everybody in a rehearsal comes from one address

struct Options {
  ShopOptions shop;
  std::optional<int> port;
  std::string client_files, console_files, log_file, log_level = "info";
  int speed_percent = 100;
  std::vector<std::string> suppliers;  // of a rehearsal; none: all that are played
  bool is_public = false;              // a rehearsal that the world reaches: parties go live in it
};

// Blocks SIGINT and SIGTERM for every thread started afterwards, so that one place waits for them;
// SIGHUP too where it means "read again", and not that the terminal of a rehearsal has gone.
sigset_t block_stop_signals(bool hangup_reloads) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  if (hangup_reloads) sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

// Keys are exchanged without a restart: the file is read again, and only they are taken over.
void adopt_configuration(const Options& options, App& app) {
  Config fresh;
  if (!read_config(options.shop, &fresh)) {
    base::log(base::Level::error, "configuration_not_adopted", {{"why", "it has mistakes"}});
    return;
  }
  try {
    app.adopt(fresh);
    base::log(base::Level::info, "configuration_adopted", {{"what", "keys of payment channels"}});
  } catch (const std::exception& failure) {
    base::log(base::Level::error, "configuration_not_adopted", {{"why", failure.what()}});
  }
}

// Until one that ends the process, or until the time is over: then false. SIGHUP has the
// certificate and the keys read again and the log file opened anew, for logrotate has moved it
// away. `reload`: what else it means; may be empty.
bool stop_came(const sigset_t& signals, http::Front& front, std::int64_t at_most_ms,
               const std::function<void()>& reload = {}) {
  const timespec most{at_most_ms / 1'000, at_most_ms % 1'000 * 1'000'000};
  const int signal = sigtimedwait(&signals, nullptr, &most);
  if (signal == SIGHUP) {
    front.reload_certificates();
    base::reopen_log_file();
    if (reload) reload();
  }
  return signal == SIGINT || signal == SIGTERM;
}

void set_up_log(const Options& options) {
  base::set_log_level(base::parse_level(options.log_level));
  if (!options.log_file.empty()) base::set_log_file(options.log_file);
}

bool read_options(const Options& options, Config* config) {
  const bool is_right = read_config(options.shop, config);
  config->log_level = options.log_level;
  if (options.port) config->server.port = static_cast<std::uint16_t>(*options.port);
  if (!options.client_files.empty()) config->server.client_files = options.client_files;
  if (!options.console_files.empty()) config->server.console_files = options.console_files;
  return is_right;
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
  wechat.authority_pem = access.platform_authority_pem;
  wechat.prepays_per_second = 100'000;  // a played party has no such limit
  config->wechat_pay = std::move(wechat);
  AlipaySection alipay;
  alipay.origin = alipay.bill_origin = access.alipay_origin;
  alipay.app_id = access.alipay_app_id;
  alipay.seller_id = access.alipay_seller_id;
  alipay.op_app_id = access.alipay_op_app_id;
  alipay.private_key = access.alipay_app_key_pem;
  alipay.public_key = access.alipay_public_key_pem;
  config->alipay = std::move(alipay);
  ReloadlySection reloadly;
  reloadly.auth_origin = access.reloadly_auth_origin;
  reloadly.origin = access.reloadly_origin;
  reloadly.client_id = access.reloadly_client_id;
  reloadly.client_secret = access.reloadly_client_secret;
  reloadly.webhook_secret = access.reloadly_webhook_secret;
  config->reloadly = std::move(reloadly);
  const std::string& token = access.supplier_callback_token;
  config->dtone = {{},   access.dtone_origin, access.dtone_api_key, access.dtone_api_secret, token,
                   "USD"};
  config->dingconnect = {{}, access.dingconnect_origin, access.dingconnect_api_key, token, "USD"};
  config->juhe = {{},
                  access.juhe_origin,
                  access.juhe_open_id,
                  access.juhe_mobile_key,
                  access.juhe_fuel_key,
                  "13800138000"};
  const std::string& wechat_app = access.wechat_platform_origin;
  config->wechat_mini = {wechat_app, access.mini_appid, access.mini_secret, "", ""};
  config->wechat_oa = {wechat_app, access.appid, access.oa_secret, wechat_app, "snsapi_userinfo"};
  SmsSection sms = config->sms.value_or(SmsSection());
  sms.origin = access.sms_origin;
  sms.key = access.sms_key;
  sms.template_name = "sign_in_code";
  config->sms = std::move(sms);
  config->catalog.approve_new = true;
  if (config->catalog.rates.empty())
    config->catalog.rates = {{Currency::usd, Currency::cny, 720'000'000}};
}

// Leaves the shop only the suppliers that were asked for; all are played nevertheless. Reloadly
// alone is a small rehearsal, of the mainland.
void keep_suppliers(const std::vector<std::string>& kept, Config* config) {
  if (kept == std::vector<std::string>{"reloadly"} && config->catalog.countries.empty())
    config->catalog.countries = {"CN"};
  const auto is_dropped = [&kept](std::string_view name) {
    return !kept.empty() && std::find(kept.begin(), kept.end(), name) == kept.end();
  };
  if (is_dropped("reloadly")) config->reloadly.reset();
  if (is_dropped("dtone")) config->dtone.reset();
  if (is_dropped("dingconnect")) config->dingconnect.reset();
  if (is_dropped("juhe")) config->juhe.reset();
}

void announce(const Config& config, const App& app, const rehearsal::World* world) {
  const std::string& origin = config.server.public_origin;
  std::printf("\n  Topup %s %s\n\n", std::string(base::version()).c_str(),
              world != nullptr ? "· rehearsal: every outside party is played" : "");
  std::printf("  Shop     %s/\n  Console  %s/admin/\n", origin.c_str(), origin.c_str());
  if (world != nullptr) {
    std::printf("  Played   WeChat Pay %s · Reloadly %s (tokens %s)\n",
                world->access().wechat_origin.c_str(), world->access().reloadly_origin.c_str(),
                world->access().reloadly_auth_origin.c_str());
    std::printf("           DT One %s · DingConnect %s · Juhe %s\n",
                world->access().dtone_origin.c_str(), world->access().dingconnect_origin.c_str(),
                world->access().juhe_origin.c_str());
    std::printf("           WeChat %s · SMS inbox %s/inbox\n",
                world->access().wechat_platform_origin.c_str(), world->access().sms_origin.c_str());
    std::printf("           Alipay %s\n", world->access().alipay_origin.c_str());
    std::printf("  Faults   %s/desk\n", world->access().wechat_origin.c_str());
  }
  if (app.new_owner_password()) {
    std::printf(
        "\n  Owner's first sign-in (shown once, keep it):\n    name      owner\n    password  %s\n",
        app.new_owner_password()->c_str());
  }
  std::printf("\n  Ctrl-C stops it.\n\n");
  std::fflush(stdout);
}

// False when it was told to stop before.
bool wait_until_ready(const App& app, const base::Clock& clock, const sigset_t& signals,
                      http::Front& front, const std::function<void()>& reload) {
  const std::int64_t give_up = clock.mono_ms() + 15'000;
  while (!app.ready() && clock.mono_ms() < give_up) {
    if (stop_came(signals, front, 10, reload)) return false;
  }
  std::printf(app.ready() ? "ready\n" : "not ready yet: see /readyz for what is missing\n");
  std::fflush(stdout);
  return true;
}

bool door_is_possible(const Config& config, const base::Clock& clock) {
  const std::vector<std::string> mistakes = door_mistakes(config.server, clock.wall_ms());
  for (const std::string& mistake : mistakes)
    std::fprintf(stderr, "configuration: %s\n", mistake.c_str());
  return mistakes.empty();
}

int run_shop(const Options& options, bool rehearse) {
  const sigset_t signals = block_stop_signals(!rehearse || !options.log_file.empty());
  Config config;
  config.staff.totp_required = !rehearse || options.is_public;
  if (!base::keep_memory_private()) std::fprintf(stderr, "topup: core dumps stay on\n");
  const bool is_readable = read_options(options, &config);
  base::SystemClock clock;
  if (rehearse) {  // Played parties speak plain HTTP to each other on this machine.
    config.server.tls_certificate_file.clear();
    config.server.redirect_port = 0;
  }
  if (!door_is_possible(config, clock) || !is_readable) return kFailed;
  set_up_log(options);
  base::SystemRandom random;
  raise_descriptor_limit();
  Redirect redirect(config.server.public_origin);
  const std::unique_ptr<http::Front> front =
      http::make_front(kIoThreads, door_limits(config.server));
  Entrance entrance;
  config.server.port = open_door(*front, config.server, entrance, redirect);
  const std::string host = "127.0.0.1:" + std::to_string(config.server.port);
  if (rehearse && !options.is_public) {
    config.server.public_origin = "http://" + host;
    entrance.set_origin(host);
  } else if (config.server.public_origin.empty()) {
    std::fprintf(
        stderr,
        "configuration: [server] public_origin is needed, for example https://shop.example\n");
    return kFailed;
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
    keep_suppliers(options.suppliers, &config);
    parties = world->parties();
    if (!options.is_public) {
      config.limits.percent =
          std::min(http::kMaxLimitPercent, config.limits.percent * kRehearsedCrowd);
    }
  }
  const std::unique_ptr<App> app = App::open(config, *front, clock, random, std::move(parties));
  entrance.set_site(&app->site());
  front->start();
  if (world) world->start();
  app->start();
  announce(config, *app, world.get());
  // The keys of played parties stand in no file.
  const auto reload = [&] {
    if (!rehearse) adopt_configuration(options, *app);
  };
  if (wait_until_ready(*app, clock, signals, *front, reload)) {
    while (!stop_came(signals, *front, kLookMs, reload)) {
    }
  }
  std::printf("stopping\n");
  std::fflush(stdout);
  if (world) world->stop();
  front->stop(kDrainMs);
  app->stop();
  return kDone;
}

void add_options(CLI::App& command, Options* options) {
  add_shop_options(command, &options->shop);
  command.add_option("--port", options->port, "port to listen on; 0 takes any free one")
      ->check(CLI::Range(0, 65'535));
  command.add_option("--web", options->client_files, "folder of the buyer's page");
  command.add_option("--console", options->console_files, "folder of the console");
  command.add_option("--log-file", options->log_file,
                     "write the log there instead of standard error");
  command.add_option("--log-level", options->log_level, "debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
}

}  // namespace

void add_serve_commands(Commands& commands) {
  const auto options = std::make_shared<Options>();
  CLI::App& serve =
      commands.add("serve", {"run the shop", "topup serve --config /etc/topup/topup.toml"},
                   [options] { return run_shop(*options, false); });
  add_options(serve, options.get());
  CLI::App& rehearse = commands.add("rehearse",
                                    {"run the shop with every outside party played on this machine",
                                     "topup rehearse --data /tmp/shop --port 8080 --speed 10"},
                                    [options] { return run_shop(*options, true); });
  add_options(rehearse, options.get());
  rehearse
      .add_option("--speed", options->speed_percent,
                  "delays of the played parties in percent; 10 is ten times quicker")
      ->check(CLI::Range(1, 10'000));
  rehearse.add_flag("--public", options->is_public,
                    "keep [server] public_origin, behind a proxy: parties go live one by one");
  rehearse
      .add_option("--suppliers", options->suppliers,
                  "those the shop has, such as reloadly,juhe; all when left out")
      ->delimiter(',')
      ->check(CLI::IsMember({"reloadly", "dtone", "dingconnect", "juhe"}));
}

}  // namespace topup::commands
