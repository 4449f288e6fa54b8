// The price book: a versioned snapshot of what is on sale and the rule that prices it. The server
// writes it in a compact binary form; the server and the page both load it, so both price from the
// same bytes. Immutable once published. Binary form, schema 1 (integers are LEB128 varints, texts
// are length + UTF-8):
//   "TPB1" schema version published_at_ms rule{id version rate_bp fee_minor step_minor}
//   operator count, each {id name_zh name_en country hint}
//   product count, each {id operator_index kind face_minor face_currency delivered_minor
//   delivered_currency} FNV-1a 64 of everything before it, 8 bytes little-endian.
// Errors of decode(): price_book_damaged, price_book_newer (schema above ours),
// price_book_too_large. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/ids.h"
#include "shared/money.h"
#include "shared/phone.h"
#include "shared/result.h"

namespace topup {

inline constexpr std::uint32_t kPriceBookSchema = 1;
inline constexpr std::size_t kMaxPriceBookBytes = 300 * 1024;
inline constexpr std::size_t kMaxOperators = 2'000;
inline constexpr std::size_t kMaxProducts = 20'000;

enum class ProductKind : std::uint8_t { airtime = 0 };  // stored; do not renumber

struct Operator {
  std::string id;                                     // ours, e.g. "cn-mobile"
  std::string name_zh;                                // 中国移动
  std::string name_en;                                // China Mobile
  std::string country;                                // ISO 3166-1 alpha-2
  MainlandOperator hint = MainlandOperator::unknown;  // preselected when a number's segment says so
};

struct Product {
  ProductId id;
  std::uint32_t operator_index = 0;  // into PriceBook::operators
  ProductKind kind = ProductKind::airtime;
  Money face;       // what is bought
  Money delivered;  // what the recipient gets
};

// payable = face × rate_bp, rounded half up to step_minor, + fee.
struct PriceRule {
  std::string id;
  std::uint32_t version = 1;
  std::int64_t rate_bp = kBasisPointsPerWhole;
  std::int64_t fee_minor = 0;
  std::int64_t step_minor = 1;
};

struct PriceBook {
  std::uint64_t version = 0;
  std::int64_t published_at_ms = 0;
  PriceRule rule;
  std::vector<Operator> operators;
  std::vector<Product> products;

  const Product* find(const ProductId& id) const;  // nullptr when it is not on sale
};

std::string encode(const PriceBook& book);
Result<PriceBook> decode(std::string_view bytes);

// 16 hex digits; equal for equal bytes on every machine.
std::string fingerprint(std::string_view bytes);

}  // namespace topup
