#include "server/suppliers/reloadly_catalogue.h"

#include <algorithm>
#include <utility>

#include "server/suppliers/exact_json.h"
#include "server/suppliers/reading.h"

namespace topup::suppliers::reloadly {
namespace {

using base::Json;

constexpr std::int64_t kWholePercentE8 = 100 * kRateOne;

bool is_listed(const Json& row) {
  if (!row.is_object() || !is_true(row, "supportsLocalAmounts")) return false;
  const std::string status = text_or_empty(row, "status");
  return status.empty() || status == "ACTIVE";
}

ProductKind kind_of(const Json& row) {
  if (is_true(row, "pin")) return ProductKind::pin;
  return is_true(row, "data") || is_true(row, "bundle") ? ProductKind::data : ProductKind::airtime;
}

// The discount of a reseller abroad, in percent.
Money less_discount(const Json& row, Money amount) {
  const auto percent =
      parse_rate(literal_of(row, "internationalDiscount"), Currency::usd, Currency::usd);
  if (!percent || percent->scaled >= kWholePercentE8) return amount;
  __extension__ using Wide = __int128;
  amount.minor -= static_cast<std::int64_t>(Wide{amount.minor} * percent->scaled / kWholePercentE8);
  return amount;
}

std::optional<Money> fixed_cost(const Json& row, Money face, Currency wallet) {
  const Json* local = list_in(row, "localFixedAmounts");
  const Json* sent = list_in(row, "fixedAmounts");
  if (!local || !sent || local->size() != sent->size()) return {};
  for (std::size_t i = 0; i < local->size(); ++i) {
    if (exact_amount((*local)[i], face.currency) != face) continue;
    const auto cost = parse_decimal_rounded(literal_text((*sent)[i]), wallet, Round::up);
    if (cost && cost->minor > 0) return less_discount(row, *cost);
  }
  return {};
}

std::optional<Money> range_cost(const Json& row, Money face, Currency wallet) {
  const Json* fx = member(row, "fx");
  if (!fx || text_or_empty(*fx, "currencyCode") != to_word(face.currency)) return {};
  const auto rate = parse_rate(literal_of(*fx, "rate"), wallet, face.currency);
  const auto cost = rate ? cost_at_rate(face, rate->scaled, wallet) : std::nullopt;
  return cost ? std::optional<Money>(less_discount(row, *cost)) : std::nullopt;
}

// Keys are decimals such as "10.5": compared as amounts, never as text.
std::string description_of(const Json& row, Money face) {
  const Json* texts = member(row, "localFixedAmountsDescriptions");
  if (!texts) return {};
  for (const auto& [key, value] : texts->items()) {
    if (exact_amount(Json(key), face.currency) != face || !value.is_string()) continue;
    const std::string text = value.get<std::string>();
    if (text.size() <= kMaxListedNameBytes && is_plain_line(text)) return text;
  }
  return {};
}

void append_fixed(const Json& row, const ListedProduct& pattern, Currency currency, Currency wallet,
                  std::vector<ListedProduct>& products) {
  const Json* amounts = list_in(row, "localFixedAmounts");
  if (!amounts) return;
  const auto first = static_cast<std::ptrdiff_t>(products.size());
  for (const Json& amount : *amounts) {
    const auto face = exact_amount(amount, currency);
    if (!face || face->minor <= 0 || products.size() >= kMaxListedProducts) continue;
    const bool is_listed_already = std::any_of(products.begin() + first, products.end(),
                                               [&](const auto& p) { return p.face == *face; });
    if (is_listed_already) continue;
    ListedProduct product = pattern;
    product.face = *face;
    if (const auto cost = fixed_cost(row, *face, wallet)) product.cost = *cost;
    if (product.kind != ProductKind::airtime) product.name = description_of(row, *face);
    products.push_back(std::move(product));
  }
}

void append_range(const Json& row, const ListedProduct& pattern, Currency currency, Currency wallet,
                  std::vector<ListedProduct>& products) {
  const auto least = amount_in(row, "localMinAmount", currency, Round::up);
  const auto most = amount_in(row, "localMaxAmount", currency, Round::down);
  if (pattern.kind != ProductKind::airtime || !least || !most || least->minor <= 0 ||
      most->minor <= least->minor || products.size() >= kMaxListedProducts) {
    return;
  }
  ListedProduct product = pattern;
  product.face = *least;
  product.most_minor = most->minor;
  product.step_minor = 1;  // any amount: whole units are offered
  for (int i = 0; i < minor_digits(currency); ++i) product.step_minor *= 10;
  if (const auto cost = range_cost(row, *least, wallet)) product.cost = *cost;
  products.push_back(std::move(product));
}

}  // namespace

void append_products(const Json& row, const std::string& country, Currency wallet,
                     std::vector<ListedProduct>& products) {
  if (!is_listed(row)) return;
  ListedProduct pattern;
  pattern.supplier_operator_id = literal_of(row, "operatorId");
  if (pattern.supplier_operator_id.empty()) pattern.supplier_operator_id = literal_of(row, "id");
  const auto currency = parse_currency(text_or_empty(row, "destinationCurrencyCode"));
  const auto name = base::text_in(row, "name", kMaxListedNameBytes);
  if (!is_digits(pattern.supplier_operator_id) || !currency || !name) return;
  pattern.operator_name = *name;
  pattern.country = country;
  pattern.kind = kind_of(row);
  const std::string type = text_or_empty(row, "denominationType");
  if (type == "FIXED") append_fixed(row, pattern, *currency, wallet, products);
  if (type == "RANGE") append_range(row, pattern, *currency, wallet, products);
}

std::optional<Money> cost_of(const Json& row, Money face, Currency wallet) {
  if (!is_listed(row) ||
      parse_currency(text_or_empty(row, "destinationCurrencyCode")) != face.currency ||
      parse_currency(text_or_empty(row, "senderCurrencyCode")) != wallet) {
    return {};
  }
  const std::string type = text_or_empty(row, "denominationType");
  return type == "FIXED" ? fixed_cost(row, face, wallet) : range_cost(row, face, wallet);
}

}  // namespace topup::suppliers::reloadly
