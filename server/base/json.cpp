#include "server/base/json.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "server/base/utf8.h"

namespace topup::base {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

tl::unexpected<Error> invalid(std::string_view reason, std::string_view field = {}) {
  return refuse(Code::invalid_argument, reason, field);
}

// Walks the bytes outside strings. The parser itself survives deep nesting, but copying or printing
// what it built does not, so depth is judged before anything is built. Every value but the first
// follows '[', ',' or ':'.
std::optional<std::string_view> find_excess(std::string_view bytes) {
  int depth = 0;
  std::size_t values = 1;
  bool is_in_string = false;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const char byte = bytes[at];
    if (is_in_string) {
      if (byte == '\\') ++at;
      if (byte == '"') is_in_string = false;
      continue;
    }
    if (byte == '"') is_in_string = true;
    if (byte == '[' || byte == '{') ++depth;
    if (byte == ']' || byte == '}') --depth;
    if (byte == ',' || byte == '[' || byte == '{') ++values;
    if (depth > kMaxJsonDepth) return "json_too_deep";
    if (values > kMaxJsonValues) return "json_too_large";
  }
  return std::nullopt;
}

struct Findings {
  std::vector<std::set<std::string>> open_objects;
  bool has_duplicate_key = false;
  bool has_nul = false;

  void see(Json::parse_event_t event, const Json& parsed) {
    using Event = Json::parse_event_t;
    if (event == Event::object_start) open_objects.emplace_back();
    if (event == Event::object_end) open_objects.pop_back();
    if (event != Event::key && event != Event::value) return;
    if (!parsed.is_string()) return;
    const std::string& text = parsed.get_ref<const std::string&>();
    has_nul = has_nul || text.find('\0') != std::string::npos;
    if (event == Event::key) {
      has_duplicate_key = !open_objects.back().insert(text).second || has_duplicate_key;
    }
  }
};

const Json* find_member(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

Result<std::int64_t> as_integer(const Json& value, const char* key) {
  if (!value.is_number_integer()) return invalid("wrong_type", key);
  // get<int64_t>() of an unsigned number above the range would wrap around without a word.
  const auto* large = value.get_ptr<const Json::number_unsigned_t*>();
  if (large != nullptr && *large > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
    return invalid("out_of_range", key);
  }
  return value.get<std::int64_t>();
}

}  // namespace

Result<Json> json_in(std::string_view bytes, std::size_t max_bytes) {
  if (bytes.size() > max_bytes) return invalid("json_too_large");
  if (bytes.substr(0, kByteOrderMark.size()) == kByteOrderMark) return invalid("json_malformed");
  if (bytes.find('\0') != std::string_view::npos || !is_utf8(bytes))
    return invalid("json_malformed");
  if (const auto excess = find_excess(bytes)) return invalid(*excess);
  Findings findings;
  const auto watch = [&](int, Json::parse_event_t event, Json& parsed) {
    findings.see(event, parsed);
    return true;
  };
  Json parsed = Json::parse(bytes.begin(), bytes.end(), watch, /*allow_exceptions=*/false);
  if (parsed.is_discarded() || findings.has_nul) return invalid("json_malformed");
  if (findings.has_duplicate_key) return invalid("json_duplicate_key");
  return parsed;
}

Result<std::string> text_in(const Json& object, const char* key, std::size_t max_bytes) {
  const Json* value = find_member(object, key);
  if (value == nullptr) return invalid("missing_field", key);
  if (!value->is_string()) return invalid("wrong_type", key);
  const std::string& text = value->get_ref<const std::string&>();
  if (text.size() > max_bytes) return invalid("out_of_range", key);
  return text;
}

Result<std::int64_t> integer_in(const Json& object, const char* key, std::int64_t min,
                                std::int64_t max) {
  const Json* value = find_member(object, key);
  if (value == nullptr) return invalid("missing_field", key);
  const auto number = as_integer(*value, key);
  if (!number) return number;
  if (*number < min || *number > max) return invalid("out_of_range", key);
  return number;
}

Result<bool> bool_in(const Json& object, const char* key) {
  const Json* value = find_member(object, key);
  if (value == nullptr) return invalid("missing_field", key);
  if (!value->is_boolean()) return invalid("wrong_type", key);
  return value->get<bool>();
}

Result<const Json*> object_in(const Json& object, const char* key) {
  const Json* value = find_member(object, key);
  if (value == nullptr) return invalid("missing_field", key);
  if (!value->is_object()) return invalid("wrong_type", key);
  return value;
}

Result<bool> only_fields(const Json& object, std::initializer_list<std::string_view> allowed) {
  if (!object.is_object()) return invalid("wrong_type");
  for (const auto& member : object.items()) {
    if (std::find(allowed.begin(), allowed.end(), member.key()) == allowed.end()) {
      return invalid("unknown_field");
    }
  }
  return true;
}

Result<bool> no_fields_in(std::string_view body) {
  if (body.empty()) return true;
  const auto object = json_in(body);
  if (!object) return tl::unexpected(object.error());
  return only_fields(*object, {});
}

Result<Money> money_in(const Json& object, const char* key, std::int64_t max_minor) {
  const auto money = object_in(object, key);
  if (!money) return tl::unexpected(money.error());
  if (!only_fields(**money, {"minor", "currency"})) return invalid("unknown_field", key);
  const auto minor = integer_in(**money, "minor", 1, max_minor);
  if (!minor) return invalid(minor.error().reason, key);
  const auto word = text_in(**money, "currency");
  if (!word) return invalid(word.error().reason, key);
  const auto currency = parse_currency(*word);
  if (!currency) return invalid("unknown_currency", key);
  return Money{*minor, *currency};
}

Json money_out(Money money) {
  return Json{{"minor", money.minor}, {"currency", std::string(to_word(money.currency))}};
}

}  // namespace topup::base
