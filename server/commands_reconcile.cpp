// reconcile: compares business days of a shop that stands still, or that keeps its data in
// PostgreSQL.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "server/app.h"
#include "server/app_parties.h"
#include "server/app_reconcile.h"
#include "server/commands.h"

namespace topup::commands {
namespace {

struct Options {
  ShopOptions shop;
  std::string day, party;
};

bool print(const Result<reconcile::Run>& run) {
  if (!run) {
    std::printf("refused: %s\n", std::string(run.error().reason).c_str());
    return false;
  }
  std::printf("%s %s: %s%s%s, %lld lines, %lld agreed\n", run->party.c_str(), run->day.c_str(),
              run->state.c_str(), run->why.empty() ? "" : " ", run->why.c_str(),
              static_cast<long long>(run->lines), static_cast<long long>(run->agreed));
  return run->state == reconcile::run_state::kMatched ||
         run->state == reconcile::run_state::kNotOffered;
}

int print_differences(storage::Db& db) {
  int open = 0;
  db.read([&open](storage::Reader& reader) {
    open = 0;
    std::string after;
    for (;;) {
      const auto page = reconcile::reconcile_store::list_differences(
          reader, {"", reconcile::difference_state::kOpen}, after, 200);
      for (const auto& row : page) {
        ++open;
        std::printf("open: %s %s %s %s %s %s\n", row.day.c_str(), row.party.c_str(),
                    std::string(to_word(row.what.kind)).c_str(), row.what.number.c_str(),
                    decimal_text(row.what.move).c_str(),
                    std::string(to_word(row.what.move.currency)).c_str());
      }
      if (page.size() < 200) return;
      after = page.back().id;
    }
  });
  return open;
}

int reconcile_days(const Options& options) {
  Config config;
  if (!read_config(options.shop, &config)) return kFailed;
  const base::SystemClock clock;
  base::SystemRandom random;
  const auto db = open_store(config, clock);
  PartyParts parties(config, clock, random);
  reconcile::Reconciler reconciler(*db, clock, random, parties.channels(), parties.suppliers(),
                                   reconcile_deeds(clock, random, {}),
                                   [] { return reconcile::Rules{}; });
  bool is_good = true;
  if (options.day.empty()) {
    std::printf("%d runs matched\n", reconciler.run_due());
  } else {
    int asked = 0;
    for (const reconcile::Party& party : reconciler.parties()) {
      const bool is_meant =
          options.party.empty() || options.party == party.name || options.party == party.holder;
      if (!is_meant) continue;
      ++asked;
      is_good = print(reconciler.run(party.name, options.day, "command")) && is_good;
    }
    if (asked == 0) std::printf("the configuration has no such channel or supplier\n");
    is_good = is_good && asked > 0;
  }
  const int open = print_differences(*db);
  std::printf("%d open differences\n", open);
  return is_good && open == 0 ? kDone : kFailed;
}

}  // namespace

void add_reconcile_commands(Commands& commands) {
  const auto options = std::make_shared<Options>();
  CLI::App& reconcile =
      commands.add("reconcile",
                   {"compare a business day with what channels and suppliers say of it",
                    "topup reconcile --config /etc/topup/topup.toml --day 2026-11-20",
                    "1  a statement is missing or cannot be used, or differences are open"},
                   [options] { return reconcile_days(*options); });
  add_shop_options(reconcile, &options->shop);
  reconcile.add_option("--day", options->day, "yyyy-mm-dd; without it all days that are due");
  reconcile.add_option("--party", options->party,
                       "only this channel or supplier, or a channel's fund flow: wechat_funds, "
                       "alipay_funds");
}

}  // namespace topup::commands
