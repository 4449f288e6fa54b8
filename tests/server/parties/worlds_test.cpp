// Which world a number belongs to, and that nothing begun in one world is continued in the other.
#include "server/parties/worlds.h"

#include <doctest/doctest.h>

#include <memory>

#include "server/parties/switched_channel.h"
#include "server/parties/switched_supplier.h"
#include "tests/support/manual_clock.h"
#include "tests/support/scripted_parties.h"
#include "tests/support/seeded_random.h"

namespace topup::parties {
namespace {

using testing::ScriptedChannel;
using testing::ScriptedSupplier;

struct Both {
  testing::ManualClock clock;
  testing::SeededRandom random{7};
  Worlds worlds;
  ScriptedChannel* played = nullptr;
  std::shared_ptr<ScriptedChannel> live = std::make_shared<ScriptedChannel>("wechat");
  std::unique_ptr<SwitchedChannel> channel;

  Both() {
    auto made = std::make_unique<ScriptedChannel>("wechat");
    played = made.get();
    channel = std::make_unique<SwitchedChannel>(std::move(made), "wechat_pay", worlds, clock);
    channel->set_live(live);
  }
  OutTradeNo number() { return OutTradeNo("T" + base::new_id(random, clock.wall_ms())); }
  void go(World world) {
    worlds.add("wechat_pay", clock.wall_ms() + kSwitchAfterMs, world);
    clock.advance(kSwitchAfterMs);
  }
};

TEST_CASE("a number stays in the world in which it was made, there and back") {
  Both both;
  const OutTradeNo first = both.number();
  both.go(World::live);
  const OutTradeNo second = both.number();
  both.clock.advance(60'000);
  both.go(World::rehearsed);
  const OutTradeNo third = both.number();
  CHECK(both.worlds.of("wechat_pay", first.text) == World::rehearsed);
  CHECK(both.worlds.of("wechat_pay", second.text) == World::live);
  CHECK(both.worlds.of("wechat_pay", third.text) == World::rehearsed);
  CHECK(both.worlds.of("alipay", second.text) == World::rehearsed);
  CHECK(both.worlds.was_ever_live("wechat_pay"));
  CHECK_FALSE(both.worlds.was_ever_live("alipay"));
}

TEST_CASE("a change is known before it takes effect, and one that was not stored is taken back") {
  Both both;
  const std::int64_t from = both.clock.wall_ms() + kSwitchAfterMs;
  both.worlds.add("wechat_pay", from, World::live);
  CHECK(both.worlds.at("wechat_pay", from - 1) == World::rehearsed);
  CHECK(both.worlds.at("wechat_pay", from) == World::live);
  both.worlds.take_back("wechat_pay", from);
  CHECK(both.worlds.at("wechat_pay", from) == World::rehearsed);
}

payments::PrepayRequest sheet_of(const OutTradeNo& number) {
  payments::PrepayRequest request;
  request.out_trade_no = number;
  request.amount = fen(100);
  return request;
}

TEST_CASE("a payment that began in the rehearsal is asked about, closed and refunded there") {
  Both both;
  const OutTradeNo old = both.number();
  (void)both.channel->prepay(sheet_of(old));
  both.go(World::live);
  (void)both.channel->query(old);
  (void)both.channel->close(old);
  (void)both.channel->refund({OutRefundNo("R1"), old, fen(100), fen(100), ""});
  CHECK(both.played->prepays.calls() == 1);
  CHECK(both.played->queries.calls() == 1);
  CHECK(both.played->closes.calls() == 1);
  CHECK(both.played->refunds.calls() == 1);
  CHECK(both.live->queries.calls() + both.live->closes.calls() + both.live->refunds.calls() == 0);
  const OutTradeNo fresh = both.number();
  (void)both.channel->prepay(sheet_of(fresh));
  (void)both.channel->query(OutTradeNo("TEST123"));
  CHECK(both.live->prepays.calls() == 1);
  CHECK(both.live->queries.calls() == 1);
  CHECK(both.played->prepays.calls() == 1);
}

// Signs a notification about whatever number the body names.
class Notifier final : public payments::PayChannel {
 public:
  explicit Notifier(std::string signature) : signature_(std::move(signature)) {}
  std::string_view name() const override { return "wechat"; }
  payments::Outcome<payments::PrepayTicket> prepay(const payments::PrepayRequest&) override {
    return payments::Unknown{""};
  }
  payments::Outcome<payments::Trade> query(const OutTradeNo&) override {
    return payments::Unknown{""};
  }
  payments::Outcome<payments::Trade> close(const OutTradeNo&) override {
    return payments::Unknown{""};
  }
  payments::Outcome<payments::RefundTrade> refund(const payments::RefundRequest&) override {
    return payments::Unknown{""};
  }
  payments::Outcome<payments::RefundTrade> query_refund(const OutRefundNo&) override {
    return payments::Unknown{""};
  }
  Result<payments::Notification> parse_notify(
      const payments::NotifyRequest& request) const override {
    if (request.headers.front().second != signature_)
      return refuse(Code::forbidden, "signature_invalid");
    return payments::Notification{
        "n", ScriptedChannel::trade(OutTradeNo(request.body), payments::TradeState::paid)};
  }

 private:
  const std::string signature_;
};

TEST_CASE("C-03: what the played party signs never pays a live order, nor the other way round") {
  Both both;
  SwitchedChannel channel(std::make_unique<Notifier>("played"), "wechat_pay", both.worlds,
                          both.clock);
  const OutTradeNo old = both.number();
  const auto hear = [&](const char* signature, const OutTradeNo& number) {
    return channel.parse_notify({{{"signature", signature}}, number.text}).has_value();
  };
  CHECK(hear("played", old));
  channel.set_live(std::make_shared<Notifier>("real"));
  both.go(World::live);
  const OutTradeNo fresh = both.number();
  CHECK(hear("real", fresh));
  CHECK(hear("played", old));
  CHECK_FALSE(hear("played", fresh));
  CHECK_FALSE(hear("real", old));
  CHECK_FALSE(hear("forged", fresh));
}

TEST_CASE("a supplier is asked in the world of its attempt, and refuses money of the other one") {
  Both both;
  auto made = std::make_unique<ScriptedSupplier>("reloadly");
  ScriptedSupplier& played = *made;
  const auto live = std::make_shared<ScriptedSupplier>("reloadly");
  bool is_same_world = true;
  SwitchedSupplier supplier(std::move(made), both.worlds, both.clock,
                            [&](std::string_view, const AttemptId&) { return is_same_world; });
  supplier.set_live(live);
  const auto attempt = [&] {
    return AttemptId("S" + base::new_id(both.random, both.clock.wall_ms()) + "1");
  };
  const AttemptId old = attempt();
  both.worlds.add("reloadly", both.clock.wall_ms() + 1, World::live);
  both.clock.advance(10);
  const AttemptId fresh = attempt();
  (void)supplier.query(old, "");
  (void)supplier.query(fresh, "");
  CHECK(played.queries.calls() == 1);
  CHECK(live->queries.calls() == 1);
  suppliers::SubmitRequest request;
  request.attempt_id = fresh;
  CHECK(supplier.submit(request).state == suppliers::SupplyState::succeeded);
  CHECK(live->submits.calls() == 1);
  is_same_world = false;
  const auto refused = supplier.submit(request);
  CHECK(refused.state == suppliers::SupplyState::rejected);
  CHECK(refused.code == "OTHER_WORLD");
  CHECK(live->submits.calls() == 1);
  CHECK(played.submits.calls() == 0);
}

}  // namespace
}  // namespace topup::parties
