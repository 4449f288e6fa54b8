// The door against clients that mean harm or misfortune, by the rows of the threat model. What the
// whole binary does stands in tests/e2e/door_limits.test.mjs.
#include <doctest/doctest.h>
#include <sys/resource.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "server/base/clock.h"
#include "server/http/front.h"
#include "server/http/message.h"
#include "tests/server/http/wire_client.h"

namespace topup::http {
namespace {

class QuietSite final : public Site {
 public:
  std::size_t body_limit(std::string_view, std::string_view path) override {
    return path == "/long" ? 512 * 1024 : 1024;
  }
  RouteTimes times(std::string_view, std::string_view path) override {
    RouteTimes times;
    if (path == "/patient") times.body_ms = 3'000;
    if (path == "/late") times.answer_ms = 150;
    return times;
  }
  void handle(WireRequest request, Answer answer) override {
    ++requests;
    if (path_of(request.target) == "/late" || path_of(request.target) == "/hold") {
      const std::lock_guard lock(mutex);
      held.push_back(std::move(answer));
      changed.notify_all();
      return;
    }
    Response response;
    response.content_type = "text/plain";
    response.body = request.client_address + " " + std::to_string(request.body.size());
    for (const auto& [name, value] : request.headers) response.body += " " + name;
    answer(answer_bytes(response, request.keep_alive), request.keep_alive);
  }
  Answer wait_for_held() {
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, std::chrono::seconds(5), [this] { return !held.empty(); }));
    Answer answer = std::move(held.back());
    held.pop_back();
    return answer;
  }
  std::atomic<int> requests{0};
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Answer> held;
};

