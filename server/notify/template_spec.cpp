#include "server/notify/template_spec.h"

#include <algorithm>

namespace topup::notify {
namespace {

std::string_view next_word(std::string_view* text) {
  const std::size_t from = text->find_first_not_of(' ');
  if (from == std::string_view::npos) {
    *text = {};
    return {};
  }
  const std::size_t to = std::min(text->find(' ', from), text->size());
  const std::string_view word = text->substr(from, to - from);
  *text = text->substr(to);
  return word;
}

bool is_plain(std::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-';
  });
}

}  // namespace

Result<TemplateSpec> parse_template(std::string_view text) {
  TemplateSpec spec;
  const std::string_view id = next_word(&text);
  if (!is_plain(id)) return refuse(Code::rejected, "template_malformed", {}, id);
  spec.template_id = std::string(id);
  for (std::string_view word = next_word(&text); !word.empty(); word = next_word(&text)) {
    const std::size_t equals = word.find('=');
    const std::string_view key = word.substr(0, equals);
    const std::string_view field =
        equals == std::string_view::npos ? std::string_view() : word.substr(equals + 1);
    const auto type = parse_message_type(key);
    const bool known = std::find(kFields.begin(), kFields.end(), field) != kFields.end();
    const bool twice =
        std::any_of(spec.keys.begin(), spec.keys.end(),
                    [key](const TemplateKey& earlier) { return earlier.key == key; });
    if (!type || !known || twice || spec.keys.size() == kMaxTemplateKeys)
      return refuse(Code::rejected, "template_malformed", {}, word);
    spec.keys.push_back({std::string(key), *type, std::string(field)});
  }
  if (spec.keys.empty()) return refuse(Code::rejected, "template_malformed", {}, "no keys");
  return spec;
}

Result<std::vector<std::pair<std::string, std::string>>> fill_template(const TemplateSpec& spec,
                                                                       const FieldValues& values) {
  std::vector<std::pair<std::string, std::string>> lines;
  for (const TemplateKey& key : spec.keys) {
    const auto found = values.find(key.field);
    const auto fitted =
        fit_message_value(key.type, found == values.end() ? std::string_view() : found->second);
    if (!fitted) {
      return refuse(Code::rejected, "template_value_unfit", {},
                    key.key + ": " + std::string(fitted.error().reason));
    }
    lines.emplace_back(key.key, *fitted);
  }
  return lines;
}

}  // namespace topup::notify
