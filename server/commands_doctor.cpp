// doctor.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "server/app.h"
#include "server/base/json.h"
#include "server/base/log.h"
#include "server/commands.h"
#include "server/operate/doctor.h"
#include "server/storage/sqlite_file.h"

namespace topup::commands {
namespace {

using operate::Finding;
using operate::Health;

constexpr std::int64_t kStatementMs = 60'000;

struct Options {
  ShopOptions shop;
  bool asks_outside = false, as_json = false;
};

const char* word_of(Health health) {
  return health == Health::good ? "ok" : health == Health::note ? "note" : "ACT";
}

std::unique_ptr<storage::Db> open_to_look(const Config& config, const base::Clock& clock,
                                          std::string* fault) {
  try {
    if (!config.store.url.empty()) return open_store(config, clock, kStatementMs);
    const std::string path = config.server.data_dir + "/topup.sqlite";
    if (std::filesystem::exists(path)) return storage::open_sqlite_read_only(path);
    *fault = "there is no database " + path;
  } catch (const std::exception& failure) {
    *fault = failure.what();
  }
  return nullptr;
}

void name_what_the_configuration_names(const Options& options, operate::Patient* patient) {
  for (const ConfigValue& text : config_texts(options.shop.config_file)) {
    const std::string key = "[" + text.section + "] " + text.key;
    if (text.value.empty()) continue;
    if (text.key.ends_with("_file")) patient->files.push_back({key, text.value});
    if (options.asks_outside && text.key.ends_with("origin") && text.section != "server")
      patient->origins.push_back({key, text.value});
  }
}

int tell(const std::vector<Finding>& findings, bool as_json) {
  bool must_act = false;
  base::Json list = base::Json::array();
  for (const Finding& finding : findings) {
    must_act = must_act || finding.health == Health::act;
    list.push_back({{"health", finding.health == Health::act ? "act" : word_of(finding.health)},
                    {"check", finding.check},
                    {"what", finding.what},
                    {"remedy", finding.remedy}});
    if (as_json) continue;
    std::printf("%-4s  %-13s %s\n", word_of(finding.health), finding.check.c_str(),
                finding.what.c_str());
    if (!finding.remedy.empty()) std::printf("%21s> %s\n", "", finding.remedy.c_str());
  }
  if (as_json)
    std::printf("%s\n", base::Json{{"act", must_act}, {"findings", list}}.dump(2).c_str());
  if (!as_json) std::printf("%s\n", must_act ? "something needs action" : "nothing needs action");
  return must_act ? kFailed : kDone;
}

int doctor(const Options& options) {
  base::set_log_level(base::Level::error);
  Config config;
  std::vector<Finding> findings;
  for (const std::string& mistake : load_config(options.shop.config_file, &config))
    findings.push_back({Health::act, "config", mistake, "topup config --explain"});
  if (findings.empty()) findings.push_back({Health::good, "config", "it has no mistake", ""});
  if (!options.shop.data_dir.empty()) config.server.data_dir = options.shop.data_dir;
  const base::SystemClock clock;
  operate::Patient patient;
  const std::unique_ptr<storage::Db> store = open_to_look(config, clock, &patient.store_fault);
  patient.store = store.get();
  patient.is_shared = !config.store.url.empty();
  patient.data_dir = config.server.data_dir;
  patient.backup_folder = config.backup.folder;
  patient.backup_every_hours = config.backup.every_hours;
  patient.address = config.server.address;
  patient.port = config.server.port;
  name_what_the_configuration_names(options, &patient);
  for (Finding& finding : operate::examine(patient, clock)) findings.push_back(std::move(finding));
  return tell(findings, options.as_json);
}

}  // namespace

void add_doctor_commands(Commands& commands) {
  const auto options = std::make_shared<Options>();
  CLI::App& doctor_command =
      commands.add("doctor",
                   {"say what is wrong with the shop on this machine, and what to do about it",
                    "topup doctor --config /etc/topup/topup.toml --online",
                    "  1  also when something needs action"},
                   [options] { return doctor(*options); });
  add_shop_options(doctor_command, &options->shop);
  doctor_command.add_flag("--online", options->asks_outside,
                          "also ask the configured parties, and compare clocks with them");
  doctor_command.add_flag("--json", options->as_json, "print the findings as JSON");
}

}  // namespace topup::commands
