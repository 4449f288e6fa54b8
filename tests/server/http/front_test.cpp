#include "server/http/front.h"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "server/http/message.h"
#include "tests/server/http/wire_client.h"

namespace topup::http {
namespace {

// Answers what it was asked: "METHOD target body". Some paths behave otherwise.
class EchoSite final : public Site {
 public:
  std::size_t body_limit(std::string_view, std::string_view path) override {
    return path == "/small" ? 8 : 64 * 1024;
  }
  void handle(WireRequest request, Answer answer) override {
    ++requests;
    if (request.target == "/throw") throw std::runtime_error("secret");
    if (request.target == "/drop") return;
    if (request.target == "/hold") {
      const std::lock_guard lock(mutex);
      held = std::move(answer);
      changed.notify_all();
      return;
    }
    Response response;
    response.content_type = "text/plain";
    response.body = request.method + " " + request.target + " " + request.body;
    if (request.target == "/big") response.body = std::string(4 << 20, 'b');
    answer(answer_bytes(response, request.keep_alive), request.keep_alive);
  }
  bool ws_open(WsId id, const WireRequest& request) override {
    if (request.target != "/ws") return false;
    front->ws_send(id, "welcome");
    last_id = id;
    return true;
  }
  void ws_message(WsId id, std::string_view text) override {
    front->ws_send(id, "echo " + std::string(text));
  }
  void ws_closed(WsId) override {
    const std::lock_guard lock(mutex);
    ++closed;
    changed.notify_all();
  }

  Answer wait_for_held() {
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, std::chrono::seconds(5), [this] { return held != nullptr; }));
    return std::exchange(held, nullptr);
  }
  int wait_for_closed() {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, std::chrono::seconds(5), [this] { return closed > 0; });
    return closed;
  }

  Front* front = nullptr;
  std::atomic<int> requests{0};
  std::atomic<WsId> last_id{0};
  std::mutex mutex;
  std::condition_variable changed;
  Answer held;
  int closed = 0;
};

struct Door {
  EchoSite site;
  std::unique_ptr<Front> front;
  std::uint16_t port = 0;
  explicit Door(Limits limits = {}) : front(make_front(2, limits)) {
    site.front = front.get();
    port = front->listen("127.0.0.1", 0, site);
    front->start();
  }
};

