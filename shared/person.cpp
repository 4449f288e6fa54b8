#include "shared/person.h"

#include <iterator>

#include "shared/utf8_text.h"

namespace topup {
namespace {

constexpr char32_t kMiddleDot = 0xB7;

struct Range {
  char32_t from, to;
};
bool is_within(const Range* ranges, std::size_t size, char32_t code) {
  for (std::size_t i = 0; i < size; ++i) {
    if (code >= ranges[i].from && code <= ranges[i].to) return true;
  }
  return false;
}

// Latin letters with accents, and the accents alone: some keyboards send a letter and its accent.
bool is_name_letter(char32_t code) {
  constexpr Range kLatin[] = {
      {0xC0, 0xD6}, {0xD8, 0xF6}, {0xF8, 0x24F}, {0x300, 0x36F}, {0x1E00, 0x1EFF}};
  return is_letter(code) || is_chinese(code) || is_within(kLatin, std::size(kLatin), code);
}
bool is_emoji(char32_t code) {
  constexpr Range kEmoji[] = {{0x203C, 0x203C}, {0x20E3, 0x20E3}, {0x2190, 0x21FF},
                              {0x2300, 0x23FF}, {0x25A0, 0x27BF}, {0x2900, 0x297F},
                              {0x2B00, 0x2BFF}, {0xFE00, 0xFE0F}, {0x1'F000, 0x1'FAFF}};
  return is_within(kEmoji, std::size(kEmoji), code);
}
bool is_control(char32_t code) { return code < 0x20 || (code >= 0x7F && code <= 0x9F); }
bool is_name_dot(char32_t code) {
  return code == 0xB7 || code == 0x2022 || code == 0x2027 || code == 0x30FB || code == 0xFF65;
}

const char* name_defect(char32_t code) {
  if (is_control(code)) return "name_control_character";
  if (is_digit(code)) return "name_digit";
  return is_emoji(code) ? "name_emoji" : "name_character_unknown";
}

// A mark stands behind a letter, a hyphen also behind a full stop ("J.-P.").
bool may_follow(char32_t mark, char32_t last) {
  return is_name_letter(last) || (mark == '-' && last == '.');
}

const char* email_local_defect(std::string_view local, char32_t code) {
  constexpr std::string_view kMarks = "!#$%&'*+/=?^_`{|}~-";  // RFC 5322, 3.2.3
  if (code == '.') return local.empty() || local.back() == '.' ? "email_dot_misplaced" : nullptr;
  const bool is_mark = code < 0x80 && kMarks.find(static_cast<char>(code)) != kMarks.npos;
  if (!is_letter(code) && !is_digit(code) && !is_mark) return "email_bad_character";
  return local.size() == kMaxEmailLocal ? "email_local_too_long" : nullptr;
}

const char* email_domain_defect(std::string_view domain, char32_t code) {
  const std::size_t dot = domain.rfind('.');
  const std::size_t label = domain.size() - (dot == domain.npos ? 0 : dot + 1);
  if (code == '.') {
    return label == 0 || domain.back() == '-' ? "email_dot_misplaced" : nullptr;
  }
  if (code == '-') return label == 0 ? "email_domain_wrong" : nullptr;
  if (!is_letter(code) && !is_digit(code)) return "email_bad_character";
  return label == kMaxDomainLabel ? "email_domain_wrong" : nullptr;
}

// The last label has two characters or more, not only digits, and there is one before it.
bool is_whole_domain(std::string_view domain) {
  const std::size_t dot = domain.rfind('.');
  if (dot == domain.npos || domain.size() - dot < 3 || domain.back() == '-') return false;
  return !all_digits(domain.substr(dot + 1));
}

}  // namespace

FieldCheck check_person_name(std::string_view typed) {
  FieldCheck check;
  std::size_t size = 0;
  char32_t last = 0;
  bool has_blank = false;  // not written before the next letter is
  const char* defect = typed.size() > kMaxTypedBytes ? "name_too_long" : nullptr;
  TypedText text(typed);
  while (defect == nullptr && text.next()) {
    const bool is_bad = is_control(text.typed);
    if (text.code == ' ' && !is_bad) {
      has_blank = size > 0;
      continue;
    }
    const char32_t code = is_name_dot(text.code) ? kMiddleDot : text.code;
    const bool is_mark = code == kMiddleDot || code == '-' || code == '\'' || code == '.';
    if (is_bad || (!is_mark && !is_name_letter(code))) {
      defect = name_defect(is_bad ? 0 : code);
    } else if (is_mark && !may_follow(code, last)) {
      defect = "name_mark_misplaced";
    } else {
      if (has_blank && !is_mark && (last == '.' || is_name_letter(last))) {
        check.text += ' ';
        ++size;
      }
      has_blank = false;
      if (size >= kMaxNameCharacters) {
        defect = "name_too_long";
        continue;
      }
      append_utf8(check.text, code);
      ++size;
      last = code;
    }
  }
  if (defect != nullptr) {
    reject(check, size, defect);
  } else if (size > 0) {
    const bool is_whole = is_name_letter(last) || last == '.';
    check.verdict = is_whole ? FieldVerdict::valid : FieldVerdict::incomplete;
  }
  return check;
}

FieldCheck check_email(std::string_view typed) {
  FieldCheck check;
  std::string& kept = check.text;
  std::size_t domain_at = 0;  // 0 while the local part is typed
  bool has_blank = false;
  const char* defect = typed.size() > kMaxTypedBytes ? "email_too_long" : nullptr;
  TypedText text(typed);
  while (defect == nullptr && text.next()) {
    char32_t code = text.code;
    if (code == ' ') {
      has_blank = !kept.empty();
      continue;
    }
    const std::string_view whole = kept;
    if (has_blank) {
      defect = "email_bad_character";
    } else if (domain_at > 0) {
      defect = email_domain_defect(whole.substr(domain_at), code);
      if (code >= 'A' && code <= 'Z') code += 'a' - 'A';
    } else if (code == '@') {
      if (kept.empty()) defect = "email_local_missing";
      if (kept.ends_with('.')) defect = "email_dot_misplaced";
      domain_at = kept.size() + 1;
    } else {
      defect = email_local_defect(whole, code);
    }
    if (defect == nullptr && kept.size() == kMaxEmailBytes) defect = "email_too_long";
    if (defect == nullptr) kept += static_cast<char>(code);
  }
  if (defect != nullptr) {
    reject(check, kept.size(), defect);
  } else if (!kept.empty()) {
    const bool is_whole =
        domain_at > 0 && is_whole_domain(std::string_view(kept).substr(domain_at));
    check.verdict = is_whole ? FieldVerdict::valid : FieldVerdict::incomplete;
  }
  return check;
}

}  // namespace topup
