// Mainland numbers, then the world's: tables, every example of the numbering plans, properties.
#include "shared/phone.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "tests/support/source_dir.h"

using namespace topup;
using Json = nlohmann::json;

TEST_CASE("forty spellings of one number become one canonical form") {
  const char* spellings[] = {"13812345678",
                             "138 1234 5678",
                             "138-1234-5678",
                             "138.1234.5678",
                             "(138)12345678",
                             "+8613812345678",
                             "+86 138 1234 5678",
                             "+86-138-1234-5678",
                             "8613812345678",
                             "86 13812345678",
                             "008613812345678",
                             "0086 138 1234 5678",
                             "0086-13812345678",
                             "+86(138)12345678",
                             " 13812345678 ",
                             "\t13812345678",
                             "１３８１２３４５６７８",
                             "＋８６１３８１２３４５６７８",
                             "138　1234　5678",
                             "138 1234 5678",
                             "+86 138 12345678",
                             "138‐1234‐5678",
                             "138–1234–5678",
                             "138—1234—5678",
                             "（138）12345678",
                             "86-138-1234-5678",
                             "0086(138)12345678",
                             "138/1234/5678",
                             "138 12345678",
                             "1381234 5678",
                             "1 3 8 1 2 3 4 5 6 7 8",
                             "+8 6138 1234 5678",
                             "+86.138.1234.5678",
                             "‭13812345678‬",
                             "13812345678 ",
                             "013812345678",
                             "１３８-１２３４-５６７８",
                             "+86　13812345678",
                             "138--1234--5678",
                             "+86/138/1234/5678"};
  CHECK(std::size(spellings) == 40);
  for (const char* typed : spellings) {
    INFO(std::string(typed));
    const auto got = normalise_mainland_phone(typed);
    REQUIRE(got);
    CHECK(*got == "+8613812345678");
  }
}

TEST_CASE("each key press gets a verdict") {
  struct Row {
    const char* typed;
    PhoneVerdict verdict;
    MainlandOperator hint;
    int bad_at;
    const char* reason;
  };
  const Row rows[] = {
      {"", PhoneVerdict::empty, MainlandOperator::unknown, -1, ""},
      {"+", PhoneVerdict::incomplete, MainlandOperator::unknown, -1, ""},
      {"8", PhoneVerdict::incomplete, MainlandOperator::unknown, -1, ""},
      {"86", PhoneVerdict::incomplete, MainlandOperator::unknown, -1, ""},
      {"0", PhoneVerdict::incomplete, MainlandOperator::unknown, -1, ""},
      {"00", PhoneVerdict::incomplete, MainlandOperator::unknown, -1, ""},
      {"008", PhoneVerdict::incomplete, MainlandOperator::unknown, -1, ""},
      {"1", PhoneVerdict::incomplete, MainlandOperator::unknown, -1, ""},
      {"13", PhoneVerdict::incomplete, MainlandOperator::unknown, -1, ""},
      {"138", PhoneVerdict::incomplete, MainlandOperator::mobile, -1, ""},
      {"1349", PhoneVerdict::incomplete, MainlandOperator::telecom, -1, ""},
      {"1381234567", PhoneVerdict::incomplete, MainlandOperator::mobile, -1, ""},
      {"13812345678", PhoneVerdict::valid, MainlandOperator::mobile, -1, ""},
      {"13012345678", PhoneVerdict::valid, MainlandOperator::unicom, -1, ""},
      {"19212345678", PhoneVerdict::valid, MainlandOperator::broadnet, -1, ""},
      {"17012345678", PhoneVerdict::valid, MainlandOperator::virtual_operator, -1, ""},
      {"15412345678", PhoneVerdict::possible, MainlandOperator::unknown, -1, ""},
      {"2", PhoneVerdict::impossible, MainlandOperator::unknown, 0, "phone_not_mobile"},
      {"12", PhoneVerdict::impossible, MainlandOperator::unknown, 1, "phone_not_mobile"},
      {"01", PhoneVerdict::incomplete, MainlandOperator::unknown, -1, ""},
      {"0138", PhoneVerdict::incomplete, MainlandOperator::mobile, -1, ""},
      {"02", PhoneVerdict::impossible, MainlandOperator::unknown, 0, "phone_not_mobile"},
      {"1064", PhoneVerdict::impossible, MainlandOperator::unknown, 1, "phone_not_mobile"},
      {"140", PhoneVerdict::impossible, MainlandOperator::unknown, 2, "phone_segment_unassigned"},
      {"138123456789", PhoneVerdict::impossible, MainlandOperator::unknown, 11, "phone_too_long"},
      {"138a", PhoneVerdict::impossible, MainlandOperator::unknown, 3, "phone_bad_character"},
      {"13812345678+", PhoneVerdict::impossible, MainlandOperator::unknown, 11,
       "phone_bad_character"},
  };
  for (const Row& row : rows) {
    INFO(std::string(row.typed));
    const PhoneCheck got = check_mainland_phone(row.typed);
    CHECK(to_word(got.verdict) == to_word(row.verdict));
    CHECK(to_word(got.operator_hint) == to_word(row.hint));
    CHECK(got.bad_at == row.bad_at);
    CHECK(got.reason == row.reason);
  }
}