struct Door {
  QuietSite site;
  std::mutex mutex;
  std::map<std::string, int> events;  // "refused too_many_connections" → how often
  std::unique_ptr<Front> front;
  std::uint16_t port = 0;
  explicit Door(Limits limits = {}) : front(make_front(2, std::move(limits))) {
    port = front->listen("127.0.0.1", 0, site);
    front->observe([this](const DoorEvent& event) {
      const std::lock_guard lock(mutex);
      ++events[std::string(word_of(event.kind)) + " " + std::string(event.reason)];
    });
    front->start();
  }
  ~Door() { front->stop(0); }
  int count(const std::string& event) {
    const std::lock_guard lock(mutex);
    return events[event];
  }
  bool settles_at(std::size_t connections) const {
    for (int i = 0; i < 1'000 && front->connections() != connections; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return front->connections() == connections;
  }
};

std::string get(const std::string& target, const std::string& fields = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}
std::string post(const std::string& fields, const std::string& body = "") {
  return "POST /a HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n" + body;
}

// Each is followed by a whole request of its own; none of the two may be answered with success.
std::vector<std::pair<std::string, std::string>> smuggling_forms() {
  using namespace std::string_literals;
  std::vector<std::pair<std::string, std::string>> forms;
  const auto length = [&](const std::string& value) {
    forms.emplace_back("length " + value, post("Content-Length:" + value + "\r\n", "x"));
  };
  for (const char* value : {" +5",
                            " -1",
                            " 0x5",
                            " 5 5",
                            " 5,5",
                            " 5, 5",
                            " 5;q=1",
                            " 5.0",
                            " 5e0",
                            " \"5\"",
                            " 5\v",
                            "",
                            " ,5",
                            " 5,",
                            " 100000000000000000000",
                            " 18446744073709551617",
                            " 4294967297",
                            " ٥",
                            " 5\t6",
                            " 5/"}) {
    length(value);
  }
  const auto coding = [&](const std::string& line) {
    forms.emplace_back(line, post("Content-Length: 4\r\n" + line + "\r\n", "0\r\n\r\n"));
  };
  for (const char* line : {"Transfer-Encoding: chunked",
                           "Transfer-Encoding: xchunked",
                           "transfer-encoding:chunked",
                           "Transfer-Encoding:\tchunked",
                           "Transfer-Encoding: chunked, identity",
                           "Transfer-Encoding: identity",
                           "Transfer-Encoding: \"chunked\"",
                           "Transfer-Encoding:",
                           "Transfer-Encoding: gzip, chunked",
                           "Transfer-Encoding : chunked",
                           "Transfer-Encoding\t: chunked",
                           "Transfer_Encoding: chunked",
                           "X: y\r\n Transfer-Encoding: "
                           "chunked",
                           "X: y\r\n\tTransfer-Encoding: chunked",
                           "X: y\nTransfer-Encoding: chunked",
                           "X: y\rTransfer-Encoding: chunked",
                           "Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
                           "Transfer-Encoding: chunked;x=y",
                           "\x0bTransfer-Encoding: chunked",
                           "Content-Length: 5",
                           "Content-length: 4",
                           "Content-Length : 4",
                           "Content_Length: 0"}) {
    coding(line);
  }
  forms.emplace_back("get with a body", get("/a", "Content-Length: 5\r\n") + "12345");
  forms.emplace_back("head with a body",
                     "HEAD /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx");
  forms.emplace_back("delete with a body",
                     "DELETE /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx");
  forms.emplace_back("post without a length", post(""));
  forms.emplace_back("bare LF", "GET /a HTTP/1.1\nHost: h\n\n");
  forms.emplace_back("bare LF at the end", "GET /a HTTP/1.1\r\nHost: h\r\n\n");
  forms.emplace_back("NUL in a name", get("/a", "X\0Y: z\r\n"s));
  forms.emplace_back("NUL in a value", get("/a", "X: y\0z\r\n"s));
  forms.emplace_back("NUL in the method", "G\0T /a HTTP/1.1\r\nHost: h\r\n\r\n"s);
  forms.emplace_back("an empty line first", "\r\n" + get("/a"));
  forms.emplace_back("a blank first", " " + get("/a"));
  forms.emplace_back("two hosts", get("/a", "Host: other\r\n"));
  forms.emplace_back("absolute form", get("http://other/a"));
  forms.emplace_back("HTTP/1.2", "GET /a HTTP/1.2\r\nHost: h\r\n\r\n");
  forms.emplace_back("HTTP/0.9", "GET /a\r\n\r\n");
  forms.emplace_back("upgrade to h2c",
                     get("/a", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"));
  forms.emplace_back("escaped line end in a value", get("/a", "X: y%0d%0aContent-Length: 5\r\n"));
  forms.emplace_back("escaped NUL in a value", get("/a", "X: y%00\r\n"));
  return forms;
}

TEST_CASE("H-04: each form of smuggling is refused, and what it hides never runs") {
  const auto forms = smuggling_forms();
  REQUIRE(forms.size() >= 40);
  Door door;
  for (const auto& [name, bytes] : forms) {
    CAPTURE(name);
    WireClient client(door.port);
    CHECK(client.send(bytes + get("/hidden")));
    client.finish_sending();
    const std::string all = client.rest();
    CHECK(status_of_answer(all) >= 400);
    CHECK(has(all, "Connection: close\r\n"));
    CHECK(all.find("HTTP/1.1", 1) == std::string::npos);
  }
  CHECK(door.site.requests == 0);
  MESSAGE("figure H-04: " << forms.size() << " forms refused, 0 answered twice");
}

TEST_CASE("H-02: a head without end is refused after 16 KB, whatever it is made of") {
  Door door;
  const std::string endless[] = {"GET /" + std::string(1 << 20, 'a'),
                                 "GET / HTTP/1.1\r\nX: " + std::string(1 << 20, 'a'), [] {
                                   std::string many = "GET / HTTP/1.1\r\n";
                                   while (many.size() < 1 << 20) many += "X: y\r\n";
                                   return many;
                                 }()};
  for (const std::string& bytes : endless) {
    WireClient client(door.port);
    client.send(bytes);  // may end early: the door need not read it all
    const int status = status_of_answer(client.answer());
    CHECK((status == 431 || status == 414));
  }
  CHECK(door.site.requests == 0);
}

TEST_CASE("H-03: a body that is too long, coded, in parts or of unknown length is refused unread") {
  Door door;
  struct Row {
    const char* fields;
    int status;
  };
  constexpr Row rows[] = {
      {"Content-Length: 1025\r\n", 413},
      {"Content-Length: 999999999\r\n", 413},
      {"Content-Length: 9999999999\r\n", 413},
      {"Transfer-Encoding: chunked\r\n", 501},
      {"", 411},
      {"Content-Length: 9\r\nContent-Encoding: gzip\r\n", 415},
      {"Content-Length: 9\r\nContent-Encoding: br\r\n", 415},
      {"Content-Length: 9\r\nContent-Type: multipart/form-data; boundary=x\r\n", 415},
      {"Content-Length: 9\r\nContent-Type: Multipart/Mixed\r\n", 415},
      {"Content-Length: 9\r\nExpect: 100-continue\r\n", 400},
  };
  for (const Row& row : rows) {
    CAPTURE(row.fields);
    WireClient client(door.port);
    CHECK(client.send(post(row.fields)));
    CHECK(status_of_answer(client.answer()) == row.status);
  }
  CHECK(door.site.requests == 0);
}

TEST_CASE("H-03: unfinished bodies have one budget for all connections") {
  Limits limits;
  limits.max_bodies_bytes = 600 * 1024;
  Door door(limits);
  const std::string half = "POST /long HTTP/1.1\r\nHost: h\r\nContent-Length: 524288\r\n\r\n" +
                           std::string(400'000, 'x');
  WireClient first(door.port);
  CHECK(first.send(half));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  {
    WireClient second(door.port);
    second.send(half);
    CHECK(status_of_answer(second.answer()) == 503);
  }
  CHECK(first.send(std::string(524'288 - 400'000, 'x')));
  CHECK(status_of_answer(first.answer()) == 200);
  WireClient third(door.port);  // the room is given back
  CHECK(third.send(half + std::string(524'288 - 400'000, 'x')));
  CHECK(status_of_answer(third.answer()) == 200);
}

TEST_CASE("H-05: what asks for more than an answer is refused") {
  Door door;
  for (const std::string& bytes :
       {get("/a", "Range: bytes=0-0,1-1,2-2\r\n"), get("/a", "If-Range: \"x\"\r\n"),
        get("/a", "Expect: 100-continue\r\n"), get("/a", "Connection: Upgrade\r\nUpgrade: h2c\r\n"),
        std::string("TRACE / HTTP/1.1\r\nHost: h\r\n\r\n"),
        std::string("CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n"),
        std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), std::string("GET /\r\n\r\n")}) {
    CAPTURE(bytes);
    WireClient client(door.port);
    CHECK(client.send(bytes));
    CHECK(status_of_answer(client.answer()) >= 400);
    CHECK(client.is_closed());
  }
  CHECK(door.site.requests == 0);
}

TEST_CASE("H-08: one address may hold so many connections, a trusted proxy as many as there are") {
  Limits limits;
  limits.counts_loopback = true;
  limits.max_connections_per_address = 3;
  SUBCASE("an address that is not trusted") {
    Door door(limits);
    std::vector<WireClient> held;
    for (int i = 0; i < 3; ++i) {
      held.emplace_back(door.port);
      CHECK(held.back().send(get(
          "/a", "X-Forwarded-For: 203.0.113." + std::to_string(i) + "\r\nX-Real-IP: 6.6.6.6\r\n")));
      CHECK(body_of(held.back().answer()) == "127.0.0.1 0 host");
    }
    WireClient fourth(door.port);
    CHECK(status_of_answer(fourth.answer()) == 503);
    CHECK(door.count("refused too_many_connections") == 1);
    held.pop_back();
    CHECK(door.settles_at(2));
    WireClient fifth(door.port);
    CHECK(fifth.send(get("/a")));
    CHECK(status_of_answer(fifth.answer()) == 200);
  }
  SUBCASE("a trusted proxy") {
    limits.trusted_proxies = TrustedProxies({*parse_range("127.0.0.0/8")});
    Door door(limits);
    std::vector<WireClient> held;
    for (int i = 0; i < 10; ++i) {
      held.emplace_back(door.port);
      const std::string client = "203.0.113." + std::to_string(i);
      CHECK(held.back().send(get("/a", "X-Forwarded-For: 6.6.6.6, " + client + "\r\n")));
      CHECK(body_of(held.back().answer()) == client + " 0 host");
    }
    CHECK(door.count("opened ") == 10);
    held.clear();
    CHECK(door.settles_at(0));
    CHECK(door.count("closed ") == 10);
  }
}

TEST_CASE("front: a route has times of its own, and a late answer is given up") {
  Limits limits;
  limits.body_timeout_ms = 100;
  Door door(limits);
  WireClient patient(door.port);
  WireClient hasty(door.port);
  const std::string tail = " HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n12";
  CHECK(patient.send("POST /patient" + tail));
  CHECK(hasty.send("POST /hasty" + tail));
  CHECK(status_of_answer(hasty.answer()) == 408);
  CHECK(patient.send("34"));
  CHECK(status_of_answer(patient.answer()) == 200);
  WireClient late(door.port);
  CHECK(late.send(get("/late")));
  const Answer held = door.site.wait_for_held();
  const std::string answer = late.answer();
  CHECK(status_of_answer(answer) == 503);
  CHECK(has(answer, "answer_late"));
  held("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true);
  CHECK(late.is_closed());
  CHECK(door.count("refused answer_late") == 1);
}

TEST_CASE("D-09: a request on a kept connection that comes as the door closes is still answered") {
  Door door;
  WireClient kept(door.port);
  WireClient half(door.port);
  WireClient busy(door.port);
  CHECK(kept.send(get("/a")));
  CHECK(has(kept.answer(), "Connection: keep-alive\r\n"));
  CHECK(half.send("GET / HTTP/1.1\r\nHo"));
  CHECK(busy.send(get("/hold")));
  const Answer held = door.site.wait_for_held();
  auto stopped = std::async(std::launch::async, [&door] { door.front->stop(4'000); });
  CHECK(half.is_closed());  // the door is closing
  CHECK(kept.send(get("/b")));
  const std::string last = kept.answer();
  CHECK(status_of_answer(last) == 200);
  CHECK(has(last, "Connection: close\r\n"));
  CHECK_FALSE(has(last, "eep-alive"));
  CHECK(kept.is_closed());
  held(
      "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=30\r\nContent-Length: 2\r\nConnection: keep-alive"
      "\r\n\r\nok",
      true);
  const std::string answer = busy.answer();
  CHECK(answer == "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
  stopped.get();
}

// How many descriptors this process may have, until the end of the test.
class DescriptorLimit {
 public:
  explicit DescriptorLimit(std::size_t most) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit tight = before_;
    tight.rlim_cur = most;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &tight) == 0);
  }
  ~DescriptorLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;

 private:
  rlimit before_{};
};

std::size_t open_descriptors() {
  namespace fs = std::filesystem;
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

// How much of one core this process has used, in milliseconds.
std::int64_t cpu_ms() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto ms = [](const timeval& time) { return time.tv_sec * 1'000 + time.tv_usec / 1'000; };
  return ms(used.ru_utime) + ms(used.ru_stime);
}

#ifdef __SANITIZE_ADDRESS__  // The sanitizer itself needs descriptors to look at memory.
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif

TEST_CASE("D-08: out of descriptors, accepting pauses without spinning and heals by itself" *
          doctest::skip(kIsSanitized)) {
  constexpr int kClients = 60;
  Door door;
  std::deque<WireClient> clients;
  for (int i = 0; i < kClients; ++i) clients.emplace_back();
  // The clients have their own ends already; ten are left for those of the door.
  const DescriptorLimit tight(open_descriptors() + 10);
  for (WireClient& client : clients) client.connect(door.port);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  CHECK(door.front->connections() < kClients);
  CHECK(door.count("refused accept_paused") >= 1);
  const std::int64_t used_before = cpu_ms();
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  CHECK(cpu_ms() - used_before < 100);  // 20 % of one core
  for (int i = 0; i < kClients / 2; ++i) clients.pop_front();
  REQUIRE(clients.back().send(get("/a")));
  const std::int64_t asked = base::SystemClock().mono_ms();
  CHECK(status_of_answer(clients.back().answer()) == 200);
  CHECK(base::SystemClock().mono_ms() - asked < 1'000);
}

TEST_CASE("D-08: clients get no more connections than leave descriptors for the store") {
  const std::size_t all = open_descriptors() + 64;
  Limits limits;
  limits.spare_descriptors = all - 10;  // which leaves ten, but a quarter is the least
  std::optional<Door> door;
  {
    const DescriptorLimit tight(all);
    door.emplace(limits);
  }
  std::vector<WireClient> held;
  for (std::size_t i = 0; i < all / 4; ++i) held.emplace_back(door->port);
  CHECK(door->settles_at(all / 4));
  WireClient above(door->port);
  CHECK(status_of_answer(above.answer()) == 503);
}

TEST_CASE("H-11: connections that come and go by the thousand leave nothing behind") {
  Door door;
  for (int round = 0; round < 10; ++round) {
    std::vector<WireClient> flood;
    for (int i = 0; i < 300; ++i) flood.emplace_back(door.port);
  }
  WireClient after(door.port);
  CHECK(after.send(get("/a")));
  CHECK(status_of_answer(after.answer()) == 200);
  CHECK(door.settles_at(1));
}

}  // namespace
}  // namespace topup::http
