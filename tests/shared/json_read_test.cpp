#include "shared/json_read.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <nlohmann/json.hpp>
#include <string>

using namespace topup;

TEST_CASE("json: what a page sends is read as it was meant") {
  const auto document = JsonDocument::parse(
      " {\"a\" : [1, -2,\t9007199254740991, true,false , null], \"\" : "
      "{\"b\":\"\\u4e2d\\n\\\"\\uD83D\\uDE00é\"}}\r\n");
  REQUIRE(document);
  const JsonValue root = document->root();
  CHECK(root.kind() == JsonKind::object);
  CHECK(root.size() == 2);
  CHECK(root.key_at(0) == "a");
  CHECK(root.key_at(1).empty());
  CHECK(root["a"].size() == 6);
  CHECK(root["a"].at(1).integer() == -2);
  CHECK(root["a"].at(2).integer() == kMaxMinor);
  CHECK(root["a"].at(3).boolean() == true);
  CHECK(root["a"].at(5).kind() == JsonKind::null);
  CHECK_FALSE(root["a"].at(6).exists());
  CHECK(root[""]["b"].text() == "中\n\"😀é");
  CHECK_FALSE(root["a"].text());
  CHECK_FALSE(root["nothing"]["at all"].at(3).exists());
  CHECK(JsonDocument::parse("7")->root().integer() == 7);
  CHECK(JsonDocument::parse("[]")->root().size() == 0);
  CHECK(JsonDocument::parse("{}")->root().kind() == JsonKind::object);
}

TEST_CASE("json: whatever is not strict, whole and bounded is refused") {
  const std::string deep(kMaxJsonDepth + 2, '[');
  std::string wide = "{";
  for (std::uint32_t i = 0; i <= kMaxJsonMembers; ++i) wide += "\"k" + std::to_string(i) + "\":1,";
  wide.back() = '}';
  std::string many = "[";
  for (std::size_t i = 0; i < kMaxJsonNodes; ++i) many += "1,";
  many.back() = ']';
  const std::string rows[] = {"",
                              " ",
                              "nul",
                              "truex",
                              "01",
                              "-",
                              "+1",
                              "1.0",
                              "1e3",
                              "1 2",
                              "[1,]",
                              "[,1]",
                              "[1",
                              "{\"a\":1,}",
                              "{\"a\"}",
                              "{a:1}",
                              "{'a':1}",
                              "{\"a\":1",
                              "\"abc",
                              "\"\\x\"",
                              "\"\\u12\"",
                              "NaN",
                              "Infinity",
                              "\"\x01\"",
                              "\"\\ud800\"",
                              "\"\\udc00\"",
                              "\"\\ud800\\u0041\"",
                              "9007199254740992",
                              "-9007199254740992",
                              "{\"a\":1,\"a\":2}",
                              "\"\xC0\x80\"",
                              "\"\xED\xA0\x80\"",
                              "\"\xF4\x90\x80\x80\"",
                              "\"\xE4\xB8\"",
                              "\"\xFF\"",
                              "\"\x80\"",
                              deep,
                              wide,
                              many,
                              "// 1",
                              "undefined",
                              "[1]]",
                              "\xEF\xBB\xBF{}"};
  for (const std::string& text : rows) {
    CAPTURE(text.substr(0, 40));
    const auto document = JsonDocument::parse(text);
    REQUIRE_FALSE(document);
    CHECK(document.error().reason == "json_malformed");
    CHECK(document.error().code == Code::invalid_argument);
  }
  CHECK(JsonDocument::parse(std::string(kMaxJsonBytes + 1, ' ')).error().reason ==
        "json_too_large");
  CHECK(JsonDocument::parse("[1, x]").error().detail == "at byte 4");
}

TEST_CASE("json: the readers name the field and what is wrong with it") {
  const auto document = JsonDocument::parse(
      R"({"n":7,"t":"abc","m":{"minor":5,"currency":"KWD"},"z":{"minor":5,"currency":"ZZZ"},"f":false,"x":null})");
  REQUIRE(document);
  const JsonValue root = document->root();
  CHECK(*integer_in(root, "n", 0, 9) == 7);
  CHECK(*text_in(root, "t", 3) == "abc");
  CHECK(*money_in(root, "m") == Money{5, Currency::kwd});
  CHECK(*integer_or(root, "absent", 0, 9, 4) == 4);
  CHECK(*integer_or(root, "x", 0, 9, 4) == 4);
  CHECK(*text_or(root, "absent", 9, "else") == "else");
  CHECK(*boolean_or(root, "f", true) == false);
  const auto refused = [](const auto& result) {
    return std::string(result.error().reason) + " " + std::string(result.error().field);
  };
  CHECK(refused(integer_in(root, "absent", 0, 9)) == "field_missing absent");
  CHECK(refused(integer_in(root, "t", 0, 9)) == "field_type t");
  CHECK(refused(integer_in(root, "n", 8, 9)) == "out_of_range n");
  CHECK(refused(integer_or(root, "n", 0, 6, 1)) == "out_of_range n");
  CHECK(refused(text_in(root, "t", 2)) == "out_of_range t");
  CHECK(refused(text_in(root, "n", 2)) == "field_type n");
  CHECK(refused(money_in(root, "n")) == "field_type n");
  CHECK(refused(money_in(root, "z")) == "unknown_currency z");
  CHECK(refused(boolean_or(root, "n", true)) == "field_type n");
}

TEST_CASE("json: any bytes give an answer, and what another reader accepts is read the same") {
  CHECK(
      rc::check("random text", [](const std::string& bytes) { (void)JsonDocument::parse(bytes); }));
  CHECK(rc::check("random documents", [](const std::vector<std::string>& texts,
                                         const std::vector<std::int32_t>& numbers) {
    nlohmann::json model = {{"numbers", numbers}, {"texts", nlohmann::json::array()}};
    for (const std::string& text : texts) {
      std::string printable;
      for (const char c : text) printable += static_cast<char>(c & 0x7F);
      model["texts"].push_back(printable);
    }
    const auto document = JsonDocument::parse(model.dump());
    RC_ASSERT(document.has_value());
    const JsonValue root = document->root();
    RC_ASSERT(root["numbers"].size() == numbers.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      RC_ASSERT(root["numbers"].at(i).integer() == numbers[i]);
    }
    for (std::size_t i = 0; i < texts.size(); ++i) {
      RC_ASSERT(*root["texts"].at(i).text() == model["texts"][i].get<std::string>());
    }
  }));
}
