// verify, migrate, move: what is done with a shop's database.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "server/app.h"
#include "server/app_keys.h"
#include "server/commands.h"
#include "server/commands_progress.h"
#include "server/operate/proof.h"
#include "server/storage/migrate.h"
#include "server/storage/move.h"
#include "server/storage/sqlite_file.h"

namespace topup::commands {
namespace {

constexpr std::int64_t kLongStatementMs = 3'600'000;

struct Options {
  ShopOptions shop;
  std::string move_to;
  bool only_shows = false;
};

int verify_books(const Options& options) {
  Config config;
  if (!read_config(options.shop, &config)) return kFailed;
  const base::SystemClock clock;
  const auto db = config.store.url.empty()
                      ? storage::open_sqlite_read_only(config.server.data_dir + "/topup.sqlite")
                      : open_store(config, clock, kLongStatementMs);
  operate::Proof proof = operate::prove(*db);
  base::SystemRandom random;
  const AuditCheck audit = check_audit(config, *db, clock, random);
  if (!audit.note.empty()) std::printf("note: %s\n", audit.note.c_str());
  for (const std::string& line : audit.wrong) {  // the chain alone was walked above
    if (std::find(proof.wrong.begin(), proof.wrong.end(), line) == proof.wrong.end())
      proof.wrong.push_back(line);
  }
  for (const std::string& line : proof.wrong) std::printf("wrong: %s\n", line.c_str());
  std::printf("%s: %lld audit rows\n",
              proof.wrong.empty() ? "the books hold" : "the books do not hold",
              static_cast<long long>(proof.audit_rows));
  if (!proof.finance_checksum.empty())
    std::printf("finance view: up to journal %lld, checksum %s, the same when made anew\n",
                static_cast<long long>(proof.finance_seq), proof.finance_checksum.c_str());
  return proof.wrong.empty() ? kDone : kFailed;
}

int migrate_store(const Options& options) {
  Config config;
  if (!read_config(options.shop, &config)) return kFailed;
  const base::SystemClock clock;
  const auto db = options.only_shows && config.store.url.empty()
                      ? storage::open_sqlite_read_only(config.server.data_dir + "/topup.sqlite")
                      : open_store(config, clock, kLongStatementMs);
  const storage::Schema schema = storage::schema_of(*db);
  std::printf("the database has schema %lld, this program %lld\n",
              static_cast<long long>(schema.applied), static_cast<long long>(schema.known));
  for (const storage::EmbeddedMigration* step : schema.waiting)
    std::printf("  waits  %04d %s\n", step->number, std::string(step->name).c_str());
  if (options.only_shows || schema.waiting.empty()) {
    std::printf(schema.waiting.empty() ? "nothing to do\n" : "nothing was changed\n");
    return kDone;
  }
  Progress progress;
  std::int64_t done = 0;
  const int applied =
      storage::migrate(*db, clock.wall_ms(), [&](const storage::EmbeddedMigration& step) {
        progress("applying " + std::string(step.name) + ", step", ++done,
                 static_cast<std::int64_t>(schema.waiting.size()));
      });
  std::printf("applied %d steps\n", applied);
  return kDone;
}

// The shop must be stopped; the old file stays as it was.
int move_to(const Options& options) {
  Config from;
  if (!read_config(options.shop, &from)) return kFailed;
  from.store = {};
  Config to = from;
  to.store.url = options.move_to;
  const base::SystemClock clock;
  const auto source = open_store(from, clock);
  const auto target = open_store(to, clock, kLongStatementMs);
  std::int64_t rows = 0;
  storage::move_shop(*source, *target, clock.wall_ms(), [&rows](const storage::MovedTable& table) {
    std::printf("%-24s %10lld rows  %.16s\n", table.name.c_str(),
                static_cast<long long>(table.rows), table.checksum.c_str());
    std::fflush(stdout);
    rows += table.rows;
  });
  std::printf(
      "moved: %lld rows, the same on both sides. Now set [store] url, and keep the data folder: it "
      "holds the keys.\n",
      static_cast<long long>(rows));
  return kDone;
}

}  // namespace

void add_store_commands(Commands& commands) {
  const auto options = std::make_shared<Options>();
  CLI::App& verify = commands.add("verify",
                                  {"prove the database: its pages, its books and the audit chain",
                                   "topup verify --data /var/lib/topup"},
                                  [options] { return verify_books(*options); });
  add_shop_options(verify, &options->shop);
  CLI::App& migrate = commands.add(
      "migrate",
      {"bring a stopped shop's database to this program's schema (a start does so too)",
       "topup migrate --config /etc/topup/topup.toml --dry-run"},
      [options] { return migrate_store(*options); });
  add_shop_options(migrate, &options->shop);
  migrate.add_flag("--dry-run", options->only_shows, "only show what would be done");
  CLI::App& move =
      commands.add("move",
                   {"copy a stopped shop from SQLite to an empty PostgreSQL database",
                    "topup move --data /var/lib/topup --to postgres://topup@db:5432/shop"},
                   [options] { return move_to(*options); });
  add_shop_options(move, &options->shop);
  move.add_option(
          "--to", options->move_to,
          "postgres://user@host:5432/database; the password comes from ~/.pgpass or PGPASSWORD")
      ->required();
}

}  // namespace topup::commands
