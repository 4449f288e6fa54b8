#include "shared/intent.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>
#include <vector>

#include "shared/spoken_text.h"

using namespace topup;

namespace {

const SavedRecipient kSaved[] = {
    {"mum", "妈妈", ProductKind::airtime, "1234"}, {"wang", "老王", ProductKind::fuel_card, "5678"},
    {"bob", "Bob", ProductKind::airtime, "4321"},  {"car", "公车", ProductKind::fuel_card, "1234"},
    {"li", "小李", ProductKind::airtime, "1111"},  {"li2", "小李", ProductKind::airtime, "2222"},
    {"long", "小李龙", ProductKind::airtime, ""},
};

IntentQuery query_of(const std::string& text) {
  IntentQuery query;
  query.text = text;
  query.saved = kSaved;
  query.saved_count = std::size(kSaved);
  return query;
}

// One line with all that was understood: "airtime saved mum 50.00 CNY TH ask_kind".
std::string told(const Intent& intent) {
  std::string out = intent.kind ? std::string(to_word(*intent.kind)) : "-";
  out += " " + std::string(to_word(intent.form));
  if (intent.number.size > 0) out += " " + std::string(intent.number.view());
  if (intent.tail.size > 0) out += " " + std::string(intent.tail.view());
  for (std::size_t i = 0; i < intent.saved_count; ++i) {
    out += " " + std::string(kSaved[intent.saved_at[i]].id);
  }
  if (intent.amount) {
    out += " " + decimal_text(*intent.amount) + std::string(to_word(intent.amount->currency));
    if (intent.is_currency_said) out += "!";
  }
  if (!intent.country.empty()) out += " " + std::string(intent.country);
  if (!intent.reason.empty()) out += " " + std::string(intent.reason);
  for (std::size_t i = 0; i < kQuestions; ++i) {
    if ((intent.questions >> i & 1) != 0) {
      out += " " + std::string(to_word(static_cast<Question>(i)));
    }
  }
  return out;
}

std::string told(const std::string& text) {
  const auto got = read_intent(query_of(text));
  return got ? told(*got) : std::string(got.error().reason);
}

struct Row {
  const char* text;
  const char* told;
};
void check_rows(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(told(row.text) == row.told);
  }
}

}  // namespace

TEST_CASE("a spoken order tells kind, recipient and amount") {
  check_rows({
      {"给尾号5678充一百块", "fuel_card tail 5678 wang 100.00CNY"},
      {"top up my fuel card two hundred", "fuel_card mine 200.00CNY"},
      {"给妈妈充五十话费", "airtime saved mum 50.00CNY"},
      {"给13812345678充50元流量", "data number 13812345678 50.00CNY"},
      {"please add 20 dollars to Bob's phone", "airtime saved bob 20.00USD!"},
      {"帮我给泰国的手机充两百泰铢", "airtime none 200.00THB! TH ask_recipient"},
      {"加油卡充五百", "fuel_card none 500.00CNY ask_recipient"},
      {"来张50块的礼品卡", "pin none 50.00CNY"},
      {"充100", "- none 100.00CNY ask_kind ask_recipient"},
  });
}

TEST_CASE("the errors: too long, not UTF-8") {
  CHECK(told(std::string(512, 'a')) == "- none ask_kind ask_recipient ask_amount");
  CHECK(told(std::string(513, 'a')) == "text_too_long");
  for (const char* bytes : {"\xFF", "\xC0\xAF", "\xED\xA0\x80", "充\xE5\x85", "\xF4\x90\x80\x80"}) {
    CHECK(told(bytes) == "text_malformed");
  }
}

TEST_CASE("an account is no amount, an amount no account") {
  check_rows({
      {"充1234", "- none 1234.00CNY ask_kind ask_recipient"},
      {"尾号1234的油卡", "fuel_card tail 1234 car ask_amount"},
      {"给4321充50", "airtime tail 4321 bob 50.00CNY"},
      {"50给13812345678", "airtime number 13812345678 50.00CNY"},
      {"138 1234 5678 100", "airtime number 13812345678 100.00CNY"},
      {"+66 81 234 5678 100", "airtime number +66812345678 100.00CNY"},
      {"9012345678901234充500", "fuel_card number 9012345678901234 500.00CNY"},
      {"给一三八一二三四五六七八充一百", "airtime number 13812345678 100.00CNY"},
      {"给1381234567充50", "airtime number 1381234567 50.00CNY ask_recipient"},
      {"给0812345678充50", "airtime number 0812345678 50.00CNY ask_country"},
      {"给1000000韩元到4321结尾的手机", "airtime tail 4321 bob 1000000KRW!"},
  });
}

