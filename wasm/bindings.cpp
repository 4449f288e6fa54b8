// The WebAssembly edge and the only user of Embind: each export converts, calls one shared
// function, converts back. Plain values cross; amounts are whole numbers below 2^53; structured
// results are canonical JSON text, so nothing needs freeing. Every export is total: any string
// gives an answer.
#include <emscripten/bind.h>

#include <optional>
#include <string>

#include "shared/json_text.h"
#include "shared/money.h"
#include "shared/order_state.h"
#include "shared/phone.h"
#include "shared/price_book.h"
#include "shared/pricing.h"

namespace {

using namespace topup;  // NOLINT: the one file that mirrors the core's names

constexpr const char* kVersion = "0.1.0";
constexpr std::size_t kMaxInput = 4'096;

std::optional<PriceBook> current_book;  // one page, one thread, one book

struct JsPhoneCheck {
  std::string verdict, operator_hint, national;
  int bad_at = -1;
  std::string reason;
};

std::string error_text(const Error& error) {
  JsonText out;
  out.begin_object().key("ok").boolean(false).key("error").begin_object();
  out.key("code").text(to_word(error.code)).key("reason").text(error.reason);
  out.key("field").text(error.field).key("detail").text(error.detail);
  return out.end_object().end_object().take();
}

std::string version() { return kVersion; }

void write_operator(JsonText& out, const Operator& op) {
  out.begin_object().key("id").text(op.id).key("name_zh").text(op.name_zh);
  out.key("name_en").text(op.name_en).key("country").text(op.country);
  out.key("hint").text(to_word(op.hint)).end_object();
}

// A list price for a tile, before a number is known: any assignable number prices the same today.
void write_product(JsonText& out, const PriceBook& book, const Product& product) {
  const Result<Quote> priced = quote(book, {product.id, "13800138000"});
  if (!priced) return;  // a product that cannot be priced is not shown
  out.begin_object().key("id").text(product.id.text);
  out.key("operator_id").text(book.operators[product.operator_index].id);
  out.key("kind").text("airtime").key("face").money(product.face);
  out.key("delivered").money(product.delivered).key("payable").money(priced->payable);
  out.end_object();
}

std::string load_price_book(const std::string& bytes) {
  Result<PriceBook> book = decode(bytes);
  if (!book) return error_text(book.error());
  current_book = std::move(*book);
  JsonText out;
  out.begin_object().key("ok").boolean(true).key("value").begin_object();
  out.key("version").integer(static_cast<std::int64_t>(current_book->version));
  out.key("published_at_ms").integer(current_book->published_at_ms);
  out.key("fingerprint").text(fingerprint(bytes)).key("operators").begin_array();
  for (const Operator& op : current_book->operators) write_operator(out, op);
  out.end_array().key("products").begin_array();
  for (const Product& product : current_book->products) write_product(out, *current_book, product);
  return out.end_array().end_object().end_object().take();
}

JsPhoneCheck check_phone(const std::string& typed) {
  const PhoneCheck check = check_mainland_phone(typed);
  return {std::string(to_word(check.verdict)), std::string(to_word(check.operator_hint)),
          check.national, check.bad_at, std::string(check.reason)};
}

std::string quote_product(const std::string& product_id, const std::string& account_number) {
  if (!current_book) return error_text({Code::unavailable, "price_book_missing"});
  if (product_id.size() > kMaxInput || account_number.size() > kMaxInput) {
    return error_text({Code::invalid_argument, "out_of_range"});
  }
  const Result<Quote> priced = quote(*current_book, {ProductId(product_id), account_number});
  if (!priced) return error_text(priced.error());
  JsonText out;
  out.begin_object().key("ok").boolean(true).key("value").raw(quote_text(*priced));
  return out.end_object().take();
}

std::string decimal_of(double minor, const std::string& currency_word) {
  const auto currency = parse_currency(currency_word);
  constexpr auto kMax = static_cast<double>(kMaxMinor);
  if (!currency || !(minor >= -kMax && minor <= kMax)) return "";
  const auto whole = static_cast<std::int64_t>(minor);
  if (static_cast<double>(whole) != minor) return "";
  return decimal_text({whole, *currency});
}

std::string mask(const std::string& number) { return mask_phone(number); }

std::string buyer_word_of(const std::string& state_word) {
  const auto state = parse_state(state_word);
  return state ? std::string(to_word(buyer_word(*state))) : std::string();
}

}  // namespace

EMSCRIPTEN_BINDINGS(topup) {
  emscripten::value_object<JsPhoneCheck>("PhoneCheck")
      .field("verdict", &JsPhoneCheck::verdict)
      .field("operator_hint", &JsPhoneCheck::operator_hint)
      .field("national", &JsPhoneCheck::national)
      .field("bad_at", &JsPhoneCheck::bad_at)
      .field("reason", &JsPhoneCheck::reason);
  emscripten::function("version", &version);
  emscripten::function("load_price_book", &load_price_book);
  emscripten::function("check_phone", &check_phone);
  emscripten::function("quote", &quote_product);
  emscripten::function("decimal_text", &decimal_of);
  emscripten::function("mask_phone", &mask);
  emscripten::function("buyer_word", &buyer_word_of);
}
