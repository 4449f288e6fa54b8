#include "shared/phone.h"

#include <array>

namespace topup {
namespace {

constexpr std::size_t kNationalDigits = 11;

// Segments by MIIT, 2023-03-31; the longest matching prefix wins, so 1349 (satellite) stands beside
// 134.
struct Segment {
  std::string_view prefix;
  MainlandOperator op;
};
constexpr std::array kSegments = {
    Segment{"133", MainlandOperator::telecom},
    Segment{"1349", MainlandOperator::telecom},
    Segment{"149", MainlandOperator::telecom},
    Segment{"153", MainlandOperator::telecom},
    Segment{"173", MainlandOperator::telecom},
    Segment{"177", MainlandOperator::telecom},
    Segment{"180", MainlandOperator::telecom},
    Segment{"181", MainlandOperator::telecom},
    Segment{"189", MainlandOperator::telecom},
    Segment{"190", MainlandOperator::telecom},
    Segment{"191", MainlandOperator::telecom},
    Segment{"193", MainlandOperator::telecom},
    Segment{"199", MainlandOperator::telecom},
    Segment{"134", MainlandOperator::mobile},
    Segment{"135", MainlandOperator::mobile},
    Segment{"136", MainlandOperator::mobile},
    Segment{"137", MainlandOperator::mobile},
    Segment{"138", MainlandOperator::mobile},
    Segment{"139", MainlandOperator::mobile},
    Segment{"147", MainlandOperator::mobile},
    Segment{"148", MainlandOperator::mobile},
    Segment{"150", MainlandOperator::mobile},
    Segment{"151", MainlandOperator::mobile},
    Segment{"152", MainlandOperator::mobile},
    Segment{"157", MainlandOperator::mobile},
    Segment{"158", MainlandOperator::mobile},
    Segment{"159", MainlandOperator::mobile},
    Segment{"172", MainlandOperator::mobile},
    Segment{"178", MainlandOperator::mobile},
    Segment{"182", MainlandOperator::mobile},
    Segment{"183", MainlandOperator::mobile},
    Segment{"184", MainlandOperator::mobile},
    Segment{"187", MainlandOperator::mobile},
    Segment{"188", MainlandOperator::mobile},
    Segment{"195", MainlandOperator::mobile},
    Segment{"197", MainlandOperator::mobile},
    Segment{"198", MainlandOperator::mobile},
    Segment{"130", MainlandOperator::unicom},
    Segment{"131", MainlandOperator::unicom},
    Segment{"132", MainlandOperator::unicom},
    Segment{"145", MainlandOperator::unicom},
    Segment{"146", MainlandOperator::unicom},
    Segment{"155", MainlandOperator::unicom},
    Segment{"156", MainlandOperator::unicom},
    Segment{"166", MainlandOperator::unicom},
    Segment{"175", MainlandOperator::unicom},
    Segment{"176", MainlandOperator::unicom},
    Segment{"185", MainlandOperator::unicom},
    Segment{"186", MainlandOperator::unicom},
    Segment{"196", MainlandOperator::unicom},
    Segment{"192", MainlandOperator::broadnet},
    Segment{"162", MainlandOperator::virtual_operator},
    Segment{"165", MainlandOperator::virtual_operator},
    Segment{"167", MainlandOperator::virtual_operator},
    Segment{"170", MainlandOperator::virtual_operator},
    Segment{"171", MainlandOperator::virtual_operator},
};

// 13-digit numbers of machines start so: no person's handset can.
constexpr std::array<std::string_view, 4> kMachineSegments = {"140", "141", "144", "1064"};

MainlandOperator operator_of(std::string_view national) {
  MainlandOperator best = MainlandOperator::unknown;
  std::size_t length = 0;
  for (const Segment& segment : kSegments) {
    if (segment.prefix.size() > length && national.starts_with(segment.prefix)) {
      best = segment.op;
      length = segment.prefix.size();
    }
  }
  return best;
}

enum class Glyph : std::uint8_t { digit, blank, plus, other };
struct Read {
  Glyph glyph;
  char digit;
  std::size_t bytes;
};

// One character of UTF-8 input: ASCII and full-width digits, the blanks and marks people type
// between them.
Read read_glyph(std::string_view text) {
  const char c = text[0];
  if (c >= '0' && c <= '9') return {Glyph::digit, c, 1};
  if (c == '+') return {Glyph::plus, 0, 1};
  if (c == ' ' || c == '-' || c == '.' || c == '(' || c == ')' || c == '\t' || c == '/') {
    return {Glyph::blank, 0, 1};
  }
  if (text.starts_with("\xC2\xA0")) return {Glyph::blank, 0, 2};  // no-break space
  if (text.size() >= 3 && text.starts_with("\xEF\xBC")) {         // U+FF00…U+FF3F
    const auto last = static_cast<unsigned char>(text[2]);
    if (last >= 0x90 && last <= 0x99)
      return {Glyph::digit, static_cast<char>('0' + last - 0x90), 3};
    if (last == 0x8B) return {Glyph::plus, 0, 3};
    if (last == 0x88 || last == 0x89 || last == 0x8D || last == 0x8E) return {Glyph::blank, 0, 3};
  }
  constexpr std::array<std::string_view, 8> kMarks = {
      "\xE3\x80\x80", "\xE2\x80\x8B",
      "\xE2\x80\x90", "\xE2\x80\x91",  // ideographic space, hyphens …
      "\xE2\x80\x93", "\xE2\x80\x94",
      "\xE2\x80\xAD", "\xE2\x80\xAC"};  // dashes, marks of contact lists
  for (std::string_view mark : kMarks) {
    if (text.starts_with(mark)) return {Glyph::blank, 0, 3};
  }
  return {Glyph::other, 0, 1};
}

struct Digits {
  std::string text;
  bool has_plus = false;
  bool bad_character = false;
};

Digits collect(std::string_view typed) {
  Digits out;
  for (std::size_t at = 0; at < typed.size();) {
    const Read read = read_glyph(typed.substr(at));
    at += read.bytes;
    if (read.glyph == Glyph::digit) out.text += read.digit;
    if (read.glyph == Glyph::plus && out.text.empty() && !out.has_plus) {
      out.has_plus = true;
    } else if (read.glyph == Glyph::plus || read.glyph == Glyph::other) {
      out.bad_character = true;
    }
  }
  return out;
}

// No mainland mobile number starts with 0 or 8, so these beginnings can only be the calling code.
std::string_view without_calling_code(std::string_view digits, bool has_plus) {
  if (!has_plus && digits.starts_with("00")) {
    digits.remove_prefix(2);
    return digits.starts_with("86") ? digits.substr(2)
                                    : (digits == "8" ? std::string_view{} : digits);
  }
  if (digits.starts_with("86")) return digits.substr(2);
  if (digits == "8" || (has_plus && digits.empty())) return {};
  if (!has_plus && digits.starts_with("01")) return digits.substr(1);  // trunk prefix of old habit
  return digits;
}

PhoneCheck impossible(PhoneCheck check, int at, std::string_view reason) {
  check.verdict = PhoneVerdict::impossible;
  check.bad_at = at;
  check.reason = reason;
  return check;
}

bool is_machine_segment(std::string_view national) {
  for (std::string_view prefix : kMachineSegments) {
    if (national.starts_with(prefix)) return true;
  }
  return false;
}

}  // namespace

PhoneCheck check_mainland_phone(std::string_view typed) {
  PhoneCheck check;
  if (typed.size() > kMaxPhoneInput) return impossible(check, 11, "phone_too_long");
  const Digits digits = collect(typed);
  const std::string_view national = without_calling_code(digits.text, digits.has_plus);
  check.national = std::string(national.substr(0, kNationalDigits));
  if (digits.bad_character) {
    return impossible(check, static_cast<int>(check.national.size()), "phone_bad_character");
  }
  if (national.empty()) {
    check.verdict =
        digits.text.empty() && !digits.has_plus ? PhoneVerdict::empty : PhoneVerdict::incomplete;
    return check;
  }
  if (national[0] == '0' && national.size() == 1 && !digits.has_plus) {
    check.verdict = PhoneVerdict::incomplete;  // may still become 0086
    return check;
  }
  if (national[0] != '1') return impossible(check, 0, "phone_not_mobile");
  if (national.size() > 1 && (national[1] < '3')) return impossible(check, 1, "phone_not_mobile");
  if (is_machine_segment(national)) return impossible(check, 2, "phone_segment_unassigned");
  if (national.size() > kNationalDigits) return impossible(check, 11, "phone_too_long");
  check.operator_hint = operator_of(national);
  check.verdict =
      national.size() == kNationalDigits ? PhoneVerdict::valid : PhoneVerdict::incomplete;
  return check;
}

std::string_view to_word(PhoneVerdict verdict) {
  switch (verdict) {
    case PhoneVerdict::empty:
      return "empty";
    case PhoneVerdict::incomplete:
      return "incomplete";
    case PhoneVerdict::valid:
      return "valid";
    case PhoneVerdict::impossible:
      return "impossible";
  }
  return "impossible";
}

std::string_view to_word(MainlandOperator op) {
  switch (op) {
    case MainlandOperator::unknown:
      return "unknown";
    case MainlandOperator::mobile:
      return "mobile";
    case MainlandOperator::unicom:
      return "unicom";
    case MainlandOperator::telecom:
      return "telecom";
    case MainlandOperator::broadnet:
      return "broadnet";
    case MainlandOperator::virtual_operator:
      return "virtual";
  }
  return "unknown";
}

Result<std::string> normalise_mainland_phone(std::string_view typed) {
  const PhoneCheck check = check_mainland_phone(typed);
  if (check.verdict == PhoneVerdict::valid) return "+86" + check.national;
  std::string detail = check.verdict == PhoneVerdict::impossible
                           ? std::string(check.reason)
                           : std::string("eleven digits starting with 1 are needed");
  return refuse(Code::rejected, "account_number_invalid", "account_number", std::move(detail));
}

std::string mask_phone(std::string_view number) {
  if (number.starts_with("+86")) number.remove_prefix(3);
  if (number.size() != kNationalDigits) return "****";
  for (char c : number) {
    if (c < '0' || c > '9') return "****";
  }
  return std::string(number.substr(0, 3)) + "****" + std::string(number.substr(7));
}

}  // namespace topup