TEST_CASE("input beyond the cap is refused without being read") {
  const PhoneCheck got = check_mainland_phone(std::string(100'000, '1'));
  CHECK(got.verdict == PhoneVerdict::impossible);
  CHECK(got.reason == "phone_too_long");
}

TEST_CASE("normalising what is already canonical changes nothing") {
  const auto once = normalise_mainland_phone("138 1234 5678");
  REQUIRE(once);
  CHECK(*normalise_mainland_phone(*once) == *once);
}

TEST_CASE("machines are refused, an unassigned segment is left to the supplier") {
  for (const char* machine : {"14012345678", "14112345678", "14412345678"}) {
    CHECK(check_phone(machine, "CN").reason == "phone_segment_unassigned");
  }
  for (const char* unknown : {"14212345678", "15412345678", "16112345678", "19412345678"}) {
    INFO(std::string(unknown));
    CHECK(check_phone(unknown, "CN").verdict == PhoneVerdict::possible);
    CHECK(normalise_phone(unknown, "CN"));
  }
}

TEST_CASE("forty-five spellings around the world become one canonical form each") {
  struct Row {
    const char* country;
    const char* typed;
    const char* canonical;
  };
  const Row rows[] = {
      {"TH", "0812345678", "+66812345678"},
      {"TH", "812345678", "+66812345678"},
      {"TH", "66812345678", "+66812345678"},
      {"TH", "+66 81 234 5678", "+66812345678"},
      {"TH", "+66 (0)81 234 5678", "+66812345678"},
      {"TH", "0066-81-234-5678", "+66812345678"},
      {"TH", "(+66) 81.234.5678", "+66812345678"},
      {"TH", "０８１－２３４－５６７８", "+66812345678"},
      {"", "+66 81 234 5678", "+66812345678"},
      {"", "0066 81 234 5678", "+66812345678"},
      {"", "66 81 234 5678", "+66812345678"},
      {"MY", "012-345 6789", "+60123456789"},
      {"MY", "+6012-3456789", "+60123456789"},
      {"SG", "8123 4567", "+6581234567"},
      {"SG", "65 8123 4567", "+6581234567"},
      {"VN", "0912 345 678", "+84912345678"},
      {"PH", "(0917) 123 4567", "+639171234567"},
      {"ID", "0812-1234-5678", "+6281212345678"},
      {"HK", "+852-9123-4567", "+85291234567"},
      {"MO", "＋８５３　６６１２　３４５６", "+85366123456"},
      {"IN", "+91-98123-45678", "+919812345678"},
      {"IN", "098123 45678", "+919812345678"},
      {"US", "(201) 555-0123", "+12015550123"},
      {"US", "1-201-555-0123", "+12015550123"},
      {"US", "+1.201.555.0123", "+12015550123"},
      {"US", "201–555–0123", "+12015550123"},
      {"CA", "1 (204) 555-0123", "+12045550123"},
      {"GB", "07400 123456", "+447400123456"},
      {"GB", "+44 (0) 7400 123456", "+447400123456"},
      {"GB", "0044 7400 123 456", "+447400123456"},
      {"RU", "8 (912) 123-45-67", "+79121234567"},
      {"RU", "+7 912 123‑45‑67", "+79121234567"},
      {"KZ", "8 701 123 45 67", "+77011234567"},
      {"HU", "06 20 123 4567", "+36201234567"},
      {"BY", "8 029 123 45 67", "+375291234567"},
      {"BY", "80291234567", "+375291234567"},
      {"LT", "8 612 34567", "+37061234567"},
      {"MX", "+52 1 55 1234 5678", "+525512345678"},
      {"MX", "044 55 1234 5678", "+525512345678"},
      {"MX", "01 55 1234 5678", "+525512345678"},
      {"BR", "0 15 11 96123 4567", "+5511961234567"},
      {"BR", "(011) 96123-4567", "+5511961234567"},
      {"AR", "011 15 2345 6789", "+5491123456789"},
      {"AR", "+54 9 11 2345-6789", "+5491123456789"},
      {"AR", "02205 15 412345", "+5492205412345"},
  };
  CHECK(std::size(rows) == 45);
  for (const Row& row : rows) {
    INFO(std::string(row.typed));
    const auto got = normalise_phone(row.typed, row.country);
    REQUIRE(got);
    CHECK(*got == row.canonical);
  }
}

TEST_CASE("an Argentine number without 9 and 15 is only possible") {
  const PhoneCheck got = check_phone("11 2345 6789", "AR");
  CHECK(got.verdict == PhoneVerdict::possible);
  CHECK(got.national == "91123456789");
  CHECK(check_phone("11 2345 67", "AR").national == "11234567");
}

namespace {

struct World {
  const char* country;
  std::vector<const char*> valid, incomplete, impossible;
};

// Written by hand from the countries' own plans. Singapore, Hong Kong, Macau and Bangladesh have so
// few shapes that twenty rows would repeat themselves; nowhere are there fewer than twelve.
const std::vector<World> kWorld = {
    {"TH",
     {"812345678", "0812345678", "891234567", "0961234567", "611234567", "0651234567",
      "+66 92 345 6789", "66812345678", "0066812345678", "081-234-5678"},
     {"", "0", "08", "+66", "+6681", "81234567"},
     {"021234567", "0212345678", "8123456789", "712345678", "412345678", "+660212"}},
    {"MY",
     {"0123456789", "01112345678", "0192345678", "0162345678", "0172345678", "+60 13-234 5678",
      "60123456789", "0142345678", "0182345678", "1112345678"},
     {"01", "+60", "12345678", "0111234567"},
     {"0312345678", "0412345678", "0512345678", "01234567890", "2012345678", "+60 3 1234 5678"}},
    {"SG",
     {"81234567", "91234567", "+65 8123 4567", "6581234567", "98765432", "0065 9123 4567",
      "88123456"},
     {"8", "+65", "8123456"},
     {"61234567", "812345678", "21234567", "+65 6123 4567"}},
    {"VN",
     {"0912345678", "0981234567", "0321234567", "0701234567", "0896123456", "+84 90 123 4567",
      "84901234567", "0561234567", "0591234567", "0861234567"},
     {"09", "091234567", "84", "+8490"},
     {"0241234567", "0281234567", "0131234567", "09123456789", "2", "+84 24"}},
    {"PH",
     {"09171234567", "9171234567", "+63 917 123 4567", "09051234567", "09989123456", "09201234567",
      "09451234567", "09611234567", "639171234567", "09761234567"},
     {"0917123456", "63", "+639", "09"},
     {"0281234567", "0321234567", "091712345678", "8812", "+63 2", "7"}},
    {"ID",
     {"081212345678", "085712345678", "087812345678", "089612345678", "083812345678",
      "088112345678", "+62 812-1234-5678", "6281212345678", "085212345678", "081912345678"},
     {"08121234", "+62", "62812", "8"},
     {"0211234567", "0221234567", "0311234567", "0812123456789012", "21", "+62 21"}},
    {"KH",
     {"012345678", "0961234567", "0711234567", "010123456", "077123456", "+855 12 345 678",
      "85512345678", "0881234567", "093123456", "0971234567", "015123456"},
     {"01234567", "+855", "855", "096"},
     {"023123456", "024123456", "01234567890", "041", "+855 23 1"}},
    {"LA",
     {"02055123456", "02098123456", "02077123456", "02022123456", "02091234567", "0302123456",
      "+856 20 5512 3456", "8562055123456", "2055123456"},
     {"02055", "+856", "020", "0205512345"},
     {"021123456", "031123456", "020551234567", "7", "+856 21"}},
    {"MM",
     {"09420012345", "09799123456", "09961234567", "09661234567", "095012345", "+95 9 420 012 345",
      "959420012345", "09250123456", "09777123456"},
     {"0942", "+95", "959", "09"},
     {"01234567", "0212345", "094200123456", "8", "+95 2"}},
    {"HK",
     {"51234567", "61234567", "91234567", "98765432", "+852 9123 4567", "85291234567",
      "00852 6123 4567", "54001234"},
     {"9123456", "+852", "852"},
     {"21234567", "31234567", "912345678", "+852 2123"}},
    {"MO",
     {"66123456", "62123456", "63123456", "65123456", "68123456", "+853 6612 3456", "85366123456"},
     {"6612345", "+853", "66"},
     {"28123456", "661234567", "7", "+853 28"}},
    {"IN",
     {"9812345678", "09812345678", "+91 98123 45678", "919812345678", "7012345678", "9876543210",
      "7999912345", "8888812345", "9999912345", "6200012345"},
     {"981234567", "+91", "91", "09"},
     {"1123456789", "0221234567", "98123456789", "2", "5", "+91 11"}},
    {"PK",
     {"03001234567", "3001234567", "+92 300 1234567", "923001234567", "03121234567", "03331234567",
      "03451234567", "03201234567", "03151234567", "0092 345 1234567"},
     {"0300123456", "+92", "92", "03"},
     {"0421234567", "0211234567", "030012345678", "5", "+92 42"}},
    {"BD",
     {"01712345678", "01812345678", "01912345678", "01512345678", "01612345678", "01312345678",
      "01412345678", "+880 1712-345678", "8801712345678", "00880 1712 345678"},
     {"0171234567", "+880", "880"},
     {"01212345678", "0212345678", "017123456789", "+880 2"}},
    {"AE",
     {"0501234567", "0521234567", "0541234567", "0551234567", "0561234567", "0581234567",
      "+971 50 123 4567", "971501234567", "0531234567"},
     {"050123456", "+971", "971"},
     {"041234567", "0511234567", "05012345678", "2", "+971 4"}},
    {"CN",
     {"13812345678", "+86 138 1234 5678", "8613812345678", "013812345678", "15012345678",
      "16612345678", "17312345678", "18912345678", "19912345678", "14712345678"},
     {"1", "+86", "86", "0", "1381234567"},
     {"2", "12", "14012345678", "02012345678", "138123456789", "+86 20"}},
    {"US",
     {"2015550123", "12015550123", "+1 201 555 0123", "(212) 555-0123", "3105550123", "4155550123",
      "6465550123", "9175550123", "7025550123", "8085550123"},
     {"201555012", "+1", "1", "+1 201"},
     {"0125550123", "2011550123", "2045550123", "8765550123", "8005550123", "20155501234"}},
    {"GB",
     {"07400123456", "07975123456", "+44 7400 123456", "+44 (0)7400 123456", "447400123456",
      "0044 7400 123456", "07512345678", "07812345678", "07971123456"},
     {"0740012345", "+44", "44", "07"},
     {"02071234567", "08001111111", "07781123456", "07797712345", "07624123456", "074001234567"}},
    {"RU",
     {"9121234567", "89121234567", "+7 912 123 45 67", "79121234567", "8 (912) 123-45-67",
      "9031234567", "9261234567", "9851234567"},
     {"912123456", "+7", "8", "7"},
     {"4951234567", "7011234567", "91212345678", "84951234567", "+7 495"}},
    {"KZ",
     {"7011234567", "87011234567", "+7 701 123 45 67", "77011234567", "7051234567", "7771234567",
      "7471234567", "7081234567", "7751234567"},
     {"701123456", "+7", "8", "7"},
     {"9121234567", "7271234567", "70112345678", "89121234567", "+7 727"}},
};

}  // namespace

TEST_CASE("numbers of the countries that matter get the verdict of their own plan") {
  for (const World& world : kWorld) {
    CHECK(world.valid.size() + world.incomplete.size() + world.impossible.size() >= 12);
    for (const char* typed : world.valid) {
      INFO(std::string(world.country), " ", std::string(typed));
      const PhoneCheck got = check_phone(typed, world.country);
      CHECK(to_word(got.verdict) == "valid");
      CHECK(got.country == world.country);
      CHECK(got.calling_code == calling_code_of(world.country));
      CHECK(got.bad_at == -1);
    }
    for (const char* typed : world.incomplete) {
      INFO(std::string(world.country), " ", std::string(typed));
      const PhoneCheck got = check_phone(typed, world.country);
      CHECK(to_word(got.verdict) == (*typed == '\0' ? "empty" : "incomplete"));
      CHECK(got.reason == "");
    }
    for (const char* typed : world.impossible) {
      INFO(std::string(world.country), " ", std::string(typed));
      const PhoneCheck got = check_phone(typed, world.country);
      CHECK(to_word(got.verdict) == "impossible");
      CHECK(got.reason != "");
      CHECK(got.bad_at >= 0);
      CHECK_FALSE(normalise_phone(typed, world.country));
    }
  }
}

TEST_CASE("a number of another country is named as such") {
  struct Row {
    const char* chosen;
    const char* typed;
    const char* reason;
    const char* other;
    int bad_at;
  };
  const Row rows[] = {
      {"RU", "+7 701 123 45 67", "phone_other_country", "KZ", 0},
      {"RU", "87011234567", "phone_other_country", "KZ", 0},
      {"KZ", "+79121234567", "phone_other_country", "RU", 0},
      {"US", "2045550123", "phone_other_country", "CA", 2},
      {"US", "+1 876 555 0123", "phone_other_country", "JM", 2},
      {"CA", "2125550123", "phone_other_country", "US", 1},
      {"GB", "07781123456", "phone_other_country", "GG", 3},
      {"GB", "07797712345", "phone_other_country", "JE", 3},
      {"GB", "07624123456", "phone_other_country", "IM", 1},
      {"CN", "+66812345678", "phone_other_country", "TH", 0},
      {"CN", "00852 9123 4567", "phone_other_country", "HK", 1},
      {"CN", "+85", "phone_other_country", "", 1},
      {"CN", "+852", "phone_other_country", "HK", 1},
      {"TH", "+8613812345678", "phone_other_country", "CN", 0},
      {"TH", "+999", "phone_country_unknown", "", 0},
      {"TH", "+0", "phone_country_unknown", "", 0},
      {"", "0812345678", "phone_country_unknown", "", 0},
      {"XX", "0812345678", "phone_country_unknown", "", 0},
      {"th", "0812345678", "phone_country_unknown", "", 0},
      {"THA", "", "phone_country_unknown", "", 0},
  };
  for (const Row& row : rows) {
    INFO(std::string(row.chosen), " ", std::string(row.typed));
    const PhoneCheck got = check_phone(row.typed, row.chosen);
    CHECK(to_word(got.verdict) == "impossible");
    CHECK(got.reason == row.reason);
    CHECK(got.other_country == row.other);
    CHECK(got.bad_at == row.bad_at);
  }
}

TEST_CASE("the country is guessed from the calling code, key by key") {
  struct Row {
    const char* typed;
    const char* verdict;
    const char* country;
    int calling_code;
  };
  const Row rows[] = {
      {"", "empty", "", 0},
      {"+", "incomplete", "", 0},
      {"0", "incomplete", "", 0},
      {"00", "incomplete", "", 0},
      {"+8", "incomplete", "", 0},
      {"+85", "incomplete", "", 0},
      {"+852", "incomplete", "HK", 852},
      {"+86", "incomplete", "CN", 86},
      {"+86 138", "incomplete", "CN", 86},
      {"+8613812345678", "valid", "CN", 86},
      {"0066812345678", "valid", "TH", 66},
      {"+7", "incomplete", "RU", 7},
      {"+7 701", "incomplete", "KZ", 7},
      {"+77011234567", "valid", "KZ", 7},
      {"+79121234567", "valid", "RU", 7},
      {"+1 201 555 0123", "valid", "US", 1},
      {"+1 204 555 0123", "valid", "CA", 1},
      {"+1 800 555 0123", "impossible", "", 1},
      {"+1 876 210 1234", "valid", "JM", 1},
      {"+44 7781 123456", "valid", "GG", 44},
      {"+44 7400 123456", "valid", "GB", 44},
      {"+61 412 345 678", "valid", "AU", 61},
      {"+39 312 345 6789", "valid", "IT", 39},
      {"+247 40123", "valid", "AC", 247},
  };
  for (const Row& row : rows) {
    INFO(std::string(row.typed));
    const PhoneCheck got = check_phone(row.typed, "");
    CHECK(to_word(got.verdict) == row.verdict);
    if (got.verdict != PhoneVerdict::impossible) CHECK(got.country == row.country);
    CHECK(got.calling_code == row.calling_code);
  }
}

TEST_CASE("hostile input gets a verdict and nothing else") {
  for (const std::string& typed :
       {std::string(100'000, '1'), std::string(64, '9'), std::string(64, '+'), std::string(3, '\0'),
        std::string("\xEF\xBC"), std::string("\xE2\x80"), std::string("\xFF\xFE"),
        std::string("\xED\xA0\x80"), std::string("1e9"), std::string("0x86")}) {
    for (const char* country : {"CN", "TH", "US", "AR", "", "\xFF\xFF", "ZZZZZZZZ"}) {
      CHECK(check_phone(typed, country).verdict == PhoneVerdict::impossible);
      CHECK_FALSE(normalise_phone(typed, country));
      CHECK(mask_phone(typed) == "****");
    }
  }
}

TEST_CASE("countries are known by their code in capitals") {
  CHECK(is_country("TH"));
  CHECK(is_country("AC"));
  CHECK(is_country("ZW"));
  for (const char* none : {"", "T", "th", "THA", "XX", "A\xFF"}) CHECK_FALSE(is_country(none));
  CHECK(calling_code_of("KZ") == 7);
  CHECK(calling_code_of("HK") == 852);
  CHECK(calling_code_of("XX") == 0);
}

namespace {

Json package_json(const std::string& name) {
  const std::string path =
      testing::source_dir() + "/scripts/phonegen/node_modules/libphonenumber-js/" + name + ".json";
  std::ifstream in(path);
  REQUIRE_MESSAGE(in.good(), path);
  return Json::parse(in);
}

// The lengths that a country's mobile numbers may have, from the metadata itself.
std::set<std::size_t> mobile_lengths(const Json& country) {
  const Json types = country.size() > 11 ? country.at(11) : Json();
  Json type = types.is_array() && types.size() > 1 ? types.at(1) : Json();
  if (type.is_array() && type.at(0) == "") type = types.at(0);
  return type.is_array() && type.size() > 1 ? type.at(1) : country.at(3);
}

}  // namespace

TEST_CASE("every example number of the plans is valid, and not with a digit dropped") {
  const Json examples = package_json("examples.mobile");
  const Json countries = package_json("metadata.max").at("countries");
  CHECK(examples.size() >= 244);
  CHECK(countries.size() == 245);
  for (const auto& [country, example] : examples.items()) {
    const std::string national = example;
    CAPTURE(country);
    CAPTURE(national);
    const PhoneCheck got = check_phone(national, country);
    CHECK(to_word(got.verdict) == "valid");
    CHECK(got.national == national);
    const std::string international = "+" + std::to_string(got.calling_code) + national;
    CHECK(normalise_phone(international, country).value_or("") == international);
    CHECK(to_word(check_phone(international, "").verdict) == "valid");
    const auto lengths = mobile_lengths(countries.at(country));
    for (std::size_t at = 0; at < national.size(); ++at) {
      const PhoneCheck less = check_phone(std::string(national).erase(at, 1), country);
      if (less.verdict != PhoneVerdict::valid) continue;
      CHECK(less.national.size() < national.size());
      CHECK(lengths.count(less.national.size()) == 1);
    }
  }
}

namespace {

std::vector<std::string> all_countries() {
  static const std::vector<std::string> kAll = [] {
    std::vector<std::string> out;
    for (char first = 'A'; first <= 'Z'; ++first) {
      for (char second = 'A'; second <= 'Z'; ++second) {
        if (is_country(std::string{first, second})) out.push_back({first, second});
      }
    }
    return out;
  }();
  return kAll;
}

// The ranges of rapidcheck are small in early runs; this one is not.
std::size_t below(std::size_t end) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::size_t>(0, end));
}

struct Keys {
  std::string country, typed;
};

// An example number of a country, one of its digits changed, in one of its spellings.
Keys any_number() {
  static const Json kExamples = package_json("examples.mobile");
  Keys keys;
  keys.country = *rc::gen::elementOf(all_countries());
  std::string national = kExamples.value(keys.country, "8123");
  national[below(national.size())] = static_cast<char>('0' + below(10));
  const std::string code = std::to_string(calling_code_of(keys.country));
  const std::vector<std::string> heads = {"", "0", "+" + code, "00" + code, code, "+" + code + "0"};
  keys.typed = heads[below(heads.size())] + national;
  if (below(4) == 0 && keys.typed.starts_with('+')) keys.country = "";
  return keys;
}

// Such a number, perhaps cut, perhaps with keys behind that have no business there.
Keys any_keys() {
  Keys keys = any_number();
  if (below(2) == 0) keys.typed.resize(below(keys.typed.size()));
  if (below(2) == 0) {
    keys.typed += *rc::gen::container<std::string>(
        rc::gen::elementOf(std::string("01234567890123456789 -+a")));
  }
  if (below(5) == 0) keys.country = "";
  return keys;
}

}  // namespace

TEST_CASE("what is impossible stays so, whatever is typed behind it") {
  CHECK(rc::check("no way back from impossible", [] {
    const Keys keys = any_keys();
    bool is_dead = false;
    for (std::size_t size = 0; size <= keys.typed.size(); ++size) {
      const PhoneCheck got = check_phone(keys.typed.substr(0, size), keys.country);
      if (is_dead) RC_ASSERT(got.verdict == PhoneVerdict::impossible);
      is_dead = got.verdict == PhoneVerdict::impossible;
      RC_ASSERT(is_dead == (got.bad_at >= 0));
      RC_ASSERT(is_dead == !got.reason.empty());
      RC_ASSERT(got.bad_at <= static_cast<int>(got.national.size()) || size > kMaxPhoneInput);
    }
  }));
}

TEST_CASE("normalising is idempotent and keeps the country") {
  CHECK(rc::check("twice is once", [] {
    const Keys keys = any_number();
    const auto once = normalise_phone(keys.typed, keys.country);
    RC_PRE(once.has_value());
    RC_ASSERT(normalise_phone(*once, keys.country).value_or("") == *once);
    const PhoneCheck got = check_phone(keys.typed, keys.country);
    RC_ASSERT(is_country(got.country));
    RC_ASSERT(normalise_phone(*once, got.country).value_or("") == *once);
  }));
}

TEST_CASE("a mask never shows more than the beginning and four digits") {
  CHECK(mask_phone("13812345678") == "138****5678");
  CHECK(mask_phone("+8613812345678") == "138****5678");
  CHECK(mask_phone("+66812345678") == "+66 81****678");
  CHECK(mask_phone("+6581234567") == "+65 8****567");
  CHECK(mask_phone("+12015550123") == "+1 20****123");
  CHECK(mask_phone("+24740123") == "+247 ****3");
  CHECK(mask_phone("+2908123") == "****");
  for (const char* other : {"", "+", "1381234567", "138123456789", "abcdefghijk", "+8513812345678",
                            "+0012345678", "+1381234567890123", "138１2345678"}) {
    INFO(std::string(other));
    CHECK(mask_phone(other) == "****");
  }
  CHECK(rc::check("four digits stay hidden", [] {
    const Keys keys = any_number();
    const auto canonical = normalise_phone(keys.typed, keys.country);
    RC_PRE(canonical.has_value());
    const std::string mask = mask_phone(*canonical);
    const auto shown =
        std::count_if(mask.begin(), mask.end(), [](char c) { return c >= '0' && c <= '9'; });
    const bool is_mainland = canonical->starts_with("+86");
    const auto all = static_cast<std::ptrdiff_t>(canonical->size() - 1 - (is_mainland ? 2 : 0));
    RC_ASSERT(shown <= all - 4);
    const std::size_t stars = mask.find("****");
    RC_ASSERT(stars != std::string::npos);
    RC_ASSERT(mask.size() - stars - 4 <= 4u);
  }));
}
