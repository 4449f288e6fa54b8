#include "shared/price_book.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "shared/check.h"
#include "shared/hash.h"

namespace topup {
namespace {

constexpr std::array<std::string_view, kProductKinds> kKindWords = {"airtime", "data", "fuel_card",
                                                                    "pin"};

template <class Row>
std::string_view key_of(const Row& row) {
  if constexpr (requires { row.id.text; }) {
    return row.id.text;
  } else if constexpr (requires { row.iso2; }) {
    return row.iso2;
  } else {
    return row.id;
  }
}

// Sorts `rows` by id and tells where each one went.
template <class Row>
std::vector<std::int32_t> sort_rows(std::vector<Row>& rows) {
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&rows](std::size_t a, std::size_t b) {
    return key_of(rows[a]) < key_of(rows[b]);
  });
  std::vector<Row> sorted;
  sorted.reserve(rows.size());
  std::vector<std::int32_t> went(rows.size());
  for (std::size_t to = 0; to < order.size(); ++to) {
    went[order[to]] = static_cast<std::int32_t>(to);
    sorted.push_back(std::move(rows[order[to]]));
  }
  rows = std::move(sorted);
  return went;
}

std::int32_t moved(const std::vector<std::int32_t>& went, std::int32_t index) {
  if (index < 0) return Scope::kAny;
  check(static_cast<std::size_t>(index) < went.size(), "a scope names a row that is not there");
  return went[static_cast<std::size_t>(index)];
}

template <class Row>
void move_scopes(std::vector<Row>& rows, const std::vector<std::int32_t>& operators,
                 const std::vector<std::int32_t>& products) {
  for (Row& row : rows) {
    row.scope.operator_index = moved(operators, row.scope.operator_index);
    row.scope.product_index = moved(products, row.scope.product_index);
  }
  sort_rows(rows);
}

int specificity(const Scope& scope) {
  return (scope.product_index != Scope::kAny ? 8 : 0) +
         (scope.operator_index != Scope::kAny ? 4 : 0) + (scope.country.empty() ? 0 : 2) +
         (scope.kinds != 0 ? 1 : 0);
}

}  // namespace

std::string_view to_word(ProductKind kind) { return kKindWords[static_cast<std::size_t>(kind)]; }

std::optional<ProductKind> parse_product_kind(std::string_view word) {
  for (std::size_t i = 0; i < kKindWords.size(); ++i) {
    if (kKindWords[i] == word) return static_cast<ProductKind>(i);
  }
  return std::nullopt;
}

namespace {

// The best rule of those that name no product, for one kind of one operator.
std::uint32_t common_rule(const PriceBook& book, std::size_t operator_index, ProductKind kind) {
  Product any;
  any.operator_index = static_cast<std::uint32_t>(operator_index);
  any.kind = kind;
  std::uint32_t winner = Product::kNoRule;
  int best = -1;
  for (std::uint32_t i = 0; i < book.rules.size(); ++i) {
    const Scope& scope = book.rules[i].scope;
    if (scope.product_index != Scope::kAny || specificity(scope) <= best) continue;
    if (!matches(scope, any, 0, book.operators[operator_index])) continue;
    best = specificity(scope);
    winner = i;  // of equals the lowest id, which came first
  }
  return winner;
}

// Thousands of products share few operators and kinds, so the rules are not gone through for each.
void find_rules(PriceBook& book) {
  std::vector<std::uint32_t> common(book.operators.size() * kProductKinds);
  for (std::size_t i = 0; i < common.size(); ++i) {
    common[i] = common_rule(book, i / kProductKinds, static_cast<ProductKind>(i % kProductKinds));
  }
  for (Product& product : book.products) {
    product.rule_index =
        common[product.operator_index * kProductKinds + static_cast<std::size_t>(product.kind)];
  }
  for (std::uint32_t i = 0; i < book.rules.size(); ++i) {
    const Scope& scope = book.rules[i].scope;
    if (scope.product_index == Scope::kAny) continue;
    const auto at = static_cast<std::size_t>(scope.product_index);
    Product& product = book.products[at];
    if (!matches(scope, product, at, book.operators[product.operator_index])) continue;
    const bool has_rule = product.rule_index != Product::kNoRule;
    const int best = has_rule ? specificity(book.rules[product.rule_index].scope) : -1;
    if (specificity(scope) > best) product.rule_index = i;
  }
}

// Insertion sort: short lists, and no other instantiation of std::sort in the page.
void order_promotions(PriceBook& book) {
  book.promotion_order.clear();
  for (std::uint32_t i = 0; i < book.promotions.size(); ++i) {
    std::size_t at = book.promotion_order.size();
    book.promotion_order.push_back(i);
    for (; at > 0; --at) {
      const std::uint32_t before = book.promotion_order[at - 1];
      if (book.promotions[before].group <= book.promotions[i].group) break;
      book.promotion_order[at] = before;
    }
    book.promotion_order[at] = i;
  }
}

}  // namespace

void derive(PriceBook& book) {
  find_rules(book);
  order_promotions(book);
}

PriceBook canonical(PriceBook book) {
  sort_rows(book.countries);
  const std::vector<std::int32_t> operators = sort_rows(book.operators);
  const std::vector<std::int32_t> products = sort_rows(book.products);
  for (Product& product : book.products) {
    product.operator_index = static_cast<std::uint32_t>(
        moved(operators, static_cast<std::int32_t>(product.operator_index)));
  }
  move_scopes(book.rules, operators, products);
  move_scopes(book.benefits, operators, products);
  move_scopes(book.promotions, operators, products);
  move_scopes(book.coupons, operators, products);
  move_scopes(book.fees, operators, products);
  move_scopes(book.limits, operators, products);
  std::sort(book.rates.begin(), book.rates.end(),
            [](const Rate& a, const Rate& b) { return to_word(a.from) < to_word(b.from); });
  std::sort(book.blocked_accounts.begin(), book.blocked_accounts.end());
  derive(book);
  return book;
}

const Product* PriceBook::find(const ProductId& id) const {
  std::size_t low = 0;
  std::size_t high = products.size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    const int order = products[middle].id.text.compare(id.text);
    if (order == 0) return &products[middle];
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return nullptr;
}

const Rate* PriceBook::find_rate(Currency from) const {
  for (const Rate& rate : rates) {
    if (rate.from == from) return &rate;
  }
  return nullptr;
}

bool PriceBook::is_blocked(std::string_view account) const {
  if (blocked_accounts.empty()) return false;
  return std::binary_search(blocked_accounts.begin(), blocked_accounts.end(),
                            blocked_hash(blocked_salt, account));
}

std::uint64_t blocked_hash(std::uint64_t salt, std::string_view account) {
  return Hash().number(salt).text(account).value();
}

std::string fingerprint(std::string_view bytes) { return hex_text(Hash().text(bytes).value()); }

}  // namespace topup
