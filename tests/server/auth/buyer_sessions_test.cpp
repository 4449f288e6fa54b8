#include "server/auth/buyer_sessions.h"

#include <doctest/doctest.h>

#include <string>

#include "server/base/crypto.h"
#include "tests/support/buyer_desk.h"

namespace topup::auth {
namespace {

using testing::BuyerDesk;

TEST_CASE("buyer sessions: a token opens its session until it is over, and is stored as a hash") {
  BuyerDesk desk;
  const StartedSession guest = desk.sessions.start_guest(desk.caller);
  CHECK(guest.token.size() == 53);
  CHECK(*desk.sessions.buyer(guest.token) == guest.user);
  CHECK(desk.shop.text("SELECT token_hash FROM sessions") ==
        base::id_floor(desk.clock.wall_ms()) + base::hex(base::sha256(guest.token)));
  desk.clock.advance(kSessionIdleMs);
  CHECK(desk.sessions.buyer(guest.token).error().reason == "session_ended");
}

TEST_CASE(
    "buyer sessions: what began later is kept behind it, and a token without a time lives on") {
  BuyerDesk desk;
  std::string before;
  for (int i = 0; i < 5; ++i) {
    (void)desk.sessions.start_guest(desk.caller);
    const std::string newest = desk.shop.text("SELECT MAX(token_hash) FROM sessions");
    CHECK(newest > before);
    before = newest;
    desk.clock.advance(1);
  }
  const StartedSession guest = desk.sessions.start_guest(desk.caller);
  const std::string older = guest.token.substr(10);
  desk.shop.tamper("UPDATE sessions SET token_hash = '" + base::hex(base::sha256(older)) +
                   "' WHERE session_id = '" + guest.session_id + "'");
  CHECK(*desk.sessions.buyer(older) == guest.user);
  CHECK(desk.sessions.buyer(guest.token).error().reason == "session_ended");
}

TEST_CASE("A-10: what is not a token of ours is nobody, nor is one of another shop") {
  BuyerDesk desk;
  BuyerDesk other;
  const StartedSession guest = desk.sessions.start_guest(desk.caller);
  const std::string hash = desk.shop.text("SELECT token_hash FROM sessions");
  std::string changed = guest.token;
  changed[0] = changed[0] == 'A' ? 'B' : 'A';
  CHECK(desk.sessions.buyer("").error().reason == "session_missing");
  CHECK(desk.sessions.buyer(hash).error().reason == "session_missing");
  CHECK(desk.sessions.buyer(guest.token.substr(0, 42)).error().reason == "session_missing");
  CHECK(desk.sessions.buyer(hash.substr(0, 43)).error().reason == "session_ended");
  CHECK(desk.sessions.buyer(changed).error().reason == "session_ended");
  CHECK(desk.sessions.buyer(hash.substr(0, 53)).error().reason == "session_ended");
  for (const std::size_t length : {43U, 53U}) {
    for (const char filler : {'\0', '\x80', '\xff', '\'', '%', 'A'})
      CHECK(desk.sessions.buyer(std::string(length, filler)).error().reason == "session_ended");
  }
  CHECK(other.sessions.buyer(guest.token).error().reason == "session_ended");
}

TEST_CASE("buyer sessions: use keeps a session alive, but not beyond its bound") {
  BuyerDesk desk;
  const StartedSession guest = desk.sessions.start_guest(desk.caller);
  const std::int64_t began = desk.clock.wall_ms();
  while (desk.clock.wall_ms() + kSessionIdleMs / 2 < began + kSessionMostMs) {
    desk.clock.advance(kSessionIdleMs / 2);
    REQUIRE(desk.sessions.buyer(guest.token).has_value());
  }
  desk.clock.advance_to(began + kSessionMostMs - 1);
  CHECK(desk.sessions.buyer(guest.token).has_value());
  desk.clock.advance(1);
  CHECK_FALSE(desk.sessions.buyer(guest.token).has_value());
}

TEST_CASE("buyer sessions: being seen is written at most once an hour") {
  BuyerDesk desk;
  const StartedSession guest = desk.sessions.start_guest(desk.caller);
  const std::int64_t began = desk.clock.wall_ms();
  desk.clock.advance(kSeenEveryMs - 1);
  (void)desk.sessions.buyer(guest.token);
  CHECK(desk.shop.integer("SELECT seen_at_ms FROM sessions") == began);
  desk.clock.advance(1);
  (void)desk.sessions.buyer(guest.token);
  CHECK(desk.shop.integer("SELECT seen_at_ms FROM sessions") == began + kSeenEveryMs);
}

TEST_CASE("A-05: a sign-in gets a new token and ends the one it came with") {
  BuyerDesk desk;
  const StartedSession guest = desk.sessions.start_guest(desk.caller);
  const auto in = desk.identities.sign_in(BuyerDesk::mini("o1"), guest.token, desk.caller);
  REQUIRE(in.has_value());
  REQUIRE(in->session.has_value());
  CHECK(in->session->user == guest.user);
  CHECK(in->session->token != guest.token);
  CHECK(desk.sessions.buyer(guest.token).error().reason == "session_ended");
  CHECK(*desk.sessions.buyer(in->session->token) == guest.user);
}

TEST_CASE("buyer sessions: the twenty-first ends the one unseen longest") {
  BuyerDesk desk;
  const auto first = desk.identities.sign_in(BuyerDesk::mini("o1"), "", desk.caller);
  const UserId user = first->session->user;
  for (std::size_t i = 1; i < kMaxSessionsPerUser; ++i) {
    desk.clock.advance(1'000);
    (void)desk.identities.sign_in(BuyerDesk::mini("o1"), "", desk.caller);
  }
  CHECK(desk.sessions.buyer(first->session->token).has_value());
  CHECK(desk.sessions.list(user, "").size() == kMaxSessionsPerUser);
  desk.clock.advance(1'000);
  (void)desk.identities.sign_in(BuyerDesk::mini("o1"), "", desk.caller);
  CHECK_FALSE(desk.sessions.buyer(first->session->token).has_value());
  CHECK(desk.sessions.list(user, "").size() == kMaxSessionsPerUser);
}

TEST_CASE("buyer sessions: one's own can be ended, others' look like none") {
  BuyerDesk desk;
  const auto own = desk.identities.sign_in(BuyerDesk::mini("o1"), "", desk.caller);
  const auto also = desk.identities.sign_in(BuyerDesk::mini("o1"), "", desk.caller);
  const auto other = desk.identities.sign_in(BuyerDesk::mini("o2"), "", desk.caller);
  const UserId user = own->session->user;
  CHECK(desk.sessions.end(user, other->session->session_id, TraceId()).error().reason ==
        "session_not_found");
  CHECK(desk.sessions.end(user, also->session->session_id, TraceId()).has_value());
  CHECK_FALSE(desk.sessions.buyer(also->session->token).has_value());
  CHECK(desk.sessions.end_others(user, own->session->token, TraceId()) == 0);
  CHECK(desk.sessions.buyer(own->session->token).has_value());
  CHECK(desk.sessions.buyer(other->session->token).has_value());
  const auto listed = desk.sessions.list(user, own->session->token);
  REQUIRE(listed.size() == 1);
  CHECK(listed[0].is_current);
  CHECK(listed[0].device == "ios wechat");
  CHECK(listed[0].address_masked == "203.0.113.*");
}

TEST_CASE("caller: an address is masked, and a home of IPv6 is one network") {
  CHECK(masked_address("2001:db8:1:2:3::4") == "2001:db8:1::*");
  CHECK(masked_address("::ffff:203.0.113.9") == "203.0.113.*");
  CHECK(masked_address("nonsense") == "");
  CHECK(address_network("2001:db8:1:2::1") == address_network("2001:db8:1:2:ffff::9"));
  CHECK(address_network("2001:db8:1:2::1") != address_network("2001:db8:1:3::1"));
  CHECK(address_network("203.0.113.9") == address_network("::ffff:203.0.113.9"));
  CHECK(device_class("curl/8") == "other other");
}

}  // namespace
}  // namespace topup::auth
