#include "server/settings/value.h"

#include <algorithm>
#include <set>

namespace topup::settings {
namespace {

constexpr std::size_t kMaxWordBytes = 64;

bool is_listed(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    if (words.substr(0, end) == word) return true;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

bool is_plain_word(std::string_view word) {
  return !word.empty() && word.size() <= kMaxWordBytes &&
         std::all_of(word.begin(), word.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '_' || c == '-';
         });
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

std::optional<Misfit> integer_misfit(const Definition& definition, const base::Json& value) {
  const base::Json holder = {{"value", value}};
  const auto number = base::integer_in(holder, "value", definition.min, definition.max);
  if (number) return std::nullopt;
  const std::string bounds =
      std::to_string(definition.min) + " to " + std::to_string(definition.max);
  return Misfit{number.error().reason, "a whole number from " + bounds};
}

std::optional<Misfit> list_misfit(const Definition& definition, const base::Json& value) {
  const std::string wanted =
      "at most " + std::to_string(definition.max) + " different words of letters, digits, - and _";
  if (!value.is_array()) return Misfit{"wrong_type", wanted};
  std::set<std::string> seen;
  for (const base::Json& item : value) {
    if (!item.is_string()) return Misfit{"wrong_type", wanted};
    const std::string& word = item.get_ref<const std::string&>();
    if (!is_plain_word(word) || !seen.insert(word).second) return Misfit{"out_of_range", wanted};
  }
  if (static_cast<std::int64_t>(value.size()) > definition.max)
    return Misfit{"out_of_range", wanted};
  return std::nullopt;
}

std::optional<Misfit> text_misfit(const Definition& definition, const base::Json& value) {
  const bool is_word = definition.type == Type::word;
  const std::string wanted = is_word ? "one of " + std::string(definition.words)
                                     : "a text without line breaks of at most " +
                                           std::to_string(definition.max) + " bytes";
  if (!value.is_string()) return Misfit{"wrong_type", wanted};
  const std::string& text = value.get_ref<const std::string&>();
  const bool fits =
      is_word ? is_listed(definition.words, text) && !text.empty()
              : static_cast<std::int64_t>(text.size()) <= definition.max && !has_control(text);
  return fits ? std::nullopt : std::optional(Misfit{"out_of_range", wanted});
}

}  // namespace

std::string_view word_of(Type type) {
  constexpr std::array kWords = {"boolean", "integer", "text", "word", "list"};
  return kWords.at(static_cast<std::size_t>(type));
}

std::optional<Misfit> misfit(const Definition& definition, const base::Json& value) {
  switch (definition.type) {
    case Type::boolean:
      if (value.is_boolean()) return std::nullopt;
      return Misfit{"wrong_type", "true or false"};
    case Type::integer:
      return integer_misfit(definition, value);
    case Type::text:
    case Type::word:
      return text_misfit(definition, value);
    case Type::list:
      return list_misfit(definition, value);
  }
  return Misfit{"wrong_type", ""};
}

}  // namespace topup::settings