TEST_CASE("several readings are asked back, with the candidates") {
  check_rows({
      {"给尾号1234充一百", "- tail 1234 mum car 100.00CNY ask_which_number"},
      {"给尾号1234充一百话费", "airtime tail 1234 mum 100.00CNY"},
      {"给小李充100", "- saved li li2 100.00CNY ask_which_number"},
      {"给小李尾号2222充100", "airtime tail 2222 li2 100.00CNY"},
      {"给小李龙充100", "airtime saved long 100.00CNY"},
      {"给妈妈和Bob充100", "- saved mum bob 100.00CNY ask_which_number"},
      {"给妈妈13812345678充50", "airtime number 13812345678 mum 50.00CNY ask_which_number"},
      {"给13812345678或13912345678充50", "airtime none 50.00CNY ask_which_number"},
      {"给妈妈充50还是100", "airtime saved mum ask_which_amount"},
      {"给妈妈充100-200", "airtime saved mum ask_which_amount"},
      {"给妈妈充50元50美元", "airtime saved mum ask_amount"},
      {"50 or 50 dollars for Bob", "airtime saved bob 50.00USD!"},
      {"话费流量各100给妈妈", "- saved mum ask_kind ask_amount"},
      {"泰国还是越南的13812345678充50", "airtime number 13812345678 50.00CNY ask_country"},
  });
}

TEST_CASE("somebody else's somebody is not the one saved") {
  check_rows({
      {"给妈妈的朋友充100", "- none 100.00CNY ask_kind ask_recipient"},
      {"给小李的妈妈充100", "- none 100.00CNY ask_kind ask_recipient"},
      {"给她妈妈充100", "- none 100.00CNY ask_kind ask_recipient"},
      {"100 for my wife's Bob", "- none 100.00CNY ask_kind ask_recipient"},
      {"给我妈充100话费", "airtime none 100.00CNY ask_recipient"},
      {"100 for bobby's phone", "airtime none 100.00CNY ask_recipient"},
  });
}

TEST_CASE("money is never guessed") {
  for (const char* said : {"0元",
                           "0.5元",
                           "五毛",
                           "50001元",
                           "十万",
                           "100.555元",
                           "-100",
                           "几百块",
                           "一百多",
                           "一两百",
                           "三五块",
                           "大概一百",
                           "1e3",
                           "100abc",
                           "100x2",
                           "两次50",
                           "100卢比",
                           "999999999999元",
                           "two or three hundred",
                           "a few hundred",
                           "one fifty",
                           "100.5日元",
                           "$50泰铢"}) {
    CAPTURE(said);
    const auto got = read_intent(query_of(std::string("给妈妈充") + said));
    REQUIRE(got);
    CHECK_FALSE(got->amount);
    CHECK((got->questions & (1U << static_cast<int>(Question::ask_amount) |
                             1U << static_cast<int>(Question::ask_which_amount))) != 0);
  }
}

TEST_CASE("the bounds of an amount follow the size of its currency") {
  check_rows({
      {"给妈妈充1元", "airtime saved mum 1.00CNY"},
      {"给妈妈充50000元", "airtime saved mum 50000.00CNY"},
      {"给妈妈充50000.01元", "airtime saved mum ask_amount"},
      {"给妈妈充20万越南盾", "airtime saved mum 200000VND!"},
      {"给妈妈充20万日元", "airtime saved mum 200000JPY!"},
      {"给妈妈充200万日元", "airtime saved mum ask_amount"},
  });
}

TEST_CASE("a dollar is the buyer's own, or that of the country named, never a guess between them") {
  const struct {
    const char* text;
    Currency buyer;
    const char* word;  // "" for a question
  } rows[] = {
      {"50 dollars", Currency::cny, "USD"},
      {"50 dollars", Currency::sgd, "SGD"},
      {"50 dollars to Hong Kong", Currency::cny, ""},
      {"50 dollars to Hong Kong", Currency::hkd, "HKD"},
      {"50 dollars to Hong Kong", Currency::sgd, ""},
      {"50 rupees", Currency::cny, ""},
      {"50 rupees to Nepal", Currency::cny, "NPR"},
      {"5万盾给印尼", Currency::cny, "IDR"},
      {"50块", Currency::hkd, "HKD"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const std::string text = row.text;
    IntentQuery query = query_of(text);
    query.currency = row.buyer;
    const auto got = read_intent(query);
    REQUIRE(got);
    CHECK((got->amount ? to_word(got->amount->currency) : std::string_view()) == row.word);
  }
}

TEST_CASE("a refusal or a complaint is no order") {
  for (const char* text : {"不要给妈妈充100", "别充了", "取消", "don't top up Bob", "cancel 100"}) {
    CHECK(told(text) == "- none intent_negated ask_kind");
  }
  for (const char* text : {"充了100还没到账", "refund my 100", "话费还剩多少"}) {
    CHECK(told(text) == "- none intent_not_an_order ask_kind");
  }
  CHECK(told("别忘了给妈妈充100") == "airtime saved mum 100.00CNY");
  CHECK(told("don't forget 100 for Bob") == "airtime saved bob 100.00CNY");
}

TEST_CASE("spans count UTF-16 units of what was typed") {
  const auto got = read_intent(query_of("😀 嗯 给ｂＯＢ充 １００ 元话费"));
  REQUIRE(got);
  REQUIRE(got->span_count == 3);
  const IntentSpan want[] = {
      {SpanWhat::recipient, 6, 9}, {SpanWhat::amount, 11, 16}, {SpanWhat::kind, 16, 18}};
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(to_word(got->spans[i].what) == to_word(want[i].what));
    CHECK(got->spans[i].start == want[i].start);
    CHECK(got->spans[i].end == want[i].end);
  }
}

