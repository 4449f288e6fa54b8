#include "shared/hash.h"
#include "shared/json_text.h"
#include "shared/pricing.h"

namespace topup {
namespace {

struct Source {
  std::string_view id;
  std::uint32_t version = 0;
};

// The row of the book that a line or a reason is about; a coupon's is its template.
Source source_of(const PriceBook& book, const Buyer& buyer, LineWord word, std::uint32_t index) {
  const auto row = [](const auto& from) { return Source{from.id, from.version}; };
  switch (word) {
    case LineWord::face:
      return {};
    case LineWord::markup:
    case LineWord::margin_guard:
      return row(book.rules[index]);
    case LineWord::member:
    case LineWord::card:
      return row(book.benefits[index]);
    case LineWord::promotion:
      return row(book.promotions[index]);
    case LineWord::coupon: {
      const std::int32_t from = buyer.templates[index];
      if (from < 0) return {buyer.facts.coupons[index].template_id, 0};
      return row(book.coupons[static_cast<std::size_t>(from)]);
    }
    case LineWord::fee:
      return row(book.fees[index]);
  }
  return {};
}

void write_source(JsonText& out, const PriceBook& book, const Buyer& buyer, LineWord word,
                  std::uint32_t index) {
  const Source source = source_of(book, buyer, word, index);
  out.key("word").text(to_word(word)).key("rule_id").text(source.id);
  out.key("rule_version").integer(source.version);
  if (word == LineWord::coupon) out.key("coupon_id").text(buyer.facts.coupons[index].id);
}

}  // namespace

std::string fingerprint_text(const Quote& quote) { return hex_text(quote.fingerprint); }

std::string quote_text(const PriceBook& book, const Buyer& buyer, const Quote& quote) {
  JsonText out;
  out.begin_object().key("product_id").text(book.products[quote.product_index].id.text);
  out.key("account_masked").text(quote.account_masked);
  out.key("face").money(quote.face).key("list").money({quote.list_minor, book.currency});
  out.key("payable").money(quote.payable);
  out.key("saved").money({quote.saved_minor, book.currency});
  out.key("delivered").money(quote.delivered).key("lines").begin_array();
  for (const QuoteLine& line : quote.lines) {
    out.begin_object();
    write_source(out, book, buyer, line.word, line.index);
    out.key("rate_bp").integer(line.rate_bp);
    out.key("effect").money({line.effect_minor, book.currency});
    out.key("remainder").integer(line.remainder).end_object();
  }
  out.end_array().key("not_applied").begin_array();
  for (const NotApplied& row : quote.not_applied) {
    out.begin_object();
    write_source(out, book, buyer, row.word, row.index);
    out.key("why").text(to_word(row.why)).key("need").integer(row.need);
    out.key("have").integer(row.have).end_object();
  }
  out.end_array().key("needs_review").boolean(quote.needs_review);
  out.key("expires_at_ms").integer(quote.expires_at_ms);
  out.key("fingerprint").text(fingerprint_text(quote));
  out.key("price_book_version").integer(static_cast<std::int64_t>(book.version));
  return out.end_object().take();
}

std::size_t write_slots(const Quote& quote, std::int64_t* out, std::size_t most) {
  const std::size_t size = kQuoteHead + 5 * (quote.lines.size() + quote.not_applied.size());
  if (size > most) return 0;
  const auto money = [&out](Money amount) {
    *out++ = amount.minor;
    *out++ = static_cast<std::int64_t>(amount.currency);
  };
  *out++ = quote.product_index;
  *out++ = quote.payable.minor;
  *out++ = quote.list_minor;
  *out++ = quote.saved_minor;
  money(quote.face);
  money(quote.delivered);
  *out++ = quote.expires_at_ms;
  *out++ = quote.needs_review ? 1 : 0;
  *out++ = static_cast<std::int64_t>(quote.lines.size());
  *out++ = static_cast<std::int64_t>(quote.not_applied.size());
  for (const QuoteLine& line : quote.lines) {
    *out++ = static_cast<std::int64_t>(line.word);
    *out++ = line.index;
    *out++ = line.rate_bp;
    *out++ = line.effect_minor;
    *out++ = line.remainder;
  }
  for (const NotApplied& row : quote.not_applied) {
    *out++ = static_cast<std::int64_t>(row.word);
    *out++ = row.index;
    *out++ = static_cast<std::int64_t>(row.why);
    *out++ = row.need;
    *out++ = row.have;
  }
  return size;
}

}  // namespace topup
