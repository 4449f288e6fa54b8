// How coupons of one template are handed out: to whoever asks (open), to whoever knows a word
// (code), against codes that work once each (codes), or by staff (staff). A campaign has a budget
// in coupons and a limit for each buyer. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/base/json.h"
#include "shared/result.h"

namespace topup::marketing {

namespace way {  // stored
inline constexpr std::string_view kOpen = "open", kCode = "code", kCodes = "codes",
                                  kStaff = "staff";
}  // namespace way

inline constexpr std::int64_t kMostBudget = 1'000'000;
inline constexpr std::int64_t kMostPerUser = 50;
inline constexpr std::int64_t kMostOwned = 300;   // usable coupons in one buyer's hands
inline constexpr std::int64_t kMostGrants = 500;  // people at once
inline constexpr std::int64_t kMostCodes = 500;   // codes at once

struct Campaign {
  std::string id;
  std::string template_id, way, name, code;  // name: for staff; code: "" without
  std::int64_t budget = 0, per_user = 1, claimed = 0;
  std::int64_t starts_at_ms = 0, ends_at_ms = 0;    // 0: open
  std::int64_t valid_days = 0, valid_until_ms = 0;  // of a coupon; 0: no such end
  bool is_on = false;
  std::int64_t version = 0;
  std::string changed_by = {};
  std::int64_t changed_at_ms = 0;
};

struct OwnedRow {
  std::string id, user, template_id, campaign_id;
  std::int64_t valid_from_ms = 0, expires_at_ms = 0, revoked_at_ms = 0;  // 0: never
  std::string given_by;                                                  // an audit actor
  std::int64_t created_at_ms = 0;
};

// As the operator writes it: everything but id, claimed, version and who changed it. Errors:
// unknown_field, missing_field, wrong_type, out_of_range.
Result<Campaign> read_campaign(const base::Json& object);
base::Json campaign_json(const Campaign& campaign);

// "SPRING 2026" and "spring2026" are one code: letters A-Z and digits, upper case; "" when that
// leaves fewer than 4 or more than 32, or something else stands in it.
std::string canonical_code(std::string_view typed);

std::int64_t expiry_of(const Campaign& campaign, std::int64_t now_ms);  // of a coupon given now
// Errors: rejected/campaign_not_open. Budget and limits are the store's.
Result<bool> check_open(const Campaign& campaign, std::int64_t now_ms);

}  // namespace topup::marketing