TEST_CASE("fillers between the words change nothing") {
  CHECK(rc::check("Chinese and English", [] {
    const std::vector<std::vector<std::string>> orders = {
        {"给", "妈妈", "充", "五十", "块", "话费"},
        {"给", "尾号", "1234", "的", "油卡", "充", "两百"},
        {"给", "138", "1234", "5678", "充", "100", "元"},
        {"top up ", "my ", "fuel card ", "two ", "hundred "},
        {"add ", "twenty-five ", "dollars ", "to ", "Bob", " mobile "},
    };
    const std::vector<std::string> fillers = {" 嗯 ", " 那个 ", " 请 ", " please ", " um ", " er "};
    const auto& words = orders[*rc::gen::inRange<std::size_t>(0, orders.size())];
    std::string plain;
    std::string filled;
    for (const std::string& word : words) {
      // Where digits stand side by side, a blank parts them in the plain order, too.
      const bool is_digit = is_ascii_digit(word[0]);
      plain += is_digit ? " " + word : word;
      const std::size_t count = *rc::gen::inRange<std::size_t>(0, 3);
      for (std::size_t i = 0; i < count; ++i) {
        filled += fillers[*rc::gen::inRange<std::size_t>(0, fillers.size())];
      }
      filled += is_digit ? " " + word : word;
    }
    RC_ASSERT(told(filled) == told(plain));
  }));
}

TEST_CASE("any bytes give an answer, and the same one twice") {
  const std::vector<std::string> pieces = {
      "给",  "充",   "妈妈",    "尾号",  "1234", "13812345678", "一百", "万",  "零",
      "块",  "五毛", "$",       "半",    " ",    "-",           "+",    ",",   ".",
      "two", "and",  "000",     "泰国",  "k",    "w",           "我的", "的",  "点",
      "几",  "不要", "hundred", "cents", "|",    "\x01",        "😀",    "\xFF"};
  CHECK(rc::check("pieces of orders", [&] {
    const auto chosen = *rc::gen::container<std::vector<std::size_t>>(
        rc::gen::inRange<std::size_t>(0, pieces.size()));
    std::string text;
    for (const std::size_t i : chosen) text += pieces[i];
    const std::string once = told(text);
    RC_ASSERT(!once.empty());
    RC_ASSERT(told(text) == once);
    const auto got = read_intent(query_of(text));
    if (!got) return;
    // An amount is given only when nothing is asked about it.
    const unsigned asked = got->questions & 0b11'0000U;
    RC_ASSERT(got->amount.has_value() == (asked == 0 && got->reason.empty()));
    for (std::size_t i = 0; i < got->span_count; ++i) {
      RC_ASSERT(got->spans[i].start <= got->spans[i].end);
    }
  }));
  CHECK(rc::check("random bytes", [] {
    const auto bytes = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
    RC_ASSERT(!told(bytes).empty());
  }));
}

TEST_CASE("hostile names of saved recipients are only names") {
  const std::string long_name(200, 'x');
  const SavedRecipient saved[] = {
      {"a", "", ProductKind::airtime, ""},       {"b", " ", ProductKind::airtime, ""},
      {"c", "100", ProductKind::airtime, ""},    {"d", "|", ProductKind::airtime, ""},
      {"e", "充|100", ProductKind::airtime, ""}, {"f", "\xFF", ProductKind::airtime, ""},
      {"g", "请", ProductKind::airtime, ""},     {"h", long_name, ProductKind::airtime, ""}};
  IntentQuery query;
  query.text = "充100话费";
  query.saved = saved;
  query.saved_count = std::size(saved);
  const auto got = read_intent(query);
  REQUIRE(got);
  CHECK(got->saved_count == 0);
  CHECK(got->amount == Money{10'000, Currency::cny});
}
