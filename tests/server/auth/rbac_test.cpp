#include "server/auth/rbac.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace topup::auth {
namespace {

TEST_CASE("A-01: what no row grants is refused, however near the words are") {
  for (const Role& role : kRoles) {
    for (const Permission& permission : kPermissions) {
      if (!allows(role.word, permission.word)) continue;
      CAPTURE(std::string(role.word) + " " + std::string(permission.word));
      CHECK_FALSE(allows(std::string(role.word) + "s", permission.word));
      CHECK_FALSE(allows(role.word, std::string(permission.word) + ".all"));
      CHECK_FALSE(allows("", permission.word));
      CHECK_FALSE(allows(role.word, ""));
    }
  }
  CHECK_FALSE(allows("OWNER", "orders.read"));
  CHECK_FALSE(allows("owner", "orders.read "));
  CHECK_FALSE(may(std::vector<std::string>{}, "orders.read"));
  CHECK_FALSE(may(std::vector<std::string>{"owner"}, "*"));
  CHECK(may(std::vector<std::string>{}, "session.own"));
}

TEST_CASE(
    "A-01: the cells of role and permission that cost most are as they were decided by hand") {
  struct Cell {
    const char *role, *permission;
    bool allowed;
  };
  constexpr Cell kCells[] = {
      {"owner", "staff.roles", true},
      {"owner", "refund.approve", true},
      {"owner", "keys.manage", true},
      {"owner", "audit.read", true},
      {"finance", "refund.request", true},
      {"finance", "refund.approve", false},
      {"finance", "reconcile.act", true},
      {"finance", "prices.write", false},
      {"finance", "staff.roles", false},
      {"finance", "settings.write", false},
      {"finance", "personal_data.read", false},
      {"finance_director", "refund.approve", true},
      {"finance_director", "refund.request", false},
      {"finance_director", "prices.write", true},
      {"finance_director", "staff.write", false},
      {"finance_director", "audit.read", false},
      {"support", "orders.act", true},
      {"support", "personal_data.read", true},
      {"support", "refund.request", true},
      {"support", "refund.approve", false},
      {"support", "ledger.read", false},
      {"support", "jobs.manage", false},
      {"support", "settings.read", false},
      {"operations", "jobs.manage", true},
      {"operations", "settings.write", true},
      {"operations", "refund.request", false},
      {"operations", "keys.manage", false},
      {"operations", "staff.read", false},
      {"catalog", "catalog.write", true},
      {"catalog", "prices.write", false},
      {"catalog", "orders.read", false},
      {"marketing", "marketing.write", true},
      {"marketing", "prices.write", false},
      {"marketing", "orders.read", false},
      {"risk", "risk.write", true},
      {"risk", "refund.request", false},
      {"risk", "ledger.read", false},
      {"auditor", "audit.read", true},
      {"auditor", "orders.act", false},
      {"auditor", "refund.request", false},
      {"auditor", "refund.approve", false},
      {"auditor", "staff.read", true},
      {"auditor", "staff.write", false},
      {"auditor", "approvals.decide", false},
      {"auditor", "personal_data.read", false},
      {"security_admin", "staff.roles", true},
      {"security_admin", "keys.manage", true},
      {"security_admin", "audit.read", false},
      {"security_admin", "orders.read", false},
      {"security_admin", "ledger.read", false},
      {"security_admin", "refund.approve", false},
      {"security_admin", "settings.write", false},
      {"read_only", "orders.read", true},
      {"read_only", "ledger.read", false},
      {"read_only", "orders.act", false},
      {"read_only", "staff.read", false},
      {"support", "customers.act", true},
      {"support", "risk.write", false},
      {"risk", "customers.act", true},
      {"auditor", "customers.read", true},
      {"auditor", "customers.act", false},
      {"read_only", "customers.act", false},
      {"finance", "customers.act", false},
  };
  for (const Cell& cell : kCells) {
    CAPTURE(std::string(cell.role) + " " + cell.permission);
    CHECK(allows(cell.role, cell.permission) == cell.allowed);
  }
}

TEST_CASE("A-01: the roles of one person add up, and no separated two may meet") {
  const std::vector<std::string> both = {"catalog", "marketing"};
  CHECK(may(both, "catalog.write"));
  CHECK(may(both, "marketing.write"));
  CHECK_FALSE(may(both, "orders.read"));
  CHECK(conflict_in(both) == nullptr);
  for (const Separated& pair : kSeparated) {
    CAPTURE(std::string(pair.one) + " " + std::string(pair.other));
    const auto found = conflict_in(
        std::vector<std::string>{std::string(pair.other), "read_only", std::string(pair.one)});
    REQUIRE(found != nullptr);
    CHECK(are_separated(found->one, found->other));
  }
}

TEST_CASE("a second factor is wanted of whoever moves money or hands out power, of nobody else") {
  const auto guarded = [](const char* role) {
    return holds_guarded(std::vector<std::string>{role});
  };
  for (const char* role :
       {"owner", "finance", "finance_director", "support", "operations", "security_admin"}) {
    CAPTURE(role);
    CHECK(guarded(role));
  }
  for (const char* role : {"catalog", "auditor", "read_only"}) {
    CAPTURE(role);
    CHECK_FALSE(guarded(role));
  }
}

}  // namespace
}  // namespace topup::auth
