// The part of the desk that people price with: rules, and what is said of single products.
#include <algorithm>
#include <optional>
#include <utility>

#include "server/audit/audit_log.h"
#include "server/base/log.h"
#include "server/catalog/catalog_desk.h"
#include "server/catalog/exchange_rate_store.h"

namespace topup::catalog {
namespace {

using base::Json;

std::vector<WrittenRule> configured(const Tariff& tariff) {
  PriceBook book;
  book.rules = tariff.more_rules;
  book.rules.push_back(tariff.rule);
  return written_of(book);
}

// Operators and countries that have nothing left to sell are not shown to buyers.
void drop_empty(Assortment& shelf) {
  std::vector<std::int64_t> went(shelf.operators.size(), -1);
  std::vector<Operator> operators;
  for (Product& product : shelf.products) {
    std::int64_t& to = went[product.operator_index];
    if (to < 0) {
      to = static_cast<std::int64_t>(operators.size());
      operators.push_back(shelf.operators[product.operator_index]);
    }
    product.operator_index = static_cast<std::uint32_t>(to);
  }
  shelf.operators = std::move(operators);
  std::erase_if(shelf.countries, [&shelf](const Country& country) {
    return std::none_of(shelf.operators.begin(), shelf.operators.end(),
                        [&](const Operator& op) { return op.country == country.iso2; });
  });
}

void apply_edits(Assortment& shelf, const std::map<std::string, rule_store::ProductEdit>& edits) {
  if (edits.empty()) return;
  std::erase_if(shelf.products, [&edits](const Product& product) {
    const auto found = edits.find(product.id.text);
    return found != edits.end() && !found->second.on_sale;
  });
  for (Product& product : shelf.products) {
    const auto found = edits.find(product.id.text);
    if (found == edits.end()) continue;
    if (!found->second.name_zh.empty()) product.name_zh = found->second.name_zh;
    if (!found->second.name_en.empty()) product.name_en = found->second.name_en;
  }
  drop_empty(shelf);
}

Json facts_of(const rule_store::ProductEdit& edit) {
  return {{"on_sale", edit.on_sale}, {"name_zh", edit.name_zh}, {"name_en", edit.name_en}};
}

// The rules that differ, each by its id.
Json by_id(const std::vector<WrittenRule>& rules) {
  Json out = Json::object();
  for (Json& row : rules_out(rules)) out[row["id"].get<std::string>()] = row;
  return out;
}

}  // namespace

CatalogDesk::Rules CatalogDesk::rules_of(const std::optional<rule_store::RuleSet>& stored) const {
  if (!stored) return {0, configured(tariff_)};
  const auto list = base::json_in(stored->rules);
  auto rules = list ? rules_in(*list) : tl::unexpected<Error>(list.error());
  if (!rules) {
    base::log(base::Level::error, "price_rules_unreadable",
              {{"version", stored->version}, {"why", rules.error().reason}});
    return {stored->version, configured(tariff_)};
  }
  return {stored->version, std::move(*rules)};
}

CatalogDesk::Rules CatalogDesk::price_rules() const {
  std::optional<rule_store::RuleSet> stored;
  db_.read([&stored](storage::Reader& reader) { stored = rule_store::newest(reader); });
  return rules_of(stored);
}

Tariff CatalogDesk::tariff_with(const std::vector<WrittenRule>& rules,
                                const Assortment& assortment) const {
  Tariff tariff{{},
                tariff_.fee,
                resolve(rules, assortment.operators, assortment.products),
                exchange_rates::rates_now(db_, tariff_.rates)};
  if (tariff.more_rules.empty()) {
    tariff.more_rules = tariff_.more_rules;
    tariff.rule = tariff_.rule;
    return tariff;
  }
  tariff.rule = std::move(tariff.more_rules.back());
  tariff.more_rules.pop_back();
  return tariff;
}

Assortment CatalogDesk::shelf_of(const ShelfState& state) const {
  std::map<std::string, rule_store::ProductEdit> edits;
  db_.read([&edits](storage::Reader& reader) { edits = rule_store::edits(reader); });
  Assortment shelf = assemble(on_sale(state.balances, state.sold_out),
                              exchange_rates::rates_now(db_, tariff_.rates), Currency::cny);
  apply_edits(shelf, edits);
  return shelf;
}

CatalogDesk::Preview CatalogDesk::preview(const std::vector<WrittenRule>& rules,
                                          const ShelfState& state) const {
  const Assortment shelf = shelf_of(state);
  const Rules before = price_rules();
  Preview out;
  out.book = Catalog::put_together(shelf, tariff_with(rules, shelf));
  out.book.published_at_ms = clock_.wall_ms();
  const PriceBook now = Catalog::put_together(shelf, tariff_with(before.rules, shelf));
  out.changes = price_changes(now, out.book);
  out.below_cost = below_cost(out.book, before.rules, rules);
  return out;
}

Result<std::int64_t> CatalogDesk::publish_rules(RuleChange change, const ShelfState& state) {
  const std::lock_guard alone(publishing_);
  const Rules before = price_rules();
  const auto changed = refuse(Code::conflict, "rules_changed", "version",
                              "look at version " + std::to_string(before.version) + " first");
  if (before.version != change.seen) return changed;
  const std::int64_t version = before.version + 1;
  number_versions(change.rules, before.rules, static_cast<std::uint32_t>(version));
  const Assortment shelf = shelf_of(state);
  const Tariff tariff = tariff_with(change.rules, shelf);
  const PriceBook draft = Catalog::put_together(shelf, tariff);
  if (const auto below = below_cost(draft, before.rules, change.rules); !below.empty()) {
    return refuse(Code::rejected, "rule_below_cost", "rules",
                  std::to_string(below.size()) + ", " + below.front());
  }
  if (encode(draft).size() > kMaxPriceBookBytes - 16)
    return refuse(Code::rejected, "price_book_too_large", "rules");
  const std::int64_t now = clock_.wall_ms();
  const auto diff = audit::change_between(by_id(before.rules), by_id(change.rules));
  bool is_written = false;
  catalog_.publish("", shelf, tariff, change.actor, [&](storage::Tx& tx, std::int64_t book) {
    is_written = rule_store::newest_version(tx) == before.version;
    if (!is_written) return false;
    rule_store::insert(tx, {version, rules_out(change.rules).dump(), change.reason, change.back_to,
                            book, change.actor, now});
    audit::append(
        tx,
        {change.actor, change.back_to > 0 ? "price_rules.rolled_back" : "price_rules.published",
         "price_rules:" + std::to_string(version), change.reason, diff.before, diff.after},
        change.trace, now);
    return true;
  });
  if (!is_written) return changed;
  return version;
}

Result<std::int64_t> CatalogDesk::roll_back_rules(RuleChange change, const ShelfState& state) {
  std::optional<rule_store::RuleSet> stored;
  db_.read([&](storage::Reader& reader) { stored = rule_store::find(reader, change.back_to); });
  if (!stored && change.back_to != 0) return refuse(Code::not_found, "version_unknown", "to");
  change.rules = rules_of(stored).rules;
  return publish_rules(std::move(change), state);
}

CatalogDesk::Range CatalogDesk::range(const ShelfState& state) const {
  Range out;
  db_.read([&out](storage::Reader& reader) { out.edits = rule_store::edits(reader); });
  out.assortment = assemble(on_sale(state.balances, state.sold_out),
                            exchange_rates::rates_now(db_, tariff_.rates), Currency::cny);
  out.prices = priced(
      Catalog::put_together(out.assortment, tariff_with(price_rules().rules, out.assortment)));
  return out;
}

std::int64_t CatalogDesk::edit_products(const std::vector<rule_store::ProductEdit>& edits,
                                        const TraceId& trace) {
  std::int64_t changed = 0;
  const std::int64_t now = clock_.wall_ms();
  db_.write([&](storage::Tx& tx) {
    changed = 0;
    auto known = rule_store::edits(tx);
    for (rule_store::ProductEdit edit : edits) {
      const Json before = facts_of(known[edit.product_id]);
      if (before == facts_of(edit)) continue;
      edit.edited_at_ms = now;
      rule_store::save(tx, edit);
      const auto diff = audit::change_between(before, facts_of(edit));
      audit::append(tx,
                    {edit.edited_by, "catalog.product_edited", "product:" + edit.product_id, "",
                     diff.before, diff.after},
                    trace, now);
      ++changed;
    }
    return changed > 0;
  });
  return changed;
}

}  // namespace topup::catalog
