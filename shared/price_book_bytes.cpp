// The binary form of a price book, schema 3; schema 2, still read, has no price and no least.
// Integers are LEB128 varints, texts are length + UTF-8, "times" means that many rows follow a
// count:
//   "TPB1" schema version published_at_ms valid_until_ms quote_ttl_ms blocked_salt
//   currencies times {three letters}: every currency in the book; number 0 is what buyers pay in
//   countries times {iso2 name_zh name_en}
//   operators times {id name_zh name_en country hint issuer}
//   rates times {currency scaled}
//   products times {shared rest operator kind flags face_minor face_currency …}: the id is the
//     first `shared` bytes of the id before it, then `rest`; flags: 1 delivered follows (else it is
//     the face) as minor currency, 2 cost follows as minor currency, 4 most_minor and step_minor
//     follow, 8 validity_days follows, 16 name_zh and name_en follow, 32 price follows, 64 least
//     follows
//   rules, benefits, promotions, coupons, fees, limits: times {members in the order of the structs}
//   blocked times {difference to the hash before it}
//   Hash (hash.h) of everything before it, 8 bytes little-endian.
// A scope is: bits (1 kinds, 2 country, 4 operator, 8 product), then those that are set. Ids ascend
// in every list; anything else is damaged.
#include <algorithm>
#include <array>

#include "shared/check.h"
#include "shared/hash.h"
#include "shared/price_book.h"

namespace topup {
namespace {

constexpr std::string_view kMagic = "TPB1";
constexpr std::size_t kChecksumBytes = 8;
constexpr std::size_t kMaxText = 256;
constexpr auto kMaxNumber = static_cast<std::uint64_t>(kMaxMinor);

constexpr std::uint64_t kHasDelivered = 1, kHasCost = 2, kIsRange = 4, kHasValidity = 8,
                        kHasNames = 16, kHasPrice = 32, kHasLeast = 64;
constexpr std::uint64_t kOldestSchema = 2;
constexpr std::uint64_t kKinds = 1, kCountry = 2, kOperator = 4, kProduct = 8;

class Writer {
 public:
  explicit Writer(const PriceBook& book) { seen(book.currency); }
  void raw(std::string_view bytes) { out_ += bytes; }
  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_ += static_cast<char>((value & 0x7F) | 0x80);
    out_ += static_cast<char>(value);
  }
  void number(std::int64_t value) {
    check(value >= 0 && value <= kMaxMinor, "a price book holds no negative numbers");
    number(static_cast<std::uint64_t>(value));
  }
  void number(bool value) { number(std::uint64_t{value ? 1U : 0U}); }
  void text(std::string_view value) {
    number(std::uint64_t{value.size()});
    out_ += value;
  }
  void seen(Currency currency) {
    if (std::find(currencies_.begin(), currencies_.end(), currency) == currencies_.end()) {
      currencies_.push_back(currency);
    }
  }
  void currency(Currency value) {
    const auto at = std::find(currencies_.begin(), currencies_.end(), value);
    number(static_cast<std::uint64_t>(at - currencies_.begin()));
  }
  void money(Money value) {
    number(value.minor);
    currency(value.currency);
  }
  void scope(const Scope& value) {
    number((value.kinds != 0 ? kKinds : 0) | (value.country.empty() ? 0 : kCountry) |
           (value.operator_index == Scope::kAny ? 0 : kOperator) |
           (value.product_index == Scope::kAny ? 0 : kProduct));
    if (value.kinds != 0) number(std::uint64_t{value.kinds});
    if (!value.country.empty()) text(value.country);
    if (value.operator_index != Scope::kAny) number(std::int64_t{value.operator_index});
    if (value.product_index != Scope::kAny) number(std::int64_t{value.product_index});
  }
  std::string take() { return std::move(out_); }
  const std::string& str() const { return out_; }
  const std::vector<Currency>& currencies() const { return currencies_; }

