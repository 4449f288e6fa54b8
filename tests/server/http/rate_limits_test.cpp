#include "server/http/rate_limits.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <set>
#include <string>

#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"
#include "tests/support/seeded_random.h"
#include "tests/support/together.h"

namespace topup::http {
namespace {

const RateRow& row_of(Rate rate) { return kRateTable.at(static_cast<std::size_t>(rate) - 1); }

struct Desk {
  testing::ManualClock clock;
  testing::SeededRandom random{7};
  RateLimits limits{clock, random};

  int take_all(Rate rate, Payer payer, std::string_view who, int at_most = 100'000) {
    int taken = 0;
    while (taken < at_most && limits.take(rate, payer, who) == 0) ++taken;
    return taken;
  }
};

TEST_CASE("limits: each rate gives its capacity at once, then its refill and no more") {
  for (const RateRow& row : kRateTable) {
    Desk desk;
    CAPTURE(word_of(row.rate));
    CHECK(desk.take_all(row.rate, Payer::address, "203.0.113.7") == row.address.capacity);
    CHECK(desk.take_all(row.rate, Payer::device, "203.0.113.7") == row.device.capacity);
    CHECK(desk.take_all(row.rate, Payer::user, "203.0.113.7") == row.user.capacity);
    const std::int64_t wait = desk.limits.take(row.rate, Payer::user, "203.0.113.7");
    CHECK(wait > 0);
    desk.clock.advance(wait - 1);
    CHECK(desk.limits.take(row.rate, Payer::user, "203.0.113.7") == 1);
    desk.clock.advance(1);
    CHECK(desk.limits.take(row.rate, Payer::user, "203.0.113.7") == 0);
    desk.clock.advance(row.user.interval_ms);
    CHECK(desk.take_all(row.rate, Payer::user, "203.0.113.7") ==
          std::min(row.user.capacity, row.user.refill));
  }
  Desk desk;
  CHECK(desk.take_all(Rate::free, Payer::address, "203.0.113.7", 5'000) == 5'000);
}

TEST_CASE("limits: one's haste is paid by nobody else, and one rate not by another") {
  Desk desk;
  desk.take_all(Rate::write, Payer::user, "user-1");
  CHECK(desk.limits.take(Rate::write, Payer::user, "user-2") == 0);
  CHECK(desk.limits.take(Rate::read, Payer::user, "user-1") == 0);
  CHECK(desk.limits.take(Rate::write, Payer::device, "user-1") == 0);
}

TEST_CASE("limits: a percentage scales every size, and nothing at all is limited at 0") {
  testing::ManualClock clock;
  testing::SeededRandom random{7};
  const auto taken = [&](std::int64_t percent) {
    RateLimits limits(clock, random, percent);
    int count = 0;
    while (count < 10'000 && limits.take(Rate::sign_in, Payer::address, "203.0.113.7") == 0)
      ++count;
    return count;
  };
  CHECK(taken(100) == 60);
  CHECK(taken(2'000) == 1'200);
  CHECK(taken(1) == 1);
  CHECK(taken(0) == 10'000);
}

TEST_CASE("limits: of several nodes each gives its part, and all of them no more than one would") {
  for (const RateRow& row : kRateTable) {
    Desk desk;
    CAPTURE(word_of(row.rate));
    desk.take_all(row.rate, Payer::address, "203.0.113.8", 1);
    desk.limits.share_among(3);
    const std::int64_t part = desk.take_all(row.rate, Payer::device, "device");
    CHECK(part * 3 >= row.device.capacity);
    CHECK(part * 3 < row.device.capacity + 3);
    // What was saved up while the node was alone is cut as well.
    CHECK(desk.take_all(row.rate, Payer::address, "203.0.113.8") * 3 < row.address.capacity + 3);
    desk.clock.advance(row.device.interval_ms);
    CHECK(desk.take_all(row.rate, Payer::device, "device") <= part);
    desk.limits.share_among(1);
    desk.clock.advance(2 * row.device.interval_ms * row.device.capacity);
    CHECK(desk.take_all(row.rate, Payer::device, "device") == row.device.capacity);
  }
}

TEST_CASE("limits: a flood of made-up names does not give its sender a fresh bucket") {
  Desk desk;
  const std::string me = "device-of-mine-0001";
  desk.take_all(Rate::message, Payer::device, me);
  REQUIRE(desk.limits.take(Rate::message, Payer::device, me) > 0);
  // Fifteen times as many names as there are buckets: every set overflows.
  constexpr std::size_t kNames = 15 * kBucketsEach;
  std::size_t served = 0;
  for (std::size_t i = 0; i < kNames; ++i) {
    served += desk.limits.take(Rate::message, Payer::device, "made-up-" + std::to_string(i)) == 0;
  }
  CHECK(desk.take_all(Rate::message, Payer::device, me) == 0);
  // What does not fit pays together: tokens are bounded as memory is.
  CHECK(served <= kBucketsEach * static_cast<std::size_t>(row_of(Rate::message).device.capacity));
  CHECK(desk.limits.take(Rate::message, Payer::address, "198.51.100.1") == 0);
  // Once the buckets are full again they are anybody's.
  desk.clock.advance(10 * kPerHour);
  CHECK(desk.take_all(Rate::message, Payer::device, "somebody-new-00001") ==
        row_of(Rate::message).device.capacity);
  CHECK(desk.take_all(Rate::message, Payer::device, me) == row_of(Rate::message).device.capacity);
}

TEST_CASE("limits: what threads take together is never more than the bucket held") {
  Desk desk;
  std::atomic<int> taken = 0;
  testing::together(4, [&](int) {
    for (int i = 0; i < 2'000; ++i) {
      if (desk.limits.take(Rate::read, Payer::address, "203.0.113.7") == 0) ++taken;
      desk.limits.take(Rate::read, Payer::device, "device-" + std::to_string(i));
    }
  });
  CHECK(taken == row_of(Rate::read).address.capacity);
}

TEST_CASE("H-08: an IPv6 customer has one network of 64 bits, and a mapped IPv4 address is one") {
  struct Row {
    const char* a;
    const char* b;
    bool same;
  };
  const Row rows[] = {
      {"2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true},
      {"2001:db8:1:2::1", "2001:db8:1:3::1", false},
      {"::ffff:203.0.113.7", "203.0.113.7", true},
      {"::ffff:203.0.113.7", "::ffff:203.0.113.8", false},
      {"203.0.113.7", "203.0.113.8", false},
      {"::1", "127.0.0.1", false},
      {"fe80::1%eth0", "fe80::1%eth0", true},
      {"", "", true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.a);
    CAPTURE(row.b);
    CHECK((paying_address(row.a) == paying_address(row.b)) == row.same);
  }
}

class Nobody final : public Sessions {
 public:
  Result<bool> authenticate(Auth, std::string_view, Request& request) override {
    ++asked;
    if (request.header("authorization").empty())
      return refuse(Code::unauthenticated, "session_missing");
    request.user = UserId(std::string(request.header("authorization")));
    return true;
  }
  int asked = 0;
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

struct Shop {
  testing::QuietLog quiet;
  Desk desk;
  Nobody sessions;
  NoAnswers answers;
  Router router{sessions, answers};
  int handled = 0;

  Shop() {
    const auto add = [this](std::string_view path, Auth auth, Rate rate) {
      router.add({"GET", path, auth, "", Pool::compute, 0, false, rate, Audited::no,
                  Level::maintenance, [this](const Request&) -> Result<Response> {
                    ++handled;
                    return Response::json(1);
                  }});
    };
    add("/mine", Auth::buyer, Rate::write);
    add("/open", Auth::none, Rate::write);
    add("/healthz", Auth::none, Rate::free);
    router.limit(desk.limits);
  }
  Response ask(std::string_view path, const std::string& address,
               std::vector<std::pair<std::string, std::string>> headers = {}) {
    Request request;
    request.method = "GET";
    request.path = path;
    request.client_address = address;
    request.headers = std::move(headers);
    return router.handle(*router.match("GET", path, nullptr), std::move(request));
  }
  // How many are served before the first 429.
  int until_refused(std::string_view path, const std::string& address,
                    const std::vector<std::pair<std::string, std::string>>& headers = {}) {
    int served = 0;
    while (served < 10'000 && ask(path, address, headers).status != 429) ++served;
    return served;
  }
};

TEST_CASE("limits: an address is refused with Retry-After before anybody's session is looked up") {
  Shop shop;
  CHECK(shop.until_refused("/mine", "203.0.113.7") == row_of(Rate::write).address.capacity);
  const int asked = shop.sessions.asked;
  const Response refused = shop.ask("/mine", "203.0.113.7", {{"authorization", "user-1"}});
  CHECK(shop.sessions.asked == asked);
  CHECK(shop.handled == 0);
  CHECK(refused.status == 429);
  const base::Json body = base::Json::parse(refused.body);
  CHECK(body["reason"] == "too_many_requests");
  CHECK(body["code"] == "rate_limited");
  CHECK(body["detail"] == "1");
  const std::pair<std::string, std::string> again{"Retry-After", "1"};
  CHECK(std::find(refused.headers.begin(), refused.headers.end(), again) != refused.headers.end());
  CHECK(shop.ask("/mine", "203.0.113.8", {{"authorization", "user-1"}}).status == 200);
  CHECK(shop.ask("/healthz", "203.0.113.7").status == 200);
}

TEST_CASE("H-08: a limit is kept by the socket's address, whatever the headers claim") {
  Shop shop;
  int served = 0;
  for (int i = 0; i < 400; ++i) {
    const std::string claimed = "198.51.100." + std::to_string(i % 250);
    served += shop.ask("/open", "203.0.113.7",
                       {{"x-forwarded-for", claimed},
                        {"x-real-ip", claimed},
                        {"remote-addr", claimed},
                        {"forwarded", "for=" + claimed}})
                  .status == 200;
  }
  CHECK(served == row_of(Rate::write).address.capacity);
}

TEST_CASE("limits: a buyer is limited on every address, and a device on each of its own") {
  Shop shop;
  int served = 0;
  for (int i = 0; i < 200; ++i) {
    served +=
        shop.ask("/mine", "203.0.113." + std::to_string(i), {{"authorization", "user-1"}}).status ==
        200;
  }
  CHECK(served == row_of(Rate::write).user.capacity);
  CHECK(shop.ask("/mine", "203.0.113.1", {{"authorization", "user-2"}}).status == 200);
  const std::string device = "abcdefghijklmnop";
  served = 0;
  for (int i = 0; i < 200; ++i) {
    served +=
        shop.ask("/open", "198.51.100." + std::to_string(i), {{"x-device-id", device}}).status ==
        200;
  }
  CHECK(served == row_of(Rate::write).device.capacity);
}

TEST_CASE("limits: a device names itself with 16 to 64 plain characters or not at all") {
  const auto device = [](const std::string& text) {
    Request request;
    request.headers = {{"x-device-id", text}};
    return std::string(device_of(request));
  };
  CHECK(device(std::string(16, 'a')).size() == 16);
  CHECK(device(std::string(64, '-')).size() == 64);
  CHECK(device(std::string(15, 'a')).empty());
  CHECK(device(std::string(65, 'a')).empty());
  CHECK(device("0123456789abcde\n").empty());
  CHECK(device("0123456789abcde/").empty());
}

TEST_CASE("limits: a check costs a fraction of a microsecond; ten are asked for") {
  base::SystemClock clock;
  testing::SeededRandom random{7};
  RateLimits limits(clock, random);
  constexpr int kChecks = 100'000;
  const auto ns_each = [&](auto&& who) {
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < kChecks; ++i) (void)limits.take(Rate::read, Payer::address, who(i));
    const auto took = std::chrono::steady_clock::now() - began;
    return std::chrono::duration_cast<std::chrono::nanoseconds>(took).count() / kChecks;
  };
  const std::string mine = "203.0.113.7";
  const auto same = ns_each([&](int) { return std::string_view(mine); });
  std::string made_up;
  const auto others = ns_each([&](int i) {
    made_up = std::to_string(i) + ".example";
    return std::string_view(made_up);
  });
  MESSAGE("one address " << same << " ns, ever another one " << others << " ns a check");
  CHECK(same < 10'000);
  CHECK(others < 10'000);
}

}  // namespace
}  // namespace topup::http
