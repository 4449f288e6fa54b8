#include "server/content/content.h"

#include <doctest/doctest.h>

#include <atomic>
#include <string>

#include "server/audit/audit_log.h"
#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"
#include "tests/support/together.h"

namespace topup::content {
namespace {

struct Desk {
  testing::QuietLog quiet;
  testing::ManualClock clock;
  testing::ScratchShop shop;
  Content content{shop.db(), clock, "Corner Shop"};
  Author author{"staff:s1", TraceId("t1")};

  static Version draft(const std::string& document, std::string_view kind = kind::kAnnouncement,
                       const std::string& title = "通知", const std::string& body = "正文") {
    Version made;
    made.document = document;
    made.kind = kind;
    made.text = {title, "", body, ""};
    return made;
  }
  std::int64_t saved(const Version& version, std::int64_t based_on) {
    const auto done = content.save(version, based_on, author);
    REQUIRE(done.has_value());
    return done->version;
  }
  void published(std::string_view document, std::int64_t version, std::int64_t seen) {
    REQUIRE(content.publish(document, version, seen, author).has_value());
  }
};

TEST_CASE("F092: a new shop has agreements, help and contacts in two languages, under its name") {
  Desk desk;
  desk.content.seed();
  desk.content.seed();
  CHECK(desk.content.agreement_version("terms") == 1);
  CHECK(desk.content.agreement_version("privacy") == 1);
  CHECK(desk.content.agreement_version("contacts") == 0);
  const auto terms = desk.content.text("terms", 0);
  REQUIRE(terms.has_value());
  CHECK(terms->version.text.body_zh.find("Corner Shop") != std::string::npos);
  CHECK(terms->version.text.body_en.find("Corner Shop") != std::string::npos);
  CHECK(terms->version.text.body_en.find("{shop}") == std::string::npos);
  CHECK(desk.content.shown(kind::kHelp).size() >= 5);
  CHECK(desk.content.shown(kind::kContacts).size() == 1);
  CHECK(desk.content.shown(kind::kAnnouncement).empty());
  for (const Version& one : default_documents()) {
    CHECK_MESSAGE(!one.text.title_en.empty(), one.document);
    CHECK_MESSAGE(one.text.body_zh.size() < kMaxBodyBytes, one.document);
    CHECK_MESSAGE(is_document_name(one.document), one.document);
  }
}

TEST_CASE("content: texts are read whole while others read them anew") {
  constexpr int kReaders = 4, kTimes = 2'000;
  Desk desk;
  desk.content.seed();
  const auto told = [&desk] {
    std::string all;
    for (const Shown& one : desk.content.shown(kind::kHelp)) all += one.version.text.body_zh;
    return all;
  };
  const std::string first = told();
  std::atomic<int> others{0};
  testing::together(kReaders, [&](int) {
    for (int i = 0; i < kTimes; ++i) {
      desk.clock.advance(kContentAgeMs);  // what is in memory is too old for the next reader
      if (told() != first) ++others;
      if (desk.content.agreement_version("terms") != 1) ++others;
    }
  });
  CHECK(first.size() > 1'000);
  CHECK(others == 0);
}

TEST_CASE("content: a draft is nobody's business until it is published, and old versions stay") {
  Desk desk;
  CHECK(desk.saved(Desk::draft("spring"), 0) == 1);
  CHECK(desk.content.shown(kind::kAnnouncement).empty());
  CHECK(desk.content.text("spring", 1).error().reason == "content_not_found");
  desk.published("spring", 1, 0);
  REQUIRE(desk.content.shown(kind::kAnnouncement).size() == 1);
  CHECK(desk.saved(Desk::draft("spring", kind::kAnnouncement, "第二版"), 1) == 2);
  CHECK(desk.content.text("spring", 0)->version.version == 1);
  desk.published("spring", 2, 1);
  CHECK(desk.content.text("spring", 0)->version.text.title_zh == "第二版");
  CHECK(desk.content.text("spring", 1)->version.text.title_zh == "通知");
  desk.published("spring", 1, 2);  // back
  CHECK(desk.content.text("spring", 0)->version.version == 1);
  desk.published("spring", 0, 1);  // away
  CHECK(desk.content.shown(kind::kAnnouncement).empty());
  const auto history = desk.content.history("spring");
  REQUIRE(history.has_value());
  CHECK(history->versions.size() == 2);
  CHECK(history->publications.size() == 4);
  CHECK(desk.shop.integer("SELECT COUNT(*) FROM audit_log WHERE subject = 'spring'") == 6);
}

TEST_CASE("F073: an announcement names the pages it stands above, a help article its topics") {
  Desk desk;
  const auto saved = [&](std::string_view kind, const std::string& topics) {
    Version draft = Desk::draft("one", kind);
    draft.topics = topics;
    const auto done = desk.content.save(draft, 7, desk.author);
    return std::string(done.error().reason);
  };
  // Good topics come as far as the version, which is wrong on purpose.
  CHECK(saved(kind::kAnnouncement, "home me") == "content_changed");
  CHECK(saved(kind::kAnnouncement, "paying") == "out_of_range");
  CHECK(saved(kind::kHelp, "paying general") == "content_changed");
  CHECK(saved(kind::kHelp, "home") == "out_of_range");
}

TEST_CASE("content: whoever saves or publishes on top of something unseen is told so") {
  Desk desk;
  desk.saved(Desk::draft("spring"), 0);
  const auto reason = [&](const auto& result) { return std::string(result.error().reason); };
  CHECK(reason(desk.content.save(Desk::draft("spring"), 0, desk.author)) == "content_changed");
  CHECK(reason(desk.content.publish("spring", 1, 7, desk.author)) == "content_changed");
  CHECK(reason(desk.content.publish("spring", 9, 0, desk.author)) == "content_not_found");
  CHECK(reason(desk.content.publish("nowhere", 1, 0, desk.author)) == "content_not_found");
  CHECK(reason(desk.content.save(Desk::draft("spring", kind::kHelp), 1, desk.author)) ==
        "content_kind_fixed");
  desk.content.seed();
  CHECK(reason(desk.content.publish("terms", 0, 1, desk.author)) == "content_needed");
}

TEST_CASE("content: what is not a text, a name or a time is refused at its field") {
  Desk desk;
  const auto field = [&](const Version& version) {
    const auto done = desk.content.save(version, 0, desk.author);
    return done ? std::string("saved") : std::string(done.error().field);
  };
  CHECK(field(Desk::draft("Spring")) == "document");
  CHECK(field(Desk::draft("../spring")) == "document");
  CHECK(field(Desk::draft("spring", "banner")) == "kind");
  CHECK(field(Desk::draft("spring", kind::kAnnouncement, "")) == "title_zh");
  CHECK(field(Desk::draft("spring", kind::kHelp, "标题", "")) == "body_zh");
  CHECK(field(Desk::draft("spring", kind::kAnnouncement, "two\nlines")) == "title_zh");
  CHECK(field(Desk::draft("spring", kind::kAnnouncement, "标题", "bell\x07")) == "body_zh");
  CHECK(field(Desk::draft("spring", kind::kAnnouncement, "标题", "\xc3\x28")) == "body_zh");
  CHECK(field(Desk::draft("spring", kind::kAnnouncement, "标题",
                          std::string(kMaxBodyBytes + 1, 'a'))) == "body_zh");
  Version version = Desk::draft("spring");
  version.topics = "general everything";
  CHECK(field(version) == "topics");
  version = Desk::draft("spring");
  version.shows_from_ms = 10;
  version.shows_until_ms = 10;
  CHECK(field(version) == "shows_until_ms");
  CHECK(field(Desk::draft("spring", kind::kAnnouncement, "<script>alert(1)</script>")) == "saved");
}

TEST_CASE("content: an announcement is shown within its time only") {
  Desk desk;
  Version version = Desk::draft("night");
  version.shows_from_ms = desk.clock.wall_ms() + 1'000;
  version.shows_until_ms = desk.clock.wall_ms() + 5'000;
  desk.saved(version, 0);
  desk.published("night", 1, 0);
  CHECK(desk.content.shown(kind::kAnnouncement).empty());
  desk.clock.advance(2'000);
  CHECK(desk.content.shown(kind::kAnnouncement).size() == 1);
  desk.clock.advance(3'000);
  CHECK(desk.content.shown(kind::kAnnouncement).empty());
}

TEST_CASE("content: nobody changes or removes a version that was saved, not even with the file") {
  Desk desk;
  desk.content.seed();
  CHECK_THROWS(desk.shop.tamper("UPDATE content_versions SET title_zh = 'x'"));
  CHECK_THROWS(desk.shop.tamper("DELETE FROM content_versions"));
  CHECK_THROWS(desk.shop.tamper("DELETE FROM content_publications"));
}

}  // namespace
}  // namespace topup::content
