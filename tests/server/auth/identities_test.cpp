#include "server/auth/identities.h"

#include <doctest/doctest.h>

#include <string>

#include "server/audit/audit_log.h"
#include "server/auth/consent.h"
#include "tests/support/buyer_desk.h"
#include "tests/support/together.h"

namespace topup::auth {
namespace {

using testing::BuyerDesk;

StartedSession signed_in(BuyerDesk& desk, const Proof& proof, std::string_view token = "") {
  const auto arrival = desk.identities.sign_in(proof, token, desk.caller);
  REQUIRE(arrival.has_value());
  REQUIRE(arrival->session.has_value());
  return *arrival->session;
}

TEST_CASE("identities: the same subject is the same user, of another app it is somebody else") {
  BuyerDesk desk;
  const StartedSession first = signed_in(desk, BuyerDesk::mini("o1"));
  CHECK(signed_in(desk, BuyerDesk::mini("o1")).user == first.user);
  CHECK(signed_in(desk, BuyerDesk::mini("o2")).user != first.user);
  CHECK(signed_in(desk, BuyerDesk::oa("o1")).user != first.user);
  CHECK(desk.shop.text("SELECT subject_sealed FROM identities").starts_with("v1."));
  CHECK(desk.shop.text("SELECT subject_index FROM identities").size() == 64);
  CHECK(*desk.identities.openid_of(first.user, identity_kind::kWechatMini, "wxmini") == "o1");
  CHECK(
      desk.identities.openid_of(first.user, identity_kind::kWechatMini, "wxother").error().reason ==
      "openid_missing");
}

TEST_CASE("F047: one unionid is one person, whichever app it was proven in first") {
  BuyerDesk desk;
  const UserId user = signed_in(desk, BuyerDesk::mini("m1", "u1")).user;
  CHECK(signed_in(desk, BuyerDesk::oa("a1", "u1")).user == user);
  CHECK(signed_in(desk, BuyerDesk::oa("a1")).user == user);
  CHECK(desk.identities.person(user).identities.size() == 3);
}

TEST_CASE("F047: two users of one unionid become one with consent, orders and all") {
  BuyerDesk desk;
  const UserId mini = signed_in(desk, BuyerDesk::mini("m1")).user;  // not bound to a platform yet
  const UserId page = signed_in(desk, BuyerDesk::oa("a1", "u1")).user;
  REQUIRE(mini != page);
  desk.place_order("order1", mini);
  const auto asked = desk.identities.sign_in(BuyerDesk::mini("m1", "u1"), "", desk.caller);
  REQUIRE(asked.has_value());
  REQUIRE(asked->session.has_value());
  CHECK(asked->session->user == mini);  // signed in, and nobody was moved yet
  CHECK(desk.owner_of("order1") == mini.text);
  const auto merge = [&](bool consent) {
    return desk.identities.merge(mini, asked->session->token, asked->merge_token, consent,
                                 desk.caller);
  };
  CHECK(merge(false).error().reason == "consent_needed");
  CHECK(desk.owner_of("order1") == mini.text);
  const auto merged = merge(true);
  REQUIRE(merged.has_value());
  CHECK(merged->session->user == page);
  CHECK(desk.owner_of("order1") == page.text);
  CHECK_FALSE(desk.sessions.buyer(asked->session->token).has_value());
  const auto again = desk.identities.sign_in(BuyerDesk::mini("m1", "u1"), "", desk.caller);
  REQUIRE(again.has_value());
  CHECK(again->session->user == page);
  CHECK(again->merge_token.empty());
  CHECK(desk.shop.text("SELECT into_user_id FROM merged_users WHERE user_id = $1", {mini.text}) ==
        page.text);
}

TEST_CASE("F050: a guest without orders goes over silently, one with orders is asked first") {
  BuyerDesk desk;
  const UserId owner = signed_in(desk, BuyerDesk::mini("m1")).user;
  const StartedSession bare = desk.sessions.start_guest(desk.caller);
  CHECK(signed_in(desk, BuyerDesk::mini("m1"), bare.token).user == owner);

  const StartedSession guest = desk.sessions.start_guest(desk.caller);
  desk.place_order("order1", guest.user);
  const auto asked = desk.identities.sign_in(BuyerDesk::mini("m1"), guest.token, desk.caller);
  REQUIRE(asked.has_value());
  REQUIRE_FALSE(asked->session.has_value());
  const auto merge = [&](const UserId& user, const std::string& token, bool consent) {
    return desk.identities.merge(user, token, asked->merge_token, consent, desk.caller);
  };
  CHECK(merge(guest.user, guest.token, false).error().reason == "consent_needed");
  CHECK(merge(owner, "", true).error().reason == "merge_token_unknown");
  CHECK(desk.owner_of("order1") == guest.user.text);
  CHECK(desk.sessions.buyer(guest.token).has_value());

  const auto merged = merge(guest.user, guest.token, true);
  REQUIRE(merged.has_value());
  CHECK(merged->session->user == owner);
  CHECK(desk.owner_of("order1") == owner.text);
  CHECK_FALSE(desk.sessions.buyer(guest.token).has_value());
  CHECK(merge(guest.user, guest.token, true).error().reason == "merge_token_unknown");
  CHECK(desk.shop.integer("SELECT COUNT(*) FROM audit_log WHERE action = 'user.merged' AND detail "
                          "LIKE '%with consent%'") == 1);
  audit::ChainVerdict chain;
  desk.shop.db().read([&](storage::Reader& reader) { chain = audit::verify(reader); });
  CHECK(chain.holds);
}

TEST_CASE("P-03: a consent is taken back for all its versions, and is given anew by the next") {
  BuyerDesk desk;
  const UserId me = desk.sessions.start_guest(desk.caller).user;
  const auto is_back = [&](const char* document) {
    return has_taken_back(desk.identities.person(me).consents, document);
  };
  CHECK_FALSE(is_back("messages"));  // never asked is not taken back
  desk.identities.consent(me, "messages", "1", desk.caller.trace);
  desk.identities.consent(me, "messages", "2", desk.caller.trace);
  desk.identities.consent(me, "privacy", "1", desk.caller.trace);
  CHECK_FALSE(is_back("messages"));
  desk.identities.withdraw(me, "messages", desk.caller.trace, [](storage::Tx&) {});
  CHECK(is_back("messages"));
  CHECK_FALSE(is_back("privacy"));
  desk.identities.consent(me, "messages", "3", desk.caller.trace);
  CHECK_FALSE(is_back("messages"));
}

TEST_CASE("F050: the question expires") {
  BuyerDesk desk;
  signed_in(desk, BuyerDesk::mini("m1"));
  const StartedSession guest = desk.sessions.start_guest(desk.caller);
  desk.place_order("order1", guest.user);
  const auto asked = desk.identities.sign_in(BuyerDesk::mini("m1"), guest.token, desk.caller);
  desk.clock.advance(kMergeTicketMs);
  CHECK(desk.identities.merge(guest.user, guest.token, asked->merge_token, true, desk.caller)
            .error()
            .reason == "merge_token_unknown");
}

TEST_CASE("F048: binding adds a way in, a second of one kind is refused, the last one stays") {
  BuyerDesk desk;
  StartedSession session = signed_in(desk, BuyerDesk::mini("m1", "u1"));
  const UserId user = session.user;
  const auto bound =
      desk.identities.bind(BuyerDesk::phone("+8613800001234"), user, session.token, desk.caller);
  REQUIRE(bound.has_value());
  CHECK_FALSE(desk.sessions.buyer(session.token).has_value());
  CHECK(desk.identities.person(user).level == "phone");
  CHECK(desk.identities.bind(BuyerDesk::phone("+8613800001235"), user, "", desk.caller)
            .error()
            .reason == "identity_kind_taken");
  CHECK(signed_in(desk, BuyerDesk::phone("+8613800001234")).user == user);

  std::string mini, phone;
  for (const Identity& identity : desk.identities.person(user).identities) {
    if (identity.kind == identity_kind::kWechatMini) mini = identity.identity_id;
    if (identity.kind == identity_kind::kPhone) phone = identity.identity_id;
  }
  const UserId stranger = signed_in(desk, BuyerDesk::mini("m2")).user;
  CHECK(desk.identities.unbind(stranger, mini, TraceId()).error().reason == "identity_not_found");
  CHECK(desk.identities.unbind(user, mini, TraceId()).has_value());
  CHECK(desk.identities.unbind(user, phone, TraceId()).error().reason == "last_identity");
  CHECK(desk.identities.person(user).identities.size() == 1);
  CHECK(signed_in(desk, BuyerDesk::mini("m1", "u1")).user != user);
}

TEST_CASE("F048: an identity of somebody else leads to a question, or to none when kinds clash") {
  BuyerDesk desk;
  const UserId owner = signed_in(desk, BuyerDesk::phone("+8613800001234")).user;
  const StartedSession mini = signed_in(desk, BuyerDesk::mini("m1"));
  const auto asked =
      desk.identities.bind(BuyerDesk::phone("+8613800001234"), mini.user, mini.token, desk.caller);
  REQUIRE(asked.has_value());
  CHECK_FALSE(asked->session.has_value());
  const auto merged =
      desk.identities.merge(mini.user, mini.token, asked->merge_token, true, desk.caller);
  REQUIRE(merged.has_value());
  CHECK(merged->session->user == owner);
  CHECK(signed_in(desk, BuyerDesk::mini("m1")).user == owner);
  const StartedSession other = signed_in(desk, BuyerDesk::mini("m2"));
  CHECK(
      desk.identities.bind(BuyerDesk::phone("+8613800001234"), other.user, other.token, desk.caller)
          .error()
          .reason == "merge_not_possible");
}

TEST_CASE("identities: many first sign-ins of one person at once make one user") {
  BuyerDesk desk;
  std::vector<std::string> users(8);
  testing::together(static_cast<int>(users.size()), [&](int i) {
    const auto in = desk.identities.sign_in(BuyerDesk::mini("m1", "u1"), "", desk.caller);
    users[static_cast<std::size_t>(i)] = in && in->session ? in->session->user.text : "none";
  });
  for (const std::string& user : users) CHECK(user == users[0]);
  CHECK(desk.shop.integer("SELECT COUNT(*) FROM users") == 1);
}

TEST_CASE("F055: successes and failures are in the trail of whom they concern, masked") {
  BuyerDesk desk;
  const UserId user = signed_in(desk, BuyerDesk::phone("+8613800001234")).user;
  desk.clock.advance(1'000);
  desk.identities.refused(BuyerDesk::phone("+8613800001234"), "sms_code_wrong", desk.caller);
  const auto trail = desk.log.list(user);
  REQUIRE(trail.size() == 2);
  CHECK(trail[0].outcome == "refused");
  CHECK(trail[0].reason == "sms_code_wrong");
  CHECK(trail[0].subject_masked == "138****1234");
  CHECK(trail[1].outcome == "signed_in");
  CHECK(trail[1].address_masked == "203.0.113.*");
  CHECK(desk.log.list(signed_in(desk, BuyerDesk::mini("m9")).user).size() == 1);
}

}  // namespace
}  // namespace topup::auth
