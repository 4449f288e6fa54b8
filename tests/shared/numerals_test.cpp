#include "shared/numerals.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <string>

#include "shared/spoken_amount.h"
#include "shared/spoken_text.h"

using namespace topup;

namespace {

SpokenNumber number_of(const std::string& typed) {
  SpokenText text;
  REQUIRE(even_out(typed, text));
  return read_number(text.begin(), true);
}

bool reads_whole(const std::string& typed, std::int64_t value) {
  SpokenText text;
  if (!even_out(typed, text)) return false;
  const SpokenNumber number = read_number(text.begin(), true);
  return number.is_certain && number.size == text.size &&
         number.thousandths == value * kThousandths;
}

// Writers of their own: they share nothing with the reader.
std::string chinese_below_10000(int n, const std::string* digits, const std::string* units) {
  std::string out;
  bool has_gap = false;
  for (int place = 3, worth = 1000; place >= 0; --place, worth /= 10) {
    const int digit = n / worth % 10;
    if (digit == 0) {
      has_gap = !out.empty();
      continue;
    }
    if (has_gap) out += digits[0];
    has_gap = false;
    out += digits[digit] + units[place];
  }
  return out;
}

std::string chinese(int n, bool is_financial) {
  const std::string plain[] = {"零", "一", "二", "三", "四", "五", "六", "七", "八", "九"};
  const std::string formal[] = {"零", "壹", "贰", "叁", "肆", "伍", "陆", "柒", "捌", "玖"};
  const std::string plain_units[] = {"", "十", "百", "千"};
  const std::string formal_units[] = {"", "拾", "佰", "仟"};
  const std::string* digits = is_financial ? formal : plain;
  const std::string* units = is_financial ? formal_units : plain_units;
  if (n < 10'000) return chinese_below_10000(n, digits, units);
  const int rest = n % 10'000;
  return chinese_below_10000(n / 10'000, digits, units) + "万" +
         (rest > 0 && rest < 1000 ? digits[0] : "") + chinese_below_10000(rest, digits, units);
}

std::string english(int n, const std::string& joint) {
  const char* small[] = {"",        "one",     "two",       "three",    "four",
                         "five",    "six",     "seven",     "eight",    "nine",
                         "ten",     "eleven",  "twelve",    "thirteen", "fourteen",
                         "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
  const char* tens[] = {"",      "",      "twenty",  "thirty", "forty",
                        "fifty", "sixty", "seventy", "eighty", "ninety"};
  if (n >= 1000) {
    const int rest = n % 1000;
    const std::string head = english(n / 1000, joint) + " thousand";
    if (rest == 0) return head;
    return head + (rest < 100 ? joint : " ") + english(rest, joint);
  }
  if (n >= 100) {
    const std::string head = std::string(small[n / 100]) + " hundred";
    return n % 100 == 0 ? head : head + joint + english(n % 100, joint);
  }
  if (n < 20) return small[n];
  return n % 10 == 0 ? tens[n / 10] : std::string(tens[n / 10]) + "-" + small[n % 10];
}

}  // namespace

TEST_CASE("numbers are read as they are said") {
  struct Row {
    const char* typed;
    std::int64_t thousandths;
  };
  const Row rows[] = {
      {"7", 7000},
      {"100", 100'000},
      {"１００", 100'000},
      {"1,000", 1'000'000},
      {"12,345.5", 12'345'500},
      {"99.5", 99'500},
      {"0.5", 500},
      {"2k", 2'000'000},
      {"1.5k", 1'500'000},
      {"1w", 10'000'000},
      {"1.5万", 15'000'000},
      {"1百", 100'000},
      {"3百5", 350'000},
      {"3千5", 3'500'000},
      {"1千零50", 1'050'000},
      {"2 hundred", 200'000},
      {"1.5 thousand", 1'500'000},
      {"一", 1000},
      {"十", 10'000},
      {"十五", 15'000},
      {"二十", 20'000},
      {"两百", 200'000},
      {"二百", 200'000},
      {"三百五", 350'000},
      {"三百五十", 350'000},
      {"一百零五", 105'000},
      {"一百〇五", 105'000},
      {"一百一", 110'000},
      {"一百十五", 115'000},
      {"一千五", 1'500'000},
      {"一千零五", 1'005'000},
      {"一千零五十", 1'050'000},
      {"两千三百四十五", 2'345'000},
      {"一万二", 12'000'000},
      {"一万零二十", 10'020'000},
      {"二十万", 200'000'000},
      {"三万五千", 35'000'000},
      {"壹佰贰拾", 120'000},
      {"貳仟", 2'000'000},
      {"五零", 50'000},
      {"二〇〇", 200'000},
      {"百元", 100'000},
      {"two hundred", 200'000},
      {"a hundred", 100'000},
      {"hundred", 100'000},
      {"a hundred and fifty", 150'000},
      {"one hundred fifty", 150'000},
      {"twenty-five", 25'000},
      {"twenty five", 25'000},
      {"fifteen hundred", 1'500'000},
      {"one thousand and five", 1'005'000},
      {"ninety nine thousand nine hundred ninety nine", 99'999'000},
      {"five zero", 50'000},
  };
  for (const Row& row : rows) {
    CAPTURE(row.typed);
    const SpokenNumber got = number_of(row.typed);
    CHECK(got.size > 0);
    CHECK(got.is_certain);
    CHECK(got.thousandths == row.thousandths);
  }
}

TEST_CASE("what has no single reading is not certain, and is read to its end") {
  const char* rows[] = {"一百百",        "一二百",
                        "三四百",        "几百",
                        "十几",          "一百二三",
                        "一百零",        "一百零零五",
                        "百五十",        "一亿",
                        "一百五半",      "1百50",
                        "1.5万5",        "0100",
                        "100.5555",      "1.2.3",
                        "9999999999",    "一千千",
                        "一十十",        "100一",
                        "five twenty",   "two hundred hundred",
                        "twenty eleven", "2 hundred fifty",
                        "one fifty",     "负五"};
  for (const char* typed : rows) {
    CAPTURE(typed);
    SpokenText text;
    REQUIRE(even_out(typed, text));
    const SpokenNumber got = read_number(text.begin(), true);
    CHECK_FALSE(got.is_certain);
    CHECK(got.size == text.size);
  }
}

TEST_CASE("words that only look like numbers are none") {
  for (const char* typed :
       {"千里", "百货", "万达", "and", "oh", "onex", "hundreds", "a dog", "", "块"}) {
    CAPTURE(typed);
    CHECK(number_of(typed).size == 0);
  }
}

TEST_CASE("digits said one by one keep their leading zeros") {
  CHECK(number_of("零八一").said.view() == "081");
  CHECK(number_of("幺三八零零").said.view() == "13800");
  CHECK(number_of("oh one").said.view().empty());
  CHECK(number_of("one two three four").said.view() == "1234");
  CHECK(number_of("one oh five").said.view() == "105");
  CHECK(number_of("0081").said.view() == "0081");
  CHECK(number_of("一二三四五六七八九零一二三四五六七八九零一二三四五").is_certain == false);
}

TEST_CASE("every number up to 99,999 is read back in each writing") {
  CHECK(rc::check("Chinese", [] {
    const int n = *rc::gen::inRange(1, 100'000);
    RC_ASSERT(reads_whole(chinese(n, false), n));
    RC_ASSERT(reads_whole(chinese(n, true), n));
  }));
  CHECK(rc::check("English, with and without \"and\"", [] {
    const int n = *rc::gen::inRange(1, 100'000);
    RC_ASSERT(reads_whole(english(n, " and "), n));
    RC_ASSERT(reads_whole(english(n, " "), n));
  }));
  CHECK(rc::check("digits, plain and grouped", [] {
    const int n = *rc::gen::inRange(1, 100'000);
    const std::string plain = std::to_string(n);
    RC_ASSERT(reads_whole(plain, n));
    if (n < 1000) return;
    RC_ASSERT(reads_whole(std::string(plain).insert(plain.size() - 3, ","), n));
  }));
}

TEST_CASE("amounts carry their currency and its parts") {
  struct Row {
    const char* typed;
    std::int64_t thousandths;
    SpokenUnit unit;
    Currency currency;
  };
  constexpr Currency kAny = Currency::cny;
  const Row rows[] = {
      {"50", 50'000, SpokenUnit::none, kAny},
      {"50块", 50'000, SpokenUnit::local, kAny},
      {"五十 块钱", 50'000, SpokenUnit::local, kAny},
      {"¥50", 50'000, SpokenUnit::local, kAny},
      {"￥50元", 50'000, SpokenUnit::local, kAny},
      {"fifty bucks", 50'000, SpokenUnit::local, kAny},
      {"十块五毛", 10'500, SpokenUnit::local, kAny},
      {"十块五", 10'500, SpokenUnit::local, kAny},
      {"十块五毛五", 10'550, SpokenUnit::local, kAny},
      {"十块五毛五分", 10'550, SpokenUnit::local, kAny},
      {"十块零五分", 10'050, SpokenUnit::local, kAny},
      {"十元五角", 10'500, SpokenUnit::local, kAny},
      {"三块半", 3500, SpokenUnit::local, kAny},
      {"五毛", 500, SpokenUnit::local, kAny},
      {"100块5", 100'500, SpokenUnit::local, kAny},
      {"三点五元", 3500, SpokenUnit::local, kAny},
      {"50元人民币", 50'000, SpokenUnit::named, Currency::cny},
      {"50 rmb", 50'000, SpokenUnit::named, Currency::cny},
      {"USD 50", 50'000, SpokenUnit::named, Currency::usd},
      {"us$50", 50'000, SpokenUnit::named, Currency::usd},
      {"$50", 50'000, SpokenUnit::dollar, kAny},
      {"twenty five dollars fifty", 25'500, SpokenUnit::dollar, kAny},
      {"twenty dollars and fifty cents", 20'500, SpokenUnit::dollar, kAny},
      {"20 dollars 5 cents", 20'050, SpokenUnit::dollar, kAny},
      {"两百泰铢", 200'000, SpokenUnit::named, Currency::thb},
      {"一百块港币", 100'000, SpokenUnit::named, Currency::hkd},
      {"五万越南盾", 50'000'000, SpokenUnit::named, Currency::vnd},
      {"五万盾", 50'000'000, SpokenUnit::dong, kAny},
      {"100卢比", 100'000, SpokenUnit::rupee, kAny},
      {"5个", 5000, SpokenUnit::quantity, kAny},
      {"8点", 8000, SpokenUnit::counter, kAny},
      {"10gb", 10'000, SpokenUnit::counter, kAny},
  };
  for (const Row& row : rows) {
    CAPTURE(row.typed);
    SpokenText text;
    REQUIRE(even_out(row.typed, text));
    const SpokenAmount got = read_amount(text.begin(), true);
    CHECK(got.size == text.size);
    CHECK(got.number.is_certain);
    CHECK(got.number.thousandths == row.thousandths);
    CHECK(static_cast<int>(got.unit) == static_cast<int>(row.unit));
    CHECK(to_word(got.currency) == to_word(row.currency));
  }
}

TEST_CASE("an amount that goes on, or is qualified, is not certain") {
  for (const char* typed : {"一百多", "一百来块", "100左右", "100abc", "1e3", "-100", "+100",
                            "十块五十", "$50泰铢", "100+", "100*2", "一百以内", "100 or so"}) {
    CAPTURE(typed);
    SpokenText text;
    REQUIRE(even_out(typed, text));
    CHECK_FALSE(read_amount(text.begin(), true).number.is_certain);
  }
}

TEST_CASE("only whole minor units become money") {
  CHECK(to_money(10'550, Currency::cny)->minor == 1055);
  CHECK(to_money(10'555, Currency::kwd)->minor == 10'555);
  CHECK(to_money(10'000, Currency::jpy)->minor == 10);
  CHECK_FALSE(to_money(10'555, Currency::cny));
  CHECK_FALSE(to_money(10'500, Currency::jpy));
}
