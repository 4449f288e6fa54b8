// Money: integer minor units with their currency (fen, cent, yen). No floating point, not even for
// text. |minor| <= kMaxMinor = 2^53 - 1, so that JavaScript holds every amount exactly. Pure;
// thread-safe. Errors: currency_mismatch, amount_overflow, amount_malformed, unknown_currency.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shared/result.h"

namespace topup {

// Stored as its three letters, never as its number. ISO 4217.
enum class Currency : std::uint8_t { cny, usd, eur, gbp, hkd, jpy, krw, thb, vnd, kwd };

inline constexpr std::int64_t kMaxMinor = (std::int64_t{1} << 53) - 1;

int minor_digits(Currency currency);                            // 2 for CNY, 0 for JPY, 3 for KWD
std::string_view to_word(Currency currency);                    // "CNY"
std::optional<Currency> parse_currency(std::string_view word);  // exact upper-case letters

struct Money {
  std::int64_t minor = 0;
  Currency currency = Currency::cny;
  friend bool operator==(const Money& a, const Money& b) {
    return a.minor == b.minor && a.currency == b.currency;
  }
  friend bool operator!=(const Money& a, const Money& b) { return !(a == b); }
};

constexpr Money fen(std::int64_t minor) { return {minor, Currency::cny}; }

Result<Money> add(Money a, Money b);
Result<Money> subtract(Money a, Money b);

// How a fraction of a minor unit is settled; always named at the call.
enum class Round : std::uint8_t {
  down,
  up,
  half_up
};  // towards zero, away from zero, to nearest with halves away

inline constexpr std::int64_t kBasisPointsPerWhole = 10'000;  // 100 bp = 1 %

// amount × rate_bp / 10,000. `remainder` receives what rounding left, in 1/10,000 of a minor unit,
// if not null.
Result<Money> scale_bp(Money amount, std::int64_t rate_bp, Round round,
                       std::int64_t* remainder = nullptr);
// The nearest multiple of step_minor (>= 1) in the direction of `round`.
Result<Money> round_to_step(Money amount, std::int64_t step_minor, Round round);

// "98.50" for CNY 9850, "-0.01", "1200" for JPY: exactly minor_digits() decimals, '.' as the point,
// no grouping.
std::string decimal_text(Money amount);
// The inverse, strict: optional '-', digits, at most minor_digits() decimals. "1e3", "+1", ".5",
// "１" are amount_malformed.
Result<Money> parse_decimal(std::string_view text, Currency currency);
// As parse_decimal, but accepts up to 12 decimals and rounds them as told: for wallets that keep
// more digits than we do.
Result<Money> parse_decimal_rounded(std::string_view text, Currency currency, Round round);

}  // namespace topup