 private:
  std::string out_;
  std::vector<Currency> currencies_;
};

// Reads with every length checked; after the first defect everything reads as zero and ok() is
// false. Not inline: a hundred members are read, and a call is the smallest way to read one.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : left_(bytes) {}
  bool ok() const { return ok_; }
  bool at_end() const { return left_.empty(); }

  [[gnu::noinline]] std::uint64_t number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (left_.empty()) return fail();
      const auto byte = static_cast<unsigned char>(left_[0]);
      left_.remove_prefix(1);
      if (shift == 63 && byte > 1) return fail();
      if (byte == 0 && shift > 0) return fail();  // one form for each number
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    return fail();
  }
  [[gnu::noinline]] std::uint64_t at_most(std::uint64_t limit) {
    const std::uint64_t value = number();
    return value > limit ? fail() : value;
  }
  [[gnu::noinline]] std::int64_t minor() { return static_cast<std::int64_t>(at_most(kMaxNumber)); }
  [[gnu::noinline]] bool truth() { return at_most(1) == 1; }
  [[gnu::noinline]] std::uint32_t small() {
    return static_cast<std::uint32_t>(at_most(UINT32_MAX));
  }
  // Rows that follow: no more than are allowed, nor than there are bytes for.
  [[gnu::noinline]] std::size_t count(std::size_t most) {
    return static_cast<std::size_t>(at_most(std::min(most, left_.size())));
  }
  // One of `count` choices.
  [[gnu::noinline]] std::uint64_t choice(std::uint64_t count) {
    return count == 0 ? fail() : at_most(count - 1);
  }
  [[gnu::noinline]] std::string_view text() {
    const auto size = static_cast<std::size_t>(at_most(kMaxText));
    if (!ok_ || size > left_.size()) {
      fail();
      return {};
    }
    const std::string_view value = left_.substr(0, size);
    left_.remove_prefix(size);
    return value;
  }
  [[gnu::noinline]] void text(std::string* into) { into->assign(text()); }
  [[gnu::noinline]] Currency currency() {
    const std::uint64_t index = choice(currencies_.size());
    return ok_ ? currencies_[static_cast<std::size_t>(index)] : Currency::cny;
  }
  void letters() {
    const auto found = left_.size() < 3 ? std::nullopt : parse_currency(left_.substr(0, 3));
    if (!found) {
      fail();
      return;
    }
    left_.remove_prefix(3);
    currencies_.push_back(*found);
  }
  Currency first_currency() const { return currencies_.empty() ? Currency::cny : currencies_[0]; }
  [[gnu::noinline]] Money money() {
    const std::int64_t amount = minor();
    return {amount, currency()};
  }
  [[gnu::noinline]] Scope scope(const PriceBook& book) {
    const std::uint64_t flags = at_most(kKinds | kCountry | kOperator | kProduct);
    Scope out;
    if ((flags & kKinds) != 0) out.kinds = static_cast<std::uint8_t>(at_most(0xFF));
    if ((flags & kCountry) != 0) text(&out.country);
    if ((flags & kOperator) != 0) {
      out.operator_index = static_cast<std::int32_t>(choice(book.operators.size()));
    }
    if ((flags & kProduct) != 0) {
      out.product_index = static_cast<std::int32_t>(choice(book.products.size()));
    }
    return out;
  }
  std::uint64_t fail() {
    ok_ = false;
    left_ = {};
    return 0;
  }

 private:
  std::string_view left_;
  std::vector<Currency> currencies_;
  bool ok_ = true;
};

void write(Writer& out, const Country& row) {
  out.text(row.iso2);
  out.text(row.name_zh);
  out.text(row.name_en);
}
void read(ByteReader& in, const PriceBook&, Country& row) {
  in.text(&row.iso2);
  in.text(&row.name_zh);
  in.text(&row.name_en);
}

