#include "server/base/http_client.h"

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "shared/check.h"
#include "tests/support/far_side.h"

using namespace topup;
using namespace topup::base;
using testing::FarSide;
using testing::pause_ms;
using testing::Peer;
using Kind = OutboundReply::Kind;

namespace {

constexpr std::int64_t kGraceMs = 500;

struct Timed {
  OutboundReply reply;
  std::int64_t ms;
};

Timed timed_call(Outbound& outbound, const OutboundRequest& request) {
  const SystemClock clock;
  const std::int64_t start = clock.mono_ms();
  OutboundReply reply = outbound.call(request);
  return {std::move(reply), clock.mono_ms() - start};
}

OutboundRequest get(std::int64_t deadline_ms = 2'000) {
  return {.method = "GET",
          .target = "/path?secret=1",
          .headers = {},
          .body = "",
          .deadline_ms = deadline_ms};
}

OutboundRequest post(std::string body, std::int64_t deadline_ms = 2'000) {
  return {.method = "POST",
          .target = "/pay",
          .headers = {{"Content-Type", "application/json"}, {"Authorization", "secret"}},
          .body = std::move(body),
          .deadline_ms = deadline_ms};
}

// What the far side says to one request, then hangs up; the call is expected to end as given.
void check_hostile(const char* name, const std::function<void(Peer&)>& say,
                   std::string_view failure) {
  CAPTURE(name);
  // A flood needs time to arrive on a busy machine; a drip only needs to be cut.
  const std::int64_t deadline_ms = failure == "deadline" ? 300 : 5'000;
  FarSide far([&](Peer& peer, int) {
    if (peer.read_request().empty()) return;
    say(peer);
  });
  const auto outbound = make_outbound("test", far.origin());
  const auto [reply, ms] = timed_call(*outbound, post("{}", deadline_ms));
  CHECK(reply.kind == Kind::no_answer);
  CHECK(reply.failure == failure);
  CHECK(reply.body.empty());
  CHECK(ms <= deadline_ms + kGraceMs);
  CHECK(far.connections() == 1);
}

}  // namespace

TEST_CASE("a call carries method, target, headers, body and trace, and brings back the answer") {
  std::string seen;
  FarSide far([&](Peer& peer, int) {
    seen = peer.read_request();
    peer.say("HTTP/1.1 201 Created\r\nRequest-ID: abc\r\nContent-Length: 2\r\n\r\n{}");
    peer.read_request();
  });
  const TraceScope trace{TraceId("0af7651916cd43dd8448eb211c80319c")};
  {
    const auto outbound = make_outbound("test", far.origin());
    const OutboundReply reply = outbound->call(post("{\"a\":1}"));
    CHECK(reply.kind == Kind::answered);
    CHECK(reply.status == 201);
    CHECK(reply.body == "{}");
    CHECK(reply.header("request-id") == "abc");
    CHECK(reply.header("absent") == "");
    CHECK(reply.failure == "");
  }
  CHECK(seen.starts_with("POST /pay HTTP/1.1\r\n"));
  CHECK(seen.find("\r\nAuthorization: secret\r\n") != std::string::npos);
  CHECK(seen.find("\r\nContent-Type: application/json\r\n") != std::string::npos);
  CHECK(seen.find("\r\nHost: 127.0.0.1") != std::string::npos);
  CHECK(seen.find("Accept-Encoding: gzip") == std::string::npos);
  const std::size_t at = seen.find("traceparent: 00-0af7651916cd43dd8448eb211c80319c-");
  REQUIRE(at != std::string::npos);
  CHECK(seen.substr(at + 13, 56).ends_with("-01\r"));
  CHECK(seen.ends_with("\r\n\r\n{\"a\":1}"));
}

TEST_CASE("the target goes out exactly as given") {
  std::string seen;
  FarSide far([&](Peer& peer, int) {
    seen = peer.read_request();
    peer.answer("");
  });
  auto request = get();
  request.target = "/v3/bill?date=2024-01-01&x=%E5%85%85+%2F%25";
  make_outbound("test", far.origin())->call(request);
  CHECK(seen.starts_with("GET /v3/bill?date=2024-01-01&x=%E5%85%85+%2F%25 HTTP/1.1\r\n"));
}

