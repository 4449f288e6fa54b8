#include "server/http/router.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "server/storage/db.h"
#include "shared/check.h"

namespace topup::http {
namespace {

// Knows one buyer and one member of staff by their tokens.
class TwoPeople final : public Sessions {
 public:
  Result<bool> authenticate(Auth auth, std::string_view permission, Request& request) override {
    const std::string_view token = request.header("authorization");
    if (auth == Auth::buyer && token == "Bearer buyer") {
      request.user = UserId("user-1");
      return true;
    }
    if (auth == Auth::buyer && token == "Bearer other") {
      request.user = UserId("user-2");
      return true;
    }
    if (auth != Auth::staff || token != "Bearer staff") {
      return refuse(Code::unauthenticated, "session_missing");
    }
    if (permission != "orders.read") return refuse(Code::forbidden, "permission_missing");
    request.staff = StaffId("staff-1");
    return true;
  }
};

class RememberedAnswers final : public IdempotencyStore {
 public:
  struct Row {
    std::string fingerprint;
    std::optional<Response> answer;
  };
  Result<std::optional<Response>> claim(std::string_view owner, std::string_view key,
                                        std::string_view fingerprint) override {
    const auto [at, is_new] = rows.try_emplace({std::string(owner), std::string(key)});
    if (is_new) {
      at->second.fingerprint = fingerprint;
      return std::optional<Response>();
    }
    if (at->second.fingerprint != fingerprint)
      return refuse(Code::rejected, "idempotency_key_reused");
    if (!at->second.answer) return refuse(Code::conflict, "idempotency_in_flight");
    return at->second.answer;
  }
  void keep(std::string_view owner, std::string_view key, const Response& response) override {
    if (fails) throw std::runtime_error("disk full");
    rows[{std::string(owner), std::string(key)}].answer = response;
  }
  void release(std::string_view owner, std::string_view key) override {
    rows.erase({std::string(owner), std::string(key)});
  }
  std::map<std::pair<std::string, std::string>, Row> rows;
  bool fails = false;
};

struct Shop {
  TwoPeople people;
  RememberedAnswers answers;
  Router router{people, answers};
  int calls = 0;

