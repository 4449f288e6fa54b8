// What a supplier lists, kept row by row, and what of it is let onto the shelf (feature F001).
// compare() is pure: the rows known so far, what is listed now, and the rule for what needs no
// person give the rows to write. Nothing new goes on sale by itself; what is withdrawn goes off by
// itself, unless so much vanishes at once that the list itself is doubtful. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/money.h"
#include "shared/price_book.h"

namespace topup::catalog {

// A product as a supplier lists it; the caller translates from the supplier's port (siblings do not
// include each other).
struct Listed {
  std::string supplier_operator_id, operator_name, country;
  Money face;  // of a range the least amount; delivered and cost are then per this face
  ProductKind kind = ProductKind::airtime;
  std::string sku = {};
  std::int64_t most_minor = 0, step_minor = 0;  // of a range
  Money delivered = {};                         // 0: as the face
  Money cost = {};                              // 0: not said
  std::uint32_t validity_days = 0;
  std::string name = {};  // of a bundle or PIN
};
std::string listed_text(const Listed& listed);              // canonical JSON text
std::optional<Listed> parse_listed(std::string_view text);  // nullopt: not such a text
std::string listing_key(const Listed& listed);              // what stays when facts change

namespace listing_state {  // stored
inline constexpr std::string_view kNew = "new";
inline constexpr std::string_view kChanged = "changed";  // on sale as approved, where that is safe
inline constexpr std::string_view kApproved = "approved";
inline constexpr std::string_view kWithdrawn = "withdrawn";
inline constexpr std::string_view kDeclined = "declined";
}  // namespace listing_state

struct Listing {
  std::string supplier, key, country, state;
  std::string listed, approved;  // JSON texts; approved "" while nothing was
  std::int64_t first_seen_at_ms = 0, changed_at_ms = 0;
  std::string decided_by;
  std::int64_t decided_at_ms = 0;
};

struct SyncRules {
  bool approve_new = false;        // a rehearsal's first look
  std::int64_t cost_moves_bp = 0;  // a cost that moved at most this much needs no person
};
struct SyncReport {
  std::int64_t listed = 0, added = 0, changed = 0, withdrawn = 0, approved = 0;
  bool is_doubtful = false;  // too much vanished at once: nothing was withdrawn
};
// `known` and `now` are of one supplier and the same countries. Returns only rows that differ.
std::vector<Listing> compare(const std::vector<Listing>& known, std::string_view supplier,
                             const std::vector<Listed>& now, const SyncRules& rules,
                             std::int64_t now_ms, SyncReport* report);
// Whether an approval of `approved` holds for `listed`: nothing but cost and name differs.
bool is_same_but_cost(const Listed& approved, const Listed& listed);

}  // namespace topup::catalog
