// The shop's self-test of its own addresses (F028): what stands in the way is named.
#include "server/parties/notify_probe.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"
#include "tests/support/scripted_outbound.h"
#include "tests/support/seeded_random.h"

namespace topup::parties {
namespace {

using Reply = base::OutboundReply;
using testing::ScriptedOutbound;

// Hands calls to an object that outlives it.
class Passed final : public base::Outbound {
 public:
  explicit Passed(base::Outbound& to) : to_(to) {}
  Reply call(const base::OutboundRequest& request) override { return to_.call(request); }

 private:
  base::Outbound& to_;
};

struct Probing {
  testing::ScratchShop shop;
  testing::ManualClock clock;
  testing::SeededRandom random{3};
  privacy::Pii pii{std::string(32, 'k'), random};
  ScriptedOutbound wire;
  int made = 0;
  NotifyProbe probe{shop.db(),
                    pii,
                    clock,
                    random,
                    [this](const std::string&) {
                      ++made;
                      return std::make_unique<Passed>(wire);
                    },
                    [](const std::string& host) -> std::vector<std::string> {
                      if (host == "shop.example.com") return {"93.184.216.34"};
                      if (host == "inside.example.com") return {"10.0.0.8"};
                      return {};
                    }};
  const std::string path = "/notify/wechat";

  // This shop answers itself, as its routes do.
  void then_itself() {
    wire.then([this](const base::OutboundRequest& request) {
      Reply reply;
      reply.kind = Reply::Kind::answered;
      reply.status = 200;
      reply.body = R"({"proof":")" +
                   probe.answer(request.target, ScriptedOutbound::header(request, kProbeHeader)) +
                   "\"}";
      return reply;
    });
  }
  Probed run(const std::string& origin = "https://shop.example.com") {
    const ProbeReport report = probe.run(origin, {path});
    REQUIRE(report.paths.size() == 1);
    CHECK(report.is_well() == report.paths.front().is_well);
    return report.paths.front();
  }
};

std::string at(const Probed& one) { return std::string(one.step) + " " + std::string(one.reason); }

TEST_CASE("F028: a shop that reaches itself from outside says so") {
  Probing here;
  here.then_itself();
  const ProbeReport report = here.probe.run("https://shop.example.com", {here.path});
  CHECK(report.is_well());
  CHECK(report.reach == Reach::outside);
  const auto asked = here.wire.requests().front();
  CHECK(asked.method == "POST");
  CHECK(asked.target == here.path);
  CHECK(asked.deadline_ms <= kProbeMs);
}

TEST_CASE("F028: an address that no channel would call is refused before anything is called") {
  Probing here;
  CHECK(at(here.run("http://shop.example.com")) == "address not_https");
  CHECK(at(here.run("https://192.168.1.2")) == "address not_public");
  CHECK(at(here.run("https://localhost")) == "address not_public");
  CHECK(at(here.run("https://shop.example.com?a=1")) == "address has_query");
  CHECK(here.wire.calls() == 0);
}

TEST_CASE("A-15: a public name that leads inside is refused, and nothing is called") {
  Probing here;
  CHECK(at(here.run("https://inside.example.com")) == "name name_private");
  CHECK(at(here.run("https://nowhere.example.com")) == "name name_unknown");
  CHECK(here.wire.calls() == 0);
}

TEST_CASE("F028: connection, TLS, path, status and a foreign server are told apart") {
  Probing here;
  const auto fail = [&](Reply::Kind kind, const char* why) {
    here.wire.then([kind, why](const base::OutboundRequest&) {
      Reply reply;
      reply.kind = kind;
      reply.failure = why;
      return reply;
    });
    return at(here.run());
  };
  CHECK(fail(Reply::Kind::not_sent, "connect_failed") == "connection connect_failed");
  CHECK(fail(Reply::Kind::not_sent, "tls_failed") == "tls tls_failed");
  CHECK(fail(Reply::Kind::not_sent, "address_refused") == "name name_private");
  CHECK(fail(Reply::Kind::no_answer, "deadline") == "connection too_slow");
  CHECK(fail(Reply::Kind::no_answer, "connection_lost") == "connection connection_lost");
  const auto answer = [&](int status, const char* body, ScriptedOutbound::Headers headers = {}) {
    here.wire.then_answer(status, body, std::move(headers));
    return here.run();
  };
  CHECK(at(answer(404, "")) == "status not_found");
  CHECK(at(answer(403, "")) == "status refused");
  CHECK(at(answer(502, "")) == "status server_error");
  const Probed moved = answer(301, "", {{"location", "https://www.example.com/"}});
  CHECK(at(moved) == "status redirected");
  CHECK(moved.detail == "301 https://www.example.com/");
  CHECK(at(answer(200, "<html>Welcome to nginx</html>")) == "proof another_server");
  CHECK(at(answer(200, R"({"proof":"made up"})")) == "proof another_server");
}

TEST_CASE("F028: nothing more is called after nobody answered, and every path has its line") {
  Probing here;
  here.wire.then_not_sent();
  const auto report =
      here.probe.run("https://shop.example.com", {"/notify/wechat", "/notify/alipay"});
  REQUIRE(report.paths.size() == 2);
  CHECK(report.paths[1].path == "/notify/alipay");
  CHECK(at(report.paths[1]) == "connection connect_failed");
  CHECK(here.wire.calls() == 1);
}

TEST_CASE(
    "F028: a nonce is answered once, at its own path, while it is fresh, and only by its shop") {
  Probing here;
  std::string nonce;
  here.wire.then([&](const base::OutboundRequest& request) {
    nonce = ScriptedOutbound::header(request, kProbeHeader);
    return Reply();
  });
  (void)here.run();
  REQUIRE_FALSE(nonce.empty());
  CHECK(here.probe.answer("/notify/alipay", nonce).empty());
  std::string forged = nonce;
  forged.back() = forged.back() == '0' ? '1' : '0';
  CHECK(here.probe.answer(here.path, forged).empty());
  CHECK(here.probe.answer(here.path, "").empty());
  CHECK_FALSE(here.probe.answer(here.path, nonce).empty());
  CHECK(here.probe.answer(here.path, nonce).empty());
  here.wire.then([&](const base::OutboundRequest& request) {
    nonce = ScriptedOutbound::header(request, kProbeHeader);
    return Reply();
  });
  (void)here.run();
  here.clock.advance(kProbeGoodMs + 1);
  CHECK(here.probe.answer(here.path, nonce).empty());
}

TEST_CASE("F028: a shop on this machine reaches itself, but only for parties that run here") {
  Probing here;
  here.then_itself();
  const auto report = here.probe.run("http://127.0.0.1:8080", {here.path});
  CHECK(report.is_well());
  CHECK(report.reach == Reach::this_machine);
}

}  // namespace
}  // namespace topup::parties