  Shop& with(Auth auth, std::string_view method, std::string_view pattern, Handler handler,
             bool keyed = false) {
    router.add({.method = method,
                .pattern = pattern,
                .auth = auth,
                .permission = auth == Auth::staff ? "orders.read" : "",
                .pool = Pool::compute,
                .body_limit = 1024,
                .idempotent_by_key = keyed,
                .rate = Rate::read,
                .audited = auth == Auth::staff ? Audited::yes : Audited::no,
                .last_level = Level::maintenance,
                .handler = std::move(handler)});
    return *this;
  }
  Response send(std::string_view method, std::string path,
                std::vector<std::pair<std::string, std::string>> headers = {},
                std::string body = {}) {
    Request request;
    request.method = method;
    request.path = path;
    request.headers = std::move(headers);
    request.body = std::move(body);
    request.trace = TraceId("0af7651916cd43dd8448eb211c80319c");
    const Route* route = router.match(method, path, &request.captures);
    REQUIRE(route != nullptr);
    return router.handle(*route, std::move(request));
  }
};

Handler says(std::string text) {
  return [text](const Request&) -> Result<Response> { return Response::json(text); };
}
base::Json json_of(const Response& response) { return base::Json::parse(response.body); }
const std::pair<std::string, std::string> kBuyer{"authorization", "Bearer buyer"};
const std::pair<std::string, std::string> kKey{"idempotency-key", "0123456789abcdef"};

std::string header_in(const Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return {};
}

TEST_CASE("router: a path finds its route and captures, a literal before a capture") {
  Shop shop;
  shop.with(Auth::none, "GET", "/", says("root"))
      .with(Auth::none, "GET", "/api/orders", says("list"))
      .with(Auth::none, "POST", "/api/orders", says("place"))
      .with(Auth::none, "GET", "/api/orders/{order_id}", says("one"))
      .with(Auth::none, "GET", "/api/orders/latest", says("latest"))
      .with(Auth::none, "GET", "/api/orders/{order_id}/events/{seq}", says("event"))
      .with(Auth::none, "GET", "/api/orders/latest/refunds", says("refunds"));
  struct Row {
    const char* method;
    const char* path;
    const char* pattern;  // "" when nothing matches
    const char* first;    // the first capture
  };
  constexpr Row rows[] = {
      {"GET", "/", "/", ""},
      {"GET", "/api/orders", "/api/orders", ""},
      {"POST", "/api/orders", "/api/orders", ""},
      {"GET", "/api/orders/42", "/api/orders/{order_id}", "42"},
      {"GET", "/api/orders/a%20b", "/api/orders/{order_id}", "a b"},
      {"GET", "/api/orders/%E4%B8%AD", "/api/orders/{order_id}", "\xE4\xB8\xAD"},
      {"GET", "/api/orders/latest", "/api/orders/latest", ""},
      {"GET", "/api/orders/lates%74", "/api/orders/latest", ""},
      {"GET", "/api/orders/latest/events/7", "/api/orders/{order_id}/events/{seq}", "latest"},
      {"GET", "/api/orders/latest/refunds", "/api/orders/latest/refunds", ""},
      {"GET", "/api/orders/x/events/7", "/api/orders/{order_id}/events/{seq}", "x"},
      {"DELETE", "/api/orders", "", ""},
      {"GET", "/API/orders", "", ""},
      {"GET", "/api/orders/", "", ""},
      {"GET", "//api/orders", "", ""},
      {"GET", "/api//orders", "", ""},
      {"GET", "/api/./orders", "", ""},
      {"GET", "/api/x/../orders", "", ""},
      {"GET", "/api/orders/..", "", ""},
      {"GET", "/api/orders/%2e%2e", "", ""},
      {"GET", "/api/orders/%2E.", "", ""},
      {"GET", "/api/orders/a%2fb", "", ""},
      {"GET", "/api/orders/a%2Fb", "", ""},
      {"GET", "/api/orders/a\\b", "", ""},
      {"GET", "/api/orders/a%5cb", "", ""},
      {"GET", "/api/orders/%00", "", ""},
      {"GET", "/api/orders/%0a", "", ""},
      {"GET", "/api/orders/%7f", "", ""},
      {"GET", "/api/orders/%ff", "", ""},
      {"GET", "/api/orders/%c0%ae", "", ""},
      {"GET", "/api/orders/%ed%a0%80", "", ""},
      {"GET", "/api/orders/%4", "", ""},
      {"GET", "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", "", ""},
      {"GET", "api/orders", "", ""},
      {"GET", "", "", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.method);
    CAPTURE(row.path);
    std::vector<std::pair<std::string, std::string>> captures;
    const Route* route = shop.router.match(row.method, row.path, &captures);
    CHECK((route == nullptr ? "" : route->pattern) == row.pattern);
    CHECK((captures.empty() ? "" : captures[0].second) == row.first);
  }
  CHECK(shop.router.knows_path("/api/orders"));
  CHECK_FALSE(shop.router.knows_path("/api/nothing"));
  CHECK(shop.router.allowed_methods("/api/orders") == "GET, POST");
}

TEST_CASE("router: a route that leaves something open is refused when it is added") {
  Shop shop;
  shop.with(Auth::none, "GET", "/a/{id}", says("x"));
  const auto add = [&shop](Auth auth, std::string_view permission, std::string_view pattern,
                           bool keyed) {
    shop.router.add({"GET", pattern, auth, permission, Pool::compute, 0, keyed, Rate::read,
                     Audited::no, Level::maintenance, says("x")});
  };
  CHECK_THROWS_AS(add(Auth::staff, "", "/b", false), InvariantBroken);
  CHECK_THROWS_AS(add(Auth::buyer, "orders.read", "/b", false), InvariantBroken);
  CHECK_THROWS_AS(add(Auth::none, "", "/a/{id}", false), InvariantBroken);
  CHECK_THROWS_AS(add(Auth::none, "", "/b", true), InvariantBroken);
  CHECK_THROWS_AS(add(Auth::none, "", "b", false), InvariantBroken);
  CHECK_THROWS_AS(shop.router.add({"POST", "/b", Auth::staff, "orders.read", Pool::store, 0, false,
                                   Rate::write, Audited::no, Level::maintenance, says("x")}),
                  InvariantBroken);
  CHECK_NOTHROW(add(Auth::none, "", "/b", false));
}

TEST_CASE("router: who is not allowed gets a problem document and the handler is not called") {
  Shop shop;
  const Handler counted = [&shop](const Request& request) -> Result<Response> {
    ++shop.calls;
    return Response::json(request.user.text + request.staff.text);
  };
  shop.with(Auth::buyer, "GET", "/mine", counted).with(Auth::staff, "GET", "/all", counted);
  shop.router.add({"GET", "/audit", Auth::staff, "audit.read", Pool::compute, 0, false, Rate::read,
                   Audited::no, Level::maintenance, counted});

  Response response = shop.send("GET", "/mine");
  CHECK(response.status == 401);
  CHECK(response.content_type == "application/problem+json");
  CHECK(header_in(response, "WWW-Authenticate") == "Bearer");
  CHECK(json_of(response)["reason"] == "session_missing");
  CHECK(json_of(response)["code"] == "unauthenticated");
  CHECK(json_of(response)["trace_id"] == "0af7651916cd43dd8448eb211c80319c");
  CHECK(shop.send("GET", "/all", {kBuyer}).status == 401);
  response = shop.send("GET", "/audit", {{"authorization", "Bearer staff"}});
  CHECK(response.status == 403);
  CHECK(json_of(response)["reason"] == "permission_missing");
  CHECK(shop.calls == 0);
  CHECK(shop.send("GET", "/mine", {kBuyer}).body == "\"user-1\"");
  CHECK(shop.send("GET", "/all", {{"authorization", "Bearer staff"}}).body == "\"staff-1\"");
}

TEST_CASE("router: a refusal carries its field, its detail and what the handler adds") {
  Shop shop;
  shop.with(Auth::none, "GET", "/number",
            [](const Request&) -> Result<Response> {
              return refuse(Code::invalid_argument, "phone_malformed", "account_number",
                            "11 digits");
            })
      .with(Auth::none, "GET", "/price", [](const Request& request) -> Result<Response> {
        return problem_with({Code::conflict, "price_changed"}, request.trace,
                            {{"quote", {{"payable", 98}}}, {"status", 200}});
      });
  base::Json body = json_of(shop.send("GET", "/number"));
  CHECK(body["type"] == "urn:topup:problem:phone_malformed");
  CHECK(body["title"] == "Phone malformed");
  CHECK(body["status"] == 400);
  CHECK(body["field"] == "account_number");
  CHECK(body["detail"] == "11 digits");
  const Response response = shop.send("GET", "/price");
  CHECK(response.status == 409);
  CHECK(json_of(response)["quote"]["payable"] == 98);
  CHECK(json_of(response)["status"] == 409);
  CHECK_FALSE(json_of(response).contains("field"));
}

TEST_CASE("router: an exception becomes a 500 that says nothing but the trace id") {
  Shop shop;
  shop.with(Auth::none, "GET", "/std",
            [](const Request&) -> Result<Response> {
              throw std::runtime_error("secret dsn=postgres://u:p@h/db");
            })
      .with(Auth::none, "GET", "/int", [](const Request&) -> Result<Response> { throw 7; });
  for (const char* path : {"/std", "/int"}) {
    CAPTURE(path);
    const Response response = shop.send("GET", path);
    CHECK(response.status == 500);
    CHECK(response.body.find("secret") == std::string::npos);
    CHECK(json_of(response)["reason"] == "internal_failure");
    CHECK(json_of(response)["trace_id"] == "0af7651916cd43dd8448eb211c80319c");
  }
}

TEST_CASE("D-12: a store that is away is a 503 that asks to try again and says no more than that") {
  Shop shop;
  shop.with(Auth::none, "GET", "/away", [](const Request&) -> Result<Response> {
    throw storage::SqlError("cannot reach the database shop at db.internal:5432", false, true);
  });
  shop.with(Auth::none, "GET", "/wrong", [](const Request&) -> Result<Response> {
    throw storage::SqlError("no such table", false);
  });
  const Response response = shop.send("GET", "/away");
  CHECK(response.status == 503);
  CHECK(json_of(response)["reason"] == "store_unavailable");
  CHECK(json_of(response)["trace_id"] == "0af7651916cd43dd8448eb211c80319c");
  CHECK(response.body.find("db.internal") == std::string::npos);
  const std::pair<std::string, std::string> again{"Retry-After", "1"};
  CHECK(std::find(response.headers.begin(), response.headers.end(), again) !=
        response.headers.end());
  CHECK(shop.send("GET", "/wrong").status == 500);
}

TEST_CASE("router: a body above the route's limit is refused") {
  Shop shop;
  shop.with(Auth::none, "POST", "/a", says("x"));
  CHECK(shop.send("POST", "/a", {}, std::string(1024, 'a')).status == 200);
  CHECK(shop.send("POST", "/a", {}, std::string(1025, 'a')).status == 413);
}

TEST_CASE("router: a write needs a well-formed idempotency key") {
  Shop shop;
  shop.with(Auth::buyer, "POST", "/orders", says("placed"), true);
  struct Row {
    const char* name;
    std::string key;
    const char* reason;
  };
  const Row rows[] = {
      {"none", "", "idempotency_key_missing"},
      {"15 characters", std::string(15, 'a'), "idempotency_key_malformed"},
      {"65 characters", std::string(65, 'a'), "idempotency_key_malformed"},
      {"100,000 characters", std::string(100'000, 'a'), "idempotency_key_malformed"},
      {"a blank", "0123456789 abcdef", "idempotency_key_malformed"},
      {"a line break", "0123456789abcdef\n", "idempotency_key_malformed"},
      {"a NUL", std::string(16, '\0'), "idempotency_key_malformed"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Response response = shop.send("POST", "/orders", {kBuyer, {"idempotency-key", row.key}});
    CHECK(response.status == 400);
    CHECK(json_of(response)["reason"] == row.reason);
    CHECK(json_of(response)["field"] == "Idempotency-Key");
  }
  CHECK(shop.send("POST", "/orders", {kBuyer, {"idempotency-key", std::string(16, 'a')}}).status ==
        200);
  CHECK(shop.send("POST", "/orders", {kBuyer, {"idempotency-key", std::string(64, '-')}}).status ==
        200);
}

TEST_CASE("router: the same key and body get the same answer, and the work is done once") {
  Shop shop;
  shop.with(
      Auth::buyer, "POST", "/orders",
      [&shop](const Request&) -> Result<Response> { return Response::json(++shop.calls, 201); },
      true);
  const Response first = shop.send("POST", "/orders", {kBuyer, kKey}, "{}");
  CHECK(header_in(first, "Idempotency-Replayed").empty());
  const Response again = shop.send("POST", "/orders", {kBuyer, kKey}, "{}");
  CHECK(again.status == 201);
  CHECK(again.body == first.body);
  CHECK(header_in(again, "Idempotency-Replayed") == "true");
  CHECK(json_of(shop.send("POST", "/orders", {kBuyer, kKey}, "{ }"))["reason"] ==
        "idempotency_key_reused");
  CHECK(shop.calls == 1);
  CHECK(shop.send("POST", "/orders", {{"authorization", "Bearer other"}, kKey}, "{}").body == "2");
}

TEST_CASE("router: only a final outcome is kept for its key") {
  Shop shop;
  std::optional<Error> error;
  shop.with(
      Auth::buyer, "POST", "/orders",
      [&](const Request&) -> Result<Response> {
        ++shop.calls;
        if (shop.calls == 1) throw std::runtime_error("disk full");
        if (error) return tl::unexpected<Error>(*error);
        return Response::json("done");
      },
      true);
  const auto send = [&shop] { return shop.send("POST", "/orders", {kBuyer, kKey}); };
  CHECK(send().status == 500);
  error = Error{Code::unavailable, "channel_away"};
  CHECK(send().status == 503);
  error = Error{Code::rate_limited, "too_often"};
  CHECK(send().status == 429);
  error = Error{Code::rejected, "balance_short"};
  CHECK(send().status == 422);
  error.reset();
  CHECK(send().status == 422);  // kept: a business refusal stands for this key
  CHECK(shop.calls == 4);
}

TEST_CASE(
    "router: what was done is answered even when the answer cannot be kept, and is not done "
    "again") {
  Shop shop;
  shop.answers.fails = true;
  shop.with(
      Auth::buyer, "POST", "/orders",
      [&shop](const Request&) -> Result<Response> { return Response::json(++shop.calls); }, true);
  CHECK(shop.send("POST", "/orders", {kBuyer, kKey}).status == 200);
  CHECK(shop.send("POST", "/orders", {kBuyer, kKey}).status == 409);
  CHECK(shop.calls == 1);
}

TEST_CASE("router: query values are decoded or refused") {
  const auto values = query_values("a=1+2&b=%E4%B8%AD&&c&d==");
  REQUIRE(values);
  REQUIRE(values->size() == 4);
  CHECK((*values)[0].second == "1 2");
  CHECK((*values)[1].second == "\xE4\xB8\xAD");
  CHECK((*values)[2].first == "c");
  CHECK((*values)[3].second == "=");
  CHECK_FALSE(query_values("a=%ff"));
  CHECK_FALSE(query_values("a=%0a"));
  std::string many;
  for (std::size_t i = 0; i <= kMaxQueryValues; ++i) many += "a=1&";
  CHECK_FALSE(query_values(many));
}

}  // namespace
}  // namespace topup::http
