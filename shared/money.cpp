#include "shared/money.h"

#include <array>
#include <utility>

#include "shared/digits.h"

namespace topup {
namespace {

// ISO 4217 letters in the order of the enum.
constexpr std::string_view kLetters =
    "AEDAFNALLAMDAOAARSAUDAWGAZNBAMBBDBDTBGNBHDBIFBMDBNDBOBBRLBSDBTNBWPBYNBZDCADCDF"
    "CHFCLPCNYCOPCRCCUPCVECZKDJFDKKDOPDZDEGPERNETBEURFJDFKPGBPGELGHSGIPGMDGNFGTQGYD"
    "HKDHNLHTGHUFIDRILSINRIQDIRRISKJMDJODJPYKESKGSKHRKMFKPWKRWKWDKYDKZTLAKLBPLKRLRD"
    "LSLLYDMADMDLMGAMKDMMKMNTMOPMRUMURMVRMWKMXNMYRMZNNADNGNNIONOKNPRNZDOMRPABPENPGK"
    "PHPPKRPLNPYGQARRONRSDRUBRWFSARSBDSCRSDGSEKSGDSHPSLESOSSRDSSPSTNSVCSYPSZLTHBTJS"
    "TMTTNDTOPTRYTTDTWDTZSUAHUGXUSDUYUUZSVESVNDVUVWSTXAFXCDXCGXOFXPFYERZARZMWZWG";
static_assert(kLetters.size() == 3 * kCurrencyCount);
constexpr std::string_view letters_at(std::size_t index) { return kLetters.substr(3 * index, 3); }
constexpr bool letters_ascend() {
  for (std::size_t i = 1; i < kCurrencyCount; ++i) {
    if (!(letters_at(i - 1) < letters_at(i))) return false;
  }
  return true;
}
static_assert(letters_ascend());
static_assert(letters_at(static_cast<std::size_t>(Currency::cny)) == "CNY" &&
              letters_at(static_cast<std::size_t>(Currency::try_)) == "TRY" &&
              letters_at(static_cast<std::size_t>(Currency::zwg)) == "ZWG");

// All others have two digits after the point.
constexpr std::string_view kWithoutDecimals =
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF";
constexpr std::string_view kWithThreeDecimals = "BHD IQD JOD KWD LYD OMR TND";
struct DigitTable {
  std::array<std::uint8_t, kCurrencyCount> digits{};
};
constexpr DigitTable make_digits() {
  DigitTable table;
  for (std::size_t i = 0; i < kCurrencyCount; ++i) {
    const bool none = kWithoutDecimals.find(letters_at(i)) != std::string_view::npos;
    const bool three = kWithThreeDecimals.find(letters_at(i)) != std::string_view::npos;
    table.digits[i] = none ? 0 : three ? 3 : 2;
  }
  return table;
}
constexpr DigitTable kDigits = make_digits();

constexpr int kMaxExtraDecimals = 12;

bool in_range(__int128 minor) { return minor <= kMaxMinor && minor >= -__int128{kMaxMinor}; }

tl::unexpected<Error> overflow() { return refuse(Code::invalid_argument, "amount_overflow"); }
tl::unexpected<Error> malformed() {
  return refuse(Code::invalid_argument, "amount_malformed", {},
                "an optional minus sign, digits, and at most the currency's number of decimals");
}

// numerator / denominator with the fraction settled by `round`; denominator > 0.
__int128 divide(__int128 numerator, __int128 denominator, Round round) {
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

int minor_digits(Currency currency) { return kDigits.digits[static_cast<std::size_t>(currency)]; }
std::string_view to_word(Currency currency) {
  return letters_at(static_cast<std::size_t>(currency));
}

std::optional<Currency> parse_currency(std::string_view word) {
  std::size_t low = 0;
  std::size_t high = kCurrencyCount;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (letters_at(middle) == word) return static_cast<Currency>(middle);
    if (letters_at(middle) < word) {
      low = middle + 1;
    } else {
      high = middle;
    }
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
  std::string text = digits_of(amount.minor < 0 ? -amount.minor : amount.minor);
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

namespace {
constexpr int kRateDecimals = 8;

std::int64_t power_of_ten(int exponent) {
  std::int64_t power = 1;
  for (; exponent > 0; --exponent) power *= 10;
  return power;
}
}  // namespace

Result<Money> convert(Money amount, const Rate& rate, Round round) {
  if (amount.currency != rate.from) return refuse(Code::invalid_argument, "currency_mismatch");
  if (rate.scaled < 1 || rate.scaled > kMaxRateScaled) {
    return refuse(Code::invalid_argument, "rate_out_of_range");
  }
  // 2^53 × 10^14 × 10^3 stays below 2^127.
  const __int128 numerator =
      __int128{amount.minor} * rate.scaled * power_of_ten(minor_digits(rate.to));
  const __int128 denominator = __int128{kRateOne} * power_of_ten(minor_digits(rate.from));
  const __int128 minor = divide(numerator, denominator, round);
  if (!in_range(minor)) return overflow();
  return Money{static_cast<std::int64_t>(minor), rate.to};
}

Result<Rate> parse_rate(std::string_view text, Currency from, Currency to) {
  const Result<Decimal> decimal = read_decimal(text, kRateDecimals);
  if (!decimal) return tl::unexpected<Error>(decimal.error());
  __int128 scaled = decimal->digits;
  for (int places = decimal->decimals; places < kRateDecimals; ++places) scaled *= 10;
  if (decimal->negative || scaled < 1 || scaled > kMaxRateScaled) {
    return refuse(Code::invalid_argument, "rate_out_of_range");
  }
  return Rate{from, to, static_cast<std::int64_t>(scaled)};
}

std::string rate_text(const Rate& rate) {
  std::string text = digits_of(rate.scaled);
  constexpr auto kWanted = static_cast<std::size_t>(kRateDecimals) + 1;
  if (text.size() < kWanted) text.insert(0, kWanted - text.size(), '0');
  text.insert(text.size() - kRateDecimals, 1, '.');
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace topup
