#include "server/auth/staff_accounts.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "server/audit/audit_log.h"
#include "tests/support/staff_room.h"

namespace topup::auth {
namespace {

using testing::StaffRoom;

TEST_CASE("a new member of staff gets a random password that must be changed") {
  StaffRoom room;
  const StaffId owner = room.person("boss", {"owner"});
  const auto made = room.accounts.add(room.author(owner, true), "李伟", {"support", "risk"});
  REQUIRE(made.has_value());
  CHECK(made->password.size() == 20);
  const auto session = room.try_sign_in("李伟", made->password);
  REQUIRE(session.has_value());
  CHECK(session->staff.must_change_password);
  CHECK(session->staff.roles == std::vector<std::string>{"risk", "support"});
  const auto reason = [&](const std::string& name, std::vector<std::string> roles) {
    const auto refused = room.accounts.add(room.author(owner, true), name, std::move(roles));
    return refused ? std::string() : std::string(refused.error().reason);
  };
  CHECK(reason("李伟", {}) == "name_taken");
  CHECK(reason("", {}) == "name_malformed");
  CHECK(reason(" li", {}) == "name_malformed");
  CHECK(reason("li\nwei", {}) == "name_malformed");
  CHECK(reason(std::string(65, 'x'), {}) == "name_malformed");
  CHECK(reason("wu", {"root"}) == "role_unknown");
}

TEST_CASE("F098: two roles that nobody may hold together are refused, and the pair is named") {
  StaffRoom room;
  const StaffId owner = room.person("boss", {"owner"});
  const StaffId li = room.person("li", {"finance"});
  for (const auto& roles : {std::vector<std::string>{"finance", "finance_director"},
                            {"security_admin", "auditor"},
                            {"read_only", "finance", "security_admin"}}) {
    const auto refused = room.accounts.set_roles(room.author(owner, true), li, roles);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().reason == "roles_conflict");
    CHECK(refused.error().field == "roles");
    CHECK(refused.error().detail.view().find(' ') != std::string_view::npos);
  }
  CHECK(room.accounts.find(li)->roles == std::vector<std::string>{"finance"});
}

TEST_CASE("nobody changes their own account, and only an owner touches an owner or makes one") {
  StaffRoom room;
  const StaffId boss = room.person("boss", {"owner"});
  const StaffId second = room.person("second", {"owner"});
  const StaffId guard = room.person("guard", {"security_admin"});
  const StaffId li = room.person("li", {"support"});
  const std::int64_t rows = room.audit_rows();
  const auto of = [](const auto& result) {
    return result ? std::string() : std::string(result.error().reason);
  };
  CHECK(of(room.accounts.disable(room.author(boss, true), boss)) == "own_account");
  CHECK(of(room.accounts.set_roles(room.author(guard), guard, {"owner"})) == "own_account");
  CHECK(of(room.accounts.set_roles(room.author(guard), li, {"owner"})) == "owner_only");
  CHECK(of(room.accounts.add(room.author(guard), "puppet", {"owner"})) == "owner_only");
  CHECK(of(room.accounts.reset_password(room.author(guard), boss)) == "owner_only");
  CHECK(of(room.accounts.reset_totp(room.author(guard), boss)) == "owner_only");
  CHECK(of(room.accounts.disable(room.author(guard), boss)) == "owner_only");
  CHECK(of(room.accounts.end_sessions(room.author(guard), boss)) == "owner_only");
  CHECK(of(room.accounts.disable(room.author(boss, true), StaffId("nobody"))) == "staff_not_found");
  CHECK(room.audit_rows() == rows);
  CHECK(room.accounts.disable(room.author(boss, true), second).has_value());
}

TEST_CASE("the last enabled owner stays an enabled owner, even for whoever sits at the machine") {
  StaffRoom room;
  const StaffId boss = room.person("boss", {"owner"});
  const StaffId second = room.person("second", {"owner"});
  const Author machine = Author::at_the_machine();
  REQUIRE(room.accounts.disable(machine, second).has_value());
  CHECK(room.accounts.disable(machine, boss).error().reason == "last_owner");
  CHECK(room.accounts.set_roles(machine, boss, {"finance"}).error().reason == "last_owner");
  CHECK(room.accounts.set_roles(machine, boss, {}).error().reason == "last_owner");
  REQUIRE(room.accounts.enable(machine, second).has_value());
  CHECK(room.accounts.set_roles(machine, boss, {"finance"}).has_value());
  CHECK(room.accounts.disable(machine, second).error().reason == "last_owner");
}

TEST_CASE("T-02: each change of an account adds one row, one that is refused adds none") {
  StaffRoom room;
  const StaffId boss = room.person("boss", {"owner"});
  const StaffId li = room.person("li", {"support"});
  const Author author = room.author(boss, true);
  const auto adds = [&](const auto& deed) {
    const std::int64_t before = room.audit_rows();
    deed();
    return room.audit_rows() - before;
  };
  CHECK(adds([&] { REQUIRE(room.accounts.add(author, "wu", {}).has_value()); }) == 1);
  CHECK(adds([&] { REQUIRE(room.accounts.disable(author, li).has_value()); }) == 1);
  CHECK(adds([&] { REQUIRE(room.accounts.enable(author, li).has_value()); }) == 1);
  CHECK(adds([&] { REQUIRE(room.accounts.set_roles(author, li, {"risk"}).has_value()); }) == 1);
  CHECK(adds([&] { REQUIRE(room.accounts.reset_password(author, li).has_value()); }) == 1);
  CHECK(adds([&] { REQUIRE(room.accounts.reset_totp(author, li).has_value()); }) == 1);
  CHECK(adds([&] { REQUIRE(room.accounts.end_sessions(author, li).has_value()); }) == 1);
  CHECK(adds([&] { (void)room.accounts.disable(author, boss); }) == 0);
  CHECK(adds([&] { (void)room.accounts.set_roles(author, li, {"nothing"}); }) == 0);
  CHECK(adds([&] { (void)room.accounts.add(author, "wu", {}); }) == 0);
  bool holds = false;
  room.shop.db().read([&](storage::Reader& reader) { holds = audit::verify(reader).holds; });
  CHECK(holds);
}

TEST_CASE("T-03: whatever somebody's role is, the trail of what was done cannot be edited") {
  StaffRoom room;
  const StaffId boss = room.person("boss", {"owner"});
  const StaffId li = room.person("li", {"support"});
  REQUIRE(room.accounts.disable(room.author(boss, true), li).has_value());
  for (const char* edit : {"UPDATE audit_log SET detail = 'nothing happened'",
                           "UPDATE audit_log SET actor = 'system' WHERE seq = 1",
                           "DELETE FROM audit_log", "DELETE FROM audit_log WHERE seq = 1"}) {
    CAPTURE(edit);
    CHECK_THROWS_AS(room.shop.tamper(edit), storage::SqlError);
  }
  CHECK(room.shop.text("SELECT detail FROM audit_log WHERE action = 'staff.disabled'") == "li");
}

}  // namespace
}  // namespace topup::auth
