#include "shared/money.h"

#include <array>
#include <utility>

namespace topup {
namespace {

struct CurrencyRow {
  Currency currency;
  std::string_view word;
  int digits;
};
// ISO 4217 letters and minor digits.
constexpr std::array kCurrencies = {
    CurrencyRow{Currency::cny, "CNY", 2}, CurrencyRow{Currency::usd, "USD", 2},
    CurrencyRow{Currency::eur, "EUR", 2}, CurrencyRow{Currency::gbp, "GBP", 2},
    CurrencyRow{Currency::hkd, "HKD", 2}, CurrencyRow{Currency::jpy, "JPY", 0},
    CurrencyRow{Currency::krw, "KRW", 0}, CurrencyRow{Currency::thb, "THB", 2},
    CurrencyRow{Currency::vnd, "VND", 0}, CurrencyRow{Currency::kwd, "KWD", 3},
};
constexpr bool rows_follow_the_enum() {
  for (std::size_t i = 0; i < kCurrencies.size(); ++i) {
    if (static_cast<std::size_t>(kCurrencies[i].currency) != i) return false;
  }
  return true;
}
static_assert(rows_follow_the_enum());

constexpr int kMaxExtraDecimals = 12;

const CurrencyRow& row_of(Currency currency) {
  return kCurrencies[static_cast<std::size_t>(currency)];
}

bool in_range(__int128 minor) { return minor <= kMaxMinor && minor >= -__int128{kMaxMinor}; }

tl::unexpected<Error> overflow() { return refuse(Code::invalid_argument, "amount_overflow"); }
tl::unexpected<Error> malformed() {
  return refuse(Code::invalid_argument, "amount_malformed", {},
                "an optional minus sign, digits, and at most the currency's number of decimals");
}

// numerator / denominator with the fraction settled by `round`; denominator > 0.
__int128 divide(__int128 numerator, std::int64_t denominator, Round round) {
  const __int128 quotient = numerator / denominator;  // towards zero
  __int128 left = numerator % denominator;
  if (left == 0) return quotient;
  const int away = numerator < 0 ? -1 : 1;
  if (left < 0) left = -left;
  switch (round) {
    case Round::down:
      return quotient;
    case Round::up:
      return quotient + away;
    case Round::half_up:
      return 2 * left >= denominator ? quotient + away : quotient;
  }
  return quotient;
}

struct Decimal {
  bool negative = false;
  __int128 digits = 0;  // without the point
  int decimals = 0;
};

Result<Decimal> read_decimal(std::string_view text, int max_decimals) {
  Decimal out;
  std::size_t at = 0;
  if (!text.empty() && text[0] == '-') {
    out.negative = true;
    at = 1;
  }
  std::size_t whole_digits = 0;
  bool in_fraction = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '.' && !in_fraction && whole_digits > 0) {
      in_fraction = true;
      continue;
    }
    if (c < '0' || c > '9') return malformed();
    if (in_fraction && ++out.decimals > max_decimals) return malformed();
    if (!in_fraction && ++whole_digits > 19) return overflow();
    out.digits = out.digits * 10 + (c - '0');
  }
  if (whole_digits == 0 || (in_fraction && out.decimals == 0)) return malformed();
  return out;
}

Result<Money> from_decimal(const Decimal& decimal, Currency currency, Round round) {
  __int128 digits = decimal.digits;
  int decimals = decimal.decimals;
  for (; decimals < minor_digits(currency); ++decimals) digits *= 10;
  std::int64_t divisor = 1;
  for (; decimals > minor_digits(currency); --decimals) divisor *= 10;
  const __int128 minor = divide(decimal.negative ? -digits : digits, divisor, round);
  if (!in_range(minor)) return overflow();
  return Money{static_cast<std::int64_t>(minor), currency};
}

}  // namespace

int minor_digits(Currency currency) { return row_of(currency).digits; }
std::string_view to_word(Currency currency) { return row_of(currency).word; }

std::optional<Currency> parse_currency(std::string_view word) {
  for (const CurrencyRow& row : kCurrencies) {
    if (row.word == word) return row.currency;
  }
  return std::nullopt;
}

Result<Money> add(Money a, Money b) {
  if (a.currency != b.currency) return refuse(Code::invalid_argument, "currency_mismatch");
  const __int128 sum = __int128{a.minor} + b.minor;
  if (!in_range(sum)) return overflow();
  return Money{static_cast<std::int64_t>(sum), a.currency};
}

Result<Money> subtract(Money a, Money b) {
  if (a.currency != b.currency) return refuse(Code::invalid_argument, "currency_mismatch");
  const __int128 difference = __int128{a.minor} - b.minor;
  if (!in_range(difference)) return overflow();
  return Money{static_cast<std::int64_t>(difference), a.currency};
}

Result<Money> scale_bp(Money amount, std::int64_t rate_bp, Round round, std::int64_t* remainder) {
  const __int128 product = __int128{amount.minor} * rate_bp;
  const __int128 scaled = divide(product, kBasisPointsPerWhole, round);
  if (!in_range(scaled)) return overflow();
  if (remainder != nullptr) {
    *remainder = static_cast<std::int64_t>(product - scaled * kBasisPointsPerWhole);
  }
  return Money{static_cast<std::int64_t>(scaled), amount.currency};
}

Result<Money> round_to_step(Money amount, std::int64_t step_minor, Round round) {
  if (step_minor < 1) return refuse(Code::invalid_argument, "amount_malformed", "step_minor");
  const __int128 rounded = divide(amount.minor, step_minor, round) * step_minor;
  if (!in_range(rounded)) return overflow();
  return Money{static_cast<std::int64_t>(rounded), amount.currency};
}

std::string decimal_text(Money amount) {
  const int digits = minor_digits(amount.currency);
  std::string text = std::to_string(amount.minor < 0 ? -amount.minor : amount.minor);
  const auto wanted = static_cast<std::size_t>(digits) + 1;
  if (text.size() < wanted) text.insert(0, wanted - text.size(), '0');
  if (digits > 0) text.insert(text.size() - static_cast<std::size_t>(digits), 1, '.');
  if (amount.minor < 0) text.insert(0, 1, '-');
  return text;
}

Result<Money> parse_decimal(std::string_view text, Currency currency) {
  const Result<Decimal> decimal = read_decimal(text, minor_digits(currency));
  if (!decimal) return tl::unexpected<Error>(decimal.error());
  return from_decimal(*decimal, currency, Round::down);
}

Result<Money> parse_decimal_rounded(std::string_view text, Currency currency, Round round) {
  const Result<Decimal> decimal = read_decimal(text, kMaxExtraDecimals);
  if (!decimal) return tl::unexpected<Error>(decimal.error());
  return from_decimal(*decimal, currency, round);
}

}  // namespace topup