void write(Writer& out, const Operator& row) {
  out.text(row.id);
  out.text(row.name_zh);
  out.text(row.name_en);
  out.text(row.country);
  out.number(static_cast<std::uint64_t>(row.hint));
  out.number(static_cast<std::uint64_t>(row.issuer));
}
void read(ByteReader& in, const PriceBook&, Operator& row) {
  in.text(&row.id);
  in.text(&row.name_zh);
  in.text(&row.name_en);
  in.text(&row.country);
  row.hint = static_cast<MainlandOperator>(
      in.at_most(static_cast<std::uint64_t>(MainlandOperator::virtual_operator)));
  row.issuer =
      static_cast<CardIssuer>(in.at_most(static_cast<std::uint64_t>(CardIssuer::petrochina)));
}

void write(Writer& out, const Rate& row) {
  out.currency(row.from);
  out.number(row.scaled);
}
void read(ByteReader& in, const PriceBook& book, Rate& row) {
  row.from = in.currency();
  row.to = book.currency;
  row.scaled = in.minor();
  if (row.scaled < 1 || row.scaled > kMaxRateScaled) in.fail();
}

void write(Writer& out, const Product& row, std::string_view id_before) {
  std::size_t shared = 0;
  while (shared < id_before.size() && shared < row.id.text.size() &&
         id_before[shared] == row.id.text[shared]) {
    ++shared;
  }
  out.number(std::uint64_t{shared});
  out.text(std::string_view(row.id.text).substr(shared));
  out.number(std::uint64_t{row.operator_index});
  out.number(static_cast<std::uint64_t>(row.kind));
  const bool has_names = !row.name_zh.empty() || !row.name_en.empty();
  const std::uint64_t flags =
      (row.delivered == row.face ? 0 : kHasDelivered) | (row.cost.minor == 0 ? 0 : kHasCost) |
      (row.is_range() ? kIsRange : 0) | (row.validity_days == 0 ? 0 : kHasValidity) |
      (has_names ? kHasNames : 0) | (row.price == 0 ? 0 : kHasPrice) |
      (row.least == 0 ? 0 : kHasLeast);
  out.number(flags);
  out.money(row.face);
  if ((flags & kHasDelivered) != 0) out.money(row.delivered);
  if ((flags & kHasCost) != 0) out.money(row.cost);
  if ((flags & kIsRange) != 0) {
    out.number(row.most_minor);
    out.number(row.step_minor);
  }
  if ((flags & kHasValidity) != 0) out.number(std::uint64_t{row.validity_days});
  if (has_names) {
    out.text(row.name_zh);
    out.text(row.name_en);
  }
  if (row.price != 0) out.number(row.price);
  if (row.least != 0) out.number(row.least);
}
void read(ByteReader& in, const PriceBook& book, Product& row, std::string_view id_before) {
  const std::uint64_t shared = in.at_most(id_before.size());
  row.id.text = std::string(id_before.substr(0, static_cast<std::size_t>(shared)));
  row.id.text += in.text();
  row.operator_index = static_cast<std::uint32_t>(in.choice(book.operators.size()));
  row.kind = static_cast<ProductKind>(in.choice(kProductKinds));
  const std::uint64_t flags = in.at_most(127);
  row.face = in.money();
  row.delivered = (flags & kHasDelivered) != 0 ? in.money() : row.face;
  if ((flags & kHasCost) != 0) row.cost = in.money();
  if ((flags & kIsRange) != 0) {
    row.most_minor = in.minor();
    row.step_minor = in.minor();
    if (row.step_minor < 1 || row.most_minor < row.face.minor) in.fail();
  }
  if (row.face.minor < 1) in.fail();
  if ((flags & kHasValidity) != 0) row.validity_days = in.small();
  if ((flags & kHasNames) != 0) {
    in.text(&row.name_zh);
    in.text(&row.name_en);
  }
  if ((flags & kHasPrice) != 0) row.price = in.minor();
  if ((flags & kHasLeast) != 0) row.least = in.minor();
}

