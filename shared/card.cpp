#include "shared/card.h"

#include "shared/province.h"

namespace topup {
namespace {

struct IssuerRow {
  std::string_view word;
  std::string_view prefix;
  std::size_t digits;
};
// Source: what sellers and public code agree on; no issuer's own document was found.
constexpr std::size_t kMostDigits = 19;
constexpr IssuerRow kIssuers[] = {
    {"none", "", 0}, {"sinopec", "100011", 19}, {"petrochina", "9", 16}};

const IssuerRow& row_of(CardIssuer issuer) { return kIssuers[static_cast<std::size_t>(issuer)]; }

std::size_t same_length(std::string_view a, std::string_view b) {
  std::size_t length = 0;
  while (length < a.size() && length < b.size() && a[length] == b[length]) ++length;
  return length;
}

CardIssuer issuer_of(std::string_view digits) {
  if (digits.starts_with('1')) return CardIssuer::sinopec;
  return digits.starts_with('9') ? CardIssuer::petrochina : CardIssuer::none;
}

// Why the digits cannot be a card of the issuer, and where; no reason when they can.
struct Defect {
  const char* reason = nullptr;
  std::size_t at = 0;
};
Defect defect_of(std::string_view digits, CardIssuer issuer, bool has_bad_character) {
  const IssuerRow& row = row_of(issuer);
  const std::size_t fits = same_length(digits, row.prefix);
  const CardIssuer looks_like = issuer_of(digits);
  if (issuer == CardIssuer::none && !digits.empty()) return {"card_prefix_wrong", 0};
  if (fits < digits.size() && fits < row.prefix.size()) {
    const bool is_of_other = fits == 0 && looks_like != CardIssuer::none;
    return {is_of_other ? "card_other_issuer" : "card_prefix_wrong", fits};
  }
  if (digits.size() > row.digits) return {"card_too_long", row.digits};
  if (has_bad_character) return {"card_bad_character", digits.size()};
  return {};
}

}  // namespace

std::string_view to_word(CardIssuer issuer) { return row_of(issuer).word; }

std::optional<CardIssuer> parse_card_issuer(std::string_view word) {
  for (const CardIssuer issuer : {CardIssuer::none, CardIssuer::sinopec, CardIssuer::petrochina}) {
    if (word == to_word(issuer)) return issuer;
  }
  return std::nullopt;
}

CardCheck check_fuel_card(std::string_view typed, CardIssuer issuer) {
  CardCheck check;
  TypedDigits read;
  Defect defect{"card_too_long", 0};
  if (typed.size() <= kMaxTypedBytes) {
    read = typed_digits(typed);
    if (issuer == CardIssuer::none) issuer = issuer_of(read.digits);
    defect = defect_of(read.digits, issuer, read.has_bad_character);
  }
  check.issuer = issuer;
  check.digits = std::move(read.digits);
  const std::size_t most = issuer == CardIssuer::none ? kMostDigits : row_of(issuer).digits;
  if (check.digits.size() > most) check.digits.resize(most);
  if (defect.reason != nullptr) {
    check.verdict = CardVerdict::impossible;
    check.bad_at = static_cast<int>(defect.at);
    check.reason = defect.reason;
    return check;
  }
  const std::string_view digits = check.digits;
  if (digits.empty()) return check;
  if (issuer == CardIssuer::sinopec) {
    check.province_doubtful = digits.size() >= 8 && !is_province_code(digits.substr(6, 2));
  } else {
    check.prefix_doubtful = digits.size() >= 2 && digits[1] != '0';
  }
  check.verdict = digits.size() == most ? CardVerdict::valid : CardVerdict::incomplete;
  return check;
}

Result<std::string> normalise_fuel_card(std::string_view typed, CardIssuer issuer) {
  std::string_view reason = "card_issuer_missing";
  if (issuer != CardIssuer::none) {
    CardCheck check = check_fuel_card(typed, issuer);
    if (check.verdict == CardVerdict::valid) return std::move(check.digits);
    reason = check.reason.empty() ? "card_incomplete" : check.reason;
  }
  return refuse(Code::rejected, "account_number_invalid", "account_number", std::string(reason));
}

std::string_view to_word(SameCard same) {
  constexpr std::string_view kWords[] = {"incomplete", "match", "differs"};
  return kWords[static_cast<std::size_t>(same)];
}

CardComparison same_card(std::string_view first, std::string_view second) {
  const TypedDigits a = typed_digits(first);
  const TypedDigits b = typed_digits(second);
  const std::size_t same = same_length(a.digits, b.digits);
  const bool has_bad_character = a.has_bad_character || b.has_bad_character;
  if (same < b.digits.size() || has_bad_character) {
    return {SameCard::differs, static_cast<int>(same)};
  }
  if (same == a.digits.size() && same > 0) return {SameCard::match, -1};
  return {SameCard::incomplete, -1};
}

std::string mask_card(std::string_view digits) {
  if (digits.size() < 13 || digits.size() > 19 || !all_digits(digits)) return "****";
  return std::string(digits.substr(0, 4)) + "****" + std::string(digits.substr(digits.size() - 4));
}

}  // namespace topup
