// config, routes, states, version: what this program knows about itself.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "server/app.h"
#include "server/base/json.h"
#include "server/base/version.h"
#include "server/commands.h"
#include "server/orders/order_drawing.h"

namespace topup::commands {
namespace {

struct Options {
  ShopOptions shop;
  bool only_drawing = false;
  bool explains = false, shows_example = false;
  bool as_json = false;
};

void print_route_lines(const std::vector<http::Route>& routes) {
  for (const http::Route& route : routes) {
    std::printf("%-6s %-44s %-5s %-16s %6zu %-4s %-8s %-8s %s\n", route.method.data(),
                route.pattern.data(), http::word_of(route.auth).data(),
                route.permission.empty() ? "-" : route.permission.data(), route.body_limit,
                route.idempotent_by_key ? "key" : "-", http::word_of(route.rate).data(),
                route.audited == http::Audited::yes ? "audited" : "-",
                http::word_of(route.last_level).data());
  }
}

// Opens a shop on an empty folder of its own, only to read its route table.
int print_routes(const Options& options) {
  Config config;
  if (!read_config(options.shop, &config)) return kFailed;
  config.store = {};
  base::SystemClock clock;
  base::SystemRandom random;
  const std::unique_ptr<http::Front> front = http::make_front(1);
  const std::unique_ptr<App> app = App::open(config, *front, clock, random, {});
  if (!options.as_json) return print_route_lines(app->routes()), kDone;
  base::Json out = base::Json::array();
  for (const http::Route& route : app->routes()) {
    out.push_back({{"method", route.method},
                   {"path", route.pattern},
                   {"auth", http::word_of(route.auth)},
                   {"permission", route.permission},
                   {"body_limit", route.body_limit},
                   {"idempotent", route.idempotent_by_key},
                   {"rate", http::word_of(route.rate)},
                   {"audited", route.audited == http::Audited::yes},
                   {"last_level", http::word_of(route.last_level)}});
  }
  std::printf("%s\n", out.dump(2).c_str());
  return kDone;
}

// Without a flag: reads a configuration as the shop would, and tells every mistake.
int config(const Options& options) {
  if (options.explains) return std::printf("%s", config_explained().c_str()), kDone;
  if (options.shows_example) return std::printf("%s", config_example().c_str()), kDone;
  Config config;
  if (!read_config(options.shop, &config)) return kFailed;
  std::printf("the configuration has no mistake\n");
  return kDone;
}

int print_states(bool only_drawing) {
  const std::string text = only_drawing ? orders::order_drawing() : orders::order_page();
  std::printf("%s", text.c_str());
  return kDone;
}

int print_version() {
  std::printf("topup %s\n", std::string(base::version()).c_str());
  return kDone;
}

}  // namespace

void add_print_commands(Commands& commands) {
  const auto options = std::make_shared<Options>();
  CLI::App& checked =
      commands.add("config",
                   {"check a configuration, or explain every key",
                    "topup config --config /etc/topup/topup.toml\ntopup config --explain | less"},
                   [options] { return config(*options); });
  add_shop_options(checked, &options->shop);
  CLI::Option* explain =
      checked.add_flag("--explain", options->explains,
                       "print every key with its meaning, default, range and environment name");
  checked.add_flag("--example", options->shows_example, "print an example file with every key")
      ->excludes(explain);
  CLI::App& routes =
      commands.add("routes", {"print the route table", "topup routes --data $(mktemp -d) --json"},
                   [options] { return print_routes(*options); });
  routes.add_option("--data", options->shop.data_dir, "an empty folder to open a shop in")
      ->required();
  routes.add_flag("--json", options->as_json, "as JSON");
  CLI::App& states = commands.add(
      "states",
      {"print the order's states, events and actions as a Markdown page", "topup states --mermaid"},
      [options] { return print_states(options->only_drawing); });
  states.add_flag("--mermaid", options->only_drawing, "only the drawing of the order, in Mermaid");
  commands.add("version", {"print the version", "topup version"}, print_version);
}

}  // namespace topup::commands