void write(Writer& out, const PriceRule& row) {
  out.text(row.id);
  out.number(std::uint64_t{row.version});
  out.scope(row.scope);
  out.number(static_cast<std::uint64_t>(row.form));
  out.number(row.price_minor);
  out.number(row.rate_bp);
  out.number(row.fee_minor);
  out.number(row.step_minor);
  out.number(static_cast<std::uint64_t>(row.round));
  out.number(row.least_margin_bp);
  out.number(row.allow_below_cost);
}
void read(ByteReader& in, const PriceBook& book, PriceRule& row) {
  in.text(&row.id);
  row.version = in.small();
  row.scope = in.scope(book);
  row.form = static_cast<RuleForm>(in.at_most(static_cast<std::uint64_t>(RuleForm::of_cost)));
  row.price_minor = in.minor();
  row.rate_bp = in.minor();
  row.fee_minor = in.minor();
  row.step_minor = in.minor();
  row.round = static_cast<Round>(in.at_most(static_cast<std::uint64_t>(Round::half_up)));
  row.least_margin_bp = in.minor();
  row.allow_below_cost = in.truth();
}

void write(Writer& out, const Benefit& row) {
  out.text(row.id);
  out.number(std::uint64_t{row.version});
  out.text(row.name_zh);
  out.text(row.name_en);
  out.number(row.is_card);
  out.number(row.growth_from);
  out.scope(row.scope);
  out.number(row.discount_bp);
  out.number(row.amount_minor);
  out.number(row.cap_minor);
}
void read(ByteReader& in, const PriceBook& book, Benefit& row) {
  in.text(&row.id);
  row.version = in.small();
  in.text(&row.name_zh);
  in.text(&row.name_en);
  row.is_card = in.truth();
  row.growth_from = in.minor();
  row.scope = in.scope(book);
  row.discount_bp = in.minor();
  row.amount_minor = in.minor();
  row.cap_minor = in.minor();
}

void write(Writer& out, const Promotion& row) {
  out.text(row.id);
  out.number(std::uint64_t{row.version});
  out.text(row.name_zh);
  out.text(row.name_en);
  out.scope(row.scope);
  out.number(static_cast<std::uint64_t>(row.form));
  out.number(row.value);
  out.number(row.least_spend_minor);
  out.number(row.cap_minor);
  out.number(std::uint64_t{row.group});
  out.number(row.starts_at_ms);
  out.number(row.ends_at_ms);
  out.number(row.least_growth);
  out.number(row.first_order_only);
  out.number(row.optional);
  out.number(row.allows_coupons);
}
void read(ByteReader& in, const PriceBook& book, Promotion& row) {
  in.text(&row.id);
  row.version = in.small();
  in.text(&row.name_zh);
  in.text(&row.name_en);
  row.scope = in.scope(book);
  row.form =
      static_cast<DiscountForm>(in.at_most(static_cast<std::uint64_t>(DiscountForm::flash_price)));
  row.value = in.minor();
  row.least_spend_minor = in.minor();
  row.cap_minor = in.minor();
  row.group = in.small();
  row.starts_at_ms = in.minor();
  row.ends_at_ms = in.minor();
  row.least_growth = in.minor();
  row.first_order_only = in.truth();
  row.optional = in.truth();
  row.allows_coupons = in.truth();
}

void write(Writer& out, const CouponTemplate& row) {
  out.text(row.id);
  out.number(std::uint64_t{row.version});
  out.text(row.name_zh);
  out.text(row.name_en);
  out.scope(row.scope);
  out.number(static_cast<std::uint64_t>(row.form));
  out.number(row.value);
  out.number(row.least_spend_minor);
  out.number(row.cap_minor);
  out.number(std::uint64_t{row.group});
  out.number(row.allows_promotions);
  out.number(row.allows_member);
}
void read(ByteReader& in, const PriceBook& book, CouponTemplate& row) {
  in.text(&row.id);
  row.version = in.small();
  in.text(&row.name_zh);
  in.text(&row.name_en);
  row.scope = in.scope(book);
  row.form =
      static_cast<DiscountForm>(in.at_most(static_cast<std::uint64_t>(DiscountForm::amount)));
  row.value = in.minor();
  row.least_spend_minor = in.minor();
  row.cap_minor = in.minor();
  row.group = in.small();
  row.allows_promotions = in.truth();
  row.allows_member = in.truth();
}