TEST_CASE("a kept-alive connection is used again") {
  FarSide far([](Peer& peer, int) {
    while (!peer.read_request().empty()) peer.answer("ok");
  });
  {
    const auto outbound = make_outbound("test", far.origin());
    for (int i = 0; i < 20; ++i) CHECK(outbound->call(post("{}")).body == "ok");
  }
  CHECK(far.connections() == 1);
}

TEST_CASE("a kept-alive connection that the peer has closed between calls costs nothing") {
  for (const bool with_reset : {false, true}) {
    CAPTURE(with_reset);
    std::atomic<int> requests{0};
    FarSide far([&](Peer& peer, int) {
      if (peer.read_request().empty()) return;
      ++requests;
      peer.answer("ok");
      if (with_reset) peer.reset();
    });
    const auto outbound = make_outbound("test", far.origin());
    for (int i = 0; i < 5; ++i) {
      CHECK(outbound->call(post("{}")).body == "ok");
      pause_ms(30);
    }
    CHECK(far.connections() == 5);
    CHECK(requests == 5);
  }
}

TEST_CASE(
    "a kept-alive connection that dies with the request on it is no_answer and is not repeated") {
  std::atomic<int> requests{0};
  FarSide far([&](Peer& peer, int number) {
    for (int i = 0; !peer.read_request().empty(); ++i) {
      ++requests;
      if (number == 1 && i == 1) return;
      peer.answer("ok");
    }
  });
  {
    const auto outbound = make_outbound("test", far.origin());
    CHECK(outbound->call(post("{}")).kind == Kind::answered);
    const OutboundReply lost = outbound->call(post("{}"));
    CHECK(lost.kind == Kind::no_answer);
    CHECK(lost.failure == "connection_lost");
    CHECK(requests == 2);
    CHECK(outbound->call(post("{}")).kind == Kind::answered);
  }
  CHECK(requests == 3);
}

TEST_CASE("bytes after an answer do not become the next answer") {
  const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  const std::string evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
  for (const bool is_late : {false, true}) {
    CAPTURE(is_late);
    FarSide far([&](Peer& peer, int number) {
      if (peer.read_request().empty()) return;
      if (number > 1) return peer.answer("good");
      peer.say(is_late ? ok : ok + evil);
      pause_ms(50);
      if (is_late) peer.say(evil);
      peer.read_request();
    });
    const auto outbound = make_outbound("test", far.origin());
    CHECK(outbound->call(get()).body == "ok");
    pause_ms(100);
    CHECK(outbound->call(get()).body == "good");
  }
}

