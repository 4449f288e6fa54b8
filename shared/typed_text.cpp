#include "shared/typed_text.h"

#include "shared/utf8_text.h"

namespace topup {

std::string_view to_word(FieldVerdict verdict) {
  constexpr std::string_view kWords[] = {"empty", "incomplete", "valid", "impossible"};
  return kWords[static_cast<std::size_t>(verdict)];
}

char32_t plain_character(char32_t code) {
  struct Fold {
    char32_t from, to;
    char32_t meant;
  };
  constexpr Fold kFolds[] = {
      {0x09, 0x09, ' '},
      {0xA0, 0xA0, ' '},
      {0x2000, 0x200A, ' '},
      {0x200B, 0x200F, kInvisible},
      {0x2010, 0x2015, '-'},
      {0x2018, 0x2019, '\''},
      {0x202A, 0x202E, kInvisible},  // direction marks of contact lists
      {0x202F, 0x202F, ' '},
      {0x2060, 0x2069, kInvisible},
      {0x2212, 0x2212, '-'},
      {0x3000, 0x3000, ' '},
      {0x3002, 0x3002, '.'},
      {0xFEFF, 0xFEFF, kInvisible},
  };
  if (code >= 0xFF01 && code <= 0xFF5E) return code - 0xFEE0;
  for (const Fold& fold : kFolds) {
    if (code >= fold.from && code <= fold.to) return fold.meant;
  }
  return code;
}

void reject(FieldCheck& check, std::size_t at, const char* reason) {
  check.verdict = FieldVerdict::impossible;
  check.bad_at = static_cast<int>(at);
  check.reason = reason;
}

bool TypedText::next() {
  while (at_ < text_.size()) {
    const Utf8Character read = utf8_at(text_, at_);
    at_ += read.bytes;
    typed = read.code;
    code = read.code == 0 ? kNotUtf8 : plain_character(read.code);
    if (code != kInvisible) return true;
  }
  return false;
}

TypedDigits typed_digits(std::string_view typed) {
  TypedDigits out;
  TypedText text(typed);
  while (!out.has_bad_character && text.next()) {
    if (is_digit(text.code)) {
      out.digits += static_cast<char>(text.code);
    } else {
      out.has_bad_character = text.code != ' ' && text.code != '-';
    }
  }
  return out;
}

bool all_digits(std::string_view text) {
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
  }
  return true;
}

}  // namespace topup
