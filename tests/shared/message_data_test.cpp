#include "shared/message_data.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

#include "shared/utf8_text.h"

using namespace topup;

namespace {
std::string times(std::string_view part, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += part;
  return out;
}
}  // namespace

TEST_CASE("message value: each type's form and limit") {
  constexpr std::string_view kLong = "message_value_too_long";
  constexpr std::string_view kBad = "message_value_malformed";
  constexpr std::string_view kEmpty = "message_value_empty";
  struct Row {
    MessageType type;
    std::string value;
    std::string_view reason;
  };
  using T = MessageType;
  const Row rows[] = {
      {T::thing, "", kEmpty},
      {T::thing, "   ", kEmpty},
      {T::thing, times("充", 20), ""},
      {T::thing, times("充", 21), kLong},
      {T::thing, "a\nb", kBad},
      {T::thing, "a\xC3", kBad},
      {T::thing, times("😀", 10), ""},
      {T::thing, times("😀", 11), kLong},
      {T::number, "-98.50", ""},
      {T::number, "98.", kBad},
      {T::number, "1,000", kBad},
      {T::number, times("1", 33), kLong},
      {T::letter, "CNY", ""},
      {T::letter, "CN1", kBad},
      {T::letter, times("a", 33), kLong},
      {T::symbol, "¥", kBad},
      {T::symbol, "#+", ""},
      {T::symbol, "######", kLong},
      {T::character_string, "T20261122-0001", ""},
      {T::character_string, "订单1", kBad},
      {T::character_string, times("1", 33), kLong},
      {T::time, "15:01", ""},
      {T::time, "2026-11-22 15:01", ""},
      {T::time, "2019年10月1日 15:01", ""},
      {T::time, "15:01~16:30", ""},
      {T::time, "24:00", kBad},
      {T::time, "2026-11-22", kBad},
      {T::date, "2026-11-22", ""},
      {T::date, "2019年10月1日 15:01", ""},
      {T::date, "2026-11-22~2026-11-23", ""},
      {T::date, "2026-02-29", kBad},
      {T::date, "2026年11-22", kBad},
      {T::date, "15:01", kBad},
      {T::amount, "¥98.50", ""},
      {T::amount, "98.5元", ""},
      {T::amount, "$ 5", kBad},
      {T::amount, "9.", kBad},
      {T::amount, "¥¥1", kBad},
      {T::amount, "12345678901", kLong},
      {T::phone_number, "138****5678", ""},
      {T::phone_number, "+86-13800001234", ""},
      {T::phone_number, "138 5678", kBad},
      {T::phone_number, times("1", 18), kLong},
      {T::car_number, "粤A8Z888挂", ""},
      {T::car_number, "A粤888", kBad},
      {T::car_number, "粤A8Z888挂1", kLong},
      {T::name, times("张", 10), ""},
      {T::name, times("张", 11), kLong},
      {T::name, "Zhang San Feng Hello", ""},
      {T::name, times("a", 21), kLong},
      {T::name, "Zhang San 张三丰", kLong},
      {T::phrase, "充值成功", ""},
      {T::phrase, "充值已经成功", kLong},
      {T::phrase, "成功!", kBad},
  };
  for (const Row& row : rows) {
    CAPTURE(row.value);
    CAPTURE(to_word(row.type));
    CHECK(check_message_value(row.type, row.value) == row.reason);
  }
  CHECK(check_message_value(T::thing, std::string(kMaxMessageValueBytes + 1, 'a')) == kLong);
}

TEST_CASE("message value: what is made to fit stays readable") {
  struct Row {
    MessageType type;
    std::string value;
    std::string fitted;
  };
  using T = MessageType;
  const Row rows[] = {
      {T::thing, "  充值\n成功 ", "充值 成功"},
      {T::thing, times("充", 21), times("充", 19) + "…"},
      {T::thing, times("ab ", 8), "ab ab ab ab ab ab a…"},
      {T::thing, times("a", 18) + "😀" + "b", times("a", 18) + "…"},
      {T::thing, times("a", 17) + "👍🏽" + "bb", times("a", 17) + "…"},
      {T::thing, times("a", 15) + "👩‍👩‍👧" + "b", times("a", 15) + "…"},
      {T::thing, times("a", 16) + "🇨🇳" + "b", times("a", 16) + "…"},
      {T::thing, times("e\u0301", 11), times("e\u0301", 9) + "…"},
      {T::name, times("张", 12), times("张", 10)},
      {T::name, "Alexander the Great of Macedon", "Alexander the Great"},
      {T::amount, " ¥98.50 ", "¥98.50"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.value);
    const auto got = fit_message_value(row.type, row.value);
    REQUIRE(got);
    CHECK(*got == row.fitted);
    CHECK(check_message_value(row.type, *got) == "");
  }
}

TEST_CASE("message value: half a number is another number, so it is refused") {
  struct Row {
    MessageType type;
    std::string value;
    std::string_view reason;
  };
  using T = MessageType;
  const Row rows[] = {
      {T::character_string, times("1", 33), "message_value_too_long"},
      {T::phone_number, times("1", 18), "message_value_too_long"},
      {T::phrase, "退款没有成功", "message_value_too_long"},
      {T::thing, "\n", "message_value_empty"},
      {T::thing, "a\xFF", "message_value_malformed"},
      {T::thing, "a" + times("\u0301", 40), "message_value_too_long"},
      {T::thing, std::string(kMaxMessageValueBytes + 1, 'a'), "message_value_too_long"},
  };
  for (const Row& row : rows) {
    const auto got = fit_message_value(row.type, row.value);
    REQUIRE_FALSE(got);
    CHECK(got.error().reason == row.reason);
    CHECK(got.error().field == "value");
  }
}

TEST_CASE("message value: types by the keys of a template") {
  CHECK(parse_message_type("thing") == MessageType::thing);
  CHECK(parse_message_type("phone_number12") == MessageType::phone_number);
  CHECK_FALSE(parse_message_type("things1"));
  CHECK_FALSE(parse_message_type("1"));
  CHECK_FALSE(parse_message_type(""));
}

TEST_CASE("message value: any bytes are refused or fitted whole") {
  CHECK(rc::check("a fitted value passes, and fitting it again changes nothing", [] {
    const auto type = static_cast<MessageType>(*rc::gen::inRange(0, 12));
    const auto codes = *rc::gen::container<std::vector<char32_t>>(rc::gen::element<char32_t>(
        'a', '1', '.', ' ', U'充', 0x1F600, 0x1F3FD, 0x200D, 0x301, 0x1F1E8, U'元', '\n'));
    std::string value;
    for (const char32_t code : codes) append_utf8(value, code);
    const auto got = fit_message_value(type, value);
    if (!got) return;
    RC_ASSERT(check_message_value(type, *got) == "");
    RC_ASSERT(fit_message_value(type, *got).value() == *got);
    for (std::size_t at = 0; at < got->size();) {
      const Utf8Character read = utf8_at(*got, at);
      RC_ASSERT(read.code != kNotUtf8);
      at += read.bytes;
    }
  }));
  CHECK(rc::check("no bytes break it", [](const std::string& value) {
    for (int type = 0; type < 12; ++type) {
      (void)fit_message_value(static_cast<MessageType>(type), value);
    }
  }));
}
