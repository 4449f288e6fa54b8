// What the buyer pays, and why. Pure; the same code prices in the page (a preview) and on the
// server (binding). Fixed order of steps: face → rule → fee → payable. Each line names its rule,
// its version and what rounding left. Canonical text: quote_text() gives the same bytes in both
// builds; the fingerprint is FNV-1a 64 of the text up to (not including) its "fingerprint" member,
// so a quote that differs in anything the buyer sees differs in fingerprint, and a new price book
// that changes nothing for this buyer does not. Errors, by precedence: product_not_found,
// account_number_invalid (the phone's own reason is in `detail`), price_rule_out_of_range,
// amount_overflow, payable_not_positive.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/ids.h"
#include "shared/money.h"
#include "shared/price_book.h"
#include "shared/result.h"

namespace topup {

struct QuoteRequest {
  ProductId product_id;
  std::string account_number;  // any spelling; checked and normalised here
};

struct QuoteLine {
  std::string_view word;  // face, rule, fee: stable words the clients translate
  std::string rule_id;    // empty for face
  std::uint32_t rule_version = 0;
  std::int64_t rate_bp = 0;    // the rate applied, 0 where none is
  Money effect;                // what this line adds (negative: takes off)
  std::int64_t remainder = 0;  // in 1/10,000 of a minor unit, what rounding left
};

struct Quote {
  std::uint64_t price_book_version = 0;
  ProductId product_id;
  std::string account_masked;
  Money face;
  Money payable;
  Money delivered;
  std::vector<QuoteLine> lines;  // face + Σ other effects = payable, always
  std::string fingerprint;       // 16 hex digits
};

Result<Quote> quote(const PriceBook& book, const QuoteRequest& request);

// Canonical JSON text of a quote, fingerprint included; what the server stores on the order and
// both sides show.
std::string quote_text(const Quote& quote);

}  // namespace topup
