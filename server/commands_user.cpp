// user: the accounts of staff for whoever sits at the machine, e.g. for an owner who is locked out.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "server/app.h"
#include "server/auth/rbac.h"
#include "server/auth/staff_accounts.h"
#include "server/commands.h"
#include "server/storage/migrate.h"

namespace topup::commands {
namespace {

struct Options {
  ShopOptions shop;
  std::string name;
  std::vector<std::string> roles;
};
using Deed = std::function<int(auth::StaffAccounts&, const Options&)>;

int told(const Error& error) {
  std::fprintf(stderr, "topup: %s%s%s\n", std::string(error.reason).c_str(),
               error.detail.empty() ? "" : ": ", std::string(error.detail.view()).c_str());
  return kFailed;
}

template <class T>
int done_or_told(const Result<T>& result, const std::string& what) {
  if (!result) return told(result.error());
  std::printf("%s\n", what.c_str());
  return kDone;
}

int show_password(const Result<auth::NewPassword>& made, const std::string& name) {
  if (!made) return told(made.error());
  std::printf("name      %s\npassword  %s\nIt is shown once and must be changed at sign-in.\n",
              name.c_str(), made->password.c_str());
  return kDone;
}

// Opens the store itself: SQLite belongs to one process, so the shop must be stopped; PostgreSQL
// may be shared with a running shop, which sees the change at its next request.
int with_accounts(const Options& options, const Deed& deed) {
  Config config;
  if (!read_config(options.shop, &config)) return kFailed;
  const base::SystemClock clock;
  base::SystemRandom random;
  std::unique_ptr<storage::Db> db;
  try {
    db = open_store(config, clock);
  } catch (const storage::SqlError& failure) {
    std::fprintf(stderr, "topup: %s\n", failure.what());
    if (config.store.url.empty()) {
      std::fprintf(stderr, "Stop the shop first: its SQLite file is for one process at a time.\n");
    }
    return kFailed;
  }
  if (!storage::has_shop(*db)) {
    std::fprintf(stderr, "topup: there is no shop here; start it once first\n");
    return kFailed;
  }
  storage::migrate(*db, clock.wall_ms());
  auth::StaffAccounts accounts(*db, clock, random);
  return deed(accounts, options);
}

int on_account(auth::StaffAccounts& accounts, const Options& options,
               const std::function<int(const auth::Author&, const StaffId&)>& deed) {
  const auto id = accounts.id_of(options.name);
  if (!id) {
    std::fprintf(stderr, "topup: nobody of the staff is called %s\n", options.name.c_str());
    return kFailed;
  }
  return deed(auth::Author::at_the_machine(), *id);
}

int list(auth::StaffAccounts& accounts, const Options&) {
  constexpr std::int64_t kAtOnce = 200;
  std::printf("%-24s %-9s %-5s %s\n", "name", "state", "totp", "roles");
  std::string last;
  for (;;) {
    const auto page = accounts.list(last, kAtOnce);
    for (const auth::staff_store::Staff& staff : page) {
      std::printf("%-24s %-9s %-5s %s\n", staff.name.c_str(),
                  staff.is_enabled ? "enabled" : "disabled", staff.totp_sealed.empty() ? "-" : "on",
                  auth::joined(staff.roles).c_str());
    }
    if (page.size() < static_cast<std::size_t>(kAtOnce)) return kDone;
    last = page.back().name;
  }
}

int add(auth::StaffAccounts& accounts, const Options& options) {
  return show_password(accounts.add(auth::Author::at_the_machine(), options.name, options.roles),
                       options.name);
}

int disable(auth::StaffAccounts& accounts, const Options& options) {
  return on_account(accounts, options, [&](const auth::Author& author, const StaffId& id) {
    return done_or_told(accounts.disable(author, id), options.name + " is disabled");
  });
}

int enable(auth::StaffAccounts& accounts, const Options& options) {
  return on_account(accounts, options, [&](const auth::Author& author, const StaffId& id) {
    return done_or_told(accounts.enable(author, id), options.name + " is enabled");
  });
}

int set_roles(auth::StaffAccounts& accounts, const Options& options) {
  return on_account(accounts, options, [&](const auth::Author& author, const StaffId& id) {
    return done_or_told(accounts.set_roles(author, id, options.roles),
                        options.name + " now has: " + auth::joined(options.roles));
  });
}

int reset_password(auth::StaffAccounts& accounts, const Options& options) {
  return on_account(accounts, options, [&](const auth::Author& author, const StaffId& id) {
    return show_password(accounts.reset_password(author, id), options.name);
  });
}

int reset_totp(auth::StaffAccounts& accounts, const Options& options) {
  return on_account(accounts, options, [&](const auth::Author& author, const StaffId& id) {
    return done_or_told(accounts.reset_totp(author, id),
                        options.name + " signs in without an app, and enrols anew if needed");
  });
}

}  // namespace

void add_user_commands(Commands& commands) {
  const auto options = std::make_shared<Options>();
  CLI::App& user = commands.add_group(
      "user", "the accounts of staff, at the machine (SQLite: of a stopped shop)");
  const auto add_one = [&](const std::string& name, const Help& help,
                           const Deed& deed) -> CLI::App& {
    CLI::App& command = commands.add_below(
        user, name, help, [options, deed] { return with_accounts(*options, deed); });
    add_shop_options(command, &options->shop);
    return command;
  };
  const auto named = [&](CLI::App& command) {
    command.add_option("name", options->name, "of the member of staff")->required();
  };
  const auto with_roles = [&](CLI::App& command) {
    std::string words;
    for (const auth::Role& role : auth::kRoles) words += " " + std::string(role.word);
    command.add_option("--roles", options->roles, "one or more of" + words)
        ->delimiter(',')
        ->required();
  };
  add_one("list", {"list everybody with state and roles", "topup user list --data data"}, list);
  CLI::App& added = add_one(
      "add", {"add a member of staff", "topup user add li.wei --roles support,risk --data data"},
      add);
  named(added);
  with_roles(added);
  named(add_one("disable", {"shut an account and end its sessions", "topup user disable li.wei"},
                disable));
  named(add_one("enable", {"open an account again", "topup user enable li.wei"}, enable));
  CLI::App& roles = add_one(
      "roles", {"give exactly these roles", "topup user roles li.wei --roles finance"}, set_roles);
  named(roles);
  with_roles(roles);
  named(add_one(
      "reset-password",
      {"a new random password, shown once; lifts a lock", "topup user reset-password owner"},
      reset_password));
  named(add_one("reset-totp", {"take the second factor away", "topup user reset-totp owner"},
                reset_totp));
}

}  // namespace topup::commands
