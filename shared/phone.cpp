#include "shared/phone.h"

#include <algorithm>

#include "shared/phone_plan.h"
#include "shared/phone_reading.h"
#include "shared/typed_text.h"
#include "shared/utf8_text.h"

namespace topup {
namespace {

using Rank = PhoneReading::Rank;

constexpr const char* kMainland = "CN";

// One letter for each mainland segment 130-199 (MIIT, 2023-03-31): mobile, unicom, telecom,
// broadnet, virtual; ? is not assigned.
constexpr char kSegments[] =
    "uuutmmmmmm"  // 13: 1349 is telecom's satellite
    "????"
    "?uummt"       // 14: 140, 141 and 144 are machines
    "mmmt?uummm"   // 15
    "??v??vuv??"   // 16
    "vvmt?uutm?"   // 17
    "ttmmmuummt"   // 18
    "ttbt?mummt";  // 19

// ------------------------------------------------------------------------------------------------
// What was typed.

constexpr std::size_t kMaxDigits = 28;  // 00, calling code, prefixes and 15 digits are fewer

struct Typed {
  char digits[kMaxDigits];
  std::size_t size = 0;
  bool has_plus = false;
  bool has_bad = false;  // a character that no number has; nothing behind it was read

  std::string_view text() const { return {digits, size}; }
};

bool is_between_digits(char32_t code) {
  switch (code) {
    case ' ':
    case '-':
    case '.':
    case '(':
    case ')':
    case '\t':
    case '/':
    case kInvisible:
      return true;
    default:
      return false;
  }
}

// One character that is no ASCII digit.
std::size_t collect_other(Typed& out, std::string_view typed, std::size_t at) {
  const auto first = static_cast<unsigned char>(typed[at]);
  const Utf8Character read = first < 0x80 ? Utf8Character{first, 1} : utf8_at(typed, at);
  const char32_t code = first < 0x80 ? first : plain_character(read.code);
  if (is_digit(code)) {
    out.digits[out.size++] = static_cast<char>(code);
  } else if (code == '+' && out.size == 0 && !out.has_plus) {
    out.has_plus = true;
  } else if (!is_between_digits(code) || first == 0) {
    out.has_bad = true;
  }
  return read.bytes;
}

void collect(Typed& out, std::string_view typed) {
  for (std::size_t at = 0; at < typed.size() && out.size < kMaxDigits && !out.has_bad;) {
    if (typed[at] >= '0' && typed[at] <= '9') {
      out.digits[out.size++] = typed[at++];
    } else {
      at += collect_other(out, typed, at);
    }
  }
}

// ------------------------------------------------------------------------------------------------
// Verdicts.

char segment_of(std::string_view national) {
  return kSegments[(national[1] - '3') * 10 + national[2] - '0'];
}

MainlandOperator mainland_operator(std::string_view national) {
  if (national.size() < 3) return MainlandOperator::unknown;
  if (national.starts_with("1349")) return MainlandOperator::telecom;
  switch (segment_of(national)) {
    case 'm':
      return MainlandOperator::mobile;
    case 'u':
      return MainlandOperator::unicom;
    case 't':
      return MainlandOperator::telecom;
    case 'b':
      return MainlandOperator::broadnet;
    case 'v':
      return MainlandOperator::virtual_operator;
    default:
      return MainlandOperator::unknown;
  }
}

void name_country(PhoneCheck& check, const PhoneCountry* country) {
  if (country == nullptr) return;
  check.country = country->iso_text();
  check.calling_code = country->calling_code;
}

void impossible(PhoneCheck& check, std::size_t at, std::string_view reason) {
  check.verdict = PhoneVerdict::impossible;
  check.bad_at = static_cast<int>(at);
  check.reason = reason;
}

// Whose number it is instead, among the countries with the same calling code.
const PhoneCountry* neighbour_of(const PhoneCountry& country, std::string_view national) {
  const PhoneCountry* alive = nullptr;
  const PhonePlaces places = places_of_code(country.calling_code);
  if (places.end - places.first == 1) return nullptr;
  for (std::size_t place = places.first; place < places.end; ++place) {
    const PhoneCountry& other = country_at(place);
    const PlanWalk walk = walk_plan(other, national);
    if (walk.is_whole) return &other;
    if (walk.read == national.size() && alive == nullptr) alive = &other;
  }
  return alive;
}

void judge_dead(PhoneCheck& check, const PhoneReading& reading) {
  const PhoneCountry& country = *reading.country;
  check.national =
      reading.national.substr(0, reading.is_too_long ? reading.bad_at : kLongestNational);
  std::string_view reason = reading.is_too_long ? "phone_too_long" : "phone_not_mobile";
  if (const PhoneCountry* other = neighbour_of(country, reading.national); other != nullptr) {
    check.other_country = other->iso_text();
    reason = "phone_other_country";
  } else if (reading.bad_at == 2 && country.is(kMainland)) {
    reason = "phone_segment_unassigned";
  }
  impossible(check, reading.bad_at, reason);
}

// The calling code is none, or not that of the chosen country.
void judge_foreign(PhoneCheck& check, std::string_view coded) {
  PhoneReadings readings(coded);
  const bool is_code = readings.try_any_code(coded);
  const PhoneCountry* const other = readings.best().country;
  if (is_code && other != nullptr) check.other_country = other->iso_text();
  const CallingCodeText own(static_cast<unsigned>(check.calling_code));
  const auto [mine, theirs] =
      std::mismatch(own.text().begin(), own.text().end(), coded.begin(), coded.end());
  check.national = coded.substr(0, kLongestNational);
  impossible(check, static_cast<std::size_t>(theirs - coded.begin()),
             is_code ? "phone_other_country" : "phone_country_unknown");
}

void judge_alive(PhoneCheck& check, const PhoneReading& reading, bool has_bad) {
  check.national = reading.national;
  if (has_bad) return impossible(check, reading.national.size(), "phone_bad_character");
  check.verdict = reading.rank == Rank::live     ? PhoneVerdict::incomplete
                  : reading.rank == Rank::likely ? PhoneVerdict::possible
                                                 : PhoneVerdict::valid;
  if (reading.country == nullptr || !reading.country->is(kMainland)) return;
  check.operator_hint = mainland_operator(reading.national);
  if (reading.rank == Rank::whole && check.operator_hint == MainlandOperator::unknown) {
    check.verdict = PhoneVerdict::possible;
  }
}

void read_chosen(PhoneReadings& readings, const PhoneCountry& country, const Typed& input) {
  const std::string_view digits = input.text();
  if (!input.has_plus) {
    readings.try_national(country, digits);
    if (readings.is_whole()) return;
  }
  readings.try_international(country, digits);
  if (input.has_plus || readings.is_whole()) return;
  if (digits == "0") readings.try_beginning(&country);  // half of 00
  if (digits.starts_with("00")) readings.try_international(country, digits.substr(2));
}

void judge(PhoneCheck& check, const PhoneCountry* chosen, const Typed& input) {
  const std::string_view digits = input.text();
  const bool has_zeros = !input.has_plus && digits.starts_with("00");
  const std::string_view coded = digits.substr(has_zeros ? 2 : 0);
  PhoneReadings readings(digits);
  bool is_foreign = false;
  if (chosen != nullptr) {
    read_chosen(readings, *chosen, input);
    is_foreign = (has_zeros || input.has_plus) &&
                 !coded.starts_with(CallingCodeText(chosen->calling_code).text());
  } else if (digits == "0" && !input.has_plus) {
    readings.try_beginning(nullptr);
  } else {
    is_foreign = !readings.try_any_code(coded);
  }
  const PhoneReading& best = readings.best();
  if (best.rank == Rank::dead && is_foreign) return judge_foreign(check, coded);
  name_country(check, best.country);
  if (best.rank == Rank::dead) return judge_dead(check, best);
  judge_alive(check, best, input.has_bad);
}

}  // namespace

PhoneCheck check_phone(std::string_view typed, std::string_view country) {
  constexpr std::size_t kMainlandDigits = 11;
  PhoneCheck check;
  const PhoneCountry* const chosen = find_country(country);
  name_country(check, chosen);
  if (chosen == nullptr && !country.empty()) {
    impossible(check, 0, "phone_country_unknown");
  } else if (typed.size() > kMaxPhoneInput) {
    impossible(check, country == kMainland ? kMainlandDigits : kLongestNational, "phone_too_long");
  } else {
    Typed input;
    collect(input, typed);
    if (input.size > 0 || input.has_plus || input.has_bad) judge(check, chosen, input);
  }
  return check;
}

PhoneCheck check_mainland_phone(std::string_view typed) { return check_phone(typed, "CN"); }

Result<std::string> normalise_phone(std::string_view typed, std::string_view country) {
  const PhoneCheck check = check_phone(typed, country);
  if (check.verdict == PhoneVerdict::valid || check.verdict == PhoneVerdict::possible) {
    std::string out;
    out.reserve(1 + 3 + kLongestNational);
    out += '+';
    out += CallingCodeText(static_cast<unsigned>(check.calling_code)).text();
    return out += check.national;
  }
  return refuse(Code::rejected, "account_number_invalid", "account_number",
                check.reason.empty() ? "the number is not complete" : std::string(check.reason));
}

Result<std::string> normalise_mainland_phone(std::string_view typed) {
  return normalise_phone(typed, "CN");
}

std::string mask_phone(std::string_view number) {
  constexpr std::string_view kHidden = "****";
  constexpr std::size_t kMainlandDigits = 11, kHead = 2, kTail = 3;
  const std::string_view digits = number.substr(number.starts_with('+') ? 1 : 0);
  for (char c : digits) {
    if (c < '0' || c > '9') return std::string(kHidden);
  }
  const bool is_international = digits.size() < number.size();
  const std::string_view mainland =
      is_international && digits.starts_with("86") ? digits.substr(2) : digits;
  if (mainland.size() == kMainlandDigits &&
      (!is_international || mainland.size() < digits.size())) {
    return std::string(mainland.substr(0, 3)).append(kHidden).append(mainland.substr(7));
  }
  const std::size_t code = is_international ? calling_code_size(digits) : 0;
  if (code == 0 || digits.size() <= code + kHidden.size() || digits.size() > kLongestNational) {
    return std::string(kHidden);
  }
  const std::size_t shown = digits.size() - code - kHidden.size();  // as far as four stay hidden
  const std::size_t tail = std::min(shown, kTail);
  const std::size_t head = std::min(shown - tail, kHead);
  std::string out(number.substr(0, 1 + code));
  out.append(" ").append(digits.substr(code, head)).append(kHidden);
  return out.append(digits.substr(digits.size() - tail));
}

bool is_country(std::string_view iso2) { return find_country(iso2) != nullptr; }

int calling_code_of(std::string_view iso2) {
  const PhoneCountry* const country = find_country(iso2);
  return country == nullptr ? 0 : country->calling_code;
}

std::string_view to_word(PhoneVerdict verdict) {
  switch (verdict) {
    case PhoneVerdict::empty:
      return "empty";
    case PhoneVerdict::incomplete:
      return "incomplete";
    case PhoneVerdict::possible:
      return "possible";
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

}  // namespace topup
