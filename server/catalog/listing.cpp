#include "server/catalog/listing.h"

#include <algorithm>
#include <map>

#include "server/base/json.h"

namespace topup::catalog {
namespace {

using base::Json;

constexpr std::size_t kMaxListedBytes = 4'096;
constexpr std::int64_t kDoubtfulFrom = 10;  // approved rows, below which anything may vanish

void put(Json& out, const char* key, Money amount) {
  if (amount.minor > 0) out[key] = base::money_out(amount);
}

bool take(const Json& in, const char* key, Money* amount) {
  if (!in.contains(key)) return true;
  const auto found = base::money_in(in, key);
  if (found) *amount = *found;
  return found.has_value();
}

std::string text_of(const Json& in, const char* key) {
  return base::text_in(in, key, 512).value_or("");
}

std::int64_t number_of(const Json& in, const char* key) {
  return base::integer_in(in, key, 0, kMaxMinor).value_or(0);
}

bool is_within(const Listed& before, const Listed& now, std::int64_t bp) {
  if (!is_same_but_cost(before, now) || before.cost.currency != now.cost.currency) return false;
  if (before.cost.minor == 0 || now.cost.minor == 0) return before.cost.minor == now.cost.minor;
  const std::int64_t moved = now.cost.minor > before.cost.minor
                                 ? now.cost.minor - before.cost.minor
                                 : before.cost.minor - now.cost.minor;
  return moved <= before.cost.minor / kBasisPointsPerWhole * bp +
                      before.cost.minor % kBasisPointsPerWhole * bp / kBasisPointsPerWhole;
}

void approve(Listing& row, std::string_view by, std::int64_t now_ms) {
  row.approved = row.listed;
  row.state = listing_state::kApproved;
  row.decided_by = by;
  row.decided_at_ms = now_ms;
}

Listing fresh(std::string_view supplier, const std::string& key, const Listed& listed,
              const SyncRules& rules, std::int64_t now_ms) {
  Listing row;
  row.supplier = supplier;
  row.key = key;
  row.country = listed.country;
  row.state = listing_state::kNew;
  row.listed = listed_text(listed);
  row.first_seen_at_ms = row.changed_at_ms = now_ms;
  if (rules.approve_new) approve(row, "rule:first_sync", now_ms);
  return row;
}

// The row as it should stand now; equal to `before` when nothing is to be written.
Listing again(const Listing& before, const Listed& listed, const SyncRules& rules,
              std::int64_t now_ms) {
  Listing row = before;
  row.listed = listed_text(listed);
  const bool came_back = before.state == listing_state::kWithdrawn;
  if (row.listed == before.listed && !came_back) return row;
  row.changed_at_ms = now_ms;
  const auto approved = before.approved.empty() ? std::nullopt : parse_listed(before.approved);
  if (!approved) {
    row.state = listing_state::kNew;
    if (rules.approve_new) approve(row, "rule:first_sync", now_ms);
  } else if (row.listed == before.approved) {
    row.state = listing_state::kApproved;
  } else if (rules.cost_moves_bp > 0 && is_within(*approved, listed, rules.cost_moves_bp)) {
    approve(row, "rule:cost", now_ms);
  } else {
    row.state = listing_state::kChanged;
  }
  return row;
}

void count(const Listing* before, const Listing& row, SyncReport* report) {
  if (before == nullptr) ++report->added;
  if (before != nullptr && before->listed != row.listed) ++report->changed;
  if (row.state == listing_state::kApproved && row.decided_by.starts_with("rule:") &&
      (before == nullptr || before->approved != row.approved)) {
    ++report->approved;
  }
}

}  // namespace

std::string listed_text(const Listed& listed) {
  Json out = {{"operator_id", listed.supplier_operator_id},
              {"operator", listed.operator_name},
              {"country", listed.country},
              {"kind", to_word(listed.kind)},
              {"face", base::money_out(listed.face)}};
  if (!listed.sku.empty()) out["sku"] = listed.sku;
  if (listed.step_minor > 0) {
    out["most_minor"] = listed.most_minor;
    out["step_minor"] = listed.step_minor;
  }
  put(out, "delivered", listed.delivered);
  put(out, "cost", listed.cost);
  if (listed.validity_days > 0) out["validity_days"] = listed.validity_days;
  if (!listed.name.empty()) out["name"] = listed.name;
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<Listed> parse_listed(std::string_view text) {
  const auto in = base::json_in(text, kMaxListedBytes);
  if (!in || !in->is_object()) return std::nullopt;
  Listed listed;
  listed.supplier_operator_id = text_of(*in, "operator_id");
  listed.operator_name = text_of(*in, "operator");
  listed.country = text_of(*in, "country");
  const auto kind = parse_product_kind(text_of(*in, "kind"));
  const auto face = base::money_in(*in, "face");
  if (!kind || !face || listed.country.empty()) return std::nullopt;
  listed.kind = *kind;
  listed.face = *face;
  listed.sku = text_of(*in, "sku");
  listed.most_minor = number_of(*in, "most_minor");
  listed.step_minor = number_of(*in, "step_minor");
  if (!take(*in, "delivered", &listed.delivered) || !take(*in, "cost", &listed.cost))
    return std::nullopt;
  listed.validity_days =
      static_cast<std::uint32_t>(base::integer_in(*in, "validity_days", 0, 100'000).value_or(0));
  listed.name = text_of(*in, "name");
  return listed;
}

std::string listing_key(const Listed& listed) {
  const std::string start = listed.country + "/" + listed.supplier_operator_id + "/" +
                            std::string(to_word(listed.kind)) + "/";
  if (!listed.sku.empty()) return start + "sku/" + listed.sku;
  const std::string currency(to_word(listed.face.currency));
  return start + currency + "/" +
         (listed.step_minor > 0 ? "range" : std::to_string(listed.face.minor));
}

bool is_same_but_cost(const Listed& approved, const Listed& listed) {
  Listed same = listed;
  same.cost = approved.cost;
  same.name = approved.name;
  same.operator_name = approved.operator_name;
  return listed_text(same) == listed_text(approved);
}

std::vector<Listing> compare(const std::vector<Listing>& known, std::string_view supplier,
                             const std::vector<Listed>& now, const SyncRules& rules,
                             std::int64_t now_ms, SyncReport* report) {
  std::map<std::string, const Listing*> before;
  for (const Listing& row : known) before[row.key] = &row;
  std::map<std::string, const Listed*> listed;
  for (const Listed& one : now)
    listed.emplace(listing_key(one), &one);  // the first of a key counts
  std::vector<Listing> rows;
  for (const auto& [key, one] : listed) {
    const auto found = before.find(key);
    const Listing* was = found == before.end() ? nullptr : found->second;
    Listing row = was == nullptr ? fresh(supplier, key, *one, rules, now_ms)
                                 : again(*was, *one, rules, now_ms);
    ++report->listed;
    if (was != nullptr && row.state == was->state && row.listed == was->listed) continue;
    count(was, row, report);
    rows.push_back(std::move(row));
  }
  std::vector<Listing> gone;
  std::int64_t on_shelf = 0, vanishing = 0;
  for (const Listing& row : known) {
    const bool is_gone = row.state != listing_state::kWithdrawn && listed.count(row.key) == 0;
    if (!row.approved.empty() && row.state != listing_state::kWithdrawn) {
      ++on_shelf;
      vanishing += is_gone ? 1 : 0;
    }
    if (!is_gone) continue;
    gone.push_back(row);
    gone.back().state = listing_state::kWithdrawn;
    gone.back().changed_at_ms = now_ms;
  }
  report->is_doubtful = on_shelf >= kDoubtfulFrom && vanishing * 2 > on_shelf;
  if (report->is_doubtful) return rows;
  report->withdrawn += static_cast<std::int64_t>(gone.size());
  rows.insert(rows.end(), gone.begin(), gone.end());
  return rows;
}

}  // namespace topup::catalog
