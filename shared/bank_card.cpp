#include "shared/bank_card.h"

#include <utility>

namespace topup {
namespace {

constexpr std::size_t kLeastDigits = 13;
constexpr std::size_t kLeastUnionpayDigits = 16;
constexpr std::size_t kMostDigits = 19;

}  // namespace

bool passes_luhn(std::string_view digits) {
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    int value = digits[digits.size() - 1 - i] - '0';
    if (i % 2 == 1) value = value > 4 ? 2 * value - 9 : 2 * value;
    sum += value;
  }
  return !digits.empty() && sum % 10 == 0;
}

BankCardCheck check_bank_card(std::string_view typed) {
  BankCardCheck check;
  TypedDigits read;
  const char* defect = "bank_card_too_long";
  if (typed.size() <= kMaxTypedBytes) {
    read = typed_digits(typed);
    const bool is_over = read.digits.size() > kMostDigits;
    if (!is_over) defect = read.has_bad_character ? "bank_card_bad_character" : nullptr;
    check.text = std::move(read.digits);
    if (is_over) check.text.resize(kMostDigits);
  }
  const std::size_t size = check.text.size();
  check.unionpay = check.text.starts_with("62");
  const bool is_right = passes_luhn(check.text);
  if (size == kMostDigits && !is_right) {
    reject(check, size - 1, "bank_card_check_wrong");
  } else if (defect != nullptr) {
    reject(check, size, defect);
  } else if (size > 0) {
    const std::size_t least = check.unionpay ? kLeastUnionpayDigits : kLeastDigits;
    check.verdict = size >= least && is_right ? FieldVerdict::valid : FieldVerdict::incomplete;
  }
  return check;
}

}  // namespace topup
