#include "server/privacy/data_requests.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

#include "server/app_account.h"
#include "server/app_drafts.h"
#include "server/orders/order_store.h"
#include "server/privacy/columns.h"
#include "tests/support/buyer_desk.h"

namespace topup {
namespace {

using auth::StartedSession;
using testing::BuyerDesk;

constexpr std::string_view kPhone = "+8613800138000";
constexpr std::string_view kRecipient = "+8613900139000";

struct Desk : BuyerDesk {
  AccountParts account{"Corner Shop", shop.db(), clock, pii, identities};
  const TraceId trace{"t1"};

  StartedSession signed_in(const std::string& phone) {
    const auto arrival = identities.sign_in(BuyerDesk::phone(phone), "", caller);
    REQUIRE(arrival.has_value());
    REQUIRE(arrival->session.has_value());
    return *arrival->session;
  }
  void place(const std::string& id, const UserId& user, State state,
             std::string_view recipient = kRecipient) {
    orders::Order order;
    order.id = OrderId(id);
    order.user = user;
    order.client_key = "client-key-" + id;
    order.client_fingerprint = "fingerprint";
    order.state = state;
    order.product = ProductId("cn-mobile-5000");
    order.face = order.payable = order.delivered = fen(5'000);
    order.account_sealed = pii.seal("orders", "account_sealed", id, recipient);
    order.account_masked = "139****9000";
    order.account_index = "index";
    order.tail_index = "tail";
    order.quote = R"({"account_masked":"139****9000","payable":1})";
    shop.db().write([&](storage::Tx& tx) {
      orders::order_store::insert(tx, order);
      return true;
    });
  }
  std::string exported(const UserId& user) {
    return account.requests().export_of(user, trace).dump();
  }
};

TEST_CASE("F134: an export holds all of one's own data unsealed, and nobody else's") {
  Desk desk;
  const UserId me = desk.signed_in(std::string(kPhone)).user;
  const UserId other = desk.signed_in("+8613700137000").user;
  desk.place("01JDAAAAAAAAAAAAAAAAAAAAA1", me, State::succeeded);
  desk.place("01JDAAAAAAAAAAAAAAAAAAAAA2", other, State::succeeded, "+8615800158000");
  desk.identities.consent(me, "privacy", "1", desk.trace);
  const std::string mine = desk.exported(me);
  for (const char* wanted : {"+8613800138000", "+8613900139000", "01JDAAAAAAAAAAAAAAAAAAAAA1",
                             "topup-personal-data-1", "\"privacy\"", "signed_in"}) {
    CHECK_MESSAGE(mine.find(wanted) != std::string::npos, wanted);
  }
  for (const char* foreign : {"13700137000", "15800158000", "01JDAAAAAAAAAAAAAAAAAAAAA2"})
    CHECK_MESSAGE(mine.find(foreign) == std::string::npos, foreign);
  CHECK(mine.find(other.text) == std::string::npos);
  CHECK(desk.shop.integer("SELECT COUNT(*) FROM audit_log WHERE action = 'data.exported'") == 1);
}

TEST_CASE("F136: an erased account leaves books without a person, and no way in") {
  Desk desk;
  const StartedSession session = desk.signed_in(std::string(kPhone));
  const UserId other = desk.signed_in("+8613700137000").user;
  const std::string id = "01JDAAAAAAAAAAAAAAAAAAAAA1";
  desk.place(id, session.user, State::succeeded);
  desk.place("01JDAAAAAAAAAAAAAAAAAAAAA2", other, State::paid);
  desk.identities.consent(session.user, "privacy", "1", desk.trace);
  REQUIRE(desk.account.requests().erase(session.user, desk.trace).has_value());

  CHECK_FALSE(desk.sessions.buyer(session.token).has_value());
  for (const char* table : {"identities", "sign_ins", "consents", "sessions"}) {
    const std::string count = "SELECT COUNT(*) FROM " + std::string(table) + " WHERE user_id = $1";
    CHECK_MESSAGE(desk.shop.integer(count, {session.user.text}) == 0, table);
    CHECK_MESSAGE(
        desk.shop.integer(count, {other.text}) == (table == std::string("consents") ? 0 : 1),
        table);
  }
  const auto column = [&](const std::string& name) {
    return desk.shop.text("SELECT " + name + " FROM orders WHERE order_id = $1", {id});
  };
  CHECK(column("account_masked").empty());
  CHECK(column("account_index").empty());
  CHECK(column("tail_index").empty());
  CHECK(column("quote").find("9000") == std::string::npos);
  CHECK(desk.pii.open("orders", "account_sealed", id, column("account_sealed")) == "");
  CHECK(column("payable_minor") == "5000");
  CHECK(column("state") == "succeeded");
  CHECK(desk.shop.text("SELECT account_masked FROM orders WHERE user_id = $1", {other.text}) ==
        "139****9000");
  CHECK(desk.shop.text("SELECT user_id FROM erased_users") == session.user.text);
  CHECK(desk.shop.integer("SELECT COUNT(*) FROM audit_log WHERE action = 'user.erased'") == 1);
  CHECK(desk.signed_in(std::string(kPhone)).user != session.user);  // a stranger from now on
}

TEST_CASE("F136: while an order is on its way nobody is erased, and nothing has changed") {
  Desk desk;
  const UserId me = desk.signed_in(std::string(kPhone)).user;
  for (const State state : {State::awaiting_payment, State::paid, State::unknown, State::refunding,
                            State::manual, State::reversed}) {
    const std::string id =
        "01JDAAAAAAAAAAAAAAAAAAAA" + std::to_string(10 + static_cast<int>(state));
    desk.place(id, me, state);
    const auto refused = desk.account.requests().erase(me, desk.trace);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().reason == "orders_open");
    REQUIRE(desk.account.requests().obstacles(me).size() == 1);
    CHECK(desk.account.requests().obstacles(me).front().count == 1);
    desk.shop.tamper("UPDATE orders SET state = 'refunded' WHERE order_id = '" + id + "'");
  }
  CHECK(desk.shop.integer("SELECT COUNT(*) FROM identities") == 1);
  CHECK(desk.account.requests().obstacles(me).empty());
}

TEST_CASE("F136: who became part of somebody goes with them") {
  Desk desk;
  const StartedSession guest = desk.sessions.start_guest(desk.caller);
  const UserId me = desk.signed_in(std::string(kPhone)).user;
  desk.place("01JDAAAAAAAAAAAAAAAAAAAAA1", guest.user, State::succeeded);
  const auto asked =
      desk.identities.sign_in(BuyerDesk::phone(std::string(kPhone)), guest.token, desk.caller);
  REQUIRE(asked.has_value());
  REQUIRE_FALSE(asked->merge_token.empty());
  REQUIRE(desk.identities.merge(guest.user, guest.token, asked->merge_token, true, desk.caller)
              .has_value());
  CHECK(desk.exported(me).find(kRecipient) != std::string::npos);
  REQUIRE(desk.account.requests().erase(me, desk.trace).has_value());
  CHECK(desk.shop.integer("SELECT COUNT(*) FROM erased_users") == 2);
  CHECK(desk.shop.text("SELECT account_masked FROM orders").empty());
}

TEST_CASE("F134: a consent that was taken back is not carried into another account") {
  Desk desk;
  const StartedSession guest = desk.sessions.start_guest(desk.caller);
  desk.identities.consent(guest.user, "privacy", "1", desk.trace);
  desk.identities.consent(guest.user, "location", "1", desk.trace);
  int stopped = 0;
  desk.identities.withdraw(guest.user, "location", desk.trace, [&](storage::Tx&) { stopped = 1; });
  CHECK(stopped == 1);
  const auto person = desk.identities.person(guest.user);
  REQUIRE(person.consents.size() == 2);
  const auto withdrawn = [&](const char* document) {
    return desk.shop.integer("SELECT withdrawn_at_ms FROM consents WHERE document = $1",
                             {std::string_view(document)});
  };
  CHECK(withdrawn("location") > 0);
  CHECK(withdrawn("privacy") == 0);
  desk.identities.consent(guest.user, "location", "1", desk.trace);
  CHECK(withdrawn("location") == 0);
}

TEST_CASE(
    "F132: every table with data of an account or an order's person has somebody who erases") {
  Desk desk;
  const DraftParts drafts(desk.shop.db(), desk.clock, desk.pii);
  desk.account.requests().add(drafts.holder());
  std::set<std::string_view> looked_after;
  for (const privacy::Holder& holder : desk.account.requests().holders())
    looked_after.insert(holder.tables.begin(), holder.tables.end());
  for (const privacy::Column& column : privacy::columns()) {
    if (column.keep != privacy::Keep::account && column.keep != privacy::Keep::order) continue;
    CHECK_MESSAGE(looked_after.contains(column.table), column.table);
  }
}

}  // namespace
}  // namespace topup
