// Rows of price_rule_sets (insert-only) and product_edits.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "server/storage/db.h"

namespace topup::catalog::rule_store {

struct RuleSet {
  std::int64_t version = 0;
  std::string rules;  // JSON text of rules_out()
  std::string reason;
  std::int64_t back_to = 0;  // the version this one repeats; 0: none
  std::int64_t book_version = 0;
  std::string published_by;
  std::int64_t published_at_ms = 0;
};
std::int64_t newest_version(storage::Reader& reader);  // 0: rules were never edited
std::optional<RuleSet> newest(storage::Reader& reader);
std::optional<RuleSet> find(storage::Reader& reader, std::int64_t version);
// Newest first, below `before`.
std::vector<RuleSet> page(storage::Reader& reader, std::int64_t before, std::int64_t limit);
void insert(storage::Tx& tx, const RuleSet& row);

struct ProductEdit {
  std::string product_id;
  bool on_sale = true;
  std::string name_zh, name_en;  // "": as the supplier says
  std::string edited_by;
  std::int64_t edited_at_ms = 0;
};
std::map<std::string, ProductEdit> edits(storage::Reader& reader);
void save(storage::Tx& tx, const ProductEdit& row);  // inserts or replaces

}  // namespace topup::catalog::rule_store
