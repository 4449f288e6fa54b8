// One line for each family of commands.
#include <CLI/CLI.hpp>

#include "server/base/process.h"
#include "server/commands.h"

int main(int argc, char** argv) {
  topup::base::share_heaps();
  CLI::App cli{"Topup: a self-hosted top-up shop"};
  topup::commands::Commands commands(cli);
  topup::commands::add_serve_commands(commands);
  topup::commands::add_store_commands(commands);
  topup::commands::add_backup_commands(commands);
  topup::commands::add_doctor_commands(commands);
  topup::commands::add_key_commands(commands);
  topup::commands::add_print_commands(commands);
  topup::commands::add_user_commands(commands);
  topup::commands::add_reconcile_commands(commands);
  topup::commands::add_mini_program_commands(commands);
  return commands.run(argc, argv);
}
