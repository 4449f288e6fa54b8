#include "server/catalog/assortment.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "server/catalog/country_names.h"
#include "server/catalog/operator_names.h"

namespace topup::catalog {
namespace {

constexpr std::size_t kMaxNameSlug = 48;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::optional<std::int64_t> in_shop(Money amount, const std::vector<Rate>& rates, Currency shop) {
  if (amount.minor == 0) return std::nullopt;
  if (amount.currency == shop) return amount.minor;
  for (const Rate& rate : rates) {
    if (rate.from != amount.currency || rate.to != shop) continue;
    const Result<Money> converted = convert(amount, rate, Round::up);
    if (converted) return converted->minor;
  }
  return std::nullopt;
}

Money delivered_by(const Listed& listed) {
  return listed.delivered.minor > 0 ? listed.delivered : listed.face;
}

class Shelf {
 public:
  Shelf(const std::vector<Rate>& rates, Currency shop) : rates_(rates), shop_(shop) {}

  void add(const OnSale& one) {
    const CountryName* land = find_country_name(one.approved.country);
    if (land == nullptr) {
      out_.skipped.push_back(one.approved.country);
      return;
    }
    const OperatorName op = operator_of(one.approved.country, one.approved.operator_name);
    const std::string id = product_id_of(op.id, one.approved);
    const auto found = products_.find(id);
    if (found == products_.end()) {
      add_product(id, op, *land, one.approved);
    } else if (!merge(out_.products[found->second], one.approved)) {
      return;  // the same name for something else: not sold twice under one id
    }
    add_way(id, one);
  }

  Assortment take() { return std::move(out_); }

 private:
  void add_product(const std::string& id, const OperatorName& op, const CountryName& land,
                   const Listed& listed) {
    Product product;
    product.id = ProductId(id);
    product.operator_index = operator_index(op, land);
    product.kind = listed.kind;
    product.face = listed.face;
    product.delivered = delivered_by(listed);
    product.most_minor = listed.most_minor;
    product.step_minor = listed.step_minor;
    product.validity_days = listed.validity_days;
    product.name_zh = product.name_en = listed.name;
    if (in_shop(listed.cost, rates_, shop_)) product.cost = listed.cost;
    products_[id] = out_.products.size();
    out_.products.push_back(std::move(product));
  }

  // Ranges of two suppliers are sold as far as both go; a second way never promises more.
  bool merge(Product& product, const Listed& listed) {
    const Money delivered = delivered_by(listed);
    if (product.kind != listed.kind || product.is_range() != (listed.step_minor > 0) ||
        product.face.currency != listed.face.currency ||
        product.delivered.currency != delivered.currency || product.face != listed.face) {
      return false;
    }
    product.delivered.minor = std::min(product.delivered.minor, delivered.minor);
    if (product.is_range() && product.step_minor != listed.step_minor) return false;
    product.most_minor = std::max(product.most_minor, listed.most_minor);
    const auto cost = in_shop(listed.cost, rates_, shop_);
    const auto known = in_shop(product.cost, rates_, shop_);
    if (cost && (!known || *cost < *known)) product.cost = listed.cost;
    return true;
  }

  std::uint32_t operator_index(const OperatorName& op, const CountryName& land) {
    const auto found = operators_.find(op.id);
    if (found != operators_.end()) return found->second;
    if (countries_.emplace(land.iso2, true).second) {
      out_.countries.push_back(
          {std::string(land.iso2), std::string(land.name_zh), std::string(land.name_en)});
    }
    const auto index = static_cast<std::uint32_t>(out_.operators.size());
    out_.operators.push_back(
        {op.id, op.name_zh, op.name_en, std::string(land.iso2), op.hint, op.issuer});
    operators_[op.id] = index;
    return index;
  }

  void add_way(const std::string& id, const OnSale& one) {
    catalog_store::SupplierProduct way;
    way.product_id = id;
    way.supplier = one.supplier;
    if (!ways_.emplace(id + "\n" + one.supplier, true).second) return;
    way.supplier_operator_id = one.listed.supplier_operator_id;
    way.country = one.listed.country;
    way.sku = one.listed.sku;
    way.kind = one.listed.kind;
    way.face = one.listed.face;
    way.most_minor = one.listed.most_minor;
    way.step_minor = one.listed.step_minor;
    way.cost = one.listed.cost;
    way.delivered = delivered_by(one.listed);
    out_.supplier_products.push_back(std::move(way));
  }

  const std::vector<Rate>& rates_;
  const Currency shop_;
  Assortment out_;
  std::map<std::string, std::size_t> products_;
  std::map<std::string, std::uint32_t> operators_;
  std::map<std::string_view, bool> countries_;
  std::map<std::string, bool> ways_;
};

}  // namespace

// "cn-mobile-5000" in yuan, "th-ais-thb10000" in any other money, "th-ais-thb-range",
// "th-ais-data-thb9900-7-days-unlimited".
std::string product_id_of(std::string_view operator_id, const Listed& listed) {
  std::string id(operator_id);
  const std::string currency =
      listed.face.currency == Currency::cny ? "" : lower(to_word(listed.face.currency));
  if (listed.kind == ProductKind::data || listed.kind == ProductKind::pin) {
    id += "-" + std::string(to_word(listed.kind));
  }
  if (listed.step_minor > 0) return id + (currency.empty() ? "" : "-" + currency) + "-range";
  id += "-" + currency + std::to_string(listed.face.minor);
  return listed.name.empty() ? id : id + "-" + slug_of(listed.name, kMaxNameSlug);
}

Assortment assemble(const std::vector<OnSale>& listings, const std::vector<Rate>& rates,
                    Currency shop) {
  std::vector<const OnSale*> sorted;
  for (const OnSale& one : listings) sorted.push_back(&one);
  const auto rank = [&](const OnSale* one) {
    const auto cost = in_shop(one->approved.cost, rates, shop);
    return std::make_tuple(one->approved.face.minor, !cost, cost.value_or(0));
  };
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](const OnSale* a, const OnSale* b) { return rank(a) < rank(b); });
  Shelf shelf(rates, shop);
  for (const OnSale* one : sorted) shelf.add(*one);
  return shelf.take();
}

Assortment product_changes(std::string_view supplier, const std::vector<Listed>& listed) {
  std::vector<OnSale> listings;
  for (const Listed& one : listed) listings.push_back({std::string(supplier), one, one});
  return assemble(listings, {}, Currency::cny);
}

}  // namespace topup::catalog
