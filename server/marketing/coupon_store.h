// Rows of campaigns, owned_coupons and coupon_codes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/marketing/campaign.h"
#include "server/storage/db.h"
#include "shared/ids.h"

namespace topup::marketing::coupon_store {

std::vector<Campaign> campaigns(storage::Reader& reader);  // the newest first, at most 500
std::optional<Campaign> find_campaign(storage::Reader& reader, std::string_view id);
std::optional<Campaign> find_by_code(storage::Reader& reader, std::string_view code);
void save_campaign(storage::Tx& tx, const Campaign& campaign);  // not `claimed`
// One coupon more of the budget; false when it is used up.
bool take_from_budget(storage::Tx& tx, std::string_view campaign);

std::int64_t claimed_by(storage::Reader& reader, std::string_view campaign, const UserId& user);
std::int64_t usable_of(storage::Reader& reader, const UserId& user, std::int64_t now_ms);
void insert_coupon(storage::Tx& tx, const OwnedRow& row);
std::optional<OwnedRow> find_coupon(storage::Reader& reader, std::string_view id);
// False when it was revoked before.
bool revoke(storage::Tx& tx, std::string_view coupon, std::int64_t now_ms);
bool is_user(storage::Reader& reader, const UserId& user);

struct Code {
  std::string hash, campaign_id, coupon_id;  // coupon_id: "" while nobody has used it
};
std::optional<Code> find_code(storage::Reader& reader, std::string_view hash);
void insert_code(storage::Tx& tx, const Code& code, std::int64_t now_ms);
bool use_code(storage::Tx& tx, std::string_view hash, std::string_view coupon);
std::int64_t count_codes(storage::Reader& reader, std::string_view campaign);

// For `verify`: sentences about what does not fit together.
std::vector<std::string> faults(storage::Reader& reader);

}  // namespace topup::marketing::coupon_store
