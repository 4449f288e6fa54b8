#include "shared/pricing.h"

#include <utility>

#include "shared/json_text.h"
#include "shared/phone.h"

namespace topup {
namespace {

constexpr std::int64_t kMaxRateBp =
    10 * kBasisPointsPerWhole;  // a typing slip, not a price, lies above ten times face

// Everything the buyer is shown, in one fixed order; the fingerprint is taken over exactly this.
JsonText quote_members(const Quote& quote) {
  JsonText out;
  out.begin_object()
      .key("product_id")
      .text(quote.product_id.text)
      .key("account_masked")
      .text(quote.account_masked)
      .key("face")
      .money(quote.face)
      .key("payable")
      .money(quote.payable)
      .key("delivered")
      .money(quote.delivered)
      .key("lines")
      .begin_array();
  for (const QuoteLine& line : quote.lines) {
    out.begin_object()
        .key("word")
        .text(line.word)
        .key("rule_id")
        .text(line.rule_id)
        .key("rule_version")
        .integer(line.rule_version)
        .key("rate_bp")
        .integer(line.rate_bp)
        .key("effect")
        .money(line.effect)
        .key("remainder")
        .integer(line.remainder)
        .end_object();
  }
  out.end_array();
  return out;
}

// The rule's share of the price: scaled and settled to the step in one rounding, so that nothing is
// rounded twice.
Result<QuoteLine> apply_rule(const PriceRule& rule, Money face) {
  if (rule.rate_bp < 1 || rule.rate_bp > kMaxRateBp || rule.step_minor < 1 ||
      rule.step_minor > kMaxMinor / kBasisPointsPerWhole || rule.fee_minor < 0) {
    return refuse(Code::rejected, "price_rule_out_of_range");
  }
  const __int128 exact = __int128{face.minor} * rule.rate_bp;  // in 1/10,000 of a minor unit
  const __int128 step = __int128{rule.step_minor} * kBasisPointsPerWhole;
  const __int128 steps = (2 * exact + step) / (2 * step);
  const __int128 priced = steps * rule.step_minor;
  if (priced > kMaxMinor) return refuse(Code::rejected, "amount_overflow");
  QuoteLine line;
  line.word = "rule";
  line.rule_id = rule.id;
  line.rule_version = rule.version;
  line.rate_bp = rule.rate_bp;
  line.effect = {static_cast<std::int64_t>(priced) - face.minor, face.currency};
  line.remainder = static_cast<std::int64_t>(exact - priced * kBasisPointsPerWhole);
  return line;
}

}  // namespace

Result<Quote> quote(const PriceBook& book, const QuoteRequest& request) {
  const Product* product = book.find(request.product_id);
  if (product == nullptr) return refuse(Code::rejected, "product_not_found", "product_id");
  const Result<std::string> account = normalise_mainland_phone(request.account_number);
  if (!account) return tl::unexpected<Error>(account.error());

  Quote out;
  out.price_book_version = book.version;
  out.product_id = product->id;
  out.account_masked = mask_phone(*account);
  out.face = product->face;
  out.delivered = product->delivered;
  QuoteLine face_line;
  face_line.word = "face";
  face_line.effect = product->face;
  out.lines.push_back(std::move(face_line));

  Result<QuoteLine> rule_line = apply_rule(book.rule, product->face);
  if (!rule_line) return tl::unexpected<Error>(rule_line.error());
  Result<Money> payable = add(product->face, rule_line->effect);
  out.lines.push_back(std::move(*rule_line));
  if (payable && book.rule.fee_minor > 0) {
    QuoteLine fee_line;
    fee_line.word = "fee";
    fee_line.rule_id = book.rule.id;
    fee_line.rule_version = book.rule.version;
    fee_line.effect = {book.rule.fee_minor, product->face.currency};
    payable = add(*payable, fee_line.effect);
    out.lines.push_back(std::move(fee_line));
  }
  if (!payable) return refuse(Code::rejected, "amount_overflow");
  if (payable->minor <= 0) return refuse(Code::rejected, "payable_not_positive");
  out.payable = *payable;
  out.fingerprint = topup::fingerprint(quote_members(out).str());
  return out;
}

std::string quote_text(const Quote& quote) {
  JsonText out = quote_members(quote);
  out.key("fingerprint")
      .text(quote.fingerprint)
      .key("price_book_version")
      .integer(static_cast<std::int64_t>(quote.price_book_version))
      .end_object();
  return out.take();
}

}  // namespace topup
