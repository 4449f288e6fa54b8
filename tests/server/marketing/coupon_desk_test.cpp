#include "server/marketing/coupon_desk.h"

#include <doctest/doctest.h>

#include <atomic>
#include <set>

#include "server/audit/audit_log.h"
#include "server/marketing/coupon_store.h"
#include "server/marketing/offer_desk.h"
#include "server/marketing/offer_store.h"
#include "shared/time_point.h"
#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"
#include "tests/support/seeded_random.h"
#include "tests/support/together.h"

namespace topup::marketing {
namespace {

const Deed kStaff{"staff:one", "for a test", {}};

struct Room {
  testing::ScratchShop shop;
  testing::ManualClock clock;
  testing::SeededRandom random{1};
  OfferDesk offers{shop.db(), clock};
  CouponDesk desk{shop.db(), clock, random};

  Room() { REQUIRE(save_template("five-off", 500).has_value()); }

  Result<Offer> save_template(const std::string& id, std::int64_t value, std::int64_t version = 0) {
    Terms terms;
    terms.name_zh = terms.name_en = id;
    terms.value = value;
    return offers.save({id, version, true, terms, "staff:one", {}});
  }
  std::string campaign(std::string_view how, std::int64_t budget, std::int64_t per_user = 1) {
    Campaign wish;
    wish.template_id = "five-off";
    wish.way = how;
    wish.name = "test";
    wish.code = how == way::kCode ? "SPRING26" : "";
    wish.budget = budget;
    wish.per_user = per_user;
    wish.valid_days = 7;
    wish.is_on = true;
    const auto saved = desk.save("", 0, wish, kStaff);
    REQUIRE(saved.has_value());
    return saved->id;
  }
  UserId user(const std::string& id) {
    shop.db().write([&](storage::Tx& tx) {
      tx.exec("INSERT INTO users (user_id, created_at_ms) VALUES ($1, 1)", {id});
      return true;
    });
    return UserId(id);
  }
  std::vector<std::string> faults() {
    std::vector<std::string> wrong;
    shop.db().read([&](storage::Reader& reader) { wrong = coupon_store::faults(reader); });
    return wrong;
  }
};

std::string reason_of(const Result<OwnedRow>& result) {
  return result ? "" : std::string(result.error().reason);
}

TEST_CASE("F061: 64 buyers who claim the last 5 coupons at once get 5, each at most one") {
  Room room;
  const std::string campaign = room.campaign(way::kOpen, 5);
  std::vector<UserId> users;
  for (int i = 0; i < 64; ++i) users.push_back(room.user("buyer-" + std::to_string(i)));
  std::atomic<int> given{0}, gone{0};
  testing::together(64, [&](int i) {
    for (int again = 0; again < 2; ++again) {
      const auto got = room.desk.claim(users[static_cast<std::size_t>(i)], campaign);
      given += got ? 1 : 0;
      gone += reason_of(got) == "coupons_gone" ? 1 : 0;
    }
  });
  CHECK(given == 5);
  CHECK(gone >= 118);
  CHECK(room.shop.integer("SELECT COUNT(*) FROM owned_coupons") == 5);
  CHECK(room.shop.integer("SELECT COUNT(DISTINCT user_id) FROM owned_coupons") == 5);
  CHECK(room.shop.integer("SELECT claimed FROM campaigns") == 5);
  CHECK(room.faults().empty());
}

TEST_CASE("F061: one buyer in 16 threads gets no more than the limit for each") {
  Room room;
  const std::string campaign = room.campaign(way::kOpen, 1'000, 3);
  const UserId user = room.user("greedy");
  std::atomic<int> given{0};
  testing::together(16, [&](int) {
    for (int i = 0; i < 3; ++i) given += room.desk.claim(user, campaign) ? 1 : 0;
  });
  CHECK(given == 3);
  CHECK(reason_of(room.desk.claim(user, campaign)) == "coupon_limit_reached");
}

TEST_CASE("F061: a code of its own works once, whoever types it in whatever way") {
  Room room;
  const std::string campaign = room.campaign(way::kCodes, 2, 2);
  const auto codes = room.desk.make_codes(campaign, 2, kStaff);
  REQUIRE(codes.has_value());
  CHECK(room.desk.make_codes(campaign, 1, kStaff).error().reason == "out_of_range");
  CHECK(room.shop.integer("SELECT COUNT(*) FROM coupon_codes WHERE code_hash = $1",
                          {std::string_view((*codes)[0])}) == 0);
  std::atomic<int> given{0};
  const UserId one = room.user("one");
  const UserId two = room.user("two");
  testing::together(
      8, [&](int i) { given += room.desk.redeem(i % 2 == 0 ? one : two, (*codes)[0]) ? 1 : 0; });
  CHECK(given == 1);
  CHECK(reason_of(room.desk.redeem(one, (*codes)[0])) == "coupon_code_used");
  std::string typed = " " + (*codes)[1].substr(0, 4) + "-" + (*codes)[1].substr(4);
  for (char& c : typed) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  CHECK(room.desk.redeem(two, typed).has_value());
  CHECK(reason_of(room.desk.redeem(two, "NOSUCHCODE")) == "coupon_code_unknown");
  CHECK(reason_of(room.desk.redeem(two, "<script>")) == "coupon_code_unknown");
  CHECK(room.faults().empty());
}

TEST_CASE(
    "F060: a campaign gives only while it is on and in its time, and coupons end at midnight") {
  Room room;
  const std::string id = room.campaign(way::kCode, 10);
  const UserId user = room.user("one");
  const auto got = room.desk.redeem(user, "spring 26");
  REQUIRE(got.has_value());
  CHECK((got->expires_at_ms + kShanghaiOffsetMs) % kDayMs == 0);
  CHECK(got->expires_at_ms > room.clock.wall_ms() + 7 * kDayMs - 1);
  CHECK(got->expires_at_ms <= room.clock.wall_ms() + 8 * kDayMs);
  Campaign wish;
  room.shop.db().read(
      [&](storage::Reader& reader) { wish = *coupon_store::find_campaign(reader, id); });
  wish.is_on = false;
  REQUIRE(room.desk.save(id, 1, wish, kStaff).has_value());
  CHECK(room.desk.save(id, 1, wish, kStaff).error().reason == "offer_changed");
  CHECK(reason_of(room.desk.redeem(room.user("two"), "SPRING26")) == "campaign_not_open");
  wish.budget = 0;
  CHECK(room.desk.save(id, 2, wish, kStaff).error().field == "budget");
}

TEST_CASE("F060: staff give to many or to none, and each coupon is in the trail") {
  Room room;
  const std::string campaign = room.campaign(way::kStaff, 3);
  const UserId one = room.user("one");
  const UserId two = room.user("two");
  const auto stranger = room.desk.grant(campaign, {one, UserId("nobody")}, kStaff);
  CHECK(stranger.error().reason == "buyer_not_found");
  CHECK(room.shop.integer("SELECT COUNT(*) FROM owned_coupons") == 0);
  const auto given = room.desk.grant(campaign, {one, two}, kStaff);
  REQUIRE(given.has_value());
  CHECK(room.shop.integer("SELECT COUNT(*) FROM audit_log WHERE action = 'coupon.granted'") == 2);
  CHECK(reason_of(room.desk.claim(one, campaign)) == "campaign_not_found");
  REQUIRE(room.desk.revoke(given->front().id, kStaff).has_value());
  CHECK(reason_of(room.desk.revoke(given->front().id, kStaff)) == "coupon_revoked");
}

TEST_CASE("F060: the deal of a coupon that somebody holds stays; its name and switch may change") {
  Room room;
  CHECK(room.save_template("five-off", 600, 1).has_value());
  const std::string campaign = room.campaign(way::kOpen, 3);
  REQUIRE(room.desk.claim(room.user("one"), campaign).has_value());
  const auto changed = room.save_template("five-off", 700, 2);
  REQUIRE_FALSE(changed.has_value());
  CHECK(changed.error().reason == "coupon_issued");
  Terms renamed;
  renamed.name_zh = renamed.name_en = "another name";
  renamed.value = 600;
  CHECK(room.offers.save({"five-off", 2, false, renamed, "staff:one", {}}).has_value());
  CHECK(room.save_template("five-off", 600, 2).error().reason == "offer_changed");
}

TEST_CASE("offers: what the console may send is read strictly, and comes back the same") {
  const auto sent = base::json_in(
      R"({"name_zh":"九折","name_en":"10% off","form":"percent","value":1000,"cap_minor":500,
          "kinds":["data","airtime"],"country":"CN","optional":false})");
  const auto terms = read_terms(OfferKind::promotion, *sent);
  REQUIRE(terms.has_value());
  const auto again = read_terms(OfferKind::promotion, terms_json(*terms));
  REQUIRE(again.has_value());
  CHECK(terms_json(*again) == terms_json(*terms));
  for (
      const char* bad :
      {R"({"name_zh":"a","name_en":"b","form":"percent","value":10001})",
       R"({"name_zh":"a","name_en":"b","form":"percent","value":0})",
       R"({"name_zh":"","name_en":"b","form":"amount","value":1})",
       R"({"name_zh":"a","name_en":"b","form":"gift","value":1})",
       R"({"name_zh":"a","name_en":"b","form":"amount","value":1,"kinds":["gas"]})",
       R"({"name_zh":"a","name_en":"b","form":"amount","value":1,"growth_from":1})",
       R"({"name_zh":"a","name_en":"b","form":"amount","value":1,"starts_at_ms":5,"ends_at_ms":5})"}) {
    CAPTURE(bad);
    CHECK_FALSE(read_terms(OfferKind::promotion, *base::json_in(bad)).has_value());
  }
}

TEST_CASE("offers: one about an operator that is not on sale stays out of the book") {
  PriceBook book;
  book.operators.push_back({"cn-mobile", "", "", "CN"});
  Offer here;
  here.id = "here";
  here.is_on = true;
  here.terms.operator_id = "cn-mobile";
  Offer elsewhere = here;
  elsewhere.id = "elsewhere";
  elsewhere.terms.operator_id = "th-ais";
  Offer off = here;
  off.id = "off";
  off.is_on = false;
  add_to_book({here, elsewhere, off}, &book);
  REQUIRE(book.coupons.size() == 1);
  CHECK(book.coupons[0].id == "here");
  CHECK(book.coupons[0].scope.operator_index == 0);
}

}  // namespace
}  // namespace topup::marketing
