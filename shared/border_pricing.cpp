// The border calls about the price book and quotes; see border.h.
#include <algorithm>
#include <iterator>
#include <utility>

#include "shared/border.h"
#include "shared/border_state.h"

namespace topup {
namespace {

constexpr std::size_t kMaxId = 128;
constexpr std::size_t kMaxAccount = 256;
constexpr std::size_t kMaxListed = 2'000;  // rows of one answer; the rest is asked for by `from`
constexpr std::string_view kCouponStates[] = {"usable", "held", "used"};

// The book to answer from; nullptr after refusing.
const PriceBook* book_of(const Border& border, BorderFields& in) {
  if (border.book) return &*border.book;
  in.refuse(Error{Code::unavailable, "price_book_missing"});
  return nullptr;
}

void book_head(Border& border, BorderFields& in, JsonText& out) {
  const PriceBook* book = book_of(border, in);
  if (book == nullptr) return;
  out.begin_object().key("version").integer(static_cast<std::int64_t>(book->version));
  out.key("published_at_ms").integer(book->published_at_ms);
  out.key("valid_until_ms").integer(book->valid_until_ms);
  out.key("currency").text(to_word(book->currency));
  out.key("fingerprint").text(border.book_fingerprint);
  out.key("products").integer(static_cast<std::int64_t>(book->products.size()));
  out.key("operators").integer(static_cast<std::int64_t>(book->operators.size())).end_object();
}

// Bits of the kinds that an operator has on sale.
unsigned kinds_of(const PriceBook& book, std::size_t operator_index) {
  unsigned kinds = 0;
  for (const Product& product : book.products) {
    if (product.operator_index == operator_index)
      kinds |= 1U << static_cast<unsigned>(product.kind);
  }
  return kinds;
}

void write_names(JsonText& out, const std::string& zh, const std::string& en) {
  out.key("name_zh").text(zh).key("name_en").text(en);
}

void write_kinds(JsonText& out, unsigned kinds) {
  out.key("kinds").begin_array();
  for (std::size_t i = 0; i < kProductKinds; ++i) {
    if ((kinds & (1U << i)) != 0) out.text(to_word(static_cast<ProductKind>(i)));
  }
  out.end_array().end_object();
}

void list_countries(Border& border, BorderFields& in, JsonText& out) {
  const PriceBook* book = book_of(border, in);
  if (book == nullptr) return;
  out.begin_array();
  for (const Country& country : book->countries) {
    unsigned kinds = 0;
    for (std::size_t i = 0; i < book->operators.size(); ++i) {
      if (book->operators[i].country == country.iso2) kinds |= kinds_of(*book, i);
    }
    out.begin_object().key("country").text(country.iso2);
    write_names(out, country.name_zh, country.name_en);
    write_kinds(out, kinds);
  }
  out.end_array();
}

// {"country"}, or all.
void list_operators(Border& border, BorderFields& in, JsonText& out) {
  const PriceBook* book = book_of(border, in);
  if (book == nullptr) return;
  const std::string_view country = in.text_or("country", kMaxId, "");
  out.begin_array();
  for (std::size_t i = 0; i < book->operators.size(); ++i) {
    const Operator& op = book->operators[i];
    if (!country.empty() && op.country != country) continue;
    out.begin_object().key("id").text(op.id);
    write_names(out, op.name_zh, op.name_en);
    out.key("country").text(op.country).key("hint").text(to_word(op.hint));
    out.key("issuer").text(to_word(op.issuer));
    write_kinds(out, kinds_of(*book, i));
  }
  out.end_array();
}

void write_product(JsonText& out, const PriceBook& book, const Product& product,
                   const Quote& priced) {
  out.begin_object().key("id").text(product.id.text);
  out.key("operator_id").text(book.operators[product.operator_index].id);
  out.key("kind").text(to_word(product.kind));
  write_names(out, product.name_zh, product.name_en);
  out.key("face").money(product.face).key("delivered").money(product.delivered);
  out.key("most_minor").integer(product.most_minor).key("step_minor").integer(product.step_minor);
  out.key("validity_days").integer(product.validity_days);
  out.key("list").money({priced.list_minor, book.currency}).key("payable").money(priced.payable);
  out.end_object();
}

// Heap sort: the standard one costs the page two kilobytes.
void sort_by_face(const PriceBook& book, std::vector<std::uint32_t>& rows) {
  const auto comes_first = [&book](std::uint32_t a, std::uint32_t b) {
    const std::int64_t one = book.products[a].face.minor;
    const std::int64_t two = book.products[b].face.minor;
    return one != two ? one < two : a < b;
  };
  const auto sink = [&](std::size_t at, std::size_t size) {
    for (std::size_t child = 2 * at + 1; child < size; at = child, child = 2 * at + 1) {
      if (child + 1 < size && comes_first(rows[child], rows[child + 1])) ++child;
      if (!comes_first(rows[at], rows[child])) return;
      std::swap(rows[at], rows[child]);
    }
  };
  for (std::size_t at = rows.size() / 2; at > 0; --at) sink(at - 1, rows.size());
  for (std::size_t size = rows.size(); size > 1; --size) {
    std::swap(rows[0], rows[size - 1]);
    sink(0, size - 1);
  }
}

// {"operator_id","kind","now_ms","from","degraded"}, all of which may be absent: the tiles, the
// smallest face first, each with the price this buyer would pay without a coupon. What cannot be
// priced is not shown.
void list_products(Border& border, BorderFields& in, JsonText& out) {
  const PriceBook* book = book_of(border, in);
  if (book == nullptr) return;
  const std::string_view operator_id = in.text_or("operator_id", kMaxId, "");
  const std::string_view kind_word = in.text_or("kind", kMaxId, "");
  const auto kind = parse_product_kind(kind_word);
  if (!kind_word.empty() && !kind) in.refuse("out_of_range", "kind");
  QuoteRequest request;
  request.now_ms = in.integer_or("now_ms", 0, kMaxMinor, 0);
  request.skip_optional = in.boolean_or("degraded", false);
  request.coupon_choice = CouponChoice::none;
  const std::int64_t from = in.integer_or("from", 0, kMaxMinor, 0);
  if (!in.ok()) return;
  std::vector<std::uint32_t> shown;
  for (auto i = static_cast<std::uint32_t>(std::min<std::int64_t>(from, kMaxProducts));
       i < book->products.size() && shown.size() < kMaxListed; ++i) {
    const Product& product = book->products[i];
    if (kind && product.kind != *kind) continue;
    const std::string& sold_by = book->operators[product.operator_index].id;
    if (operator_id.empty() || sold_by == operator_id) shown.push_back(i);
  }
  sort_by_face(*book, shown);
  out.begin_array();
  for (const std::uint32_t index : shown) {
    const Product& product = book->products[index];
    request.product_id = product.id;
    if (!list_price_into(*book, border.buyer, request, &border.quote)) continue;
    write_product(out, *book, product, border.quote);
  }
  out.end_array();
}

template <class Row>
void write_named(JsonText& out, const char* key, const std::vector<Row>& rows) {
  out.key(key).begin_array();
  for (const Row& row : rows) {
    out.begin_object().key("id").text(row.id).key("version").integer(row.version);
    if constexpr (requires { row.name_zh; }) write_names(out, row.name_zh, row.name_en);
    out.end_object();
  }
  out.end_array();
}

// The rows that lines and reasons of a quote refer to by index, in that order.
void book_rows(Border& border, BorderFields& in, JsonText& out) {
  const PriceBook* book = book_of(border, in);
  if (book == nullptr) return;
  out.begin_object();
  write_named(out, "rules", book->rules);
  write_named(out, "benefits", book->benefits);
  write_named(out, "promotions", book->promotions);
  write_named(out, "coupons", book->coupons);
  write_named(out, "fees", book->fees);
  out.end_object();
}

void read_texts(BorderFields& in, const char* key, std::size_t most,
                std::vector<std::string>* into) {
  const JsonValue list = in.list_or_none(key, most);
  for (std::size_t i = 0; i < list.size() && in.ok(); ++i) {
    const auto text = list.at(i).text();
    if (!text || text->size() > kMaxId) return in.refuse("field_type", key);
    into->emplace_back(*text);
  }
}

void read_coupon(BorderFields& in, OwnedCoupon* coupon) {
  coupon->id = in.text("id", kMaxId);
  coupon->template_id = in.text("template_id", kMaxId);
  coupon->valid_from_ms = in.integer_or("valid_from_ms", 0, kMaxMinor, 0);
  coupon->expires_at_ms = in.integer_or("expires_at_ms", 0, kMaxMinor, 0);
  if (!in["state"].exists()) return;
  coupon->state = static_cast<CouponState>(in.word("state", kCouponStates, "out_of_range"));
}

// {"level_id","growth","card_ids","first_order","day_orders","day_minor","coupons"}, all of which
// may be absent: what is known of the buyer, kept until it is set again, over any change of book.
void set_buyer(Border& border, BorderFields& in, JsonText& out) {
  BuyerFacts facts;
  facts.level_id = in.text_or("level_id", kMaxId, "");
  facts.growth = in.integer_or("growth", 0, kMaxMinor, 0);
  facts.day_orders = in.integer_or("day_orders", 0, kMaxMinor, 0);
  facts.day_minor = in.integer_or("day_minor", 0, kMaxMinor, 0);
  facts.first_order = in.boolean_or("first_order", false);
  read_texts(in, "card_ids", kMaxHeldCards, &facts.card_ids);
  const JsonValue coupons = in.list_or_none("coupons", kMaxOwnedCoupons);
  facts.coupons = std::vector<OwnedCoupon>(coupons.size());
  for (std::size_t i = 0; i < coupons.size() && in.ok(); ++i) {
    in.enter(coupons.at(i));
    read_coupon(in, &facts.coupons[i]);
  }
  if (!in.ok()) return;
  border.facts = std::move(facts);
  if (border.book) border.buyer = prepare(*border.book, border.facts);
  out.boolean(true);
}

// "coupons": "best" (the default), "none", or the ids the buyer chose.
void read_choice(BorderFields& in, QuoteRequest* request) {
  if (in["coupons"].kind() == JsonKind::array) {
    request->coupon_choice = CouponChoice::these;
    return read_texts(in, "coupons", kMaxOwnedCoupons, &request->coupon_ids);
  }
  const std::string_view word = in.text_or("coupons", kMaxId, "best");
  if (word == "none") request->coupon_choice = CouponChoice::none;
  if (word != "none" && word != "best") in.refuse("out_of_range", "coupons");
}

// {"product_id","account_number","amount_minor","now_ms","degraded","coupons"} → quote_text().
void quote_call(Border& border, BorderFields& in, JsonText& out) {
  const PriceBook* book = book_of(border, in);
  if (book == nullptr) return;
  QuoteRequest request;
  request.product_id.text = in.text("product_id", kMaxId);
  request.account_number = in.text("account_number", kMaxAccount);
  request.amount_minor = in.integer_or("amount_minor", 0, kMaxMinor, 0);
  request.now_ms = in.integer_or("now_ms", 0, kMaxMinor, 0);
  request.skip_optional = in.boolean_or("degraded", false);
  read_choice(in, &request);
  if (!in.ok()) return;
  const auto priced = quote_into(*book, border.buyer, request, &border.quote);
  if (!priced) return in.refuse(priced.error());
  out.raw(quote_text(*book, border.buyer, border.quote));
}

// {"product_id","amount_minor","now_ms"} → quote_text() before a recipient is known.
void list_price_call(Border& border, BorderFields& in, JsonText& out) {
  const PriceBook* book = book_of(border, in);
  if (book == nullptr) return;
  QuoteRequest request;
  request.product_id.text = in.text("product_id", kMaxId);
  request.amount_minor = in.integer_or("amount_minor", 0, kMaxMinor, 0);
  request.now_ms = in.integer_or("now_ms", 0, kMaxMinor, 0);
  if (!in.ok()) return;
  const auto priced = list_price_into(*book, border.buyer, request, &border.quote);
  if (!priced) return in.refuse(priced.error());
  out.raw(quote_text(*book, border.buyer, border.quote));
}

void load(Border& border, std::string_view bytes, BorderFields& in, JsonText& out) {
  auto book = decode(bytes);
  if (!book) return in.refuse(book.error());
  border.book = std::move(*book);
  border.book_fingerprint = fingerprint(bytes);
  border.buyer = prepare(*border.book, border.facts);
  book_head(border, in, out);
}

// {"hex"}: a book as hexadecimal digits, for whoever has no other way to hand over bytes.
void load_book_hex(Border& border, BorderFields& in, JsonText& out) {
  const std::string_view hex = in.text("hex", 2 * kMaxPriceBookBytes);
  const auto nibble = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    const int high = nibble(hex[i]);
    const int low = nibble(hex[i + 1]);
    if (high < 0 || low < 0) return in.refuse("out_of_range", "hex");
    bytes += static_cast<char>(high * 16 + low);
  }
  if (in.ok()) load(border, bytes, in, out);
}

void decimal_text_call(Border&, BorderFields& in, JsonText& out) {
  out.text(decimal_text(in.money("amount")));
}

// {"amount","to","rate":"7.1234"} → money, halves up.
void convert_call(Border&, BorderFields& in, JsonText& out) {
  const Money amount = in.money("amount");
  const auto to = parse_currency(in.text("to", 3));
  if (!to) in.refuse("unknown_currency", "to");
  const auto rate = parse_rate(in.text("rate", 32), amount.currency, to.value_or(Currency::cny));
  if (!rate) return in.refuse(rate.error());
  const auto worth = convert(amount, *rate, Round::half_up);
  if (!worth) return in.refuse(worth.error());
  out.money(*worth);
}

constexpr BorderCall kCalls[] = {
    {"book_head", book_head},           {"book_rows", book_rows},
    {"convert", convert_call},          {"decimal_text", decimal_text_call},
    {"list_countries", list_countries}, {"list_operators", list_operators},
    {"list_price", list_price_call},    {"list_products", list_products},
    {"load_book_hex", load_book_hex},   {"quote", quote_call},
    {"set_buyer", set_buyer},
};

}  // namespace

BorderTable pricing_calls() { return {kCalls, std::size(kCalls)}; }

std::string border_load_book(Border& border, std::string_view bytes) {
  BorderFields in{JsonValue()};
  JsonText out;
  out.begin_object().key("ok").boolean(true).key("value");
  load(border, bytes, in, out);
  if (!in.ok()) return border_refusal(in.error());
  return out.end_object().take();
}

}  // namespace topup
