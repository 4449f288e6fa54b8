#include "server/base/json.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace topup;
using namespace topup::base;

namespace {

std::string repeat(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

std::string many_keys(std::size_t count) {
  std::string text = "{";
  for (std::size_t i = 0; i < count; ++i) text += (i ? ",\"" : "\"") + std::to_string(i) + "\":1";
  return text + "}";
}

std::string_view reason_of(std::string_view bytes, std::size_t max_bytes = kMaxJsonBytes) {
  const auto parsed = json_in(bytes, max_bytes);
  return parsed ? "" : parsed.error().reason;
}

Json parsed(std::string_view bytes) {
  const auto value = json_in(bytes);
  REQUIRE(value);
  return *value;
}

}  // namespace

TEST_CASE("json_in refuses what a hostile body can hold") {
  struct Row {
    const char* name;
    std::string bytes;
    const char* reason;
  };
  const std::vector<Row> rows = {
      {"empty", "", "json_malformed"},
      {"blank", "  ", "json_malformed"},
      {"100,000 open arrays", std::string(100'000, '['), "json_too_deep"},
      {"100,000 open objects", repeat("{\"a\":", 100'000), "json_too_deep"},
      {"closed arrays below zero", "]]]]", "json_malformed"},
      {"33 levels", std::string(33, '[') + std::string(33, ']'), "json_too_deep"},
      {"32 levels", std::string(32, '[') + std::string(32, ']'), ""},
      {"brackets in a text are not depth", "\"" + std::string(1000, '[') + "\\\"[[[\"", ""},
      {"100,000 keys", many_keys(100'000), "json_too_large"},
      {"9,999 values", "[" + repeat("1,", 9'997) + "1]", ""},
      {"10,001 values", "[" + repeat("1,", 10'000) + "1]", "json_too_large"},
      {"duplicate key", R"({"a":1,"a":2})", "json_duplicate_key"},
      {"duplicate key at depth", R"([{"x":{"y":[{"a":1,"b":2,"a":3}]}}])", "json_duplicate_key"},
      {"duplicate key by escape", R"({"a":1,"\u0061":2})", "json_duplicate_key"},
      {"same key in two objects", R"([{"a":1},{"a":{"a":1}}])", ""},
      {"lone high surrogate", R"(["\ud800"])", "json_malformed"},
      {"lone low surrogate", R"(["\udc00"])", "json_malformed"},
      {"high surrogate and a letter", R"(["\ud800\u0041"])", "json_malformed"},
      {"surrogate pair", R"(["\ud83d\ude00"])", ""},
      {"byte order mark", "\xEF\xBB\xBF{}", "json_malformed"},
      {"NUL at the end", std::string("{}\0", 3), "json_malformed"},
      {"NUL in a text", std::string("[\"a\0b\"]", 7), "json_malformed"},
      {"escaped NUL in a value", "[\"a\\u0000b\"]", "json_malformed"},
      {"escaped NUL in a key", "{\"a\\u0000\":1}", "json_malformed"},
      {"trailing value", "{} {}", "json_malformed"},
      {"trailing comma", "[1,]", "json_malformed"},
      {"trailing blank", "{} \n", ""},
      {"unfinished", "{\"a\":", "json_malformed"},
      {"unfinished text", "[\"a\\", "json_malformed"},
      {"comment", "{/*x*/}", "json_malformed"},
      {"single quotes", "{'a':1}", "json_malformed"},
      {"NaN", "[NaN]", "json_malformed"},
      {"infinity by exponent", "[1e999]", "json_malformed"},
      {"leading zero", "[01]", "json_malformed"},
      {"invalid UTF-8 in a text", "[\"\xff\"]", "json_malformed"},
      {"overlong UTF-8", "[\"\xc0\xaf\"]", "json_malformed"},
      {"surrogate as UTF-8", "[\"\xed\xa0\x80\"]", "json_malformed"},
      {"above U+10FFFF", "[\"\xf4\x90\x80\x80\"]", "json_malformed"},
      {"cut UTF-8", "[\"\xe4\xb8\"]", "json_malformed"},
      {"Chinese", "[\"充值\"]", ""},
      {"raw newline in a text", "[\"a\nb\"]", "json_malformed"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(reason_of(row.bytes, 2'000'000) == row.reason);
  }
}

TEST_CASE("json_in counts bytes first") {
  CHECK(reason_of("[" + std::string(kMaxJsonBytes, ' ') + "]") == "json_too_large");
  CHECK(reason_of("[" + std::string(kMaxJsonBytes - 2, ' ') + "]") == "");
  CHECK(reason_of("{}", 1) == "json_too_large");
}

TEST_CASE("integer_in takes whole numbers of int64 and nothing else") {
  struct Row {
    const char* value;
    const char* reason;
  };
  constexpr Row rows[] = {
      {"1", ""},
      {"0", "out_of_range"},
      {"-1", "out_of_range"},
      {"100", ""},
      {"101", "out_of_range"},
      {"1e2", "wrong_type"},
      {"1.5", "wrong_type"},
      {"1.0", "wrong_type"},
      {"0.1", "wrong_type"},
      {"9223372036854775807", "out_of_range"},
      {"9223372036854775808", "out_of_range"},
      {"18446744073709551615", "out_of_range"},
      {"18446744073709551616", "wrong_type"},
      {"-9223372036854775809", "wrong_type"},
      {"\"1\"", "wrong_type"},
      {"true", "wrong_type"},
      {"[1]", "wrong_type"},
      {"null", "missing_field"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.value);
    const Json object = parsed(std::string("{\"n\":") + row.value + "}");
    const auto got = integer_in(object, "n", 1, 100);
    CHECK((got ? "" : got.error().reason) == row.reason);
    if (!got) CHECK(got.error().field == "n");
  }
  const Json edge = parsed(R"({"top":9223372036854775807,"low":-9223372036854775808})");
  CHECK(*integer_in(edge, "top", 0, INT64_MAX) == INT64_MAX);
  CHECK(*integer_in(edge, "low", INT64_MIN, 0) == INT64_MIN);
}

TEST_CASE("the other getters say which field is wrong") {
  const Json object = parsed(R"({"t":"abc","b":true,"o":{"x":1},"z":null})");
  CHECK(*text_in(object, "t") == "abc");
  CHECK(*bool_in(object, "b"));
  CHECK((**object_in(object, "o")).at("x") == 1);
  CHECK(text_in(object, "none").error().reason == "missing_field");
  CHECK(text_in(object, "z").error().reason == "missing_field");
  CHECK(text_in(object, "b").error().reason == "wrong_type");
  CHECK(text_in(object, "t", 2).error().reason == "out_of_range");
  CHECK(bool_in(object, "t").error().reason == "wrong_type");
  CHECK(object_in(object, "t").error().field == "t");
  CHECK(text_in(Json::array({1}), "t").error().reason == "missing_field");
  CHECK(only_fields(object, {"t", "b", "o", "z"}));
  CHECK(only_fields(object, {"t", "b", "o"}).error().reason == "unknown_field");
  CHECK(only_fields(Json(1), {}).error().reason == "wrong_type");
}

TEST_CASE("money_in takes exactly an amount and its currency, within bounds") {
  struct Row {
    const char* money;
    const char* reason;
  };
  constexpr Row rows[] = {
      {R"({"minor":1,"currency":"CNY"})", ""},
      {R"({"minor":5000,"currency":"JPY"})", ""},
      {R"({"minor":5001,"currency":"CNY"})", "out_of_range"},
      {R"({"minor":0,"currency":"CNY"})", "out_of_range"},
      {R"({"minor":-1,"currency":"CNY"})", "out_of_range"},
      {R"({"minor":1e2,"currency":"CNY"})", "wrong_type"},
      {R"({"minor":1.5,"currency":"CNY"})", "wrong_type"},
      {R"({"minor":"100","currency":"CNY"})", "wrong_type"},
      {R"({"minor":9223372036854775808,"currency":"CNY"})", "out_of_range"},
      {R"({"minor":100})", "missing_field"},
      {R"({"currency":"CNY"})", "missing_field"},
      {R"({"minor":100,"currency":"cny"})", "unknown_currency"},
      {R"({"minor":100,"currency":"XXX"})", "unknown_currency"},
      {R"({"minor":100,"currency":1})", "wrong_type"},
      {R"({"minor":100,"currency":"CNY","x":1})", "unknown_field"},
      {"100", "wrong_type"},
      {"null", "missing_field"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.money);
    const auto got = money_in(parsed(std::string("{\"price\":") + row.money + "}"), "price", 5000);
    CHECK((got ? "" : got.error().reason) == row.reason);
    if (!got) CHECK(got.error().field == "price");
  }
  const Json largest = Json{{"price", money_out({kMaxMinor, Currency::cny})}};
  CHECK(*money_in(largest, "price") == fen(kMaxMinor));
  CHECK(money_out(fen(9850)).dump() == R"({"currency":"CNY","minor":9850})");
}
