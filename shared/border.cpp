#include "shared/border.h"

#include "shared/border_state.h"

namespace topup {
namespace {

const BorderCall* find_call(std::string_view name) {
  const BorderTable tables[] = {pricing_calls(), account_calls(), order_calls(), draft_calls(),
                                station_calls(), intent_calls(),  policy_calls()};
  for (const BorderTable& table : tables) {
    for (std::size_t i = 0; i < table.size; ++i) {
      if (table.calls[i].name == name) return &table.calls[i];
    }
  }
  return nullptr;
}

}  // namespace

void BorderFields::refuse(const Error& error) {
  if (is_ok_) error_ = error;
  is_ok_ = false;
}
void BorderFields::refuse(const char* reason, const char* field, std::string_view detail) {
  refuse(Error{Code::invalid_argument, reason, field, detail});
}

bool BorderFields::is_given(const char* key) const {
  const JsonKind kind = object_[key].kind();
  return kind != JsonKind::absent && kind != JsonKind::null;
}

std::string_view BorderFields::text(const char* key, std::size_t most_bytes) {
  const auto got = text_in(object_, key, most_bytes);
  if (got) return *got;
  refuse(got.error());
  return {};
}
std::string_view BorderFields::text_or(const char* key, std::size_t most_bytes,
                                       const char* otherwise) {
  return is_given(key) ? text(key, most_bytes) : otherwise;
}

std::int64_t BorderFields::integer(const char* key, std::int64_t least, std::int64_t most) {
  const auto got = integer_in(object_, key, least, most);
  if (got) return *got;
  refuse(got.error());
  return least;
}
std::int64_t BorderFields::integer_or(const char* key, std::int64_t least, std::int64_t most,
                                      std::int64_t otherwise) {
  return is_given(key) ? integer(key, least, most) : otherwise;
}

bool BorderFields::boolean_or(const char* key, bool otherwise) {
  const auto got = topup::boolean_or(object_, key, otherwise);
  if (got) return *got;
  refuse(got.error());
  return false;
}

Money BorderFields::money(const char* key) {
  const auto got = money_in(object_, key);
  if (got) return *got;
  refuse(got.error());
  return {};
}

JsonValue BorderFields::list(const char* key, std::size_t most) {
  if (!is_given(key)) refuse("field_missing", key);
  return list_or_none(key, most);
}
JsonValue BorderFields::list_or_none(const char* key, std::size_t most) {
  const JsonValue value = object_[key];
  if (!is_given(key)) return {};
  if (value.kind() != JsonKind::array) refuse("field_type", key);
  if (value.size() <= most) return value;
  refuse("out_of_range", key);
  return {};
}

std::size_t BorderFields::word(const char* key, WordList words, const char* reason) {
  constexpr std::size_t kMaxWordBytes = 64;
  const std::string_view got = text(key, kMaxWordBytes);
  const std::size_t place = place_of_word(words, got);
  if (place < words.size()) return place;
  refuse(reason, key);
  return 0;
}

std::string border_refusal(const Error& error) {
  JsonText out;
  out.begin_object().key("ok").boolean(false).key("error").begin_object();
  out.key("code").text(to_word(error.code)).key("reason").text(error.reason);
  out.key("field").text(error.field).key("detail").text(error.detail.view());
  return out.end_object().end_object().take();
}

std::string border_run(Border& border, BorderFn run, JsonValue input) {
  BorderFields in(input);
  JsonText out;
  out.begin_object().key("ok").boolean(true).key("value");
  run(border, in, out);
  if (!in.ok()) return border_refusal(in.error());
  return out.end_object().take();
}

std::string border_call(Border& border, std::string_view name, std::string_view json) {
  const BorderCall* call = find_call(name);
  if (call == nullptr) return border_refusal({Code::not_found, "call_unknown"});
  const Result<JsonDocument> document = JsonDocument::parse(json);
  if (!document) return border_refusal(document.error());
  return border_run(border, call->run, document->root());
}

}  // namespace topup
