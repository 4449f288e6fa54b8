#include "shared/message_data.h"

#include <iterator>

#include "shared/date.h"
#include "shared/typed_text.h"
#include "shared/utf8_text.h"

namespace topup {
namespace {

constexpr std::string_view kEmpty = "message_value_empty";
constexpr std::string_view kMalformed = "message_value_malformed";
constexpr std::string_view kTooLong = "message_value_too_long";

enum Class : std::uint8_t {
  kDigit = 1,
  kLetter = 2,
  kSign = 4,
  kBlank = 8,
  kHan = 16,
  kOther = 32,
  kAny = 63
};
struct TypeRow {
  std::string_view word;
  std::uint8_t classes;  // of the characters allowed
  std::uint8_t most;     // characters
};
// In the order of the enum.
constexpr TypeRow kTypes[] = {
    {"thing", kAny, 20},
    {"number", kDigit | kSign, 32},
    {"letter", kLetter, 32},
    {"symbol", kSign, 5},
    {"character_string", kDigit | kLetter | kSign, 32},
    {"time", kAny, 64},
    {"date", kAny, 64},
    {"amount", kAny, 32},
    {"phone_number", kDigit | kSign, 17},
    {"car_number", kDigit | kLetter | kHan, 8},
    {"name", kAny, 20},
    {"phrase", kHan, 5},
};
const TypeRow& row_of(MessageType type) { return kTypes[static_cast<std::size_t>(type)]; }

constexpr std::size_t kMostNameWithHan = 10;
constexpr std::size_t kMostAmountDigits = 10;

Class class_of(char32_t code) {
  if (is_digit(code)) return kDigit;
  if (is_letter(code)) return kLetter;
  if (code == ' ') return kBlank;
  if (code > ' ' && code < 0x7F) return kSign;
  return is_chinese(code) ? kHan : kOther;
}

// The platform does not say whether it counts an emoji once or as its two UTF-16 halves: twice is
// safe with both.
std::size_t width_of(char32_t code) { return code >= 0x1'0000 ? 2 : 1; }

struct Measure {
  std::size_t width = 0;
  std::uint8_t classes = 0;
  bool is_text = true;  // UTF-8 without control characters
};
Measure measure(std::string_view value) {
  Measure out;
  for (std::size_t at = 0; at < value.size();) {
    const Utf8Character read = utf8_at(value, at);
    at += read.bytes;
    const bool is_control = read.code < 0x20 || (read.code >= 0x7F && read.code < 0xA0);
    if (read.code == kNotUtf8 || is_control) out.is_text = false;
    out.width += width_of(read.code);
    out.classes |= class_of(read.code);
  }
  return out;
}

// A value with every row of digits made one '0', and what the rows were.
struct Form {
  std::string text;
  std::size_t digits = 0;  // in all rows
  std::uint32_t rows[5] = {};
  std::size_t sizes[5] = {};
  std::size_t count = 0;  // of rows; those after the fifth are not kept
};
Form form_of(std::string_view value) {
  Form out;
  for (std::size_t at = 0; at < value.size(); ++at) {
    if (!is_digit(static_cast<unsigned char>(value[at]))) {
      out.text += value[at];
      continue;
    }
    if (!out.text.ends_with('0')) {
      out.text += '0';
      ++out.count;
    }
    ++out.digits;
    if (out.count > 5) continue;
    std::uint32_t& row = out.rows[out.count - 1];
    row = row * 10 + static_cast<std::uint32_t>(value[at] - '0');
    ++out.sizes[out.count - 1];
  }
  return out;
}

constexpr std::string_view kClock = "0:0";
constexpr std::string_view kDays[] = {"0-0-0", "0年0月0日"};

bool is_clock(const Form& form, std::size_t row) {
  return form.sizes[row] <= 2 && form.rows[row] < 24 && form.sizes[row + 1] == 2 &&
         form.rows[row + 1] < 60;
}

// One moment of the type: a date with a time behind it, or only the part that the type is named
// after.
bool is_moment(MessageType type, std::string_view value) {
  const Form form = form_of(value);
  if (type == MessageType::time && form.text == kClock) return is_clock(form, 0);
  std::string_view left = form.text;
  for (const std::string_view day : kDays) {
    if (left.starts_with(day)) left.remove_prefix(day.size());
  }
  if (left.size() == form.text.size() || form.sizes[0] != 4) return false;
  const bool is_short = form.sizes[1] <= 2 && form.sizes[2] <= 2;
  const Date date{static_cast<int>(form.rows[0]), static_cast<int>(form.rows[1]),
                  static_cast<int>(form.rows[2])};
  if (!is_short || !is_real(date)) return false;
  if (left.empty()) return type == MessageType::date;
  return left.starts_with(' ') && left.substr(1) == kClock && is_clock(form, 3);
}

bool is_span(MessageType type, std::string_view value) {
  const std::size_t middle = value.find('~');
  return is_moment(type, value.substr(0, middle)) &&
         (middle == value.npos || is_moment(type, value.substr(middle + 1)));
}

std::string_view amount_defect(std::string_view value) {
  constexpr std::string_view kSigns[] = {"¥", "￥", "$", "€", "£", "฿", "₫", "₩"};
  const Form form = form_of(value);
  std::string_view left = form.text;
  for (const std::string_view sign : kSigns) {
    if (!left.starts_with(sign)) continue;
    left.remove_prefix(sign.size());
    break;
  }
  if (left.ends_with("元")) left.remove_suffix(std::string_view("元").size());
  if (left != "0" && left != "0.0") return kMalformed;
  return form.digits > kMostAmountDigits ? kTooLong : "";
}

bool is_number(std::string_view value) {
  const Form form = form_of(value);
  std::string_view left = form.text;
  if (left.starts_with('-')) left.remove_prefix(1);
  return left == "0" || left == "0.0";
}

// Only the first and the last character may be Chinese.
bool is_car_number(std::string_view value) {
  for (std::size_t at = 0; at < value.size();) {
    const Utf8Character read = utf8_at(value, at);
    const bool is_inside = at != 0 && at + read.bytes != value.size();
    if (is_inside && is_chinese(read.code)) return false;
    at += read.bytes;
  }
  return true;
}

std::size_t most_width(MessageType type, const Measure& measured) {
  const bool is_plain = (measured.classes & (kHan | kOther)) == 0;
  return type == MessageType::name && !is_plain ? kMostNameWithHan : row_of(type).most;
}

// What belongs to the character before it: accents, variation selectors, skin tones, joiners.
bool joins_back(char32_t code) {
  return (code >= 0x300 && code <= 0x36F) || (code >= 0xFE00 && code <= 0xFE0F) ||
         (code >= 0x1'F3FB && code <= 0x1'F3FF) || code == 0x200D || code == 0x20E3 ||
         (code >= 0xE'0020 && code <= 0xE'007F);
}
bool is_flag_half(char32_t code) { return code >= 0x1'F1E6 && code <= 0x1'F1FF; }

// Bytes of the longest beginning of at most `most` that ends between two characters as seen.
std::size_t cut_at(std::string_view value, std::size_t most) {
  std::size_t cut = 0;
  std::size_t width = 0;
  char32_t last = 0;
  bool is_in_flag = false;
  for (std::size_t at = 0; at < value.size();) {
    const Utf8Character read = utf8_at(value, at);
    is_in_flag = is_flag_half(read.code) && is_flag_half(last) && !is_in_flag;
    if (!joins_back(read.code) && last != 0x200D && !is_in_flag) cut = at;
    width += width_of(read.code);
    if (width > most) return cut;
    last = read.code;
    at += read.bytes;
  }
  return value.size();
}

// Line ends and blanks of every kind become one blank, none at the ends.
std::string folded(std::string_view value) {
  std::string out;
  bool has_blank = false;
  for (std::size_t at = 0; at < value.size();) {
    const Utf8Character read = utf8_at(value, at);
    const char32_t code = plain_character(read.code);
    const bool is_blank = code == ' ' || code == '\n' || code == '\r';
    if (!is_blank) {
      if (has_blank && !out.empty()) out += ' ';
      out += value.substr(at, read.bytes);
    }
    has_blank = is_blank;
    at += read.bytes;
  }
  return out;
}

}  // namespace

std::string_view to_word(MessageType type) { return row_of(type).word; }

std::optional<MessageType> parse_message_type(std::string_view word) {
  while (!word.empty() && is_digit(static_cast<unsigned char>(word.back()))) word.remove_suffix(1);
  for (std::size_t i = 0; i < std::size(kTypes); ++i) {
    if (kTypes[i].word == word) return static_cast<MessageType>(i);
  }
  return std::nullopt;
}

std::string_view check_message_value(MessageType type, std::string_view value) {
  if (value.empty() || value.find_first_not_of(' ') == value.npos) return kEmpty;
  if (value.size() > kMaxMessageValueBytes) return kTooLong;
  const Measure measured = measure(value);
  if (!measured.is_text || (measured.classes & ~row_of(type).classes) != 0) return kMalformed;
  if (measured.width > most_width(type, measured)) return kTooLong;
  switch (type) {
    case MessageType::number:
      return is_number(value) ? "" : kMalformed;
    case MessageType::time:
    case MessageType::date:
      return is_span(type, value) ? "" : kMalformed;
    case MessageType::amount:
      return amount_defect(value);
    case MessageType::car_number:
      return is_car_number(value) ? "" : kMalformed;
    default:
      return {};
  }
}

Result<std::string> fit_message_value(MessageType type, std::string_view value) {
  if (value.size() > kMaxMessageValueBytes) {
    return refuse(Code::invalid_argument, kTooLong, "value");
  }
  std::string fitted = folded(value);
  std::string_view defect = check_message_value(type, fitted);
  if (defect == kTooLong && (type == MessageType::thing || type == MessageType::name)) {
    const std::string_view end = type == MessageType::thing ? "…" : "";
    const std::size_t most = most_width(type, measure(fitted)) - (end.empty() ? 0 : 1);
    fitted.resize(cut_at(fitted, most));
    while (fitted.ends_with(' ')) fitted.pop_back();
    if (!fitted.empty()) {
      fitted += end;
      defect = {};
    }
  }
  if (!defect.empty()) return refuse(Code::invalid_argument, defect, "value");
  return fitted;
}

}  // namespace topup
