#include "server/auth/session.h"

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

#include "server/base/crypto.h"
#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"
#include "tests/support/seeded_random.h"

namespace topup::auth {
namespace {

struct Gate {
  testing::QuietLog quiet;
  testing::ManualClock clock;
  testing::SeededRandom random{1};
  testing::ScratchShop shop;
  Sessions sessions{shop.db(), clock, random};

  // An account whose password is not hashed for 100 ms at each start of a test.
  std::string owner() {
    const auto password = sessions.create_owner();
    REQUIRE(password.has_value());
    return *password;
  }
  std::int64_t locked_for() {
    const std::int64_t until = shop.integer("SELECT locked_until_ms FROM staff");
    return until == 0 ? 0 : until - clock.wall_ms();
  }
  void set_failures(std::int64_t failures) {
    shop.tamper("UPDATE staff SET locked_until_ms = 0, failures = " + std::to_string(failures));
  }
};

TEST_CASE(
    "session: a buyer's token opens the session until its time is over, and is stored as a hash "
    "only") {
  Gate gate;
  const GuestSession guest = gate.sessions.start_guest();
  const auto found = gate.sessions.buyer(guest.token);
  REQUIRE(found.has_value());
  CHECK(*found == guest.user);
  CHECK(guest.token.size() == 43);
  const std::string stored = gate.shop.text("SELECT token_hash FROM sessions");
  CHECK(stored == base::hex(base::sha256(guest.token)));
  gate.clock.advance(kGuestSessionMs - 1);
  CHECK(gate.sessions.buyer(guest.token).has_value());
  gate.clock.advance(1);
  const auto ended = gate.sessions.buyer(guest.token);
  REQUIRE_FALSE(ended.has_value());
  CHECK(ended.error().reason == "session_ended");
}

TEST_CASE("session: what is not a token of ours is nobody") {
  Gate gate;
  const GuestSession guest = gate.sessions.start_guest();
  const std::string hash = gate.shop.text("SELECT token_hash FROM sessions");
  std::string other = guest.token;
  other[0] = other[0] == 'A' ? 'B' : 'A';
  CHECK(gate.sessions.buyer("").error().reason == "session_missing");
  CHECK(gate.sessions.buyer(hash).error().reason == "session_missing");
  CHECK(gate.sessions.buyer(hash.substr(0, 43)).error().reason == "session_ended");
  CHECK(gate.sessions.buyer(other).error().reason == "session_ended");
  CHECK(gate.sessions.buyer(std::string(43, '\0')).error().code == Code::unauthenticated);
  CHECK(gate.sessions.staff(guest.token).error().reason == "session_ended");
}

TEST_CASE("session: the owner is made once, and the password stands nowhere in the clear") {
  Gate gate;
  const std::string password = gate.owner();
  CHECK(password.size() == 20);
  CHECK_FALSE(gate.sessions.create_owner().has_value());
  CHECK(gate.shop.integer("SELECT COUNT(*) FROM staff") == 1);
  const std::string stored = gate.shop.text("SELECT password FROM staff");
  CHECK(stored.starts_with("scrypt$"));
  CHECK(stored.find(password) == std::string::npos);
  CHECK(gate.shop.integer("SELECT COUNT(*) FROM audit_log WHERE action = 'staff.owner_created'") ==
        1);
}

TEST_CASE(
    "session: a wrong name and a wrong password get the same answer, and neither leaves a "
    "session") {
  Gate gate;
  const std::string password = gate.owner();
  const auto wrong_name = gate.sessions.sign_in("nobody", password, TraceId());
  const auto wrong_password = gate.sessions.sign_in("owner", password + "x", TraceId());
  const auto too_long = gate.sessions.sign_in("owner", std::string(257, 'x'), TraceId());
  for (const auto* answer : {&wrong_name, &wrong_password, &too_long}) {
    REQUIRE_FALSE(answer->has_value());
    CHECK(answer->error().code == Code::unauthenticated);
    CHECK(answer->error().reason == "credentials_wrong");
    CHECK(answer->error().field == "");
    CHECK(answer->error().detail == "");
  }
  CHECK(gate.shop.integer("SELECT COUNT(*) FROM staff_sessions") == 0);
  CHECK(gate.shop.integer(
            "SELECT COUNT(*) FROM audit_log WHERE action = 'staff.sign_in_refused'") == 1);
}

TEST_CASE("session: after the free failures each further one locks longer, up to a limit") {
  Gate gate;
  const std::string password = gate.owner();
  struct Row {
    std::int64_t failures_before, locked_ms;
  };
  constexpr Row kRows[] = {{0, 0},
                           {kFreeFailures - 2, 0},
                           {kFreeFailures - 1, 5'000},
                           {kFreeFailures, 10'000},
                           {kFreeFailures + 1, 20'000},
                           {60, kMaxLockMs}};
  for (const Row& row : kRows) {
    CAPTURE(row.failures_before);
    gate.set_failures(row.failures_before);
    CHECK(gate.sessions.sign_in("owner", "wrong", TraceId()).error().reason == "credentials_wrong");
    CHECK(gate.locked_for() == row.locked_ms);
  }
  const auto locked = gate.sessions.sign_in("owner", password, TraceId());
  REQUIRE_FALSE(locked.has_value());
  CHECK(locked.error().code == Code::rate_limited);
  CHECK(locked.error().reason == "locked_out");
  CHECK(locked.error().detail == std::to_string(kMaxLockMs / 1'000));
  gate.clock.advance(kMaxLockMs);
  CHECK(gate.sessions.sign_in("owner", password, TraceId()).has_value());
  CHECK(gate.shop.integer("SELECT failures FROM staff") == 0);
}

TEST_CASE("session: guesses at the same time each count") {
  Gate gate;
  gate.owner();
  std::vector<std::thread> guessers;
  for (int i = 0; i < kFreeFailures; ++i) {
    guessers.emplace_back([&gate] { (void)gate.sessions.sign_in("owner", "wrong", TraceId()); });
  }
  for (std::thread& guesser : guessers) guesser.join();
  CHECK(gate.shop.integer("SELECT failures FROM staff") == kFreeFailures);
  CHECK(gate.locked_for() == 5'000);
}

TEST_CASE("session: signing out ends that session only, and a lock ends none") {
  Gate gate;
  const std::string password = gate.owner();
  const auto desk = gate.sessions.sign_in("owner", password, TraceId());
  const auto phone = gate.sessions.sign_in("owner", password, TraceId());
  REQUIRE(desk.has_value());
  REQUIRE(phone.has_value());
  CHECK(gate.shop.integer("SELECT COUNT(*) FROM staff_sessions WHERE token_hash = $1",
                          {desk->token}) == 0);
  gate.sessions.sign_out(desk->token, desk->staff.id, TraceId());
  CHECK(gate.sessions.staff(desk->token).error().reason == "session_ended");
  gate.set_failures(30);
  CHECK_FALSE(gate.sessions.sign_in("owner", "wrong", TraceId()).has_value());
  const auto still = gate.sessions.staff(phone->token);
  REQUIRE(still.has_value());
  CHECK(still->name == "owner");
  CHECK(still->role == "owner");
  gate.clock.advance(kStaffSessionMs);
  CHECK_FALSE(gate.sessions.staff(phone->token).has_value());
  CHECK(gate.shop.texts("SELECT action FROM audit_log ORDER BY seq") ==
        std::vector<std::string>{"staff.owner_created", "staff.signed_in", "staff.signed_in",
                                 "staff.signed_out", "staff.sign_in_refused"});
}

}  // namespace
}  // namespace topup::auth
