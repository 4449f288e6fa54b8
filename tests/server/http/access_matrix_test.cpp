// A-01 and A-02: every route × every kind of asker × own, foreign and missing objects. What should
// happen follows from the route table alone; a second table, written by hand, guards against a
// wrong row there.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

#include "server/auth/rbac.h"
#include "server/orders/order_store.h"
#include "shared/check.h"
#include "tests/server/http/whole_shop.h"

namespace topup::http {
namespace {

// A refusal stands for its idempotency key, too, and is kept there for the one who asked.
constexpr std::string_view kKeys = "idempotency";
// Counted in the background, whoever asks.
constexpr std::string_view kVisits = "visits";

enum class Object { own, foreign, missing };
constexpr std::array kObjects = {Object::own, Object::foreign, Object::missing};
constexpr std::string_view kMissing = "01JD0000000000000000000000";

struct Actor {
  std::string name;
  Headers headers;
  Auth auth = Auth::none;  // what its session is good for
  std::string role = {};   // of staff
  bool is_owner = false;   // the buyer whose order is `own`
};

struct Shop : WholeShop {
  Person buyer = new_buyer();
  Person other = new_buyer();
  std::string own = place(buyer.id, "1");
  std::string foreign = place(other.id, "2");

  std::string place(const std::string& user, const std::string& mark) {
    orders::Order order;
    order.id = OrderId("01JDAAAAAAAAAAAAAAAAAAAAA" + mark);
    order.user = UserId(user);
    order.client_key = "client-key-of-order-" + mark;
    order.client_fingerprint = "fingerprint";
    order.product = ProductId("cn-mobile-5000");
    order.face = order.payable = order.delivered = fen(5'000);
    order.account_masked = "138****8000";
    order.quote = "{}";
    order.pay_by_ms = INT64_MAX / 2;
    app->store().write([&](storage::Tx& tx) {
      orders::order_store::insert(tx, order);
      return true;
    });
    return order.id.text;
  }

  // Sessions are made anew for every cell, because an allowed request may end its own.
  std::vector<Actor> actors() {
    std::vector<Actor> all = {
        {"anonymous", {}, Auth::none, "", false},
        {"buyer", buyer.headers, Auth::buyer, "", true},
        {"other buyer", other.headers, Auth::buyer, "", false},
        {"buyer token as staff",
         {{"cookie", std::string(kStaffCookie) + buyer.headers[0].second.substr(7)}},
         Auth::none,
         "",
         false},
        {"malformed token",
         {{"authorization", "Bearer x"}, {"cookie", std::string(kStaffCookie) + "x"}}},
        {"forged token",
         {{"authorization", "Bearer " + std::string(43, 'A')},
          {"cookie", std::string(kStaffCookie) + std::string(43, 'A')}}},
        {"SQL for a token",
         {{"authorization", "Bearer ' OR '1'='1"},
          {"cookie", std::string(kStaffCookie) + "' OR '1'='1"}}},
        {"ended staff session", new_staff("owner", true).headers},
    };
    std::set<std::string> roles = {"", "nobody", "owners", "Owner"};
    for (const auth::Role& role : auth::kRoles) roles.insert(std::string(role.word));
    for (const std::string& role : roles) {
      const Person staff = new_staff(role);
      all.push_back({"staff as '" + role + "'", staff.headers, Auth::staff, role, false});
      const std::string token = staff.headers[0].second.substr(kStaffCookie.size());
      all.push_back({"staff token of '" + role + "' as buyer",
                     {{"authorization", "Bearer " + token}},
                     Auth::none,
                     "",
                     false});
    }
    return all;
  }
  std::string id_of(Object object) const {
    if (object == Object::missing) return std::string(kMissing);
    return object == Object::own ? own : foreign;
  }
};

// An order belongs to somebody here; the other captures are filled with what is nobody's.
bool has_object(const Route& route) {
  return route.pattern.find("{order_id}") != std::string_view::npos;
}

std::string filled(std::string_view pattern, const std::string& id) {
  std::string path;
  while (!pattern.empty()) {
    const std::size_t open = pattern.find('{');
    path += pattern.substr(0, open);
    if (open == std::string_view::npos) break;
    path += id;
    pattern.remove_prefix(pattern.find('}') + 1);
  }
  return path;
}

// Whole bodies where a route looks at its body before it looks for the object.
std::string body_for(const Route& route) {
  if (route.body_limit == 0) return {};
  if (route.pattern == "/api/v1/orders/{order_id}/payments")
    return R"({"channel":"wechat","scene":"h5"})";
  if (route.pattern == "/api/admin/orders/{order_id}/review")
    return R"({"decision":"decline","reason":"matrix"})";
  if (route.pattern == "/api/admin/orders/{order_id}/notes") return R"({"text":"matrix"})";
  if (route.pattern == "/api/v1/orders/{order_id}/refund-requests") return R"({"reason":"late"})";
  return "{}";
}

// 0: let in. Anything else is the only right status.
int expected(const Route& route, const Actor& actor, Object object) {
  if (route.auth == Auth::none || route.auth == Auth::party) return 0;
  if (actor.auth != route.auth) return 401;
  if (route.auth == Auth::staff) {
    const std::vector<std::string> roles = {actor.role};
    return auth::may(roles, route.permission) ? 0 : 403;
  }
  const bool is_mine = actor.is_owner ? object == Object::own : object == Object::foreign;
  return has_object(route) && !is_mine ? 404 : 0;
}

// Let in means: whatever the handler says, it is not a refusal for who asks or whose it is.
bool is_let_in(const Route& route, const Reply& reply) {
  if (reply.status == 500 || reply.reason() == "permission_missing") return false;
  if (route.auth == Auth::none || route.auth == Auth::party)
    return reply.reason() != "session_missing" && reply.reason() != "session_ended";
  if (reply.reason() == "pin_not_found") return true;   // an order of theirs, for no voucher
  if (reply.reason() == "password_wrong") return true;  // it was asked for, and an empty one given
  if (reply.status == 401 || reply.status == 403) return false;
  return !(route.auth == Auth::buyer && has_object(route) && reply.status == 404);
}

// Every cell of one route whose asker is to be denied, or every other one.
class Cells {
 public:
  explicit Cells(Shop& shop) : shop_(shop) {}
  int asked = 0;

