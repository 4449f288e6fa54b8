// The staff routes behind the real gate and router, without a socket.
#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "server/admin/role_grants.h"
#include "server/audit/audit_log.h"
#include "server/http/idempotency_store.h"
#include "server/http/routes/mounts.h"
#include "server/http/session_gate.h"
#include "tests/support/staff_room.h"

namespace topup::http {
namespace {

using base::Json;
using testing::kStaffPassword;
using Headers = std::vector<std::pair<std::string, std::string>>;

const Headers kOurPage = {{"host", "shop.example"}, {"origin", "https://shop.example"}};

struct Console : testing::StaffRoom {
  explicit Console(bool is_https = false)
      : gate(guests, sessions, is_https), answers(shop.db(), clock, random), router(gate, answers) {
    const routes::StaffDesk desk{sessions, accounts, grants, approvals};
    routes::mount_admin_session(router, sessions, is_https);
    routes::mount_admin_staff(router, desk);
    routes::mount_admin_approvals(router, desk);
  }
  auth::BuyerSessions guests{shop.db(), clock, random};
  admin::ApprovalService approvals{shop.db(), clock, random};
  admin::RoleGrants grants{shop.db(), accounts, approvals};
  SessionGate gate;
  StoredAnswers answers;
  Router router;

  Response call(const std::string& method, const std::string& path, const std::string& token,
                const std::string& body = "", Headers headers = kOurPage) {
    Request request;
    request.method = method;
    request.path = path;
    request.headers = std::move(headers);
    request.headers.emplace_back("cookie", "other=1; topup_staff=" + token);
    request.body = body;
    request.client_address = "203.0.113.7";
    const Route* route = router.match(method, path, &request.captures);
    REQUIRE(route != nullptr);
    return router.handle(*route, request);
  }
  static Json json_of(const Response& response) { return Json::parse(response.body); }
  static std::string reason_of(const Response& response) {
    return json_of(response).value("reason", "");
  }
  static std::string token_in(const Response& response) {
    for (const auto& [name, value] : response.headers) {
      if (name != "Set-Cookie") continue;
      const std::size_t from = value.find('=') + 1;
      return value.substr(from, value.find(';') - from);
    }
    return "";
  }
  // Every row of the tables that a request could change, but for when a session was seen.
  std::string everything() {
    std::string all;
    for (const char* sql :
         {"SELECT staff_id || name || password || state || totp_sealed || totp_next_sealed FROM "
          "staff ORDER BY staff_id",
          "SELECT staff_id || role FROM staff_roles ORDER BY staff_id, role",
          "SELECT token_hash || COALESCE(ended_why, '') || stepped_up_at_ms FROM staff_sessions "
          "ORDER BY token_hash",
          "SELECT approval_id || state FROM approvals ORDER BY approval_id",
          "SELECT hash FROM audit_log ORDER BY seq"}) {
      for (const std::string& row : shop.texts(sql)) all += row + "\n";
    }
    return all;
  }
};

// A path of each pattern that would do something: one that names real rows.
std::string real_path(std::string_view pattern, const std::map<std::string, std::string>& ids) {
  std::string path(pattern);
  for (const auto& [name, value] : ids) {
    const std::string capture = "{" + name + "}";
    const std::size_t at = path.find(capture);
    if (at != std::string::npos) path.replace(at, capture.size(), value);
  }
  return path;
}

TEST_CASE("A-06: no page of another site changes anything, on any staff route, in four forms") {
  Console console;
  const StaffId boss = console.person("boss", {"owner"});
  const StaffId li = console.person("li", {"support"});
  const auto session = console.sign_in("boss");
  const auto other = console.sign_in("boss");
  const std::map<std::string, std::string> ids = {
      {"staff_id", li.text}, {"session_id", other.staff.session_id}, {"approval_id", "none"}};
  const std::string before = console.everything();
  const Headers kForms[] = {
      {{"host", "shop.example"},
       {"origin", "https://evil.example"},
       {"content-type", "application/x-www-form-urlencoded"}},
      {{"host", "shop.example"}, {"content-type", "application/json"}},
      {{"host", "shop.example"}, {"origin", "null"}, {"content-type", "text/plain"}},
      {{"host", "shop.example"},
       {"origin", "https://shop.example.evil.example"},
       {"content-type", "text/plain"}},
  };
  int refused = 0;
  for (const Route& route : console.router.routes()) {
    if (route.auth != Auth::staff || route.method == "GET") continue;
    const std::string path = real_path(route.pattern, ids);
    CAPTURE(path);
    for (const Headers& form : kForms) {
      const std::string body =
          route.body_limit == 0 ? "" : R"({"name":"x","roles":["owner"],"code":"1"})";
      const Response answer =
          console.call(std::string(route.method), path, session.token, body, form);
      CHECK(answer.status == 403);
      CHECK(Console::reason_of(answer) == "origin_foreign");
      ++refused;
    }
    // And no address does it by being looked at.
    std::vector<std::pair<std::string, std::string>> captures;
    const Route* looked_at = console.router.match("GET", path, &captures);
    if (looked_at != nullptr) (void)console.call("GET", path, session.token, "", kForms[0]);
  }
  CHECK(refused == 4 * 17);
  CHECK(console.everything() == before);
  // Signing somebody in to an account of the attacker's is a change as well.
  const std::string login = R"({"name":"li","password":"correct horse battery"})";
  CHECK(Console::reason_of(console.call("POST", "/api/admin/session", "", login, kForms[0])) ==
        "origin_foreign");
  CHECK(console.everything() == before);
}

TEST_CASE("T-02: each staff route that changes something adds exactly one row to the audit trail") {
  Console console;
  console.person("boss", {"owner"});
  const StaffId guard = console.person("guard", {"security_admin"});
  const StaffId li = console.person("li", {"read_only"});
  std::string token = console.sign_in("boss").token;
  const std::string guards = console.sign_in("guard").token;
  const std::string at_li = "/api/admin/staff/" + li.text;
  const auto adds = [&](const std::function<Response()>& deed, int status = 200) {
    const std::int64_t rows = console.audit_rows();
    const Response answer = deed();
    CAPTURE(answer.body);
    CHECK(answer.status == status);
    CHECK(console.audit_rows() == rows + 1);
    return answer;
  };
  const auto post = [&](const std::string& path, const std::string& body = "") {
    return [&console, &token, path, body] { return console.call("POST", path, token, body); };
  };
  adds(post("/api/admin/staff", R"({"name":"wu","roles":["support"]})"), 201);
  adds([&] { return console.call("PUT", at_li + "/roles", token, R"({"roles":["risk"]})"); });
  adds(post(at_li + "/disable"));
  adds(post(at_li + "/enable"));
  adds(post(at_li + "/reset-password"));
  adds(post(at_li + "/reset-totp"));
  adds([&] { return console.call("DELETE", at_li + "/sessions", token); });
  const auto ask = [&](const char* role) {
    const Response asked = adds(
        [&] {
          return console.call("PUT", at_li + "/roles", token, Json{{"roles", {role}}}.dump());
        },
        202);
    return Console::json_of(asked)["approval_id"].get<std::string>();
  };
  const std::string approval = ask("finance_director");
  const Json listed =
      Console::json_of(console.call("GET", "/api/admin/approvals", guards))["approvals"][0];
  adds([&] {
    return console.call("POST", "/api/admin/approvals/" + approval + "/approve", guards,
                        Json{{"body_hash", listed["body_hash"]}}.dump());
  });
  CHECK(console.accounts.find(li)->roles == std::vector<std::string>{"finance_director"});
  const std::string second = ask("security_admin");
  adds([&] { return console.call("POST", "/api/admin/approvals/" + second + "/reject", guards); });

  adds(post("/api/admin/session/step-up", R"({"password":"correct horse battery"})"));
  token = Console::token_in(adds(
      post("/api/admin/session/password",
           R"({"old_password":"correct horse battery","new_password":"another good one 9"})")));
  const Response offer = adds(post("/api/admin/session/totp"));
  const std::string code = console.app_code(Console::json_of(offer)["secret"]);
  const Response enrolled =
      adds(post("/api/admin/session/totp/confirm", Json{{"code", code}}.dump()));
  CHECK(Console::json_of(enrolled)["recovery_codes"].size() == 10);
  token = Console::token_in(enrolled);
  adds(post("/api/admin/session/recovery-codes"));
  console.clock.advance(auth::kTotpStepMs);
  const auto elsewhere = console.sessions.sign_in(
      {"boss", "another good one 9", console.app_code(Console::json_of(offer)["secret"])},
      Console::caller(), "");
  REQUIRE(elsewhere.has_value());
  adds(
      [&] {
        return console.call("DELETE", "/api/admin/sessions/" + elsewhere->staff.session_id, token);
      },
      204);
  adds([&] { return console.call("DELETE", "/api/admin/session", token); }, 204);
  const std::int64_t rows = console.audit_rows();
  CHECK(console
            .call("POST", "/api/admin/session", "",
                  R"({"name":"guard","password":"correct horse battery"})")
            .status == 200);
  CHECK(console.audit_rows() == rows + 1);
  bool holds = false;
  console.shop.db().read([&](storage::Reader& reader) { holds = audit::verify(reader).holds; });
  CHECK(holds);
}

TEST_CASE(
    "A-03: over the router, a disabled person and a lost role are refused at the next request") {
  Console console;
  console.person("boss", {"owner"});
  const StaffId guard = console.person("guard", {"security_admin"});
  const std::string boss = console.sign_in("boss").token;
  const std::string guards = console.sign_in("guard").token;
  CHECK(console.call("GET", "/api/admin/staff", guards).status == 200);
  console.shop.tamper("UPDATE staff_roles SET role = 'catalog' WHERE role = 'security_admin'");
  const Response lost = console.call("GET", "/api/admin/staff", guards);
  CHECK(lost.status == 403);
  CHECK(Console::reason_of(lost) == "permission_missing");
  CHECK(console.call("POST", "/api/admin/staff/" + guard.text + "/disable", boss).status == 200);
  CHECK(console.call("GET", "/api/admin/session", guards).status == 401);
}

TEST_CASE("A-03: knowing who asks costs little, although nothing is cached") {
  Console console;
  console.person("boss", {"owner"});
  const std::string boss = console.sign_in("boss").token;
  const base::SystemClock clock;
  constexpr int kTimes = 200;
  const std::int64_t began = clock.mono_us();
  for (int i = 0; i < kTimes; ++i) REQUIRE(console.sessions.who(boss).has_value());
  const std::int64_t each_us = (clock.mono_us() - began) / kTimes;
  MESSAGE("one identity: ", each_us, " us");
  CHECK(each_us < 20'000);
}

TEST_CASE("step-up: a stale session is asked for proof on what wants it, and for nothing else") {
  Console console;
  console.person("boss", {"owner"});
  const StaffId li = console.person("li", {"support"});
  const std::string token = console.sign_in("boss").token;
  console.clock.advance(auth::kStepUpMs);
  const std::string disable = "/api/admin/staff/" + li.text + "/disable";
  CHECK(Console::reason_of(console.call("POST", disable, token)) == "step_up_needed");
  CHECK(console.call("GET", "/api/admin/staff", token).status == 200);
  CHECK(Console::reason_of(console.call("POST", "/api/admin/session/totp", token)) ==
        "step_up_needed");
  CHECK(console
            .call("POST", "/api/admin/session/step-up", token,
                  R"({"password":"correct horse battery"})")
            .status == 200);
  CHECK(console.call("POST", disable, token).status == 200);
}

TEST_CASE("A-04: fields that nobody asked for are refused on every staff route with a body") {
  Console console;
  console.person("boss", {"owner"});
  const StaffId li = console.person("li", {"support"});
  const std::string token = console.sign_in("boss").token;
  const std::string before = console.everything();
  for (const Route& route : console.router.routes()) {
    if (route.body_limit == 0) continue;
    const std::string path =
        real_path(route.pattern, {{"staff_id", li.text}, {"approval_id", "none"}});
    CAPTURE(path);
    const Response answer = console.call(
        std::string(route.method), path, token,
        R"({"name":"x","password":"y","roles":["support"],"code":"1","role":"owner","is_owner":true})");
    CHECK(answer.status == 400);
    CHECK(Console::reason_of(answer) == "unknown_field");
  }
  CHECK(console.everything() == before);
}

TEST_CASE(
    "A-05: over https only the __Host- cookie counts, and it is Secure, HttpOnly and Strict") {
  Console console(true);
  console.person("boss", {"owner"});
  const auto session = console.sign_in("boss");
  const std::string line = staff_cookie(session.token, 60, true);
  CHECK(line == "__Host-topup_staff=" + session.token +
                    "; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=60");
  CHECK(staff_cookie("", 0, false) ==
        "topup_staff=; Path=/api/admin; HttpOnly; SameSite=Strict; Max-Age=0");
  CHECK(console.call("GET", "/api/admin/session", session.token).status == 401);
  Headers headers = kOurPage;
  headers.emplace_back("cookie", "topup_staff=planted; __Host-topup_staff=" + session.token);
  CHECK(console.call("GET", "/api/admin/session", "", "", headers).status == 200);
}

}  // namespace
}  // namespace topup::http
