#include "server/payments/channel_health.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

#include "server/payments/channel_choice.h"
#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"
#include "tests/support/scripted_parties.h"

namespace topup::payments {
namespace {

using Heard = ChannelHealth::Heard;

struct Watch {
  testing::QuietLog quiet;
  testing::ManualClock clock;
  ChannelHealth health{clock};
  Watch() {
    health.add("wechat", "no_such_party");
    health.add("alipay", "no_such_party_either");
  }
  void hear(const std::string& channel, Heard heard, int times = 1, std::int64_t ms = 50) {
    for (int i = 0; i < times; ++i) health.record(channel, heard, ms);
  }
  std::string state(const std::string& channel = "wechat") const {
    return std::string(to_word(health.report(channel).health));
  }
};

}  // namespace

TEST_CASE("F017: a channel turns amber with some bad answers and red with many") {
  Watch watch;
  CHECK(watch.state() == "green");
  watch.hear("wechat", Heard::good, 6);
  watch.hear("wechat", Heard::bad, 1);
  CHECK(watch.state() == "green");
  watch.hear("wechat", Heard::bad, 1);
  CHECK(watch.state() == "amber");
  watch.hear("wechat", Heard::bad, 3);
  CHECK(watch.state() == "amber");  // five of eleven
  watch.hear("wechat", Heard::bad, 1);
  CHECK(watch.state() == "red");
  CHECK(watch.health.report("wechat").why == "errors");
  CHECK(watch.state("alipay") == "green");
  CHECK(watch.health.report("of nobody").health == Health::green);
}

TEST_CASE("F017: two answers about the shop's own standing are enough, one is not") {
  Watch watch;
  watch.hear("wechat", Heard::good, 40);
  watch.hear("wechat", Heard::own_trouble);
  CHECK(watch.state() == "green");
  watch.hear("wechat", Heard::good);
  watch.hear("wechat", Heard::own_trouble, 2);
  CHECK(watch.state() == "red");
  CHECK(watch.health.report("wechat").why == "own_trouble");
}

TEST_CASE("F017: slow answers make amber, and what is long ago counts no more") {
  Watch watch;
  watch.hear("wechat", Heard::good, 5, kSlowMs);
  CHECK(watch.state() == "amber");
  CHECK(watch.health.report("wechat").why == "slow");
  watch.clock.advance(kHealthWindowMs + 1);
  CHECK(watch.state() == "green");
  watch.hear("wechat", Heard::bad, 3);
  watch.clock.advance(kHealthWindowMs + 1);
  watch.hear("wechat", Heard::bad, 2);
  CHECK(watch.state() == "amber");
}

TEST_CASE(
    "F017: a red channel stays red without calls, and comes back after two good ones in a row") {
  Watch watch;
  watch.hear("wechat", Heard::bad, 5);
  REQUIRE(watch.state() == "red");
  CHECK(watch.health.due_trials().empty());
  watch.clock.advance(kHealthWindowMs + 1);
  CHECK(watch.state() == "red");
  CHECK(watch.health.due_trials() == std::vector<std::string>{"wechat"});
  CHECK(watch.health.due_trials().empty());  // once for each interval
  watch.hear("wechat", Heard::good);
  CHECK(watch.state() == "red");
  watch.hear("wechat", Heard::bad);
  watch.hear("wechat", Heard::good);
  CHECK(watch.state() == "red");
  watch.hear("wechat", Heard::good);
  CHECK(watch.state() == "green");
  watch.clock.advance(kTrialEveryMs);
  CHECK(watch.health.due_trials().empty());
}

TEST_CASE("F017: the watched channel tells outcomes apart") {
  Watch watch;
  auto scripted = std::make_unique<testing::ScriptedChannel>("wechat");
  testing::ScriptedChannel* channel = scripted.get();
  const auto watched_channel = watched(std::move(scripted), watch.health, watch.clock);
  const OutTradeNo number("T1");
  const auto bad = [&] { return watch.health.report("wechat").bad; };
  const auto query = [&](Outcome<Trade> outcome) {
    channel->queries.then(std::move(outcome));
    (void)watched_channel->query(number);
  };
  query(testing::ScriptedChannel::trade(number, TradeState::not_paid));
  CHECK(bad() == 0);
  query(Unknown{"http_502"});
  CHECK(bad() == 1);
  query(Unknown{"not_refunded_yet"});  // a whole answer that leaves the question open
  CHECK(bad() == 1);
  CHECK(watch.health.report("wechat").calls == 3);
  query(Unknown{"not_sent"});
  CHECK(bad() == 2);
}

TEST_CASE("F017: the choice follows the operator's order, with the red ones last") {
  Watch watch;
  Channels channels;
  for (const char* name : {"wechat", "alipay"}) {
    auto channel = std::make_unique<testing::ScriptedChannel>(name);
    channel->offers_all_but = Scene::native;
    channels.add(std::move(channel));
  }
  const ChannelChoice choice(channels, watch.health,
                             {{"h5", {"alipay", "wechat"}}, {"mini_program", {"wechat"}}});
  std::string alternative;
  const auto pick = [&](std::string_view scene, std::string_view wanted) {
    const auto picked = choice.pick(scene, wanted, &alternative);
    return picked ? *picked : "refused:" + std::string(picked.error().reason);
  };
  CHECK(pick("h5", "") == "alipay");
  CHECK(pick("h5", "wechat") == "wechat");
  CHECK(pick("jsapi", "") == "wechat");  // no order given: as they were added
  CHECK(pick("h5", "paypal") == "refused:channel_unknown");
  CHECK(pick("mini_program", "alipay") == "refused:scene_not_offered");
  CHECK(pick("native", "") == "refused:scene_not_offered");
  watch.hear("alipay", Heard::bad, 5);
  CHECK(pick("h5", "") == "wechat");
  CHECK(pick("h5", "alipay") == "refused:channel_unhealthy");
  CHECK(alternative == "wechat");
  CHECK(choice.offers("h5").back().channel == "alipay");
  watch.hear("wechat", Heard::bad, 5);  // nothing better is left: let the buyer try
  CHECK(pick("h5", "alipay") == "alipay");
  CHECK(pick("h5", "") == "alipay");
  CHECK(pick("mini_program", "") == "wechat");
}

TEST_CASE("F017: what the operator pauses is offered to nobody") {
  Watch watch;
  Channels channels;
  channels.add(std::make_unique<testing::ScriptedChannel>("wechat"));
  channels.add(std::make_unique<testing::ScriptedChannel>("alipay"));
  std::string paused = "wechat";
  const ChannelChoice choice(channels, watch.health, {},
                             [&paused](std::string_view name) { return name == paused; });
  std::string alternative;
  CHECK(*choice.pick("h5", "", &alternative) == "alipay");
  CHECK(choice.pick("h5", "wechat", &alternative).error().reason == "scene_not_offered");
  paused = "";
  CHECK(*choice.pick("h5", "", &alternative) == "wechat");
}

}  // namespace topup::payments