std::string get(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n";
}
std::string post(const std::string& target, const std::string& body) {
  return "POST " + target +
         " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

const std::string kHandshake =
    "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

// A masked frame of up to 65,535 bytes, as a client sends it (RFC 6455 §5.2); the mask is zero.
std::string frame(unsigned char opcode, const std::string& text) {
  std::string bytes(1, static_cast<char>(0x80 | opcode));
  if (text.size() < 126) {
    bytes += static_cast<char>(0x80 | text.size());
  } else {
    bytes += static_cast<char>(0x80 | 126);
    bytes += static_cast<char>(text.size() >> 8);
    bytes += static_cast<char>(text.size() & 0xFF);
  }
  return bytes + std::string(4, '\0') + text;
}
std::string text_frame(const std::string& text) { return frame(1, text); }
// The text of the next short frame of the server.
std::string next_text(WireClient& client) {
  const std::string head = client.take(2);
  if (head.size() != 2 || head[0] != static_cast<char>(0x81)) return "no text frame";
  return client.take(static_cast<unsigned char>(head[1]));
}

TEST_CASE("front: one connection carries requests one after the other") {
  Door door;
  WireClient client(door.port);
  for (int i = 0; i < 3; ++i) {
    CHECK(client.send(post("/a?x=" + std::to_string(i), "body" + std::to_string(i))));
    const std::string answer = client.answer();
    CHECK(status_of_answer(answer) == 200);
    CHECK(has(answer, "Connection: keep-alive"));
    CHECK(body_of(answer) == "POST /a?x=" + std::to_string(i) + " body" + std::to_string(i));
  }
  CHECK(door.front->connections() == 1);
  CHECK(client.send("GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
  CHECK(has(client.answer(), "Connection: close"));
  CHECK(client.is_closed());
}

TEST_CASE("front: HTTP/1.0 is answered and closed") {
  Door door;
  WireClient client(door.port);
  CHECK(client.send("GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  CHECK(body_of(client.answer()) == "GET /old ");
  CHECK(client.is_closed());
}

TEST_CASE("front: pipelined requests are answered in order and none is lost") {
  Door door;
  WireClient client(door.port);
  std::string all;
  for (int i = 0; i < 50; ++i)
    all += i % 2 == 0 ? get("/p" + std::to_string(i)) : post("/p" + std::to_string(i), "b");
  CHECK(client.send(all));
  for (int i = 0; i < 50; ++i) {
    const std::string wanted =
        i % 2 == 0 ? "GET /p" + std::to_string(i) + " " : "POST /p" + std::to_string(i) + " b";
    CHECK(body_of(client.answer()) == wanted);
  }
  CHECK(door.site.requests == 50);
}

TEST_CASE("front: a request behind one that is being worked on waits for it") {
  Door door;
  WireClient client(door.port);
  CHECK(client.send(get("/hold") + get("/next")));
  const Answer held = door.site.wait_for_held();
  CHECK(door.site.requests == 1);
  std::thread([&held] { held("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nheld", true); }).join();
  CHECK(body_of(client.answer()) == "held");
  CHECK(body_of(client.answer()) == "GET /next ");
}

TEST_CASE("front: bytes may come one at a time") {
  Door door;
  WireClient client(door.port);
  const std::string request = post("/slow", "twelve bytes") + get("/then");
  for (const char byte : request) CHECK(client.send(std::string(1, byte)));
  CHECK(body_of(client.answer()) == "POST /slow twelve bytes");
  CHECK(body_of(client.answer()) == "GET /then ");
}

TEST_CASE("H-01: a head or a body that does not come is cut, a silent connection too") {
  Limits limits;
  limits.head_timeout_ms = 100;
  limits.body_timeout_ms = 100;
  limits.idle_timeout_ms = 100;
  Door door(limits);
  WireClient silent(door.port);
  WireClient slow_head(door.port);
  WireClient slow_body(door.port);
  WireClient idle(door.port);
  CHECK(slow_head.send("GET / HTTP/1.1\r\nHost:"));
  CHECK(slow_body.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n12"));
  CHECK(idle.send(get("/a")));
  CHECK(status_of_answer(idle.answer()) == 200);
  for (WireClient* client : {&slow_head, &slow_body}) {
    const std::string answer = client->answer();
    CHECK(status_of_answer(answer) == 408);
    CHECK(has(answer, "request_too_slow"));
    CHECK(client->is_closed());
  }
  CHECK(silent.is_closed());
  CHECK(idle.is_closed());
  CHECK(door.site.requests == 1);
}

TEST_CASE("H-03: a body above the limit is refused before it is read") {
  Limits limits;
  limits.max_body_bytes = 1000;
  Door door(limits);
  WireClient announced(door.port);
  CHECK(announced.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n"));
  const std::string answer = announced.answer();
  CHECK(status_of_answer(answer) == 413);
  CHECK(has(answer, "Content-Type: application/problem+json"));
  CHECK(has(answer, "\"reason\":\"body_too_large\""));
  CHECK(has(answer, "X-Content-Type-Options: nosniff"));
  // Sent whole: the answer must still be readable, so the door reads on before it closes.
  WireClient sent(door.port);
  CHECK(sent.send(post("/a", std::string(500'000, 'x'))));
  sent.finish_sending();
  CHECK(status_of_answer(sent.answer()) == 413);
  WireClient route(door.port);
  CHECK(route.send(post("/small", "123456789")));
  CHECK(status_of_answer(route.answer()) == 413);
  WireClient exact(door.port);
  CHECK(exact.send(post("/small", "12345678")));
  CHECK(status_of_answer(exact.answer()) == 200);
  CHECK(door.site.requests == 1);
}

TEST_CASE("H-04: a refused request ends its connection, so that what it hides never runs") {
  struct Row {
    const char* name;
    std::string bytes;
    int status;
  };
  const std::string hidden = get("/hidden");
  const Row rows[] = {
      {"length and chunked",
       "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: "
       "chunked\r\n\r\n0\r\n\r\n" +
           hidden,
       501},
      {"two lengths",
       "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n" + hidden,
       400},
      {"get with a body", "GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n" + hidden, 400},
      {"post without a length", "POST /a HTTP/1.1\r\nHost: h\r\n\r\n" + hidden, 411},
      {"bare LF", "GET /a HTTP/1.1\nHost: h\n\n" + hidden, 400},
      {"folded coding",
       "POST /a HTTP/1.1\r\nHost: h\r\nX: y\r\n Transfer-Encoding: chunked\r\n\r\n" + hidden, 400},
      {"an empty line first", "\r\n" + hidden, 400},
      {"TLS hello", std::string("\x16\x03\x01\x02\x00\x01", 6) + hidden, 400},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + hidden, 400},
      {"range", "GET /a HTTP/1.1\r\nHost: h\r\nRange: bytes=0-0,0-0\r\n\r\n" + hidden, 400},
      {"frames before the handshake's answer", kHandshake + hidden, 400},
      {"endless head", "GET /a HTTP/1.1\r\nX: " + std::string(20'000, 'a'), 431},
      {"endless first line", "GET /" + std::string(20'000, 'a'), 414},
  };
  Door door;
  for (const Row& row : rows) {
    CAPTURE(row.name);
    WireClient client(door.port);
    CHECK(client.send(row.bytes));
    client.finish_sending();
    const std::string answer = client.answer();
    CHECK(status_of_answer(answer) == row.status);
    CHECK(has(answer, "Connection: close"));
    CHECK(client.is_closed());
  }
  CHECK(door.site.requests == 0);
}

TEST_CASE("H-12: a site that throws or forgets to answer is answered for, without its text") {
  Door door;
  for (const char* target : {"/throw", "/drop"}) {
    CAPTURE(target);
    WireClient client(door.port);
    CHECK(client.send(get(target)));
    const std::string answer = client.answer();
    CHECK(status_of_answer(answer) == 500);
    CHECK(has(answer, "internal_failure"));
    CHECK_FALSE(has(answer, "secret"));
    CHECK(client.is_closed());
  }
}

TEST_CASE("front: a second answer to one request is ignored") {
  Door door;
  WireClient client(door.port);
  CHECK(client.send(get("/hold")));
  const Answer held = door.site.wait_for_held();
  held("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1", true);
  held("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2", true);
  CHECK(body_of(client.answer()) == "1");
  CHECK(client.send(get("/next")));
  CHECK(body_of(client.answer()) == "GET /next ");
}

TEST_CASE("front: a long answer arrives whole") {
  Door door;
  WireClient client(door.port);
  CHECK(client.send(get("/big")));
  CHECK(body_of(client.answer()) == std::string(4 << 20, 'b'));
}

TEST_CASE("front: a port in use is refused with its name") {
  Door door;
  EchoSite site;
  const auto second = make_front(1);
  bool thrown = false;
  try {
    second->listen("127.0.0.1", door.port, site);
  } catch (const std::runtime_error& failure) {
    thrown = true;
    CHECK(has(failure.what(), "127.0.0.1 port " + std::to_string(door.port)));
    CHECK(has(failure.what(), "in use"));
  }
  CHECK(thrown);
  CHECK_THROWS_AS(second->listen("not an address", 0, site), std::runtime_error);
}

TEST_CASE("front: several listeners serve several sites") {
  Door door;
  EchoSite other;
  const std::uint16_t port = door.front->listen("127.0.0.1", 0, other);
  WireClient client(port);
  CHECK(client.send(get("/b")));
  CHECK(status_of_answer(client.answer()) == 200);
  CHECK(other.requests == 1);
  CHECK(door.site.requests == 0);
}

TEST_CASE("front: 200 idle and half-sent connections do not keep anyone waiting") {
  Door door;
  std::vector<WireClient> idle;
  for (int i = 0; i < 200; ++i) {
    idle.emplace_back(door.port);
    if (i % 2 == 0) CHECK(idle.back().send("GET / HTTP/1.1\r\nX-"));
  }
  WireClient client(door.port);
  CHECK(client.send(get("/a")));
  CHECK(status_of_answer(client.answer()) == 200);
  CHECK(door.front->connections() == 201);
}

TEST_CASE("H-11: above the cap new connections are turned away, and room comes back") {
  Limits limits;
  limits.max_connections = 2;
  Door door(limits);
  {
    WireClient first(door.port);
    WireClient second(door.port);
    CHECK(second.send(get("/a")));
    CHECK(status_of_answer(second.answer()) == 200);
    WireClient third(door.port);
    CHECK(status_of_answer(third.answer()) == 503);
    CHECK(third.is_closed());
  }
  for (int i = 0; i < 100 && door.front->connections() > 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  WireClient later(door.port);
  CHECK(later.send(get("/a")));
  CHECK(status_of_answer(later.answer()) == 200);
}

TEST_CASE(
    "front: stop lets a running exchange end, closes idle connections and takes no new ones") {
  Door door;
  WireClient busy(door.port);
  WireClient idle(door.port);
  CHECK(idle.send(get("/a")));
  CHECK(status_of_answer(idle.answer()) == 200);
  CHECK(busy.send(get("/hold")));
  const Answer held = door.site.wait_for_held();
  auto stopped = std::async(std::launch::async, [&door] { door.front->stop(4'000); });
  CHECK(idle.is_closed());
  CHECK_THROWS_AS(WireClient{door.port}, std::runtime_error);
  held("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nheld", true);
  CHECK(body_of(busy.answer()) == "held");
  CHECK(busy.is_closed());
  { const WireClient leaves(std::move(busy)); }
  stopped.get();
  CHECK(door.front->connections() == 0);
  door.front->stop(4'000);  // safe to repeat
}

TEST_CASE("front: stop does not wait longer than told, and a late answer harms nobody") {
  Door door;
  WireClient busy(door.port);
  CHECK(busy.send(get("/hold")));
  const Answer held = door.site.wait_for_held();
  auto stopped = std::async(std::launch::async, [&door] { door.front->stop(50); });
  CHECK(busy.is_closed());
  stopped.get();
  door.front.reset();
  held("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate", true);
}

TEST_CASE("front: a WebSocket opens, echoes, and hears from other threads") {
  Door door;
  WireClient client(door.port);
  CHECK(client.send(kHandshake));
  const std::string answer = client.answer();
  CHECK(status_of_answer(answer) == 101);
  CHECK(has(answer, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));  // RFC 6455 §1.3
  CHECK(next_text(client) == "welcome");
  CHECK(client.send(text_frame("one") + text_frame("two")));
  CHECK(next_text(client) == "echo one");
  CHECK(next_text(client) == "echo two");
  std::thread([&door] { door.front->ws_send(door.site.last_id, "from outside"); }).join();
  CHECK(next_text(client) == "from outside");
  door.front->ws_close(door.site.last_id);
  CHECK(client.take(2) == "\x88\x02");  // a close frame with its code
  CHECK(client.take(2) == "\x03\xE8");  // 1000
  CHECK(client.send(frame(8, "\x03\xE8")));
  CHECK(client.is_closed());
  { const WireClient leaves(std::move(client)); }
  CHECK(door.site.wait_for_closed() == 1);
  door.front->ws_send(door.site.last_id, "nobody");
}

TEST_CASE("front: a WebSocket that is not wanted is refused as an unknown path") {
  Door door;
  WireClient client(door.port);
  std::string other = kHandshake;
  other.replace(4, 3, "/wx");
  CHECK(client.send(other));
  CHECK(status_of_answer(client.answer()) == 404);
  CHECK(client.is_closed());
}

TEST_CASE("front: a WebSocket message above the cap, or a binary one, ends it") {
  Door door;
  for (const std::string& message : {text_frame(std::string(5'000, 'x')), frame(2, "binary")}) {
    WireClient client(door.port);
    CHECK(client.send(kHandshake));
    CHECK(status_of_answer(client.answer()) == 101);
    CHECK(next_text(client) == "welcome");
    CHECK(client.send(message));
    CHECK(client.take(1) == "\x88");
  }
  CHECK(door.site.wait_for_closed() >= 1);
}

TEST_CASE("front: a WebSocket that does not read is cut when its queue is full") {
  Limits limits;
  limits.max_ws_queue = 4;
  Door door(limits);
  WireClient client(door.port);
  CHECK(client.send(kHandshake));
  CHECK(status_of_answer(client.answer()) == 101);
  CHECK(next_text(client) == "welcome");
  for (int i = 0; i < 64; ++i) door.front->ws_send(door.site.last_id, std::string(1 << 20, 'x'));
  CHECK(door.site.wait_for_closed() == 1);
}

TEST_CASE("front: open WebSockets are told to go when the door stops") {
  Door door;
  WireClient client(door.port);
  CHECK(client.send(kHandshake));
  CHECK(status_of_answer(client.answer()) == 101);
  CHECK(next_text(client) == "welcome");
  auto stopped = std::async(std::launch::async, [&door] { door.front->stop(300); });
  CHECK(client.take(4) == "\x88\x02\x03\xE9");  // 1001: going away
  CHECK(client.send(frame(8, "\x03\xE9")));
  stopped.get();
  CHECK(door.site.wait_for_closed() == 1);
}

}  // namespace
}  // namespace topup::http
