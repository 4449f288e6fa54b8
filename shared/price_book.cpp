#include "shared/price_book.h"

#include <array>

namespace topup {
namespace {

constexpr std::string_view kMagic = "TPB1";
constexpr std::size_t kChecksumBytes = 8;
constexpr std::size_t kMaxText = 256;

std::uint64_t fnv1a(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : bytes) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  return hash;
}

class Writer {
 public:
  void raw(std::string_view bytes) { out_ += bytes; }
  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_ += static_cast<char>((value & 0x7F) | 0x80);
    out_ += static_cast<char>(value);
  }
  void text(std::string_view value) {
    number(value.size());
    out_ += value;
  }
  void money(Money value) {
    number(static_cast<std::uint64_t>(value.minor));
    text(to_word(value.currency));
  }
  std::string out_;
};

// Reads with every length checked; after the first defect everything reads as zero and ok() is
// false.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : left_(bytes) {}
  bool ok() const { return ok_; }
  bool at_end() const { return left_.empty(); }

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (left_.empty()) return fail();
      const auto byte = static_cast<unsigned char>(left_[0]);
      left_.remove_prefix(1);
      if (shift == 63 && byte > 1) return fail();
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    return fail();
  }
  std::uint64_t number_at_most(std::uint64_t limit) {
    const std::uint64_t value = number();
    return value > limit ? fail() : value;
  }
  std::string text() {
    const auto size = static_cast<std::size_t>(number_at_most(kMaxText));
    if (!ok_ || size > left_.size()) {
      fail();
      return {};
    }
    std::string value(left_.substr(0, size));
    left_.remove_prefix(size);
    return value;
  }
  Money money() {
    const std::uint64_t minor = number_at_most(static_cast<std::uint64_t>(kMaxMinor));
    const auto currency = parse_currency(text());
    if (!currency) {
      fail();
      return {};
    }
    return {static_cast<std::int64_t>(minor), *currency};
  }

 private:
  std::uint64_t fail() {
    ok_ = false;
    left_ = {};
    return 0;
  }
  std::string_view left_;
  bool ok_ = true;
};

tl::unexpected<Error> damaged() { return refuse(Code::invalid_argument, "price_book_damaged"); }

void write_rule(Writer& out, const PriceRule& rule) {
  out.text(rule.id);
  out.number(rule.version);
  out.number(static_cast<std::uint64_t>(rule.rate_bp));
  out.number(static_cast<std::uint64_t>(rule.fee_minor));
  out.number(static_cast<std::uint64_t>(rule.step_minor));
}

PriceRule read_rule(ByteReader& in) {
  constexpr auto kMax = static_cast<std::uint64_t>(kMaxMinor);
  PriceRule rule;
  rule.id = in.text();
  rule.version = static_cast<std::uint32_t>(in.number_at_most(UINT32_MAX));
  rule.rate_bp = static_cast<std::int64_t>(in.number_at_most(kMax));
  rule.fee_minor = static_cast<std::int64_t>(in.number_at_most(kMax));
  rule.step_minor = static_cast<std::int64_t>(in.number_at_most(kMax));
  return rule;
}

Operator read_operator(ByteReader& in) {
  Operator op;
  op.id = in.text();
  op.name_zh = in.text();
  op.name_en = in.text();
  op.country = in.text();
  op.hint = static_cast<MainlandOperator>(
      in.number_at_most(static_cast<std::uint64_t>(MainlandOperator::virtual_operator)));
  return op;
}

Product read_product(ByteReader& in, std::size_t operator_count) {
  Product product;
  product.id = ProductId(in.text());
  product.operator_index =
      static_cast<std::uint32_t>(in.number_at_most(operator_count == 0 ? 0 : operator_count - 1));
  product.kind =
      static_cast<ProductKind>(in.number_at_most(static_cast<std::uint64_t>(ProductKind::airtime)));
  product.face = in.money();
  product.delivered = in.money();
  return product;
}

bool checksum_holds(std::string_view bytes) {
  const std::uint64_t hash = fnv1a(bytes.substr(0, bytes.size() - kChecksumBytes));
  for (std::size_t i = 0; i < kChecksumBytes; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[bytes.size() - kChecksumBytes + i]);
    if (byte != ((hash >> (8 * i)) & 0xFF)) return false;
  }
  return true;
}

}  // namespace

const Product* PriceBook::find(const ProductId& id) const {
  for (const Product& product : products) {
    if (product.id == id) return &product;
  }
  return nullptr;
}

std::string encode(const PriceBook& book) {
  Writer out;
  out.raw(kMagic);
  out.number(kPriceBookSchema);
  out.number(book.version);
  out.number(static_cast<std::uint64_t>(book.published_at_ms));
  write_rule(out, book.rule);
  out.number(book.operators.size());
  for (const Operator& op : book.operators) {
    out.text(op.id);
    out.text(op.name_zh);
    out.text(op.name_en);
    out.text(op.country);
    out.number(static_cast<std::uint64_t>(op.hint));
  }
  out.number(book.products.size());
  for (const Product& product : book.products) {
    out.text(product.id.text);
    out.number(product.operator_index);
    out.number(static_cast<std::uint64_t>(product.kind));
    out.money(product.face);
    out.money(product.delivered);
  }
  const std::uint64_t hash = fnv1a(out.out_);
  for (std::size_t i = 0; i < kChecksumBytes; ++i) {
    out.out_ += static_cast<char>((hash >> (8 * i)) & 0xFF);
  }
  return std::move(out.out_);
}

Result<PriceBook> decode(std::string_view bytes) {
  if (bytes.size() > kMaxPriceBookBytes) {
    return refuse(Code::invalid_argument, "price_book_too_large");
  }
  if (bytes.size() < kMagic.size() + kChecksumBytes || !bytes.starts_with(kMagic) ||
      !checksum_holds(bytes)) {
    return damaged();
  }
  ByteReader in(bytes.substr(kMagic.size(), bytes.size() - kMagic.size() - kChecksumBytes));
  if (in.number() > kPriceBookSchema) return refuse(Code::invalid_argument, "price_book_newer");
  PriceBook book;
  book.version = in.number_at_most(static_cast<std::uint64_t>(kMaxMinor));
  book.published_at_ms =
      static_cast<std::int64_t>(in.number_at_most(static_cast<std::uint64_t>(kMaxMinor)));
  book.rule = read_rule(in);
  const std::uint64_t operator_count = in.number_at_most(kMaxOperators);
  for (std::uint64_t i = 0; i < operator_count && in.ok(); ++i) {
    book.operators.push_back(read_operator(in));
  }
  const std::uint64_t product_count = in.number_at_most(book.operators.empty() ? 0 : kMaxProducts);
  for (std::uint64_t i = 0; i < product_count && in.ok(); ++i) {
    book.products.push_back(read_product(in, book.operators.size()));
  }
  if (!in.ok() || !in.at_end()) return damaged();
  return book;
}

std::string fingerprint(std::string_view bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const std::uint64_t hash = fnv1a(bytes);
  std::string text(16, '0');
  for (std::size_t i = 0; i < 16; ++i) text[i] = kHex[(hash >> (60 - 4 * i)) & 15];
  return text;
}

}  // namespace topup
