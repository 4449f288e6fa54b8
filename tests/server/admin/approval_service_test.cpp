#include "server/admin/approval_service.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "server/admin/role_grants.h"
#include "tests/support/staff_room.h"

namespace topup::admin {
namespace {

using testing::StaffRoom;

struct Desk : StaffRoom {
  ApprovalService approvals{shop.db(), clock, random};
  RoleGrants grants{shop.db(), accounts, approvals};
  StaffId boss = person("boss", {"owner"});
  StaffId guard = person("guard", {"security_admin"});
  StaffId li = person("li", {"read_only"});

  static Person as(const StaffId& id) { return {id, "session of " + id.text, TraceId()}; }
  Approval asked(std::vector<std::string> roles = {"finance_director"}) {
    const auto waiting = grants.set_roles(author(guard), as(guard), li, std::move(roles));
    REQUIRE(waiting.has_value());
    REQUIRE(waiting->has_value());
    return **waiting;
  }
  std::string agreed(const Approval& approval, const Person& second, std::string hash = "") {
    const auto done =
        approvals.approve(approval.id, hash.empty() ? approval.body_hash : hash, second);
    return done ? "" : std::string(done.error().reason);
  }
  std::vector<std::string> roles_of_li() { return accounts.find(li)->roles; }
};

TEST_CASE("A-12: a role with power is given when a second person agrees, and not before") {
  Desk desk;
  const Approval approval = desk.asked();
  CHECK(desk.roles_of_li() == std::vector<std::string>{"read_only"});
  const std::int64_t rows = desk.audit_rows();
  CHECK(desk.agreed(approval, Desk::as(desk.boss)) == "");
  CHECK(desk.roles_of_li() == std::vector<std::string>{"finance_director"});
  CHECK(desk.audit_rows() == rows + 1);
  const std::string detail = desk.shop.text(
      "SELECT detail FROM audit_log WHERE action = 'staff.roles_changed' ORDER BY seq DESC");
  CHECK(detail.find(approval.id) != std::string::npos);
  CHECK(detail.find("staff:" + desk.guard.text) != std::string::npos);
}

TEST_CASE("A-12: refused are oneself, one's own session, and whoever may not") {
  Desk desk;
  const Approval approval = desk.asked();
  CHECK(desk.agreed(approval, Desk::as(desk.guard)) == "approval_own");
  CHECK(desk.agreed(approval, {desk.boss, "session of " + desk.guard.text, TraceId()}) ==
        "approval_own");
  CHECK(desk.agreed(approval, Desk::as(desk.li)) == "approval_not_yours");
  CHECK(desk.agreed(approval, Desk::as(StaffId("nobody"))) == "approval_not_yours");
  CHECK(desk.approvals.approve("no such", approval.body_hash, Desk::as(desk.boss)).error().reason ==
        "approval_not_found");
  CHECK(desk.roles_of_li() == std::vector<std::string>{"read_only"});
}

TEST_CASE("A-12: whoever gains the role cannot be the one who agrees to it") {
  Desk desk;
  const StaffId second_guard = desk.person("wu", {"security_admin"});
  const auto waiting = desk.grants.set_roles(desk.author(desk.boss, true), Desk::as(desk.boss),
                                             second_guard, {"owner"});
  REQUIRE(waiting.has_value());
  REQUIRE(waiting->has_value());
  CHECK(desk.agreed(**waiting, Desk::as(second_guard)) == "approval_own");
  CHECK(desk.agreed(**waiting, Desk::as(desk.guard)) == "");
}

TEST_CASE(
    "A-12: a body that differs from what was seen is refused, also when the row was changed") {
  Desk desk;
  const Approval approval = desk.asked();
  const Approval other = desk.asked({"finance_director", "catalog"});
  CHECK(approval.body_hash != other.body_hash);
  CHECK(desk.agreed(approval, Desk::as(desk.boss), other.body_hash) == "approval_changed");
  CHECK(desk.agreed(approval, Desk::as(desk.boss), std::string(64, '0')) == "approval_changed");
  desk.shop.tamper(
      R"(UPDATE approvals SET body = '{"roles":["owner"],"roles_before":["read_only"]}')");
  CHECK(desk.agreed(approval, Desk::as(desk.boss)) == "approval_changed");
  CHECK(desk.roles_of_li() == std::vector<std::string>{"read_only"});
}

TEST_CASE("A-12: a role that the second person lost meanwhile no longer agrees") {
  Desk desk;
  const StaffId wu = desk.person("wu", {"security_admin"});
  const Approval approval = desk.asked();
  desk.shop.tamper("DELETE FROM staff_roles WHERE staff_id = '" + wu.text + "'");
  CHECK(desk.agreed(approval, Desk::as(wu)) == "approval_not_yours");
  desk.shop.tamper("UPDATE staff SET state = 'disabled' WHERE name = 'boss'");
  CHECK(desk.agreed(approval, Desk::as(desk.boss)) == "approval_not_yours");
}

TEST_CASE("A-12: what somebody asked for who may no longer ask is void") {
  Desk desk;
  const Approval approval = desk.asked();
  desk.shop.tamper("UPDATE staff SET state = 'disabled' WHERE name = 'guard'");
  CHECK(desk.agreed(approval, Desk::as(desk.boss)) == "approval_stale");
  desk.shop.tamper("UPDATE staff SET state = 'enabled'");
  desk.shop.tamper("UPDATE staff_roles SET role = 'support' WHERE role = 'security_admin'");
  CHECK(desk.agreed(approval, Desk::as(desk.boss)) == "approval_stale");
}

TEST_CASE("A-12: a consent is used once, and only while the ask is fresh") {
  Desk desk;
  const Approval approval = desk.asked();
  CHECK(desk.agreed(approval, Desk::as(desk.boss)) == "");
  CHECK(desk.agreed(approval, Desk::as(desk.boss)) == "approval_settled");
  REQUIRE(
      desk.accounts.set_roles(auth::Author::at_the_machine(), desk.li, {"read_only"}).has_value());
  CHECK(desk.agreed(approval, Desk::as(desk.boss)) == "approval_settled");
  CHECK(desk.roles_of_li() == std::vector<std::string>{"read_only"});

  const Approval late = desk.asked();
  CHECK(late.id != approval.id);
  desk.clock.advance(kApprovalMs);
  CHECK(desk.agreed(late, Desk::as(desk.boss)) == "approval_expired");
  CHECK(desk.approvals.shown_state(late) == "expired");

  const Approval rejected = desk.asked();
  CHECK(desk.approvals.reject(rejected.id, Desk::as(desk.li)).error().reason ==
        "approval_not_yours");
  CHECK(desk.approvals.reject(rejected.id, Desk::as(desk.boss)).has_value());
  CHECK(desk.agreed(rejected, Desk::as(desk.boss)) == "approval_settled");
}

TEST_CASE("A-12: roles that changed between asking and agreeing are not overwritten") {
  Desk desk;
  const Approval approval = desk.asked();
  REQUIRE(
      desk.accounts.set_roles(auth::Author::at_the_machine(), desk.li, {"catalog"}).has_value());
  CHECK(desk.agreed(approval, Desk::as(desk.boss)) == "approval_stale");
  CHECK(desk.approvals.list("", 10).front().state == "waiting");  // nothing was used up
  CHECK(desk.roles_of_li() == std::vector<std::string>{"catalog"});
}

TEST_CASE(
    "A-12: without a second person who could agree, and for roles without power, nobody waits") {
  Desk desk;
  const auto plain =
      desk.grants.set_roles(desk.author(desk.guard), Desk::as(desk.guard), desk.li, {"support"});
  REQUIRE(plain.has_value());
  CHECK_FALSE(plain->has_value());
  desk.shop.tamper("UPDATE staff SET state = 'disabled' WHERE name = 'guard'");
  const auto alone = desk.grants.set_roles(desk.author(desk.boss, true), Desk::as(desk.boss),
                                           desk.li, {"security_admin"});
  REQUIRE(alone.has_value());
  CHECK_FALSE(alone->has_value());
  CHECK(desk.roles_of_li() == std::vector<std::string>{"security_admin"});
  CHECK(desk.grants.add(desk.author(desk.boss, true), "new", {"finance_director"}).error().reason ==
        "role_needs_second");
}

TEST_CASE("asking again for what waits gives the one that waits, and the pile has an end") {
  Desk desk;
  const Approval first = desk.asked();
  CHECK(desk.asked().id == first.id);
  desk.shop.db().write([&](storage::Tx& tx) {
    for (std::int64_t i = 1; i < kMaxWaitingEach; ++i) {
      REQUIRE(desk.approvals
                  .request(tx, kSetRoles, "somebody " + std::to_string(i), {{"n", i}},
                           Desk::as(desk.guard))
                  .has_value());
    }
    return true;
  });
  const auto full = desk.grants.set_roles(desk.author(desk.guard), Desk::as(desk.guard), desk.li,
                                          {"finance_director", "risk"});
  REQUIRE_FALSE(full.has_value());
  CHECK(full.error().reason == "approvals_full");
}

}  // namespace
}  // namespace topup::admin