void write(Writer& out, const Fee& row) {
  out.text(row.id);
  out.number(std::uint64_t{row.version});
  out.scope(row.scope);
  out.number(row.rate_bp);
  out.number(row.fixed_minor);
  out.number(row.least_minor);
  out.number(row.most_minor);
}
void read(ByteReader& in, const PriceBook& book, Fee& row) {
  in.text(&row.id);
  row.version = in.small();
  row.scope = in.scope(book);
  row.rate_bp = in.minor();
  row.fixed_minor = in.minor();
  row.least_minor = in.minor();
  row.most_minor = in.minor();
}

void write(Writer& out, const Limit& row) {
  out.text(row.id);
  out.scope(row.scope);
  out.number(row.least_minor);
  out.number(row.most_minor);
  out.number(row.day_orders);
  out.number(row.day_minor);
  out.number(row.review_from_minor);
}
void read(ByteReader& in, const PriceBook& book, Limit& row) {
  in.text(&row.id);
  row.scope = in.scope(book);
  row.least_minor = in.minor();
  row.most_minor = in.minor();
  row.day_orders = in.minor();
  row.day_minor = in.minor();
  row.review_from_minor = in.minor();
}

template <class Row>
void write_all(Writer& out, const std::vector<Row>& rows) {
  out.number(std::uint64_t{rows.size()});
  for (const Row& row : rows) write(out, row);
}

std::string_view order_key(const Country& row) { return row.iso2; }
std::string_view order_key(const Rate& row) { return to_word(row.from); }
template <class Row>
std::string_view order_key(const Row& row) {
  return row.id;
}

// Made in one piece: growing a vector row by row costs the page a kilobyte for each kind of row.
template <class Row>
void read_all(ByteReader& in, const PriceBook& book, std::vector<Row>& rows, std::size_t most) {
  rows = std::vector<Row>(in.count(most));
  for (std::size_t i = 0; i < rows.size() && in.ok(); ++i) {
    read(in, book, rows[i]);
    if (i > 0 && !(order_key(rows[i - 1]) < order_key(rows[i]))) in.fail();
  }
}

void read_products(ByteReader& in, PriceBook& book) {
  book.products = std::vector<Product>(in.count(book.operators.empty() ? 0 : kMaxProducts));
  std::string_view before;
  for (std::size_t i = 0; i < book.products.size() && in.ok(); ++i) {
    Product& row = book.products[i];
    read(in, book, row, before);
    if (i > 0 && !(before < row.id.text)) in.fail();
    before = row.id.text;
  }
}

void note_currencies(Writer& out, const PriceBook& book) {
  for (const Rate& rate : book.rates) out.seen(rate.from);
  for (const Product& product : book.products) {
    out.seen(product.face.currency);
    out.seen(product.delivered.currency);
    if (product.cost.minor != 0) out.seen(product.cost.currency);
  }
}

std::uint64_t checksum_of(std::string_view bytes) { return Hash().text(bytes).value(); }

bool checksum_holds(std::string_view bytes) {
  const std::uint64_t hash = checksum_of(bytes.substr(0, bytes.size() - kChecksumBytes));
  for (std::size_t i = 0; i < kChecksumBytes; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[bytes.size() - kChecksumBytes + i]);
    if (byte != ((hash >> (8 * i)) & 0xFF)) return false;
  }
  return true;
}

void read_currencies(ByteReader& in, PriceBook& book) {
  const std::uint64_t count = in.at_most(kCurrencyCount);
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) in.letters();
  if (count == 0) in.fail();
  book.currency = in.first_currency();
}

