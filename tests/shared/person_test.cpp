#include "shared/person.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <string>

using namespace topup;

namespace {
struct Row {
  std::string_view typed;
  std::string_view verdict;
  std::string_view text;
  int bad_at;
  std::string_view reason;
};
void holds(const Row& row, const FieldCheck& got) {
  CAPTURE(row.typed);
  CHECK(to_word(got.verdict) == row.verdict);
  CHECK(got.text == row.text);
  CHECK(got.bad_at == row.bad_at);
  CHECK(got.reason == row.reason);
}
}  // namespace

TEST_CASE("name: what no name has is refused at its place, with its reason") {
  constexpr Row kRows[] = {
      {"", "empty", "", -1, ""},
      {"  ", "empty", "", -1, ""},
      {"张三", "valid", "张三", -1, ""},
      {" 张三　", "valid", "张三", -1, ""},
      {"阿卜杜拉·买买提", "valid", "阿卜杜拉·买买提", -1, ""},
      {"阿卜杜拉 • 买买提", "valid", "阿卜杜拉·买买提", -1, ""},
      {"阿卜杜拉·", "incomplete", "阿卜杜拉·", -1, ""},
      {"Zhang   San", "valid", "Zhang San", -1, ""},
      {"Ｚｈａｎｇ", "valid", "Zhang", -1, ""},
      {"Anne-Marie O’Brien", "valid", "Anne-Marie O'Brien", -1, ""},
      {"J.-P. Dupré Jr.", "valid", "J.-P. Dupré Jr.", -1, ""},
      {"Nguye\xCC\x82n", "valid", "Nguye\xCC\x82n", -1, ""},
      {"𠮷野", "valid", "𠮷野", -1, ""},
      {"张\u200B三", "valid", "张三", -1, ""},
      {"Anne--", "impossible", "Anne-", 5, "name_mark_misplaced"},
      {"·张", "impossible", "", 0, "name_mark_misplaced"},
      {"张3", "impossible", "张", 1, "name_digit"},
      {"张３", "impossible", "张", 1, "name_digit"},
      {"张😀", "impossible", "张", 1, "name_emoji"},
      {"张\n三", "impossible", "张", 1, "name_control_character"},
      {"张\t三", "impossible", "张", 1, "name_control_character"},
      {"张@", "impossible", "张", 1, "name_character_unknown"},
      {"สมชาย", "impossible", "", 0, "name_character_unknown"},
      {"张\xC3", "impossible", "张", 1, "name_character_unknown"},
  };
  for (const Row& row : kRows) holds(row, check_person_name(row.typed));
  CHECK(check_person_name(std::string("\0", 1)).reason == "name_control_character");
}

TEST_CASE("name: forty characters fit, not forty bytes") {
  std::string forty;
  for (std::size_t i = 0; i < kMaxNameCharacters; ++i) forty += "张";
  CHECK(check_person_name(forty).verdict == FieldVerdict::valid);
  CHECK(check_person_name(forty + "三").reason == "name_too_long");
  CHECK(check_person_name(forty + "三").bad_at == 40);
  CHECK(check_person_name(std::string(39, 'a') + " b").reason == "name_too_long");
  CHECK(check_person_name(std::string(kMaxTypedBytes + 1, 'a')).reason == "name_too_long");
}

TEST_CASE("e-mail: each reason, at the first place that is wrong") {
  constexpr Row kRows[] = {
      {"", "empty", "", -1, ""},
      {"a", "incomplete", "a", -1, ""},
      {"a@", "incomplete", "a@", -1, ""},
      {"a@b", "incomplete", "a@b", -1, ""},
      {"a@b.c", "incomplete", "a@b.c", -1, ""},
      {"a@b.cn", "valid", "a@b.cn", -1, ""},
      {" Ann.O'Neil+shop@Example.COM ", "valid", "Ann.O'Neil+shop@example.com", -1, ""},
      {"ann＠example。com", "valid", "ann@example.com", -1, ""},
      {"a@1.22", "incomplete", "a@1.22", -1, ""},
      {"a@b.c-", "incomplete", "a@b.c-", -1, ""},
      {"@", "impossible", "", 0, "email_local_missing"},
      {".", "impossible", "", 0, "email_dot_misplaced"},
      {"a..", "impossible", "a.", 2, "email_dot_misplaced"},
      {"a.@", "impossible", "a.", 2, "email_dot_misplaced"},
      {"a@.", "impossible", "a@", 2, "email_dot_misplaced"},
      {"a@b-.", "impossible", "a@b-", 4, "email_dot_misplaced"},
      {"a@-", "impossible", "a@", 2, "email_domain_wrong"},
      {"a@b@", "impossible", "a@b", 3, "email_bad_character"},
      {"a b@c.cn", "impossible", "a", 1, "email_bad_character"},
      {"张@c.cn", "impossible", "", 0, "email_bad_character"},
      {"a@例子.cn", "impossible", "a@", 2, "email_bad_character"},
      {"a\"", "impossible", "a", 1, "email_bad_character"},
  };
  for (const Row& row : kRows) holds(row, check_email(row.typed));
}

TEST_CASE("e-mail: the lengths of the standards") {
  const std::string local(kMaxEmailLocal, 'a');
  const std::string label(kMaxDomainLabel, 'b');
  CHECK(check_email(local + "@b.cn").verdict == FieldVerdict::valid);
  CHECK(check_email(local + "a@b.cn").reason == "email_local_too_long");
  CHECK(check_email("a@" + label + ".cn").verdict == FieldVerdict::valid);
  CHECK(check_email("a@" + label + "b.cn").reason == "email_domain_wrong");
  const std::string domain = label + "." + label + "." + label;  // 191
  CHECK(check_email(std::string(59, 'a') + "@" + domain + ".cn").text.size() == kMaxEmailBytes);
  CHECK(check_email(std::string(60, 'a') + "@" + domain + ".cn").reason == "email_too_long");
  CHECK(check_email(std::string(kMaxTypedBytes + 1, 'a')).reason == "email_too_long");
}

TEST_CASE("e-mail and name: any bytes give a verdict, and what is impossible stays so") {
  CHECK(rc::check("more typing mends nothing", [](const std::string& typed) {
    bool email_was = false;
    bool name_was = false;
    for (std::size_t size = 0; size <= typed.size(); ++size) {
      const std::string part = typed.substr(0, size);
      const bool email_is = check_email(part).verdict == FieldVerdict::impossible;
      RC_ASSERT(!email_was || email_is);
      email_was = email_is;
      const FieldCheck name = check_person_name(part);
      // Half a character of UTF-8 is a bad one until its second half has come.
      if (static_cast<unsigned char>(part.empty() ? 'a' : part.back()) >= 0x80) break;
      RC_ASSERT(!name_was || name.verdict == FieldVerdict::impossible);
      name_was = name.verdict == FieldVerdict::impossible;
    }
  }));
  CHECK(rc::check("what a check keeps passes it again", [] {
    const std::string typed = *rc::gen::container<std::string>(
        rc::gen::element('a', 'B', '.', '@', '-', ' ', '1', '\'', '_'));
    const FieldCheck email = check_email(typed);
    RC_ASSERT(check_email(email.text).text == email.text);
    const FieldCheck name = check_person_name(typed);
    RC_ASSERT(check_person_name(name.text).text == name.text);
  }));
}
