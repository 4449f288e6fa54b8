#include "server/http/server.h"

#include <doctest/doctest.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <stdexcept>

#include "server/http/front.h"
#include "tests/server/http/wire_client.h"
#include "tests/support/source_dir.h"

namespace topup::http {
namespace {

struct NoSessions final : Sessions {
  Result<bool> authenticate(Auth, std::string_view, Request&) override {
    return refuse(Code::unauthenticated, "session_missing");
  }
};
struct NoAnswers final : IdempotencyStore {
  Result<std::optional<Response>> claim(std::string_view, std::string_view,
                                        std::string_view) override {
    return std::optional<Response>();
  }
  void keep(std::string_view, std::string_view, const Response&) override {}
  void release(std::string_view, std::string_view) override {}
};

class Gate {  // handlers of /held wait here
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void wait_for(int waiting) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(5), [&] { return waiting_ >= waiting; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

struct Shop {
  NoSessions sessions;
  NoAnswers answers;
  Router router{sessions, answers};
  Gate gate;
  std::unique_ptr<ShopSite> site;
  std::unique_ptr<Front> front;
  std::uint16_t port = 0;

  explicit Shop(ServerOptions options = {}) {
    add(Auth::none, "GET", "/api/v1/echo/{word}", Pool::compute,
        [](const Request& request) -> Result<Response> {
          return Response::json({{"word", request.capture("word")},
                                 {"q", request.query_value("q")},
                                 {"x", request.header("x-word")},
                                 {"path", request.path},
                                 {"from", request.client_address}});
        });
    add(Auth::none, "POST", "/api/v1/body", Pool::store,
        [](const Request& request) -> Result<Response> {
          return Response::json(request.body, 201);
        });
    add(Auth::none, "GET", "/api/v1/held", Pool::outside,
        [this](const Request&) -> Result<Response> {
          gate.pass();
          return Response::json("passed");
        });
    add(Auth::none, "GET", "/api/v1/throw", Pool::compute, [](const Request&) -> Result<Response> {
      throw std::runtime_error("secret dsn=postgres://u:p@h/db");
    });
    add(Auth::none, "GET", "/api/v1/split", Pool::compute, [](const Request&) -> Result<Response> {
      Response response = Response::json("x");
      response.headers = {
          {"X-Good", "yes"}, {"X-Bad", "a\r\nSet-Cookie: stolen=1"}, {"Cache-Control", "no-cache"}};
      return response;
    });
    add(Auth::none, "GET", "/api/v1/unchanged", Pool::compute,
        [](const Request&) -> Result<Response> {
          Response response;
          response.status = 304;
          response.headers = {{"ETag", "\"1\""}};
          return response;
        });
    add(Auth::buyer, "GET", "/api/v1/mine", Pool::compute,
        [](const Request&) -> Result<Response> { return Response::json("mine"); });
    site = make_shop_site(router, std::move(options), [] { return std::string(32, '7'); });
    front = make_front(2);
    port = front->listen("127.0.0.1", 0, *site);
    front->start();
  }
  ~Shop() {
    gate.open();
    front->stop(0);
    site->stop();
  }
  void add(Auth auth, std::string_view method, std::string_view pattern, Pool pool,
           Handler handler) {
    const std::size_t body_limit = method == "POST" ? 1024 : 0;
    router.add({method, pattern, auth, "", pool, body_limit, false, Rate::read, Audited::no,
                Level::maintenance, std::move(handler)});
  }
  std::string ask(const std::string& line, const std::string& fields = {},
                  const std::string& body = {}) const {
    WireClient client(port);
    client.send(line + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n" + body);
    return client.answer();
  }
};

TEST_CASE("server: a request reaches its handler through cpp-httplib and comes back dressed") {
  const Shop shop;
  const std::string answer = shop.ask("GET /api/v1/echo/%E4%B8%AD?q=a%26b+c", "X-Word: 100%41\r\n");
  CHECK(status_of_answer(answer) == 200);
  const base::Json body = base::Json::parse(body_of(answer));
  CHECK(body["word"] == "\xE4\xB8\xAD");
  CHECK(body["q"] == "a&b c");
  CHECK(body["x"] == "100%41");  // cpp-httplib would have made it 100A
  CHECK(body["path"] == "/api/v1/echo/\xE4\xB8\xAD");
  CHECK(body["from"] == "127.0.0.1");
  CHECK(has(answer, "Content-Type: application/json\r\n"));
  CHECK(has(answer, "Cache-Control: no-store\r\n"));
  CHECK(has(answer, "X-Content-Type-Options: nosniff\r\n"));
  CHECK(has(answer, "Referrer-Policy: strict-origin-when-cross-origin\r\n"));
  CHECK(has(answer, "X-Frame-Options: DENY\r\n"));
  CHECK(has(answer, "X-Trace-Id: " + std::string(32, '7') + "\r\n"));
}

TEST_CASE("server: bodies arrive whole on a kept connection, and coding is not negotiated") {
  const Shop shop;
  WireClient client(shop.port);
  for (int i = 0; i < 20; ++i) {
    const std::string text(static_cast<std::size_t>(i * 50), 'b');
    CHECK(client.send(
        "POST /api/v1/body HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip, br\r\nContent-Length: " +
        std::to_string(text.size()) + "\r\n\r\n" + text));
    const std::string answer = client.answer();
    CHECK(status_of_answer(answer) == 201);
    CHECK(body_of(answer) == "\"" + text + "\"");
    CHECK_FALSE(has(answer, "Content-Encoding"));
  }
}

TEST_CASE("server: a W3C trace goes through, anything else gets a new one") {
  const Shop shop;
  const std::string given = "0af7651916cd43dd8448eb211c80319c";
  struct Row {
    std::string parent;
    std::string trace;
  };
  const std::string fresh(32, '7');
  const Row rows[] = {
      {"00-" + given + "-b7ad6b7169203331-01", given},
      {"00-" + given + "-b7ad6b7169203331-0", fresh},
      {"01-" + given + "-b7ad6b7169203331-01", given},  // a later version is read as far as 00 goes
      {"ff-" + given + "-b7ad6b7169203331-01", fresh},
      {"00-" + std::string(32, '0') + "-b7ad6b7169203331-01", fresh},
      {"00-" + given + "-0000000000000000-01", fresh},
      {"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", fresh},
      {"garbage", fresh},
  };
  for (const Row& row : rows) {
    CAPTURE(row.parent);
    const std::string answer = shop.ask("GET /api/v1/mine", "traceparent: " + row.parent + "\r\n");
    CHECK(has(answer, "X-Trace-Id: " + row.trace + "\r\n"));
    CHECK(base::Json::parse(body_of(answer))["trace_id"] == row.trace);
  }
}

TEST_CASE("server: every refusal is a problem document") {
  const Shop shop;
  struct Row {
    const char* line;
    int status;
    const char* reason;
  };
  constexpr Row rows[] = {
      {"GET /api/v1/nothing", 404, "path_unknown"},
      {"GET /api/v1/echo/a%2fb", 404, "path_unknown"},
      {"GET /api/v1/echo/..", 404, "path_unknown"},
      {"GET /", 404, "path_unknown"},
      {"DELETE /api/v1/mine", 405, "method_not_allowed"},
      {"HEAD /api/v1/mine", 405, ""},
      {"OPTIONS /api/v1/mine", 405, "method_not_allowed"},
      {"GET /api/v1/mine", 401, "session_missing"},
      {"GET /api/v1/echo/a?q=%ff", 400, "query_malformed"},
      {"GET /api/v1/throw", 500, "internal_failure"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.line);
    WireClient client(shop.port);
    CHECK(client.send(std::string(row.line) + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
    const std::string answer = client.rest();
    CHECK(status_of_answer(answer) == row.status);
    CHECK(has(answer, "Content-Type: application/problem+json\r\n"));
    CHECK(has(answer, "X-Content-Type-Options: nosniff\r\n"));
    CHECK_FALSE(has(answer, "EXCEPTION_WHAT"));
    CHECK_FALSE(has(answer, "secret"));
    if (*row.reason == 0) {
      CHECK(body_of(answer).empty());
    } else {
      CHECK(base::Json::parse(body_of(answer))["reason"] == row.reason);
    }
  }
  CHECK(has(shop.ask("DELETE /api/v1/mine"), "Allow: GET\r\n"));
  CHECK(status_of_answer(shop.ask("POST /api/v1/body", "Content-Length: 1025\r\n")) == 413);
  CHECK(status_of_answer(shop.ask("POST /api/v1/nothing", "Content-Length: 2\r\n", "{}")) == 404);
}

TEST_CASE("server: no field of an answer can carry a line break, and a 304 has no content") {
  const Shop shop;
  const std::string answer = shop.ask("GET /api/v1/split");
  CHECK(has(answer, "X-Good: yes\r\n"));
  CHECK(has(answer, "Cache-Control: no-cache\r\n"));
  CHECK_FALSE(has(answer, "no-store"));
  CHECK_FALSE(has(answer, "X-Bad"));
  CHECK_FALSE(has(answer, "stolen"));
  const std::string unchanged = shop.ask("GET /api/v1/unchanged");
  CHECK(status_of_answer(unchanged) == 304);
  CHECK(has(unchanged, "ETag: \"1\""));
  CHECK_FALSE(has(unchanged, "Content-Length"));
}

TEST_CASE("server: a full pool answers 503 at once, and the other pools go on") {
  ServerOptions options;
  options.outside_workers = 1;
  options.max_queue = 1;
  Shop shop(std::move(options));
  const std::string held = "GET /api/v1/held HTTP/1.1\r\nHost: h\r\n\r\n";
  WireClient working(shop.port);
  CHECK(working.send(held));
  shop.gate.wait_for(1);
  WireClient queued(shop.port);
  WireClient refused(shop.port);
  CHECK(queued.send(held));
  // The two are read by different I/O threads: one of them waits in the queue, the other is
  // refused.
  CHECK(refused.send(held));
  const std::string busy = [&] {
    for (;;) {
      pollfd either[2] = {{queued.handle(), POLLIN, 0}, {refused.handle(), POLLIN, 0}};
      if (::poll(either, 2, kPatienceMs) < 1) return std::string();
      return either[0].revents != 0 ? queued.answer() : refused.answer();
    }
  }();
  CHECK(status_of_answer(busy) == 503);
  CHECK(has(busy, "Retry-After: 1\r\n"));
  CHECK(has(busy, "server_busy"));
  CHECK(status_of_answer(shop.ask("GET /api/v1/echo/a")) == 200);
  shop.gate.open();
  CHECK(body_of(working.answer()) == "\"passed\"");
}

TEST_CASE("server: stop finishes what was queued") {
  ServerOptions options;
  options.outside_workers = 1;
  Shop shop(std::move(options));
  WireClient first(shop.port);
  WireClient second(shop.port);
  const std::string held = "GET /api/v1/held HTTP/1.1\r\nHost: h\r\n\r\n";
  CHECK(first.send(held));
  shop.gate.wait_for(1);
  CHECK(second.send(held));
  CHECK(status_of_answer(shop.ask("GET /api/v1/echo/a")) == 200);
  shop.gate.open();
  CHECK(body_of(second.answer()) == "\"passed\"");
  shop.site->stop();
  CHECK(body_of(first.answer()) == "\"passed\"");
  CHECK(status_of_answer(shop.ask("GET /api/v1/echo/a")) == 503);
}

TEST_CASE("server: pages are served beside the routes, with a policy that lets them connect home") {
  std::string name = (std::filesystem::temp_directory_path() / "topup_pages_XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(name.data());
  std::ofstream(folder / "index.html") << "page";
  ServerOptions options;
  options.pages = read_pages(folder.string(), folder.string());
  {
    const Shop shop(std::move(options));
    const std::string client = shop.ask("GET /");
    CHECK(body_of(client) == "page");
    CHECK(has(client, "script-src 'self' 'wasm-unsafe-eval';"));
    CHECK(has(client, "style-src 'self';"));
    CHECK(has(client, "connect-src 'self'\r\n"));
    CHECK(has(shop.ask("GET /admin/orders"), "style-src 'self' 'unsafe-inline';"));
    CHECK(status_of_answer(shop.ask("GET /nothing.js")) == 404);
    CHECK(status_of_answer(shop.ask("POST /index.html", "Content-Length: 0\r\n")) == 404);
  }
  std::filesystem::remove_all(folder);
  ServerOptions gone;
  gone.pages = read_pages(folder.string(), "");
  CHECK_THROWS_WITH(Shop(std::move(gone)), doctest::Contains("no folder at"));
}

TEST_CASE(
    "server: WebSocket events reach the live callbacks, and without them nothing is upgraded") {
  const std::string handshake =
      "GET /live HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
  Shop shop;
  {
    WireClient client(shop.port);
    CHECK(client.send(handshake));
    CHECK(status_of_answer(client.answer()) == 404);
  }
  shop.site->set_live(
      {.open = [](WsId, const WireRequest& request) { return request.target == "/live"; },
       .message = {},
       .closed = {}});
  WireClient client(shop.port);
  CHECK(client.send(handshake));
  CHECK(status_of_answer(client.answer()) == 101);
}

TEST_CASE("server: cpp-httplib never listens") {
  const std::filesystem::path root = std::filesystem::path(testing::source_dir()) / "server";
  int scanned = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().extension() != ".cpp") continue;
    std::stringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    const std::string source = text.str();
    if (!has(source, "httplib.h")) continue;
    ++scanned;
    CAPTURE(entry.path().string());
    for (const char* call :
         {".listen(", "->listen(", "listen_after_bind", "bind_to_port", "bind_to_any_port"}) {
      CHECK_FALSE(has(source, call));
    }
  }
  CHECK(scanned >= 1);
}

}  // namespace
}  // namespace topup::http
