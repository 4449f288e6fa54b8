#include "server/commands.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <utility>

#include "server/base/version.h"

namespace topup::commands {
namespace {

constexpr std::string_view kUsualExits =
    "  0  done\n"
    "  1  failed, or a check failed; standard error says why\n"
    "  2  wrong use";

std::string foot_of(const Help& help) {
  std::string text = "Example:\n";
  std::string_view rest = help.example;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    text += "  " + std::string(rest.substr(0, end)) + "\n";
    rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
  }
  text += "\nExit codes:\n" + std::string(kUsualExits);
  if (!help.exits.empty()) text += "\n" + std::string(help.exits);
  return text;
}

}  // namespace

CLI::App& Commands::add_below(CLI::App& parent, const std::string& name, const Help& help,
                              std::function<int()> run) {
  CLI::App* command = parent.add_subcommand(name, std::string(help.purpose));
  command->footer(foot_of(help));
  entries_.push_back({command, std::move(run)});
  return *command;
}

CLI::App& Commands::add(const std::string& name, const Help& help, std::function<int()> run) {
  return add_below(cli_, name, help, std::move(run));
}

CLI::App& Commands::add_group(const std::string& name, std::string_view purpose) {
  CLI::App* group = cli_.add_subcommand(name, std::string(purpose));
  group->require_subcommand(1);
  return *group;
}

int Commands::run(int argc, char** argv) {
  cli_.require_subcommand(1);
  cli_.set_version_flag("--version", "topup " + std::string(base::version()));
  cli_.footer("topup COMMAND --help tells more about each.");
  try {
    cli_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli_.exit(error) == 0 ? kDone : kWrongUse;
  }
  for (const Entry& entry : entries_) {
    if (!entry.command->parsed()) continue;
    try {
      return entry.run();
    } catch (const std::exception& failure) {
      std::fprintf(stderr, "topup: %s\n", failure.what());
      return kFailed;
    }
  }
  return kWrongUse;
}

void add_shop_options(CLI::App& command, ShopOptions* options) {
  command
      .add_option("--config", options->config_file,
                  "configuration file (TOML); without it, what TOPUP_CONFIG names")
      ->envname("TOPUP_CONFIG")
      ->check(CLI::ExistingFile);
  command.add_option("--data", options->data_dir,
                     "folder of the shop's data; goes before the configuration");
}

bool read_config(const ShopOptions& options, Config* config) {
  const std::vector<std::string> mistakes = load_config(options.config_file, config);
  for (const std::string& mistake : mistakes)
    std::fprintf(stderr, "configuration: %s\n", mistake.c_str());
  if (!options.data_dir.empty()) config->server.data_dir = options.data_dir;
  return mistakes.empty();
}

}  // namespace topup::commands
