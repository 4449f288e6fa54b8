#include "server/content/decoration.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"

namespace topup::content {
namespace {

using base::Json;

Json block(const std::string& kind, const Json& more = Json::object()) {
  Json made = {{"id", kind}, {"kind", kind}, {"hidden", false}, {"from_ms", 0}, {"until_ms", 0}};
  made.update(more);
  return made;
}
Json page(const std::vector<Json>& more = {}, const std::string& theme = "ink") {
  Json blocks = more;
  if (more.empty()) blocks = Json::array();
  blocks.push_back(block("recipient"));
  blocks.push_back(block("amounts"));
  return {{"schema", 1}, {"theme", theme}, {"blocks", blocks}};
}
Json banner(const std::string& picture) {
  const Json title = {{"zh", ""}, {"en", ""}};
  return block("banner", {{"items", {{{"picture", picture}, {"title", title}, {"link", ""}}}}});
}
// A whole PNG of one pixel; what stands behind its end makes it another picture.
std::string png(const std::string& more = "") {
  using namespace std::string_literals;
  return "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89"s + more;
}

struct Desk {
  testing::QuietLog quiet;
  testing::ManualClock clock;
  testing::ScratchShop shop;
  Decoration decoration{shop.db(), clock};
  Author author{"staff:s1", TraceId("t1")};

