// The values of a WeChat subscribe message: each key of a template ("thing1", "amount2") has a type
// with a limit, and one value beyond it refuses the whole message (errcode 47003). Limits are those
// of the platform's page "subscribeMessage.send". Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "shared/result.h"

namespace topup {

enum class MessageType : std::uint8_t {
  thing,             // any characters, 20
  number,            // digits with a point, 32
  letter,            // letters, 32
  symbol,            // signs, 5
  character_string,  // digits, letters and signs, 32
  time,              // "15:01", also with a date before it; two of them with "~"
  date,              // "2026-11-22" or "2026年11月22日", also with a time; two with "~"
  amount,            // one currency sign, 10 digits with a point, 元
  phone_number,      // digits and signs, 17
  car_number,        // 8; the first and the last may be Chinese
  name,              // 10 characters, or 20 letters and signs without Chinese
  phrase,            // Chinese characters, 5
};
std::string_view to_word(MessageType type);
// "thing", and "thing12" as a template's key has it.
std::optional<MessageType> parse_message_type(std::string_view word);

inline constexpr std::size_t kMaxMessageValueBytes = 8 * 1024;

// "" when `value` may be sent as it is; otherwise message_value_empty, message_value_malformed (not
// UTF-8, or not of the type's form) or message_value_too_long.
std::string_view check_message_value(MessageType type, std::string_view value);

// The value made to fit: blanks and line ends folded and trimmed; a thing cut with '…' and a name
// cut, both between characters, with joined emoji kept whole or dropped. A number or a code is
// never cut, as half of it would be another one. Errors: the words of check_message_value(), field
// "value".
Result<std::string> fit_message_value(MessageType type, std::string_view value);

}  // namespace topup
