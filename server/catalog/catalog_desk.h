// The way from a supplier's list to the shelf: keeps what is listed, lets a person or a rule
// approve it, and publishes what is approved and can be delivered (features F001, X13). Each change
// is audited. Errors: not_found/listing_not_found, conflict/listing_withdrawn, and of rules
// conflict/rules_changed, not_found/version_unknown, rejected/rule_below_cost (detail: how many
// products, and the first), rejected/price_book_too_large. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/clock.h"
#include "server/catalog/catalog_service.h"
#include "server/catalog/listing_store.h"
#include "server/catalog/rule_set.h"
#include "server/catalog/rule_store.h"
#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/result.h"

namespace topup::catalog {

struct DeskRules {
  SyncRules sync;
  // A product is hidden when the balance at its supplier covers fewer orders than this.
  std::int64_t reserve_orders = 2;
};

class CatalogDesk {
 public:
  // What each supplier has of ours, as far as known.
  using Balances = std::map<std::string, Money>;

  CatalogDesk(storage::Db& db, const base::Clock& clock, Catalog& catalog, Tariff tariff,
              DeskRules rules)
      : db_(db), clock_(clock), catalog_(catalog), tariff_(std::move(tariff)), rules_(rules) {}

  // Stores what one supplier lists of one country. Nothing is published.
  SyncReport sync(std::string_view supplier, std::string_view country,
                  const std::vector<Listed>& listed, std::string_view actor);
  // Whether a new book was published. `sold_out` names what stays off the shelf: "supplier/sku".
  bool publish(const Balances& balances, std::string_view actor,
               const std::set<std::string>& sold_out = {});

  struct Decision {
    std::string supplier;
    std::vector<std::string> keys;
    bool approve = false;
    std::string actor, note;
    TraceId trace;
  };
  static constexpr std::size_t kMostKeys = 500;
  // All of them or none; one that stands so already changes nothing. Returns how many changed.
  Result<std::int64_t> decide(const Decision& decision);
  // Approves every new or changed row of a supplier, "" of all; returns how many.
  std::int64_t approve_all(std::string_view supplier, std::string_view actor, const TraceId& trace);

  const DeskRules& rules() const { return rules_; }

  // What the shelf depends on besides the lists.
  struct ShelfState {
    Balances balances;
    std::set<std::string> sold_out;
  };
  // The rules in force; version 0: those of the configuration.
  struct Rules {
    std::int64_t version = 0;
    std::vector<WrittenRule> rules;
  };
  Rules price_rules() const;
  // The shop's book as it would be with these rules, and what it would change.
  struct Preview {
    PriceBook book;
    std::vector<PriceChange> changes;
    std::vector<std::string> below_cost;
  };
  Preview preview(const std::vector<WrittenRule>& rules, const ShelfState& state) const;

  struct RuleChange {
    std::vector<WrittenRule> rules;
    std::int64_t seen = 0;  // the version the author looked at
    std::int64_t back_to = 0;
    std::string reason, actor;
    TraceId trace;
  };
  // The set, the book priced by it and the audit row are one transaction. Returns the set's
  // version.
  Result<std::int64_t> publish_rules(RuleChange change, const ShelfState& state);
  // The rules of version `change.back_to` as a new version; `change.rules` is not looked at.
  Result<std::int64_t> roll_back_rules(RuleChange change, const ShelfState& state);

  // Everything that suppliers let us sell, on sale or not.
  struct Range {
    Assortment assortment;
    std::map<std::string, rule_store::ProductEdit> edits;
    std::map<std::string, PricedProduct> prices;  // by the rules in force
  };
  Range range(const ShelfState& state) const;
  // Keeps what staff say of products; the caller publishes. Returns how many differed from before.
  std::int64_t edit_products(const std::vector<rule_store::ProductEdit>& edits,
                             const TraceId& trace);

 private:
  std::vector<OnSale> on_sale(const Balances& balances,
                              const std::set<std::string>& sold_out) const;
  bool is_covered(const OnSale& one, const Balances& balances) const;
  Rules rules_of(const std::optional<rule_store::RuleSet>& stored) const;
  Tariff tariff_with(const std::vector<WrittenRule>& rules, const Assortment& assortment) const;
  Assortment shelf_of(const ShelfState& state) const;  // with the edits

  storage::Db& db_;
  const base::Clock& clock_;
  Catalog& catalog_;
  const Tariff tariff_;
  const DeskRules rules_;
  std::mutex publishing_;  // one at a time, so that an older shelf never replaces a newer one
};

}  // namespace topup::catalog
