// The commands of the program. Each family is a file server/commands_<family>.cpp with one function
// that adds its commands, named here and called once by main.cpp. Nothing in them decides anything
// about a shop: they read options, open what is asked for, print, and return an exit code.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "server/config.h"

namespace CLI {
class App;
}

namespace topup::commands {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;    // could not be done, or a check failed
inline constexpr int kWrongUse = 2;  // options or arguments that make no sense

// What `--help` of a command says below its options.
struct Help {
  std::string_view purpose;     // one sentence, without a full stop
  std::string_view example;     // one or more lines to type
  std::string_view exits = "";  // exit codes beyond the usual three, one a line
};

class Commands {
 public:
  explicit Commands(CLI::App& cli) : cli_(cli) {}

  // `run` is called after the options were read; its value is the exit code, and what it throws is
  // told as a failure. The returned command takes the options and stays valid.
  CLI::App& add(const std::string& name, const Help& help, std::function<int()> run);
  // A command below another, such as `topup user add`.
  CLI::App& add_below(CLI::App& parent, const std::string& name, const Help& help,
                      std::function<int()> run);
  // A name that only groups: it needs one of the commands below it.
  CLI::App& add_group(const std::string& name, std::string_view purpose);

  int run(int argc, char** argv);

 private:
  struct Entry {
    CLI::App* command;
    std::function<int()> run;
  };
  CLI::App& cli_;
  std::vector<Entry> entries_;
};

// Which shop a command is about. read_config() prints every mistake and returns false for any.
struct ShopOptions {
  std::string config_file;
  std::string data_dir;  // goes before the configuration
};
void add_shop_options(CLI::App& command, ShopOptions* options);
bool read_config(const ShopOptions& options, Config* config);

// The families; main.cpp calls each once.
void add_serve_commands(Commands& commands);
void add_store_commands(Commands& commands);
void add_backup_commands(Commands& commands);
void add_doctor_commands(Commands& commands);
void add_key_commands(Commands& commands);
void add_print_commands(Commands& commands);
void add_user_commands(Commands& commands);
void add_reconcile_commands(Commands& commands);
void add_mini_program_commands(Commands& commands);

}  // namespace topup::commands
