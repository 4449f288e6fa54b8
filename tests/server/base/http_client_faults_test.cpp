// What a hostile or broken party and its name server can do to the shop: rows S-01, S-03, S-05 and
// S-07 of the table of threats.

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "server/base/http_client.h"
#include "server/base/json.h"
#include "server/base/party_gate.h"
#include "tests/support/far_side.h"
#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"

namespace topup::base {
namespace {

using testing::FarSide;
using testing::pause_ms;
using testing::Peer;
using Kind = OutboundReply::Kind;
using State = CircuitBreaker::State;

constexpr std::int64_t kGraceMs = 500;

OutboundRequest asked(std::int64_t deadline_ms = 2'000) {
  OutboundRequest request;
  request.method = "POST";
  request.target = "/pay";
  request.body = "{}";
  request.deadline_ms = deadline_ms;
  return request;
}

struct Timed {
  OutboundReply reply;
  std::int64_t ms = 0;
};

Timed timed(Outbound& outbound, const OutboundRequest& request) {
  const SystemClock clock;
  const std::int64_t start = clock.mono_ms();
  Timed result;
  result.reply = outbound.call(request);
  result.ms = clock.mono_ms() - start;
  return result;
}

std::int64_t resident_kb() {
  std::ifstream status("/proc/self/status");
  std::int64_t kb = 0;
  for (std::string word; status >> word;) {
    if (word == "VmRSS:") status >> kb;
  }
  return kb;
}

std::string port_of(const FarSide& far) { return far.origin().substr(far.origin().rfind(':')); }

OutboundHealth health_of(const std::string& party) {
  for (const OutboundHealth& health : outbound_health()) {
    if (health.party == party) return health;
  }
  return {};
}

// A name server that says what the test wants, and can be made to say nothing.
class NameServer {
 public:
  Resolver::Lookup lookup() const {
    return [state = state_](const std::string&) {
      std::unique_lock lock(state->mutex);
      ++state->asked;
      state->changed.wait(lock, [&] { return !state->is_silent; });
      return state->answers;
    };
  }
  void say(std::vector<std::string> answers) const {
    const std::lock_guard lock(state_->mutex);
    state_->answers = std::move(answers);
  }
  void be_silent(bool is_silent) const {
    {
      const std::lock_guard lock(state_->mutex);
      state_->is_silent = is_silent;
    }
    state_->changed.notify_all();
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::string> answers;
    bool is_silent = false;
    int asked = 0;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

TEST_CASE("S-01: a name server that fails or is silent costs no more than the deadline") {
  const testing::QuietLog quiet;
  const NameServer names;
  OutboundOptions options;
  options.lookup = names.lookup();
  const auto outbound = make_outbound("s01", "https://party.example:9", options);
  const Timed unknown = timed(*outbound, asked(1'000));
  CHECK(unknown.reply.kind == Kind::not_sent);
  CHECK(unknown.reply.failure == "connect_failed");
  CHECK(unknown.ms <= kGraceMs);
  MESSAGE("figure S-01: an unknown name is refused after " << unknown.ms << " ms");
  names.be_silent(true);
  const Timed silent = timed(*outbound, asked(300));
  names.be_silent(false);
  CHECK(silent.reply.kind == Kind::not_sent);
  CHECK(silent.reply.failure == "deadline");
  CHECK(silent.ms >= 300);
  CHECK(silent.ms <= 300 + kGraceMs);
}

TEST_CASE("S-01: a name that turns to an inner address is refused there and then") {
  const testing::QuietLog quiet;
  FarSide inner([](Peer& peer, int) { peer.read_request(); });
  const NameServer names;
  OutboundOptions options;
  options.lookup = names.lookup();
  const auto outbound = make_outbound("s01", "https://party.example" + port_of(inner), options);
  names.say({"192.0.2.1"});  // public as far as a number tells, and nobody is there
  CHECK(outbound->call(asked(200)).kind == Kind::not_sent);
  for (const char* address : {"127.0.0.1", "169.254.169.254", "10.1.2.3", "::1", "fe80::1"}) {
    CAPTURE(address);
    names.say({address});
    OutboundReply reply;
    for (int tries = 0; tries < 20 && reply.failure != "address_refused"; ++tries) {
      reply =
          make_outbound("s01", "https://party.example" + port_of(inner), options)->call(asked(500));
    }
    CHECK(reply.failure == "address_refused");
  }
  names.say({"127.0.0.1", "192.0.2.1"});  // a public one among them does not excuse the other
  CHECK(outbound->call(asked(200)).kind == Kind::not_sent);
  CHECK(inner.connections() == 0);
}

TEST_CASE("S-03: a party that fails is left alone, tried again by one, and taken back") {
  const testing::QuietLog quiet;
  std::atomic<int> status{500};
  std::atomic<int> heard{0};
  FarSide far([&](Peer& peer, int) {
    while (!peer.read_request().empty()) {
      ++heard;
      peer.say("HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: 0\r\n\r\n");
    }
  });
  testing::ManualClock clock;
  OutboundOptions options;
  options.clock = &clock;
  {
    const auto outbound = make_outbound("s03", far.origin(), options);
    for (int i = 0; i < 10; ++i) CHECK(outbound->call(asked()).status == 500);
    CHECK(health_of("s03").breaker == State::open);
    CHECK(health_of("s03").recent_errors == 10);
    for (int i = 0; i < 100; ++i) {
      const Timed refused = timed(*outbound, asked());
      CHECK(refused.reply.kind == Kind::not_sent);
      CHECK(refused.reply.failure == "circuit_open");
      CHECK(refused.ms <= 50);
    }
    CHECK(heard == 10);
    clock.advance(30'000);
    CHECK(outbound->call(asked()).status == 500);  // the probe
    CHECK(outbound->call(asked()).failure == "circuit_open");
    CHECK(heard == 11);
    status = 404;  // it answers again; what it says is the caller's business
    clock.advance(30'000);
    CHECK(outbound->call(asked()).status == 404);
    CHECK(health_of("s03").breaker == State::closed);
    CHECK(health_of("s03").opened == 2);
    for (int i = 0; i < 30; ++i) CHECK(outbound->call(asked()).status == 404);
    CHECK(heard == 42);
  }
  CHECK(health_of("s03").party.empty());
}

TEST_CASE("S-03: refused connections and lost answers open the breaker as well") {
  const testing::QuietLog quiet;
  const auto gone = make_outbound("s03 gone", "http://127.0.0.1:1");
  for (int i = 0; i < 10; ++i) CHECK(gone->call(asked()).failure == "connect_failed");
  CHECK(gone->call(asked()).failure == "circuit_open");
  FarSide far([](Peer& peer, int) { peer.read_request(); });  // and hangs up
  const auto mute = make_outbound("s03 mute", far.origin());
  for (int i = 0; i < 10; ++i) CHECK(mute->call(asked()).kind == Kind::no_answer);
  CHECK(mute->call(asked()).failure == "circuit_open");
}

// What the far side pours out after the head, as much of it as anybody takes.
void pour(Peer& peer, std::string_view head, const std::string& piece, std::size_t pieces) {
  if (!peer.say(head)) return;
  for (std::size_t i = 0; i < pieces; ++i) {
    if (!peer.say(piece)) return;
  }
}

TEST_CASE("S-05: whatever a party sends is bounded in memory and time") {
  const testing::QuietLog quiet;
  struct Form {
    const char* name;
    std::function<void(Peer&)> answer;
    std::string_view failure;  // "" for an answer that the adapter must judge
  };
  const std::string megabyte(1 << 20, 'x');
  const std::vector<Form> forms = {
      {"a gigabyte, announced",
       [&](Peer& peer) {
         pour(peer, "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", megabyte, 1'024);
       },
       "answer_too_large"},
      {"a gigabyte in chunks",
       [&](Peer& peer) {
         pour(peer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
              "100000\r\n" + megabyte + "\r\n", 1'024);
       },
       "answer_too_large"},
      {"a gigabyte without a length",
       [&](Peer& peer) {
         pour(peer, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", megabyte, 1'024);
       },
       "answer_too_large"},
      {"a slow drip",
       [](Peer& peer) {
         peer.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
         for (int i = 0; i < 100 && peer.say("x"); ++i) pause_ms(20);
       },
       "deadline"},
      {"a gzip bomb",
       [](Peer& peer) {
         peer.say(
             "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n"
             "\x1f\x8b\x08\x01");
       },
       ""},
      {"HTML", [](Peer& peer) { peer.answer("<html><body>maintenance</body></html>"); }, ""},
      {"JSON nested a hundred thousand deep",
       [](Peer& peer) { peer.answer(std::string(100'000, '[')); }, ""},
      {"NaN", [](Peer& peer) { peer.answer("{\"amount\": NaN}"); }, ""},
      {"half of a JSON", [](Peer& peer) { peer.answer("{\"amount\": "); }, ""},
      {"a redirect to ourselves",
       [](Peer& peer) {
         peer.say(
             "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
             "Content-Length: 0\r\n\r\n");
       },
       ""},
  };
  const std::int64_t before_kb = resident_kb();
  for (const Form& form : forms) {
    CAPTURE(form.name);
    FarSide far([&](Peer& peer, int) {
      if (!peer.read_request().empty()) form.answer(peer);
    });
    // Only the drip has to last until the end.
    const std::int64_t deadline_ms = form.failure == "deadline" ? 400 : 5'000;
    const Timed call = timed(*make_outbound("s05", far.origin()), asked(deadline_ms));
    CHECK(call.ms <= deadline_ms + kGraceMs);
    CHECK(far.connections() == 1);
    if (!form.failure.empty()) {
      CHECK(call.reply.kind == Kind::no_answer);
      CHECK(call.reply.failure == form.failure);
      CHECK(call.reply.body.empty());
    } else {
      CHECK(call.reply.kind == Kind::answered);
      CHECK(call.reply.body.size() <= kMaxAnswerBytes);
      CHECK_FALSE(json_in(call.reply.body, kMaxPartyJsonBytes));
    }
  }
  const std::int64_t grown_kb = resident_kb() - before_kb;
  MESSAGE("figure S-05: " << forms.size() << " forms, memory grew by " << grown_kb << " KB");
  CHECK(grown_kb <= 16 * 1'024);
}

TEST_CASE("S-07: callers of a party that hangs are let go, and those who come later not kept") {
  const testing::QuietLog quiet;
  std::atomic<bool> is_over{false};
  FarSide far([&](Peer& peer, int) {
    peer.read_request();
    while (!is_over) pause_ms(20);
  });
  OutboundOptions options;
  options.max_connections = 2;
  options.max_waiters = 3;
  {
    const auto outbound = make_outbound("s07", far.origin(), options);
    std::mutex mutex;
    std::vector<Timed> ended;
    std::vector<std::thread> callers;
    for (int i = 0; i < 5; ++i) {  // two on the wire, three in wait
      callers.emplace_back([&] {
        Timed call = timed(*outbound, asked(4'000));
        const std::lock_guard lock(mutex);
        ended.push_back(std::move(call));
      });
    }
    while (health_of("s07").waiting < 3) pause_ms(10);
    const Timed one_too_many = timed(*outbound, asked(4'000));
    CHECK(one_too_many.reply.kind == Kind::not_sent);
    CHECK(one_too_many.reply.failure == "party_busy");
    CHECK(one_too_many.ms <= 50);
    while (health_of("s07").waiting > 0) pause_ms(10);
    const Timed late = timed(*outbound, asked(4'000));  // the party has answered nobody for 2 s
    CHECK(late.reply.failure == "party_busy");
    CHECK(late.ms <= 50);
    for (std::thread& caller : callers) caller.join();
    is_over = true;
    std::sort(ended.begin(), ended.end(),
              [](const Timed& a, const Timed& b) { return a.ms < b.ms; });
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(ended[i].reply.failure == "party_busy");
      CHECK(ended[i].ms <= 2'000 + kGraceMs);
    }
    for (std::size_t i = 3; i < 5; ++i) {
      CHECK(ended[i].reply.kind == Kind::no_answer);
      CHECK(ended[i].reply.failure == "deadline");
    }
    CHECK(health_of("s07").recent_errors == 2);  // being busy is held against nobody
  }
}

}  // namespace
}  // namespace topup::base
