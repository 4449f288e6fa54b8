#include "shared/spoken_account.h"

#include "shared/numerals.h"
#include "shared/spoken_amount.h"
#include "shared/spoken_text.h"

namespace topup {
namespace {

constexpr std::size_t kLeastDigits = 7;
constexpr std::size_t kMaxInternational = 15;  // E.164
constexpr std::size_t kMaxWithTrunk = 12;      // 0 and a national number

bool is_mainland(std::string_view digits) {
  return digits.size() == 11 && digits[0] == '1' && digits[1] >= '3';
}

// The digits after the calling code of China, or all.
std::string_view without_86(std::string_view digits) {
  return digits.starts_with("86") && is_mainland(digits.substr(2)) ? digits.substr(2) : digits;
}

AccountShape shape_of(std::string_view digits, bool has_plus) {
  if (has_plus) {
    if (is_mainland(without_86(digits))) return AccountShape::mainland;
    const bool is_long = digits.size() >= kLeastDigits && digits.size() <= kMaxInternational;
    return is_long ? AccountShape::foreign : AccountShape::none;
  }
  if (is_mainland(without_86(digits))) return AccountShape::mainland;
  if (digits.size() == 16 && digits[0] == '9') return AccountShape::fuel_card;
  if (digits.size() == 19 && digits.starts_with("1000")) return AccountShape::fuel_card;
  return digits.size() >= kLeastDigits ? AccountShape::other : AccountShape::none;
}

const char* skip_mark(const char* at) {
  for (int i = 0; i < 2; ++i) at += match_word(at, " |.|(|)");
  return at;
}

// Calling codes of this shop's destinations by the most digits that follow them, without the trunk
// 0 that some put between.
struct CallingCodes {
  std::uint8_t most_digits;
  const char* codes;
};
constexpr CallingCodes kCallingCodes[] = {
    {8, "65|852|853|976"},
    {9, "61|66|84|94|855|886|971"},
    {10, "1|7|44|60|63|81|82|90|91|92|95|234|856|880|977"},
    {11, "86"},
    {12, "62"},
};

std::size_t most_digits(std::string_view digits) {
  for (const CallingCodes& row : kCallingCodes) {
    const std::size_t code = match_word(digits.data(), row.codes);
    if (code == 0) continue;
    const bool has_trunk = digits.size() > code && digits[code] == '0';
    return code + row.most_digits + (has_trunk ? 1U : 0U);
  }
  return kMaxInternational;
}

bool is_whole(AccountShape shape) {
  return shape == AccountShape::mainland || shape == AccountShape::fuel_card;
}

// Groups are joined as long as they may belong together: an international number until an amount
// begins, anything else only if the whole is a number of one of the fixed shapes.
SpokenAccount read_groups(const char* start, const char* at, bool has_plus) {
  SaidDigits joined;
  SpokenAccount best;
  while (is_ascii_digit(*at)) {
    const bool is_first = joined.size == 0;
    const bool has_money = !is_first && read_amount(at, false).unit != SpokenUnit::none;
    for (; is_ascii_digit(*at); ++at) {
      if (joined.size == kMaxAccountDigits) return best;
      joined.push(*at);
    }
    const AccountShape shape = shape_of(joined.view(), has_plus);
    const std::size_t most = has_plus ? most_digits(joined.view()) : kMaxWithTrunk;
    const bool grows = (has_plus || joined.text[0] == '0') && joined.size <= most && !has_money;
    if (shape != AccountShape::none && (is_first || is_whole(shape) || grows)) {
      best = {static_cast<std::size_t>(at - start), shape, has_plus, joined};
    }
    if (is_whole(shape)) break;
    at = skip_mark(at);
  }
  return best;
}

}  // namespace

SpokenAccount read_account(const char* start) {
  SpokenAccount account;
  const bool has_plus = *start == '+';
  if (!is_ascii_digit(*start) && !has_plus) {
    const SpokenNumber number = read_number(start, false);
    if (!number.is_one_by_one || number.said.size > kMaxAccountDigits) return account;
    return {number.size, shape_of(number.said.view(), false), false, number.said};
  }
  if (is_ascii_digit(start[-1])) return account;
  const std::size_t zeros = match_one(start, "00");
  return read_groups(start, start + (has_plus ? 1 : zeros), has_plus || zeros > 0);
}

}  // namespace topup