TEST_CASE("a refused connection and an unknown name are not_sent") {
  int port = 0;
  {
    const FarSide gone([](Peer&, int) {});
    port = std::stoi(gone.origin().substr(gone.origin().rfind(':') + 1));
  }
  const auto refused =
      make_outbound("test", "http://127.0.0.1:" + std::to_string(port))->call(post("{}"));
  CHECK(refused.kind == Kind::not_sent);
  CHECK(refused.failure == "connect_failed");
  const auto unknown =
      timed_call(*make_outbound("test", "http://no-such-name.invalid"), post("{}", 1'000));
  CHECK(unknown.reply.kind == Kind::not_sent);
  CHECK(unknown.ms <= 1'000 + kGraceMs);
}

TEST_CASE("a TLS handshake that fails or drips is not_sent") {
  FarSide plain([](Peer& peer, int) { peer.say("HTTP/1.1 400 Bad Request\r\n\r\n"); });
  const auto spoken = make_outbound("test", "https" + plain.origin().substr(4))->call(post("{}"));
  CHECK(spoken.kind == Kind::not_sent);
  CHECK(spoken.failure == "tls_failed");

  // The start of a record of 16 KiB, then a byte now and then: each wait is short, the whole never
  // ends.
  FarSide drip([](Peer& peer, int) {
    peer.say(std::string_view("\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", 9));
    while (peer.say("x")) pause_ms(50);
  });
  const auto slow =
      timed_call(*make_outbound("test", "https" + drip.origin().substr(4)), post("{}", 700));
  CHECK(slow.reply.kind == Kind::not_sent);
  CHECK(slow.reply.failure == "deadline");
  CHECK(slow.ms >= 600);
  CHECK(slow.ms <= 700 + kGraceMs);
}

TEST_CASE("a slow drip is cut at the deadline wherever it drips") {
  const auto drip = [](std::string start) {
    return [start](Peer& peer) {
      peer.say(start);
      while (peer.say("1")) pause_ms(20);
    };
  };
  check_hostile(
      "silence", [](Peer& peer) { peer.read_request(); }, "deadline");
  check_hostile("status line", drip("HTTP/1.1 200 "), "deadline");
  check_hostile("header", drip("HTTP/1.1 200 OK\r\nX-Slow: "), "deadline");
  check_hostile("body", drip("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"), "deadline");
  check_hostile("body without length", drip("HTTP/1.1 200 OK\r\n\r\n"), "deadline");
  check_hostile("chunk", drip("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n"),
                "deadline");
}

TEST_CASE("an answer that is too large is cut, also in its head") {
  const std::string block(64 * 1024, 'x');
  const auto flood = [&block](std::string start) {
    return [start, &block](Peer& peer) {
      peer.say(start);
      for (int i = 0; i < 16 * 1024 && peer.say(block); ++i) continue;  // at most 1 GiB
    };
  };
  const auto repeat = [](std::string start, std::string part) {
    return [start, part](Peer& peer) {
      peer.say(start);
      for (int i = 0; i < 10'000'000 && peer.say(part); ++i) continue;
    };
  };
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  check_hostile("body", flood(ok + "Content-Length: 1073741824\r\n\r\n"), "answer_too_large");
  check_hostile("body without length", flood(ok + "\r\n"), "answer_too_large");
  check_hostile("one chunk", flood(ok + "Transfer-Encoding: chunked\r\n\r\n3fffffff\r\n"),
                "answer_too_large");
  check_hostile("small chunks", repeat(ok + "Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"),
                "answer_too_large");
  check_hostile("chunk size line", flood(ok + "Transfer-Encoding: chunked\r\n\r\n"),
                "answer_too_large");
  check_hostile("status line", flood("HTTP/1.1 200 "), "answer_too_large");
  check_hostile("second status line", flood("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 "),
                "answer_too_large");
  check_hostile("header line", flood(ok + "X-Long: "), "answer_too_large");
  check_hostile("many headers", repeat(ok, "X-Many: 1\r\n"), "answer_too_large");
}

TEST_CASE("an answer that ends early or is not HTTP is no_answer") {
  const auto say = [](std::string text) { return [text](Peer& peer) { peer.say(text); }; };
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  check_hostile(
      "nothing", [](Peer&) {}, "connection_lost");
  check_hostile(
      "reset", [](Peer& peer) { peer.reset(); }, "connection_lost");
  check_hostile("half a head", say(ok + "Content-Le"), "connection_lost");
  check_hostile("half a body", say(ok + "Content-Length: 10\r\n\r\nhalf"), "connection_lost");
  check_hostile("half a chunk", say(ok + "Transfer-Encoding: chunked\r\n\r\n9\r\nhalf"),
                "connection_lost");
  check_hostile("no last chunk", say(ok + "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"),
                "connection_lost");
  check_hostile("another protocol", say("SSH-2.0-OpenSSH_9.2\r\n\r\n"), "connection_lost");
}

TEST_CASE("an answer of exactly the cap passes and one byte more does not") {
  for (const std::size_t extra : {std::size_t{0}, std::size_t{1}}) {
    CAPTURE(extra);
    FarSide far([extra](Peer& peer, int) {
      peer.read_request();
      peer.answer(std::string(kMaxAnswerBytes + extra, 'x'));
    });
    const OutboundReply reply = make_outbound("test", far.origin())->call(get());
    CHECK(reply.kind == (extra == 0 ? Kind::answered : Kind::no_answer));
    CHECK(reply.body.size() == (extra == 0 ? kMaxAnswerBytes : 0));
  }
}

TEST_CASE("a redirect is an answer like any other and is not followed") {
  FarSide elsewhere([](Peer& peer, int) { peer.answer("stolen"); });
  FarSide far([&](Peer& peer, int) {
    peer.read_request();
    peer.say("HTTP/1.1 302 Found\r\nLocation: " + elsewhere.origin() +
             "/\r\nContent-Length: 0\r\n\r\n");
  });
  const OutboundReply reply = make_outbound("test", far.origin())->call(get());
  CHECK(reply.kind == Kind::answered);
  CHECK(reply.status == 302);
  CHECK(elsewhere.connections() == 0);
}

TEST_CASE("a compressed body stays as it came") {
  FarSide far([](Peer& peer, int) {
    peer.read_request();
    peer.say(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x01");
  });
  const OutboundReply reply = make_outbound("test", far.origin())->call(get());
  CHECK(reply.kind == Kind::answered);
  CHECK(reply.body == "\x1f\x8b\x08\x01");
}

TEST_CASE("a caller waits for its turn within its own deadline") {
  FarSide far([](Peer& peer, int) {
    while (!peer.read_request().empty()) {
      pause_ms(400);
      peer.answer("ok");
    }
  });
  {
    const auto outbound = make_outbound("test", far.origin(), 1);
    std::thread first([&] { CHECK(outbound->call(get()).body == "ok"); });
    pause_ms(100);
    const Timed impatient = timed_call(*outbound, get(100));
    CHECK(impatient.reply.kind == Kind::not_sent);
    CHECK(impatient.reply.failure == "deadline");
    CHECK(impatient.ms <= 100 + kGraceMs);
    CHECK(outbound->call(get()).body == "ok");
    first.join();
  }
  CHECK(far.connections() == 1);
}

TEST_CASE("many callers share few connections and each gets its own answer") {
  FarSide far([](Peer& peer, int) {
    for (std::string request = peer.read_request(); !request.empty();
         request = peer.read_request()) {
      peer.answer(request.substr(request.rfind('\n') + 1));
    }
  });
  {
    const auto outbound = make_outbound("test", far.origin(), 3);
    std::atomic<int> right{0};
    std::vector<std::thread> callers;
    for (int t = 0; t < 8; ++t) {
      callers.emplace_back([&, t] {
        for (int i = 0; i < 50; ++i) {
          const std::string body = std::to_string(t) + ":" + std::to_string(i);
          right += outbound->call(post(body)).body == body ? 1 : 0;
        }
      });
    }
    for (std::thread& caller : callers) caller.join();
    CHECK(right == 400);
  }
  CHECK(far.connections() <= 3);
}

TEST_CASE("the observer hears every call once") {
  FarSide far([](Peer& peer, int) {
    peer.read_request();
    peer.say("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
  });
  std::vector<std::string> heard;
  set_outbound_observer([&](std::string_view party, std::string_view outcome, std::int64_t ms) {
    heard.push_back(std::string(party) + " " + std::string(outcome) + (ms < 0 ? " negative" : ""));
  });
  make_outbound("wechat", far.origin())->call(get());
  make_outbound("nobody", "http://127.0.0.1:1")->call(get());
  set_outbound_observer({});
  make_outbound("nobody", "http://127.0.0.1:1")->call(get());
  REQUIRE(heard.size() == 2);
  CHECK(heard[0] == "wechat 5xx");
  CHECK(heard[1] == "nobody connect_failed");
}

TEST_CASE("what would split a request or name no origin is our own bug") {
  const auto outbound = make_outbound("test", "http://127.0.0.1:1");
  auto request = get();
  for (const char* target : {"", "path", "/a b", "/a\r\nX: y", "/充值"}) {
    request.target = target;
    CHECK_THROWS_AS(outbound->call(request), InvariantBroken);
  }
  for (const auto& header :
       std::vector<std::pair<std::string, std::string>>{{"X", "a\r\nY: b"},
                                                        {"X", std::string("a\0b", 3)},
                                                        {"X: y", "a"},
                                                        {"", "a"},
                                                        {"X\n", "a"}}) {
    request = get();
    request.headers = {header};
    CHECK_THROWS_AS(outbound->call(request), InvariantBroken);
  }
  request = get();
  request.method = "DELETE";
  CHECK_THROWS_AS(outbound->call(request), InvariantBroken);
  for (const char* origin : {"", "127.0.0.1", "ftp://a", "http://", "http://a/b", "http://a:",
                             "http://a:x", "http://a:0", "http://a:65536", "http://user@a"}) {
    CAPTURE(origin);
    CHECK_THROWS_AS(make_outbound("test", origin), InvariantBroken);
  }
}