  void ask(const Route& route, const std::vector<Actor>& actors, bool is_denied) {
    for (const Actor& actor : actors) {
      for (const Object object : kObjects) {
        if (!has_object(route) && object != Object::own) continue;
        const int want = expected(route, actor, object);
        if (is_denied != (want != 0)) continue;
        ask_one(route, actor, filled(route.pattern, shop_.id_of(object)), want);
      }
    }
  }

 private:
  void ask_one(const Route& route, const Actor& actor, const std::string& path, int want) {
    CAPTURE(std::string(route.method) + " " + path);
    CAPTURE(actor.name);
    Headers headers = actor.headers;
    headers.emplace_back("idempotency-key", "matrix-key-" + std::to_string(100'000 + asked++));
    const Reply reply = shop_.ask(route.method, path, headers, body_for(route));
    if (want == 0) {
      CHECK_MESSAGE(is_let_in(route, reply), reply.status << " " << reply.body);
      return;
    }
    CHECK_MESSAGE(reply.status == want, reply.status << " " << reply.body);
    CHECK(reply.body.find("138****") == std::string::npos);
  }

  Shop& shop_;
};

TEST_CASE(
    "A-01 A-02: every route answers every asker as its row declares, and a denial writes nothing") {
  Shop shop;
  Cells denied(shop), let_in(shop);
  for (const Route& route : shop.app->routes()) {
    CAPTURE(std::string(route.method) + " " + std::string(route.pattern));
    const std::vector<Actor> actors = shop.actors();
    const std::string before = shop.rows({kKeys, kVisits});
    denied.ask(route, actors, true);
    CHECK(shop.rows({kKeys, kVisits}) == before);
    let_in.ask(route, actors, false);
  }
  MESSAGE("figure A-01: " << denied.asked << " cells denied, " << let_in.asked << " let in");
  CHECK(denied.asked > let_in.asked / 2);
  CHECK(let_in.asked > 0);
}

TEST_CASE("A-01: sensitive cells, written by hand") {
  struct Cell {
    const char* method;
    const char* path;  // {own}, {foreign}: ids of the two orders
    const char* actor;
    int status;
    const char* reason;
  };
  constexpr Cell cells[] = {
      {"GET", "/api/v1/orders", "anonymous", 401, "session_missing"},
      {"GET", "/api/v1/orders", "malformed token", 401, "session_missing"},
      {"GET", "/api/v1/orders", "forged token", 401, "session_ended"},
      {"GET", "/api/v1/orders", "SQL for a token", 401, "session_missing"},
      {"GET", "/api/v1/orders", "staff token of 'owner' as buyer", 401, "session_ended"},
      {"GET", "/api/v1/orders", "staff as 'owner'", 401, "session_missing"},
      {"POST", "/api/v1/orders", "anonymous", 401, "session_missing"},
      {"POST", "/api/v1/orders", "staff as 'owner'", 401, "session_missing"},
      {"GET", "/api/v1/orders/{own}", "anonymous", 401, "session_missing"},
      {"GET", "/api/v1/orders/{own}", "buyer", 200, ""},
      {"GET", "/api/v1/orders/{own}", "other buyer", 404, "order_not_found"},
      {"GET", "/api/v1/orders/{foreign}", "buyer", 404, "order_not_found"},
      {"GET", "/api/v1/orders/{foreign}", "other buyer", 200, ""},
      {"GET", "/api/v1/orders/{own}", "staff as 'owner'", 401, "session_missing"},
      {"POST", "/api/v1/orders/{own}/payments", "anonymous", 401, "session_missing"},
      {"POST", "/api/v1/orders/{foreign}/payments", "buyer", 404, "order_not_found"},
      {"POST", "/api/v1/orders/{own}/payments", "other buyer", 404, "order_not_found"},
      {"POST", "/api/v1/orders/{own}/confirm", "anonymous", 401, "session_missing"},
      {"POST", "/api/v1/orders/{foreign}/confirm", "buyer", 404, "order_not_found"},
      {"POST", "/api/v1/orders/{own}/cancel", "anonymous", 401, "session_missing"},
      {"POST", "/api/v1/orders/{foreign}/cancel", "buyer", 404, "order_not_found"},
      {"POST", "/api/v1/orders/{own}/cancel", "other buyer", 404, "order_not_found"},
      {"GET", "/api/admin/orders", "anonymous", 401, "session_missing"},
      {"GET", "/api/admin/orders", "buyer", 401, "session_missing"},
      {"GET", "/api/admin/orders", "buyer token as staff", 401, "session_missing"},
      {"GET", "/api/admin/orders", "staff as 'nobody'", 403, "permission_missing"},
      {"GET", "/api/admin/orders", "staff as ''", 403, "permission_missing"},
      {"GET", "/api/admin/orders", "staff as 'Owner'", 403, "permission_missing"},
      {"GET", "/api/admin/orders", "staff as 'owners'", 403, "permission_missing"},
      {"GET", "/api/admin/orders", "staff as 'owner'", 200, ""},
      {"GET", "/api/admin/orders", "ended staff session", 401, "session_ended"},
      {"GET", "/api/admin/orders", "forged token", 401, "session_ended"},
      {"GET", "/api/admin/orders/{own}", "buyer", 401, "session_missing"},
      {"GET", "/api/admin/orders/{own}", "buyer token as staff", 401, "session_missing"},
      {"GET", "/api/admin/orders/{own}", "staff as 'nobody'", 403, "permission_missing"},
      {"GET", "/api/admin/orders/{own}", "staff as 'owner'", 200, ""},
      {"POST", "/api/admin/orders/{own}/review", "anonymous", 401, "session_missing"},
      {"POST", "/api/admin/orders/{own}/review", "buyer", 401, "session_missing"},
      {"POST", "/api/admin/orders/{own}/review", "staff as 'support'", 403, "permission_missing"},
      {"POST", "/api/admin/orders/{own}/review", "staff as 'finance'", 403, "permission_missing"},
      {"POST", "/api/admin/orders/{own}/review", "staff as 'read_only'", 403, "permission_missing"},
      {"POST", "/api/admin/orders/{own}/notes", "staff as 'auditor'", 403, "permission_missing"},
      {"GET", "/api/v1/orders/changes", "anonymous", 401, "session_missing"},
      {"GET", "/api/v1/messages", "anonymous", 401, "session_missing"},
      {"POST", "/api/v1/sync/drafts", "anonymous", 401, "session_missing"},
      {"POST", "/api/v1/sync/drafts", "staff as 'owner'", 401, "session_missing"},
      {"GET", "/api/v1/messages", "staff as 'owner'", 401, "session_missing"},
      {"GET", "/api/admin/overview", "anonymous", 401, "session_missing"},
      {"GET", "/api/admin/overview", "buyer", 401, "session_missing"},
      {"GET", "/api/admin/overview", "staff as 'nobody'", 403, "permission_missing"},
      {"GET", "/api/admin/session", "anonymous", 401, "session_missing"},
      {"GET", "/api/admin/session", "buyer token as staff", 401, "session_missing"},
      {"DELETE", "/api/admin/session", "anonymous", 401, "session_missing"},
      {"GET", "/api/admin/settings", "anonymous", 401, "session_missing"},
      {"GET", "/api/admin/settings", "buyer", 401, "session_missing"},
      {"GET", "/api/admin/settings", "staff as 'nobody'", 403, "permission_missing"},
      {"GET", "/api/admin/settings", "staff as 'owner'", 200, ""},
      {"PUT", "/api/admin/settings", "anonymous", 401, "session_missing"},
      {"PUT", "/api/admin/settings", "buyer", 401, "session_missing"},
      {"PUT", "/api/admin/settings", "buyer token as staff", 401, "session_missing"},
      {"PUT", "/api/admin/settings", "staff as 'nobody'", 403, "permission_missing"},
      {"PUT", "/api/admin/settings", "ended staff session", 401, "session_ended"},
      {"POST", "/api/admin/settings/rollback", "anonymous", 401, "session_missing"},
      {"POST", "/api/admin/settings/rollback", "staff as 'nobody'", 403, "permission_missing"},
      {"GET", "/api/admin/settings/history", "buyer", 401, "session_missing"},
      {"GET", "/api/admin/settings/history", "staff as 'nobody'", 403, "permission_missing"},
      {"GET", "/api/admin/customers", "anonymous", 401, "session_missing"},
      {"GET", "/api/admin/customers", "buyer", 401, "session_missing"},
      {"GET", "/api/admin/customers", "staff as 'catalog'", 403, "permission_missing"},
      {"GET", "/api/admin/customers", "staff as 'auditor'", 200, ""},
      {"POST", "/api/admin/customers/{own}/freeze", "staff as 'auditor'", 403,
       "permission_missing"},
      {"POST", "/api/admin/customers/{own}/freeze", "staff as 'read_only'", 403,
       "permission_missing"},
      {"POST", "/api/admin/customers/{own}/freeze", "staff as 'finance'", 403,
       "permission_missing"},
      {"POST", "/api/admin/customers/{own}/freeze", "buyer", 401, "session_missing"},
      {"POST", "/api/admin/customers/{own}/reveal", "staff as 'auditor'", 403,
       "permission_missing"},
      {"POST", "/api/admin/customers/{own}/reveal", "staff as 'operations'", 403,
       "permission_missing"},
      {"POST", "/api/admin/customers/{own}/reveal", "staff as 'read_only'", 403,
       "permission_missing"},
      {"POST", "/api/admin/blacklist", "staff as 'support'", 403, "permission_missing"},
      {"POST", "/api/admin/blacklist", "staff as 'auditor'", 403, "permission_missing"},
      {"POST", "/api/admin/blacklist/export", "staff as 'auditor'", 403, "permission_missing"},
      {"POST", "/api/admin/blacklist/import", "staff as 'support'", 403, "permission_missing"},
      {"GET", "/api/admin/blacklist", "staff as 'finance'", 403, "permission_missing"},
      {"GET", "/api/admin/audit", "staff as 'support'", 403, "permission_missing"},
      {"GET", "/api/admin/audit", "staff as 'security_admin'", 403, "permission_missing"},
      {"GET", "/api/admin/audit", "staff as 'auditor'", 200, ""},
      {"GET", "/api/admin/audit/export", "staff as 'operations'", 403, "permission_missing"},
      {"GET", "/api/admin/staff/sign-ins", "staff as 'support'", 403, "permission_missing"},
      {"GET", "/api/admin/staff/sign-ins", "staff as 'security_admin'", 200, ""},
      {"GET", "/api/admin/visits", "staff as 'catalog'", 403, "permission_missing"},
      {"GET", "/api/admin/search", "anonymous", 401, "session_missing"},
      {"GET", "/metrics", "anonymous", 403, "scraper_unknown"},
      {"GET", "/metrics", "staff as 'owner'", 403, "scraper_unknown"},
  };
  Shop shop;
  const std::vector<Actor> actors = shop.actors();
  int number = 0;
  for (const Cell& cell : cells) {
    CAPTURE(std::string(cell.method) + " " + cell.path);
    CAPTURE(std::string(cell.actor));
    const auto actor = std::find_if(actors.begin(), actors.end(),
                                    [&](const Actor& one) { return one.name == cell.actor; });
    REQUIRE(actor != actors.end());
    std::string path = cell.path;
    for (const auto& [mark, id] :
         {std::pair<std::string, std::string>{"{own}", shop.own}, {"{foreign}", shop.foreign}}) {
      if (path.find(mark) != std::string::npos) path.replace(path.find(mark), mark.size(), id);
    }
    Headers headers = actor->headers;
    headers.emplace_back("idempotency-key", "by-hand-key-" + std::to_string(100'000 + number++));
    const std::string body =
        path.find("/payments") != std::string::npos ? R"({"channel":"wechat","scene":"h5"})" : "";
    const Reply reply = shop.ask(cell.method, path, headers, body);
    CHECK_MESSAGE(reply.status == cell.status, reply.body);
    CHECK(reply.reason() == cell.reason);
  }
}

TEST_CASE("A-02: ids that are negative, huge, deleted or no ids at all find nothing") {
  Shop shop;
  const Actor buyer{"buyer", shop.buyer.headers, Auth::buyer, "", true};
  const std::string before = shop.rows({kKeys});
  for (const std::string& id :
       {std::string("-1"), std::string("0"), std::string("9223372036854775808"),
        std::string("18446744073709551616"), std::string(1'000, '9'), std::string("null"),
        std::string("undefined"), shop.own + "%20", shop.own.substr(1), std::string("*"),
        std::string("%25"), std::string("true"), std::string("%E2%80%AE")}) {
    for (const char* rest : {"", "/confirm", "/cancel"}) {
      CAPTURE(id + rest);
      const Reply reply =
          shop.ask(*rest == '\0' ? "GET" : "POST", "/api/v1/orders/" + id + rest, buyer.headers);
      CHECK(reply.status == 404);
      CHECK(reply.reason() == "order_not_found");
    }
  }
  CHECK(shop.rows({kKeys}) == before);
}

TEST_CASE("A-06: what staff change is refused from another origin, with or without a session") {
  Shop shop;
  const Actor owner{"owner", shop.new_staff("owner").headers, Auth::staff, "owner", false};
  const std::string before = shop.rows({kKeys});
  for (const Route& route : shop.app->routes()) {
    if (route.auth != Auth::staff || route.method == "GET") continue;
    for (const char* origin : {"https://evil.example", "null", "https://shop.example.evil.example",
                               "https://evil.example/shop.example", ""}) {
      CAPTURE(std::string(route.pattern) + " from " + origin);
      Headers headers = owner.headers;
      headers.insert(headers.begin(), {"origin", origin});
      headers.emplace_back("idempotency-key", "foreign-origin-key-1");
      const Reply reply =
          shop.ask(route.method, filled(route.pattern, shop.own), headers, body_for(route));
      CHECK(reply.status == 403);
    }
  }
  CHECK(shop.rows({kKeys}) == before);
}

}  // namespace
}  // namespace topup::http
