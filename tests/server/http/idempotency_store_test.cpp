#include "server/http/idempotency_store.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "server/jobs/node_roll.h"
#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"
#include "tests/support/seeded_random.h"
#include "tests/support/together.h"

namespace topup::http {
namespace {

constexpr std::string_view kKey = "client-key-000001";

struct Desk {
  testing::ManualClock clock;
  testing::SeededRandom random{1};
  testing::ScratchShop shop;
  StoredAnswers answers{shop.db(), clock, random};

  // "" when the caller may go on, else why not.
  static std::string asked(StoredAnswers& of, std::string_view fingerprint = "body") {
    const auto claimed = of.claim("user-1", kKey, fingerprint);
    if (!claimed) return std::string(claimed.error().reason);
    return claimed->has_value() ? "replayed " + (*claimed)->body : "";
  }
};

class SometimesAway final : public storage::Db {
 public:
  explicit SometimesAway(storage::Db& db) : db_(db) {}
  void read(const std::function<void(storage::Reader&)>& body) override { db_.read(body); }
  void write(const std::function<bool(storage::Tx&)>& body) override {
    if (is_away) throw storage::SqlError("away", false, true);
    db_.write(body);
  }
  std::string engine() const override { return db_.engine(); }
  void on_group(std::function<void(std::size_t)>) override {}
  bool is_away = false;

 private:
  storage::Db& db_;
};

TEST_CASE("idempotency: a key is claimed once, and its answer is given again") {
  Desk desk;
  CHECK(Desk::asked(desk.answers) == "");
  CHECK(Desk::asked(desk.answers) == "idempotency_in_flight");
  CHECK(Desk::asked(desk.answers, "another body") == "idempotency_key_reused");
  desk.answers.keep("user-1", kKey, Response::json({{"id", 7}}, 201));
  CHECK(Desk::asked(desk.answers) == "replayed {\"id\":7}");
  CHECK(Desk::asked(desk.answers, "another body") == "idempotency_key_reused");
}

TEST_CASE("idempotency: a released key may be claimed again at once") {
  Desk desk;
  CHECK(Desk::asked(desk.answers) == "");
  desk.answers.release("user-1", kKey);
  CHECK(Desk::asked(desk.answers) == "");
}

TEST_CASE(
    "idempotency: a claim that could not be taken back while the store was away holds up nobody") {
  Desk desk;
  SometimesAway store(desk.shop.db());
  StoredAnswers answers(store, desk.clock, desk.random);
  CHECK(Desk::asked(answers) == "");
  store.is_away = true;
  CHECK_THROWS_AS(answers.release("user-1", kKey), storage::SqlError);
  store.is_away = false;
  CHECK(Desk::asked(answers) == "");
  CHECK(Desk::asked(answers) == "idempotency_in_flight");
}

TEST_CASE("idempotency: a claim of another process counts where that process may be alive") {
  Desk desk;
  StoredAnswers other(desk.shop.db(), desk.clock, desk.random);
  CHECK(Desk::asked(other) == "");
  // One process at a time has a file open: the other one is dead. A database has many.
  CHECK(Desk::asked(desk.answers) ==
        (testing::ScratchShop::is_postgres() ? "idempotency_in_flight" : ""));
  desk.clock.advance(kClaimMs);
  CHECK(Desk::asked(desk.answers) == "");
}

TEST_CASE("idempotency: a claim of a process that is known to be gone is taken at once") {
  Desk desk;
  jobs::NodeRoll roll(desk.shop.db(), desk.clock, "node", "killed");
  (void)roll.beat();
  StoredAnswers killed(desk.shop.db(), desk.clock, roll.process());
  CHECK(Desk::asked(killed) == "");
  if (testing::ScratchShop::is_postgres())
    CHECK(Desk::asked(desk.answers) == "idempotency_in_flight");
  desk.clock.advance(jobs::NodeRoll::kGoneMs);
  CHECK(Desk::asked(desk.answers) == "");
}

TEST_CASE("I-01: of a hundred claims at once one goes on, whichever commit they share") {
  for (int round = 0; round < 5; ++round) {
    Desk desk;
    std::atomic<int> went_on = 0, in_flight = 0;
    testing::together(8, [&](int) {
      for (int i = 0; i < 13; ++i) {
        const std::string said = Desk::asked(desk.answers);
        went_on += said.empty();
        in_flight += said == "idempotency_in_flight";
      }
    });
    CHECK(went_on == 1);
    CHECK(in_flight == 8 * 13 - 1);
  }
}

TEST_CASE(
    "I-01: a key is free again only when its row has gone, for one of many that wait for it") {
  Desk desk;
  std::atomic<int> running = 0, most = 0;
  testing::together(8, [&](int) {
    for (int i = 0; i < 50; ++i) {
      if (!Desk::asked(desk.answers).empty()) continue;
      const int now = ++running;
      if (now > most) most = now;
      std::this_thread::sleep_for(std::chrono::microseconds(300));  // its work
      --running;
      desk.answers.release("user-1", kKey);
    }
  });
  CHECK(most == 1);
  CHECK(Desk::asked(desk.answers) == "");
  CHECK(Desk::asked(desk.answers) == "idempotency_in_flight");
}

TEST_CASE("idempotency: answers are kept for their time, then pruned in small steps") {
  Desk desk;
  constexpr int kOld = 1'200;
  desk.shop.db().write([&](storage::Tx& tx) {
    for (int i = 0; i < kOld; ++i) {
      tx.exec(
          "INSERT INTO idempotency (owner, idempotency_key, fingerprint, claimed_by, status, "
          "created_at_ms) VALUES ($1, $2, 'body', 'process', 200, $3)",
          {"user-old", std::to_string(i), desk.clock.wall_ms()});
    }
    return true;
  });
  CHECK(desk.answers.prune() == 0);
  desk.clock.advance(kAnswerKeptMs);
  CHECK(Desk::asked(desk.answers) == "");
  desk.answers.keep("user-1", kKey, Response::json(7));
  CHECK(desk.answers.prune() == 0);  // at its very age it is still given again
  desk.clock.advance(1);
  CHECK(desk.answers.prune() == kPrunedAtOnce);
  CHECK(desk.answers.prune() == kPrunedAtOnce);
  CHECK(desk.answers.prune() == kOld - 2 * kPrunedAtOnce);
  CHECK(desk.answers.prune() == 0);
  CHECK(Desk::asked(desk.answers) == "replayed 7");
}

}  // namespace
}  // namespace topup::http