void read_blocked(ByteReader& in, PriceBook& book) {
  book.blocked_accounts = std::vector<std::uint64_t>(in.count(kMaxBlockedAccounts));
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < book.blocked_accounts.size() && in.ok(); ++i) {
    const std::uint64_t step = in.number();
    if ((i > 0 && step == 0) || hash + step < hash) in.fail();
    hash += step;
    book.blocked_accounts[i] = hash;
  }
}

}  // namespace

std::string encode(const PriceBook& book) {
  Writer out(book);
  note_currencies(out, book);
  out.raw(kMagic);
  const bool is_plain =
      std::all_of(book.products.begin(), book.products.end(),
                  [](const Product& row) { return row.price == 0 && row.least == 0; });
  out.number(std::uint64_t{is_plain ? kOldestSchema : kPriceBookSchema});
  out.number(book.version);
  out.number(book.published_at_ms);
  out.number(book.valid_until_ms);
  out.number(book.quote_ttl_ms);
  out.number(book.blocked_salt);
  out.number(std::uint64_t{out.currencies().size()});
  for (const Currency currency : out.currencies()) out.raw(to_word(currency));
  write_all(out, book.countries);
  write_all(out, book.operators);
  write_all(out, book.rates);
  out.number(std::uint64_t{book.products.size()});
  std::string_view before;
  for (const Product& product : book.products) {
    write(out, product, before);
    before = product.id.text;
  }
  write_all(out, book.rules);
  write_all(out, book.benefits);
  write_all(out, book.promotions);
  write_all(out, book.coupons);
  write_all(out, book.fees);
  write_all(out, book.limits);
  out.number(std::uint64_t{book.blocked_accounts.size()});
  std::uint64_t hash_before = 0;
  for (const std::uint64_t hash : book.blocked_accounts) {
    out.number(hash - hash_before);
    hash_before = hash;
  }
  const std::uint64_t hash = checksum_of(out.str());
  std::string bytes = out.take();
  for (std::size_t i = 0; i < kChecksumBytes; ++i) {
    bytes += static_cast<char>((hash >> (8 * i)) & 0xFF);
  }
  return bytes;
}

Result<PriceBook> decode(std::string_view bytes) {
  const auto damaged = refuse(Code::invalid_argument, "price_book_damaged");
  if (bytes.size() > kMaxPriceBookBytes) {
    return refuse(Code::invalid_argument, "price_book_too_large");
  }
  if (bytes.size() < kMagic.size() + kChecksumBytes || !bytes.starts_with(kMagic) ||
      !checksum_holds(bytes)) {
    return damaged;
  }
  ByteReader in(bytes.substr(kMagic.size(), bytes.size() - kMagic.size() - kChecksumBytes));
  const std::uint64_t schema = in.number();
  if (schema > kPriceBookSchema) return refuse(Code::invalid_argument, "price_book_newer");
  if (schema < kOldestSchema) return damaged;
  PriceBook book;
  book.version = in.at_most(kMaxNumber);
  book.published_at_ms = in.minor();
  book.valid_until_ms = in.minor();
  book.quote_ttl_ms = in.minor();
  book.blocked_salt = in.number();
  read_currencies(in, book);
  read_all(in, book, book.countries, kMaxBookRows);
  read_all(in, book, book.operators, kMaxOperators);
  read_all(in, book, book.rates, kCurrencyCount);
  read_products(in, book);
  read_all(in, book, book.rules, kMaxBookRows);
  read_all(in, book, book.benefits, kMaxBookRows);
  read_all(in, book, book.promotions, kMaxBookRows);
  read_all(in, book, book.coupons, kMaxBookRows);
  read_all(in, book, book.fees, kMaxBookRows);
  read_all(in, book, book.limits, kMaxBookRows);
  read_blocked(in, book);
  if (!in.ok() || !in.at_end()) return damaged;
  derive(book);
  return book;
}

}  // namespace topup