  std::int64_t saved(const Json& one, std::int64_t based_on) {
    const auto done = decoration.save(one, "", based_on, author);
    REQUIRE(done.has_value());
    return done->version;
  }
  void published(std::int64_t version, std::int64_t seen) {
    REQUIRE(decoration.publish(version, seen, author).has_value());
  }
  std::string refusal(const Json& one) {
    const auto done = decoration.save(one, "", decoration.desk().newest, author);
    return done ? std::string("saved") : std::string(done.error().reason);
  }
};

TEST_CASE("F081: buyers get what was published, without what is hidden, and older versions stay") {
  Desk desk;
  CHECK(desk.decoration.published()->version == 0);
  CHECK(Json::parse(desk.decoration.published()->body)["blocks"].empty());
  desk.saved(page({block("promise", {{"hidden", true}}), block("contact")}, "plum"), 0);
  CHECK(desk.decoration.published()->version == 0);
  desk.published(1, 0);
  CHECK(desk.decoration.theme() == "plum");
  const Json shown = Json::parse(desk.decoration.published()->body);
  CHECK(shown["version"] == 1);
  REQUIRE(shown["blocks"].size() == 3);
  CHECK(shown["blocks"][0]["kind"] == "contact");
  CHECK(!shown["blocks"][0].contains("hidden"));
  desk.saved(page(), 1);
  desk.published(2, 1);
  CHECK(desk.decoration.theme() == "ink");
  desk.published(1, 2);
  desk.published(0, 1);
  CHECK(desk.decoration.published()->version == 0);
  CHECK(desk.decoration.desk().publications.size() == 4);
  CHECK(desk.decoration.version(1)->page.find("promise") != std::string::npos);
  CHECK(desk.shop.integer("SELECT COUNT(*) FROM audit_log WHERE subject = 'home'") == 6);
}

TEST_CASE("F081: another node's publication is seen here soon") {
  Desk desk;
  Decoration other(desk.shop.db(), desk.clock);
  desk.saved(page({}, "sand"), 0);
  CHECK(other.published()->version == 0);
  desk.published(1, 0);
  CHECK(other.published()->version == 0);
  desk.clock.advance(kDecorationAgeMs);
  CHECK(other.published()->version == 1);
  CHECK(other.theme() == "sand");
}

TEST_CASE("F081: whoever saves or publishes on top of something unseen is told so") {
  Desk desk;
  desk.saved(page(), 0);
  const auto reason = [](const auto& done) { return std::string(done.error().reason); };
  CHECK(reason(desk.decoration.save(page(), "", 0, desk.author)) == "page_changed");
  CHECK(reason(desk.decoration.publish(1, 5, desk.author)) == "page_changed");
  CHECK(reason(desk.decoration.publish(9, 0, desk.author)) == "page_not_found");
  CHECK(reason(desk.decoration.version(9)) == "page_not_found");
  CHECK(reason(desk.decoration.save(page(), "two\nlines", 1, desk.author)) == "out_of_range");
}

TEST_CASE("F081: a page is blocks of known kinds and nothing else") {
  Desk desk;
  const Json said = {{"zh", "好"}, {"en", ""}};
  CHECK(desk.refusal(page({block("notice", {{"text", said}, {"link", "orders"}})})) == "saved");
  const auto notice = [&](const Json& text, const Json& link) {
    return desk.refusal(page({block("notice", {{"text", text}, {"link", link}})}));
  };
  CHECK(notice(said, "https://example.com") == "page_malformed");
  CHECK(notice(said, "javascript:alert(1)") == "page_malformed");
  CHECK(notice(said, 7) == "page_malformed");
  CHECK(notice("plain", "orders") == "page_malformed");
  CHECK(notice({{"zh", ""}, {"en", "x"}}, "") == "page_malformed");
  CHECK(notice({{"zh", "a\nb"}, {"en", ""}}, "") == "page_malformed");
  CHECK(notice({{"zh", std::string(400, 'a')}, {"en", ""}}, "") == "page_malformed");
  CHECK(desk.refusal(page({block("iframe")})) == "page_malformed");
  CHECK(desk.refusal(page({block("contact", {{"style", "x"}})})) == "page_malformed");
  CHECK(desk.refusal(page({block("contact"), block("contact", {{"id", "b"}})})) ==
        "page_malformed");
  CHECK(desk.refusal(page({block("contact", {{"id", "amounts"}})})) == "page_malformed");
  CHECK(desk.refusal(page({block("contact", {{"from_ms", 5}, {"until_ms", 5}})})) ==
        "page_malformed");
  CHECK(desk.refusal(page({}, "neon")) == "page_malformed");
  CHECK(desk.refusal({{"schema", 2}, {"theme", "ink"}, {"blocks", Json::array()}}) ==
        "page_malformed");
  CHECK(desk.refusal(Json::array()) == "page_malformed");
  std::vector<Json> many;
  for (int i = 0; i < 30; ++i) {
    many.push_back(
        block("text", {{"id", "t" + std::to_string(i)}, {"title", said}, {"body", said}}));
  }
  CHECK(desk.refusal(page(many)) == "page_malformed");
}

TEST_CASE("F081: nobody can publish a page on which nobody can buy") {
  Desk desk;
  Json without = page();
  without["blocks"].erase(0);
  CHECK(desk.refusal(without) == "page_block_needed");
  Json hidden = page();
  hidden["blocks"][1]["hidden"] = true;
  CHECK(desk.refusal(hidden) == "page_block_needed");
  Json later = page();
  later["blocks"][0]["from_ms"] = 5;
  CHECK(desk.refusal(later) == "page_block_needed");
}

TEST_CASE("F081: a picture is named by its bytes, stands only where it exists, and stays in use") {
  Desk desk;
  const auto added = desk.decoration.add_picture(png(), "one", desk.author);
  REQUIRE(added.has_value());
  CHECK(added->kind == "png");
  CHECK(desk.decoration.add_picture(png(), "again", desk.author)->picture == added->picture);
  CHECK(desk.decoration.picture(added->picture)->bytes == png());
  CHECK(desk.refusal(page({banner("waves")})) == "saved");
  CHECK(desk.refusal(page({banner("0123456789abcdef0123456789abcdef")})) == "picture_not_found");
  CHECK(desk.refusal(page({banner("../x")})) == "page_malformed");
  CHECK(desk.refusal(page({banner(added->picture)})) == "saved");
  const auto reason = [](const auto& done) { return std::string(done.error().reason); };
  CHECK(reason(desk.decoration.remove_picture(added->picture, desk.author)) == "picture_in_use");
  const auto spare = desk.decoration.add_picture(png("spare"), "two", desk.author);
  CHECK(desk.decoration.remove_picture(spare->picture, desk.author).has_value());
  CHECK(reason(desk.decoration.picture(spare->picture)) == "picture_not_found");
  CHECK(desk.decoration.pictures().size() == 1);
  CHECK(reason(desk.decoration.add_picture(png(), "", desk.author)) == "out_of_range");
}

TEST_CASE("F081: the rows of versions and publications only grow, and a picture never changes") {
  Desk desk;
  desk.saved(page(), 0);
  desk.published(1, 0);
  REQUIRE(desk.decoration.add_picture(png(), "one", desk.author).has_value());
  CHECK_THROWS(desk.shop.tamper("UPDATE decoration_versions SET page = '{}'"));
  CHECK_THROWS(desk.shop.tamper("DELETE FROM decoration_versions"));
  CHECK_THROWS(desk.shop.tamper("DELETE FROM decoration_publications"));
  CHECK_THROWS(desk.shop.tamper("UPDATE pictures SET title = 'x'"));
}

}  // namespace
}  // namespace topup::content
