// Price rules as people write them: scopes name operators and products by id, so that a rule holds
// whatever is on the shelf. Sets are published whole, in rule_store.h. Pure; thread-safe.
// Errors: invalid_argument with the member as field and "rule <n>" in detail: missing_field,
// wrong_type, out_of_range, unknown_field, rule_id_taken, rules_empty, below_cost_reason_missing.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/json.h"
#include "shared/price_book.h"
#include "shared/result.h"

namespace topup::catalog {

inline constexpr std::size_t kMaxRules = 400;  // a book holds kMaxBookRows
inline constexpr std::int64_t kMaxRulePriceMinor = 100'000'000;

struct WrittenRule {
  PriceRule rule;  // its scope has kinds and country only
  std::string operator_id, product_id;
  std::string below_cost_reason;  // why it may sell below cost; with allow_below_cost only
};

Result<std::vector<WrittenRule>> rules_in(const base::Json& list);
base::Json rules_out(const std::vector<WrittenRule>& rules);
// The rules of a book as a set, for a shop whose rules were never edited.
std::vector<WrittenRule> written_of(const PriceBook& book);

// A rule that differs from its namesake of before, or is new, gets `version`; the others keep
// theirs.
void number_versions(std::vector<WrittenRule>& rules, const std::vector<WrittenRule>& before,
                     std::uint32_t version);

// For a book with these operators and products, in the order given. A rule about what is not on the
// shelf is left out.
std::vector<PriceRule> resolve(const std::vector<WrittenRule>& rules,
                               const std::vector<Operator>& operators,
                               const std::vector<Product>& products);

// Where changed rules ask less than the cost and do not say that they may; "rule: product".
std::vector<std::string> below_cost(const PriceBook& draft, const std::vector<WrittenRule>& before,
                                    const std::vector<WrittenRule>& rules);

// One product's price in two books; 0: not sold.
struct PriceChange {
  std::string product_id, rule_id;
  std::int64_t before_minor = 0, after_minor = 0;
  std::int64_t cost_minor = 0;  // in the shop's money; 0: not known
};
std::vector<PriceChange> price_changes(const PriceBook& before, const PriceBook& after);

// What a product costs and is sold for, of ranges for the least amount; in the book's money.
struct PricedProduct {
  std::int64_t list_minor = 0;  // 0: cannot be priced
  std::int64_t cost_minor = 0;  // 0: not known
  bool is_guarded = false;      // the margin guard raised it
};
std::map<std::string, PricedProduct> priced(const PriceBook& book);

}  // namespace topup::catalog
