// What the golden vectors cannot hold: text that is no JSON, and input of every wrong shape.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "shared/border.h"
#include "shared/border_state.h"

using namespace topup;

namespace {
std::string answer(std::string_view call, std::string_view json) {
  Border border;
  return border_call(border, call, json);
}
bool is_refused(const std::string& text, std::string_view reason) {
  return text.starts_with(R"({"ok":false,"error":{"code":"invalid_argument","reason":")" +
                          std::string(reason) + "\"");
}
std::vector<std::string_view> names_of(BorderTable table) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < table.size; ++i) names.push_back(table.calls[i].name);
  return names;
}
}  // namespace

TEST_CASE("account border: half a surrogate pair and bytes that are no UTF-8 are refused") {
  for (const std::string_view call : names_of(account_calls())) {
    CAPTURE(call);
    CHECK(is_refused(answer(call, R"({"typed":"\ud800"})"), "json_malformed"));
    CHECK(is_refused(answer(call, R"({"typed":"\udc00\ud800"})"), "json_malformed"));
    CHECK(is_refused(answer(call, "{\"typed\":\"\xED\xA0\x80\"}"), "json_malformed"));
    CHECK(is_refused(answer(call, "{\"typed\":\"\xC0\x80\"}"), "json_malformed"));
    CHECK(is_refused(answer(call, R"({"typed":1.5})"), "json_malformed"));
    CHECK(is_refused(answer(call, R"({"typed":NaN})"), "json_malformed"));
    CHECK(is_refused(answer(call, ""), "json_malformed"));
  }
}

TEST_CASE("account and policy border: every wrong shape is a reasoned refusal") {
  for (const BorderTable& table : {account_calls(), policy_calls()}) {
    for (const std::string_view call : names_of(table)) {
      CAPTURE(call);
      CHECK(is_refused(answer(call, "null"), "field_missing"));
      CHECK(is_refused(answer(call, "[]"), "field_missing"));
      CHECK(is_refused(answer(call, "\"text\""), "field_missing"));
      CHECK(is_refused(answer(call, "{}"), "field_missing"));
    }
  }
  CHECK(is_refused(answer("check_card", R"({"typed":{}})"), "field_type"));
  CHECK(is_refused(answer("check_card", R"({"typed":"9","issuer":7})"), "field_type"));
  CHECK(is_refused(answer("fit_message", R"({"type":["thing"],"value":"a"})"), "field_type"));
  CHECK(is_refused(answer("shard", R"({"user_id":"a","shards":"4"})"), "field_type"));
}

TEST_CASE("account border: huge text is refused at the door, long text by its own check") {
  const auto typed = [](std::size_t size) {
    return "{\"typed\":\"" + std::string(size, '1') + "\"}";
  };
  for (const std::string_view call : {"check_phone", "check_card", "check_bank_card", "check_plate",
                                      "check_name", "check_email"}) {
    CAPTURE(call);
    CHECK(is_refused(answer(call, typed(kMaxJsonBytes)), "json_too_large"));
    CHECK(is_refused(answer(call, typed(4'097)), "out_of_range"));
    CHECK(answer(call, typed(4'096)).find("\"verdict\":\"impossible\"") != std::string::npos);
  }
}

TEST_CASE("account border: nothing typed is nothing wrong") {
  for (const std::string_view call : {"check_phone", "check_card", "check_bank_card", "check_plate",
                                      "check_name", "check_email"}) {
    CAPTURE(call);
    CHECK(answer(call, R"({"typed":" "})").find("\"verdict\":\"empty\"") != std::string::npos);
  }
}
