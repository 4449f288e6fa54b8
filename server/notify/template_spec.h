// Which value stands where in a template of a platform, as one line of text that an operator can
// edit: "TEMPLATE_ID key=field key=field", such as
//   "aB3… character_string1=order_no thing2=product amount3=payable phrase4=status time5=at".
// A key begins with its type (shared/message_data.h); fields are those of kFields. Pure.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/message_data.h"
#include "shared/result.h"

namespace topup::notify {

inline constexpr std::size_t kMaxTemplateKeys = 12;
inline constexpr std::array<std::string_view, 7> kFields = {
    "order_no", "product", "account", "payable", "delivered", "status", "at"};

struct TemplateKey {
  std::string key;  // "thing2"
  MessageType type = MessageType::thing;
  std::string field;
};
struct TemplateSpec {
  std::string template_id;
  std::vector<TemplateKey> keys;
};
using FieldValues = std::map<std::string, std::string, std::less<>>;

// Errors: rejected/template_malformed; its detail is the word that is wrong.
Result<TemplateSpec> parse_template(std::string_view text);

// Key and value of each line, made to fit. Errors: rejected/template_value_unfit; its detail is the
// key and why, so that a person sees which before anything is sent.
Result<std::vector<std::pair<std::string, std::string>>> fill_template(const TemplateSpec& spec,
                                                                       const FieldValues& values);

}  // namespace topup::notify
