#include <doctest/doctest.h>

#include <atomic>
#include <fstream>
#include <future>
#include <mutex>
#include <set>
#include <sstream>
#include <thread>

#include "server/base/clock.h"
#include "server/http/front.h"
#include "server/http/message.h"
#include "tests/server/http/tls_client.h"

namespace topup::http {
namespace {

class EchoSite final : public Site {
 public:
  std::size_t body_limit(std::string_view, std::string_view) override { return 256 * 1024; }
  void handle(WireRequest request, Answer answer) override {
    ++requests;
    Response response;
    response.content_type = "text/plain";
    response.body = (request.is_secure ? "secure " : "plain ") + request.body;
    if (request.target == "/big") response.body = std::string(4 << 20, 'b');
    answer(answer_bytes(response, request.keep_alive), request.keep_alive);
  }
  bool ws_open(WsId id, const WireRequest& request) override {
    last_id = id;
    return request.target == "/ws";
  }
  void ws_message(WsId id, std::string_view text) override {
    front->ws_send(id, "echo " + std::string(text));
  }
  void ws_closed(WsId) override { ++closed; }
  Front* front = nullptr;
  std::atomic<int> requests{0};
  std::atomic<int> closed{0};
  std::atomic<WsId> last_id{0};
};

// One set of papers serves all tests: making keys takes time.
const Papers& papers() {
  static Papers made;
  static const bool once = [] {
    made.make("first");
    made.make("second");
    return true;
  }();
  (void)once;
  return made;
}

struct Door {
  EchoSite site;
  Papers own;
  std::mutex mutex;
  std::multiset<std::string> events;
  std::unique_ptr<Front> front;
  std::uint16_t port = 0;
  explicit Door(Limits limits = {}) : front(make_front(2, std::move(limits))) {
    site.front = front.get();
    use("first");
    port = front->listen_tls("127.0.0.1", 0, site, files());
    front->observe([this](const DoorEvent& event) {
      const std::lock_guard lock(mutex);
      events.insert(std::string(word_of(event.kind)) + " " + std::string(event.reason));
    });
    front->start();
  }
  ~Door() { front->stop(0); }
  TlsFiles files() const { return {own.file("cert.pem"), own.file("cert.key")}; }
  // The key first: between the two renames the pair does not fit, and the old one stays.
  void use(const std::string& name) {
    for (const std::string end : {".key", ".pem"}) {
      own.write("new", papers().read(name + end));
      own.replace("cert" + end, "new");
    }
  }
  std::string served() const { return TlsClient(port).common_name(); }
  bool serves_within(const std::string& name, int ms) const {
    for (int i = 0; i < ms / 20; ++i) {
      if (served() == name) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
  }
  std::size_t count(const std::string& event) {
    const std::lock_guard lock(mutex);
    return events.count(event);
  }
};

const std::string kGet = "GET /a HTTP/1.1\r\nHost: shop.example\r\n\r\n";

TEST_CASE("tls: a connection carries requests, and its answers keep browsers on https") {
  Door door;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient client(door.port, {version, version, nullptr, "http/1.1", nullptr});
    REQUIRE(client.is_open());
    CHECK(client.version() == (version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3"));
    CHECK(client.chosen_protocol() == "http/1.1");
    for (int i = 0; i < 3; ++i) {
      const std::string body(100'000 * static_cast<std::size_t>(i), 'x');
      CHECK(client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: " +
                        std::to_string(body.size()) + "\r\n\r\n" + body));
      const std::string answer = client.answer();
      CHECK(status_of_answer(answer) == 200);
      CHECK(has(answer, "\r\nStrict-Transport-Security: max-age=31536000\r\n"));
      CHECK(body_of(answer) == "secure " + body);
    }
    CHECK(client.send("GET /big HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
    CHECK(body_of(client.answer()) == std::string(4 << 20, 'b'));
    CHECK(client.is_closed_in_order());
  }
  CHECK(door.front->tls_expires_at_ms() > base::SystemClock().wall_ms());
}

TEST_CASE("tls: refusals travel over TLS too, and are readable") {
  Door door;
  TlsClient client(door.port);
  CHECK(client.send("GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"));
  CHECK(status_of_answer(client.answer()) == 501);
  CHECK(client.is_closed_in_order());
}

TEST_CASE("S-02: old versions, weak ciphers and other protocols are refused") {
  Door door;
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    CHECK_FALSE(TlsClient(door.port, {version, version, "ALL:@SECLEVEL=0", "", nullptr}).is_open());
  }
  for (const char* cipher : {"AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "aNULL", "DHE-RSA-AES128-SHA",
                             "AES256-GCM-SHA384", "ECDHE-ECDSA-AES256-SHA384"}) {
    CAPTURE(cipher);
    const std::string named = std::string(cipher) + ":@SECLEVEL=0";
    CHECK_FALSE(TlsClient(door.port, {TLS1_2_VERSION, TLS1_2_VERSION, named.c_str(), "", nullptr})
                    .is_open());
  }
  CHECK(TlsClient(door.port,
                  {TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", "", nullptr})
            .is_open());
  CHECK_FALSE(
      TlsClient(door.port, {TLS1_2_VERSION, TLS1_3_VERSION, nullptr, "h2", nullptr}).is_open());
  CHECK(door.count("handshake_failed version_refused") == 2);
  CHECK(door.count("handshake_failed no_shared_cipher") == 6);
  CHECK(door.site.requests == 0);
}

TEST_CASE("tls: renegotiation is refused and nothing is compressed") {
  Door door;
  TlsClient client(door.port, {TLS1_2_VERSION, TLS1_2_VERSION, nullptr, "", nullptr});
  REQUIRE(client.is_open());
  CHECK(SSL_get_current_compression(client.raw()) == nullptr);
  SSL_renegotiate(client.raw());
  SSL_do_handshake(client.raw());
  client.send(kGet);
  CHECK(status_of_answer(client.answer()) != 200);
}

TEST_CASE("tls: a client comes back by its ticket, which no other certificate accepts") {
  Door door;
  TlsClient first(door.port, {TLS1_2_VERSION, TLS1_2_VERSION, nullptr, "", nullptr});
  REQUIRE(first.is_open());
  SSL_SESSION* session = SSL_get1_session(first.raw());
  const TlsWish again{TLS1_2_VERSION, TLS1_2_VERSION, nullptr, "", session};
  CHECK(SSL_session_reused(TlsClient(door.port, again).raw()) == 1);
  door.use("second");
  door.front->reload_certificates();
  CHECK(SSL_session_reused(TlsClient(door.port, again).raw()) == 0);
  SSL_SESSION_free(session);
}

TEST_CASE("H-01: a handshake that does not come is cut within the time of a head") {
  Limits limits;
  limits.head_timeout_ms = 200;
  Door door(limits);
  WireClient silent(door.port);
  WireClient half(door.port);
  CHECK(half.send(std::string("\x16\x03\x01\x02\x00\x01", 6)));
  TlsClient shaken(door.port);  // and then says nothing
  CHECK(silent.is_closed());
  CHECK(half.is_closed());
  shaken.take(1);
  CHECK(door.count("handshake_failed too_slow") == 2);
}

TEST_CASE("tls: whoever speaks plain HTTP, or anything else, is told so and let go") {
  Door door;
  WireClient plain(door.port);
  CHECK(plain.send(kGet));
  const std::string answer = plain.answer();
  CHECK(status_of_answer(answer) == 400);
  CHECK(has(answer, "tls_expected"));
  CHECK_FALSE(has(answer, "Strict-Transport-Security"));
  CHECK(plain.is_closed());
  for (const std::string& noise : {std::string("SSH-2.0-x\r\n"), std::string(5'000, '\0'),
                                   std::string("\x80\x2e\x01\x00\x02", 5) + std::string(60, 'x')}) {
    WireClient client(door.port);
    CHECK(client.send(noise));
    client.finish_sending();
    CHECK_FALSE(has(client.rest(), "HTTP/1.1"));
  }
  CHECK(door.site.requests == 0);
  CHECK(TlsClient(door.port).is_open());
}

TEST_CASE("tls: a new certificate is served without dropping an open connection") {
  Limits limits;
  limits.certificate_look_ms = 50;
  Door door(limits);
  TlsClient open(door.port);
  CHECK(open.send(kGet));
  CHECK(status_of_answer(open.answer()) == 200);
  CHECK(open.common_name() == "first");
  SUBCASE("found by looking at the files") {
    door.use("second");
    CHECK(door.serves_within("second", 3'000));
  }
  SUBCASE("when told") {
    door.use("second");
    door.front->reload_certificates();
    CHECK(door.served() == "second");
  }
  SUBCASE("behind a symbolic link that is turned, as certbot does") {
    namespace fs = std::filesystem;
    for (const std::string end : {".key", ".pem"}) {
      fs::create_symlink(papers().file("second" + end), door.own.file("link" + end));
      fs::rename(door.own.file("link" + end), door.own.file("cert" + end));
    }
    CHECK(door.serves_within("second", 3'000));
  }
  CHECK(open.send(kGet));
  CHECK(status_of_answer(open.answer()) == 200);
  CHECK(door.count("certificate ") >= 2);
}

TEST_CASE("tls: a pair that does not fit is refused and the old one stays in use") {
  Limits limits;
  limits.certificate_look_ms = 50;
  Door door(limits);
  const auto stays = [&door] {
    door.front->reload_certificates();
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    return door.served() == "first";
  };
  SUBCASE("another key") {
    door.own.write("new", papers().read("second.key"));
    door.own.replace("cert.key", "new");
    CHECK(stays());
  }
  SUBCASE("rubbish") {
    door.own.write("cert.pem", "not PEM at all");
    CHECK(stays());
  }
  SUBCASE("gone") {
    std::filesystem::remove(door.own.file("cert.key"));
    CHECK(stays());
  }
  SUBCASE("readable by everybody") {
    door.use("second");
    ::chmod(door.own.file("cert.key").c_str(), 0644);
    CHECK(stays());
  }
  door.use("second");  // and once it is right, it is used
  CHECK(door.serves_within("second", 3'000));
}

bool names(const std::vector<std::string>& mistakes, const std::string& part) {
  for (const std::string& mistake : mistakes) {
    if (has(mistake, part)) return true;
  }
  return false;
}

TEST_CASE("tls: every mistake in the files is told in words") {
  Papers own;
  own.make("good");
  own.make("other");
  own.make("weak", "rsa:1024");
  own.make("locked", "ec -pkeyopt ec_paramgen_curve:P-256", "-passout pass:secret-word");
  own.write("empty", "");
  own.write("noise", "noise");
  ::chmod(own.file("noise").c_str(), 0600);
  const std::int64_t now = base::SystemClock().wall_ms();
  constexpr std::int64_t kDay = 86'400'000;
  const auto told = [&](const std::string& certificate, const std::string& key,
                        std::int64_t at = 0) {
    return tls_mistakes({own.file(certificate), own.file(key)}, at == 0 ? now : at);
  };
  CHECK(told("good.pem", "good.key").empty());
  CHECK(names(told("good.pem", "other.key"), "is not the key of the certificate in"));
  CHECK(names(told("good.pem", "good.key", now + 31 * kDay), "expired on 2"));
  CHECK(names(told("good.pem", "good.key", now - 2 * kDay), "is not valid before 2"));
  CHECK(names(told("weak.pem", "weak.key"), "too small"));
  CHECK(names(told("locked.pem", "locked.key"), "is encrypted"));
  CHECK_FALSE(names(told("locked.pem", "locked.key"), "secret-word"));
  const auto both = told("absent.pem", "absent.key");
  CHECK(both.size() == 2);
  CHECK(names(both, "absent.pem cannot be read: No such file"));
  CHECK(names(both, "absent.key cannot be read: No such file"));
  CHECK(names(told("noise", "noise"),
              "tls_certificate_file " + own.file("noise") + " holds no PEM certificate"));
  CHECK(names(told("noise", "noise"), "holds no PEM private key"));
  CHECK(names(told("empty", "good.key"), "is no PEM file"));
  CHECK(names(tls_mistakes({"/", "/dev/null"}, now), "/dev/null is no PEM file"));
  ::chmod(own.file("good.key").c_str(), 0644);
  CHECK(names(told("good.pem", "good.key"), "is open to everybody"));
  ::chmod(own.file("good.key").c_str(), 0640);
  CHECK(told("good.pem", "good.key").empty());
  EchoSite site;
  CHECK_THROWS_AS(make_front(1)->listen_tls("127.0.0.1", 0, site,
                                            {own.file("good.pem"), own.file("other.key")}),
                  std::runtime_error);
}

TEST_CASE("tls: the chain is sent with the certificate") {
  Papers own;
  own.make("leaf");
  own.make("issuer");
  own.write("chain.pem", own.read("leaf.pem") + own.read("issuer.pem"));
  EchoSite site;
  const auto front = make_front(1);
  const std::uint16_t port =
      front->listen_tls("127.0.0.1", 0, site, {own.file("chain.pem"), own.file("leaf.key")});
  front->start();
  {
    TlsClient client(port);
    CHECK(client.common_name() == "leaf");
    CHECK(sk_X509_num(SSL_get_peer_cert_chain(client.raw())) == 2);
  }
  front->stop(1'000);
}

// A masked text frame as a client sends it; the mask is zero.
std::string frame(unsigned char opcode, const std::string& text) {
  return std::string(1, static_cast<char>(0x80 | opcode)) + static_cast<char>(0x80 | text.size()) +
         std::string(4, '\0') + text;
}

TEST_CASE("tls: a WebSocket echoes, is told to go, and its close is readable") {
  Door door;
  TlsClient client(door.port);
  CHECK(client.send(
      "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"));
  CHECK(status_of_answer(client.answer()) == 101);
  for (int i = 0; i < 50; ++i) {
    CHECK(client.send(frame(1, "one") + frame(1, "two")));
    CHECK(client.take(10) ==
          "\x81\x08"
          "echo one");
    CHECK(client.take(10) ==
          "\x81\x08"
          "echo two");
  }
  // From another thread while nothing comes in.
  std::thread([&door] { door.front->ws_send(door.site.last_id, std::string(60'000, 'x')); }).join();
  // In frames of 4 KB, each with a head of four bytes.
  CHECK(client.take(60'060).size() == 60'060);
  auto stopped = std::async(std::launch::async, [&door] { door.front->stop(3'000); });
  CHECK(client.take(4) == "\x88\x02\x03\xE9");
  CHECK(client.send(frame(8, "\x03\xE9")));
  CHECK(client.is_closed_in_order());
  { const TlsClient leaves(std::move(client)); }
  stopped.get();
  CHECK(door.site.closed == 1);
}

std::int64_t rss_kb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::atoll(line.c_str() + 6);
  }
  return 0;
}

#ifdef __SANITIZE_ADDRESS__  // What is freed is kept for a while.
constexpr std::int64_t kMostKb = 1'000;
#else
constexpr std::int64_t kMostKb = 160;
#endif

TEST_CASE("H-01: an idle TLS connection holds little memory") {
  constexpr int kConnections = 300;
  Door door;
  std::vector<std::unique_ptr<TlsClient>> idle;
  for (int i = 0; i < 20; ++i) idle.push_back(std::make_unique<TlsClient>(door.port));
  const std::int64_t before = rss_kb();
  for (int i = 0; i < kConnections; ++i) {
    idle.push_back(std::make_unique<TlsClient>(door.port));
    CHECK(idle.back()->send(kGet));
    CHECK(status_of_answer(idle.back()->answer()) == 200);
  }
  const std::int64_t each = (rss_kb() - before) / kConnections;
  MESSAGE("figure H-01: both ends of an idle TLS connection " << each << " KB");
  // The client's end is in this process too, with an SSL_CTX of its own and buffers of 32 KB.
  CHECK(each < kMostKb);
}

}  // namespace
}  // namespace topup::http
