// Money: integer minor units with their currency (fen, cent, yen). No floating point, not even for
// text. |minor| <= kMaxMinor = 2^53 - 1, so that JavaScript holds every amount exactly. Pure;
// thread-safe. Errors: currency_mismatch, amount_overflow, amount_malformed, unknown_currency,
// rate_out_of_range.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shared/result.h"

namespace topup {

// ISO 4217, every currency a person can hold, in alphabetical order. Stored and sent as its three
// letters, never as its number: the order may change when a currency is added.
// clang-format off
enum class Currency : std::uint8_t {
  aed, afn, all, amd, aoa, ars, aud, awg, azn, bam, bbd, bdt, bgn, bhd,
  bif, bmd, bnd, bob, brl, bsd, btn, bwp, byn, bzd, cad, cdf, chf, clp,
  cny, cop, crc, cup, cve, czk, djf, dkk, dop, dzd, egp, ern, etb, eur,
  fjd, fkp, gbp, gel, ghs, gip, gmd, gnf, gtq, gyd, hkd, hnl, htg, huf,
  idr, ils, inr, iqd, irr, isk, jmd, jod, jpy, kes, kgs, khr, kmf, kpw,
  krw, kwd, kyd, kzt, lak, lbp, lkr, lrd, lsl, lyd, mad, mdl, mga, mkd,
  mmk, mnt, mop, mru, mur, mvr, mwk, mxn, myr, mzn, nad, ngn, nio, nok,
  npr, nzd, omr, pab, pen, pgk, php, pkr, pln, pyg, qar, ron, rsd, rub,
  rwf, sar, sbd, scr, sdg, sek, sgd, shp, sle, sos, srd, ssp, stn, svc,
  syp, szl, thb, tjs, tmt, tnd, top, try_, ttd, twd, tzs, uah, ugx, usd,
  uyu, uzs, ves, vnd, vuv, wst, xaf, xcd, xcg, xof, xpf, yer, zar, zmw,
  zwg,
};
// clang-format on
inline constexpr std::size_t kCurrencyCount = static_cast<std::size_t>(Currency::zwg) + 1;

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

inline constexpr std::int64_t kRateOne = 100'000'000;
inline constexpr std::int64_t kMaxRateScaled = 1'000'000 * kRateOne;  // a million to one
inline constexpr std::int64_t kBasisPointsPerWhole = 10'000;          // 100 bp = 1 %

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

// An exchange rate as a scaled integer: one major unit of `from` is worth scaled / 10^8 major units
// of `to`. 7.1234 CNY for a dollar is {usd, cny, 712'340'000}. 0 < scaled <= kMaxRateScaled.
struct Rate {
  Currency from = Currency::cny;
  Currency to = Currency::cny;
  std::int64_t scaled = kRateOne;
  friend bool operator==(const Rate& a, const Rate& b) {
    return a.from == b.from && a.to == b.to && a.scaled == b.scaled;
  }
};
// amount × rate, rounded once. Errors: currency_mismatch (not rate.from), rate_out_of_range,
// amount_overflow.
Result<Money> convert(Money amount, const Rate& rate, Round round);
// "7.1234": digits, at most 8 decimals, nothing rounded. Errors: amount_malformed,
// rate_out_of_range.
Result<Rate> parse_rate(std::string_view text, Currency from, Currency to);
std::string rate_text(const Rate& rate);  // the inverse, without trailing zeros

}  // namespace topup
