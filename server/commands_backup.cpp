// backup, restore.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "server/app.h"
#include "server/base/version.h"
#include "server/commands.h"
#include "server/commands_progress.h"
#include "server/operate/backup.h"

namespace topup::commands {
namespace {

constexpr std::int64_t kLongStatementMs = 3'600'000;

struct Options {
  ShopOptions shop;
  std::string to, from;
  std::int64_t keep = 0;
  bool with_keys = false;
};

void print_content(const operate::Manifest& manifest) {
  std::int64_t bytes = 0, rows = 0;
  for (const operate::SavedFile& file : manifest.files) bytes += file.bytes;
  for (const auto& [table, count] : manifest.rows) rows += count;
  std::printf("  made        %s by topup %s, from %s\n",
              operate::utc_text(manifest.made_at_ms).c_str(), manifest.program.c_str(),
              manifest.engine.c_str());
  std::printf("  content     %lld rows, %.1f MB, schema %lld, %lld audit rows\n",
              static_cast<long long>(rows), static_cast<int>(bytes >> 10) / 1024.0,
              static_cast<long long>(manifest.schema), static_cast<long long>(manifest.audit_rows));
  std::printf("  proved      pages, checksums, audit chain, ledger\n");
}

int backup(const Options& options) {
  Config config;
  if (!read_config(options.shop, &config)) return kFailed;
  const base::SystemClock clock;
  std::unique_ptr<storage::Db> shared;
  if (!config.store.url.empty()) shared = open_store(config, clock, kLongStatementMs);
  operate::Backup made;
  {
    Progress progress;
    made = operate::make_backup({config.server.data_dir,
                                 shared.get(),
                                 options.to,
                                 options.keep,
                                 options.with_keys,
                                 std::string(base::version()),
                                 {},
                                 config.keys.audit_head_file},
                                clock,
                                [&progress](std::string_view step, std::int64_t done,
                                            std::int64_t all) { progress(step, done, all); });
  }
  std::printf("%s\n", made.path.c_str());
  print_content(made.manifest);
  std::printf("  took        %lld.%01lld s\n", static_cast<long long>(made.took_ms / 1'000),
              static_cast<long long>(made.took_ms % 1'000 / 100));
  for (const std::string& path : made.removed) std::printf("  removed     %s\n", path.c_str());
  if (made.manifest.has_keys) {
    std::fprintf(stderr,
                 "warning: this backup holds the key. Whoever has it can read every customer's "
                 "number: keep it as you would keep money.\n");
  } else {
    std::printf(
        "  the key     is not in it: keep a copy of %s/topup.key* elsewhere. Without it the phone\n"
        "              numbers in this backup can never be read again.\n",
        config.server.data_dir.c_str());
  }
  return kDone;
}

int restore(const Options& options) {
  Config config;
  if (!read_config(options.shop, &config)) return kFailed;
  const std::string& data_dir = config.server.data_dir;
  operate::Restored restored;
  {
    Progress progress;
    restored =
        operate::restore_backup(options.from, data_dir,
                                [&progress](std::string_view step, std::int64_t done,
                                            std::int64_t all) { progress(step, done, all); });
  }
  std::printf("restored into %s\n", data_dir.c_str());
  print_content(restored.manifest);
  std::printf("next\n");
  if (!restored.manifest.has_keys) {
    std::printf(
        "  put the key back: copy topup.key* into %s with mode 0600, owned by the shop's user\n",
        data_dir.c_str());
  }
  std::printf("  topup doctor --data %s\n", data_dir.c_str());
  if (restored.manifest.engine == "postgres") {
    std::printf("  back to PostgreSQL: topup move --data %s --to postgres://…\n", data_dir.c_str());
  }
  std::printf(
      "  start the shop; orders made after the backup are not in it: compare with the bills of the "
      "channels\n");
  return kDone;
}

}  // namespace

void add_backup_commands(Commands& commands) {
  const auto options = std::make_shared<Options>();
  CLI::App& save =
      commands.add("backup",
                   {"save the whole shop into a new folder below TO, also while it runs",
                    "topup backup /mnt/backups --data /var/lib/topup --keep 14\n"
                    "topup backup /mnt/backups --config /etc/topup/topup.toml"},
                   [options] { return backup(*options); });
  add_shop_options(save, &options->shop);
  save.add_option("TO", options->to, "folder that holds the backups, best on another disk")
      ->required();
  save.add_option("--keep", options->keep, "remove the oldest beyond this many; 0 keeps all")
      ->check(CLI::Range(0, 10'000));
  save.add_flag("--with-keys", options->with_keys,
                "take the key files along: the backup can then be read by whoever has it");
  CLI::App& bring =
      commands.add("restore",
                   {"prove a backup and put it into an empty data folder",
                    "topup restore /mnt/backups/topup-20261122T044816000Z --data /var/lib/topup"},
                   [options] { return restore(*options); });
  add_shop_options(bring, &options->shop);
  bring.add_option("FROM", options->from, "one backup: the folder with its manifest.json")
      ->required()
      ->check(CLI::ExistingDirectory);
}

}  // namespace topup::commands
