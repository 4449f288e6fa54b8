// Requests with one key through the router, at once.
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "server/http/idempotency_store.h"
#include "server/http/router.h"
#include "tests/races/race.h"
#include "tests/support/order_shop.h"

namespace topup::races {

namespace {

constexpr int kKeys = 8;           // twins share one of them
constexpr int kMostTries = 5'000;  // of a twin that waits for the other's answer

class OneBuyer final : public http::Sessions {
 public:
  explicit OneBuyer(UserId user) : user_(std::move(user)) {}
  Result<bool> authenticate(http::Auth, std::string_view, http::Request& request) override {
    request.user = user_;
    request.session_id = "session";
    return true;
  }

 private:
  UserId user_;
};

// A route that places an order under another number at each call: the key alone keeps a twin from
// having its own.
struct Counter {
  testing::OrderShop shop;
  http::StoredAnswers answers{shop.shop.db(), shop.clock, shop.random};
  OneBuyer sessions{shop.user};
  http::Router router{sessions, answers};
  std::atomic<std::int64_t> calls{0};
  orders::PlaceRequest plan = shop.request("plan");

  Counter() {
    shop.env.settings.max_unpaid_per_user = 1'000'000;
    router.add({"POST", "/buy", http::Auth::buyer, "", http::Pool::store, 4'096, true,
                http::Rate::write, http::Audited::no, http::Level::maintenance,
                [this](const http::Request&) -> Result<http::Response> {
                  orders::PlaceRequest wanted = plan;
                  wanted.client_key = "client-key-" + std::to_string(++calls);
                  orders::PricedQuote shown;
                  const auto placed = shop.orders.place(wanted, &shown);
                  if (!placed) return tl::unexpected<Error>(placed.error());
                  return http::Response::json({{"order_id", placed->order.id.text}}, 201);
                }});
  }
  http::Response ask(const std::string& key, const std::string& body) {
    std::vector<std::pair<std::string, std::string>> captures;
    const http::Route* route = router.match("POST", "/buy", &captures);
    http::Request request;
    request.method = "POST";
    request.path = "/buy";
    request.headers = {{"idempotency-key", key}};
    request.body = body;
    request.client_address = "203.0.113.7";
    return router.handle(*route, std::move(request));
  }
  // As a client that got "in flight" asks again.
  http::Response ask_until_answered(const std::string& key, const std::string& body) {
    http::Response answer = ask(key, body);
    for (int i = 0; i < kMostTries && answer.problem_reason == "idempotency_in_flight"; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      answer = ask(key, body);
    }
    return answer;
  }
};

}  // namespace

void twins(const Effort& effort, Tally& tally) {
  Counter counter;
  for (; tally.time_left(); ++tally.rounds) {
    const auto key = [&](int t) {
      return "twin-key-" + std::to_string(tally.rounds * kKeys + t % kKeys + 10'000'000);
    };
    std::vector<http::Response> answers(static_cast<std::size_t>(effort.threads));
    crowd(effort.threads, [&](int t) {
      answers[static_cast<std::size_t>(t)] = counter.ask_until_answered(key(t), "{}");
      ++tally.acts;
    });
    for (int t = 0; t < effort.threads; ++t) {
      const http::Response& answer = answers[static_cast<std::size_t>(t)];
      tally.same(answer.status, 201, "status of a twin's answer");
      tally.same(answer.body, answers[static_cast<std::size_t>(t % kKeys)].body,
                 "answer of a twin");
    }
    tally.expect(answers[0].body != answers[1].body, "two keys had one answer");
    const std::int64_t wanted = (tally.rounds + 1) * kKeys;
    tally.same(counter.calls.load(), wanted, "calls of the handler");
    tally.same(counter.shop.shop.integer("SELECT COUNT(*) FROM orders"), wanted, "orders");
    tally.same(std::string(counter.ask(key(0), "{\"other\":1}").problem_reason),
               "idempotency_key_reused", "the key with another body");
  }
  tally.same(counter.shop.broken_books(), "", "the books");
}

}  // namespace topup::races
