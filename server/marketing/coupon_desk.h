// Handing out coupons: campaigns, claims by buyers, grants by staff, revocation. The budget is
// counted in the row of the campaign, so that parallel claims never give more than there are; the
// limit for each buyer is counted in the same transaction. Everything staff do is audited.
// Errors: not_found/campaign_not_found, coupon_code_unknown, coupon_not_found, buyer_not_found;
// rejected/campaign_not_open, coupons_gone (the budget), coupon_limit_reached, coupon_code_used,
// too_many_coupons; conflict/offer_changed, coupon_code_taken, coupon_revoked. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/marketing/campaign.h"
#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/result.h"

namespace topup::marketing {

struct Deed {  // who does it, for the trail
  std::string actor, note;
  TraceId trace;
};

class CouponDesk {
 public:
  CouponDesk(storage::Db& db, const base::Clock& clock, base::Random& random)
      : db_(db), clock_(clock), random_(random) {}

  // `id` "" for a new one; `version` is the one that was looked at. The template must be there;
  // what was handed out stays as it is.
  Result<Campaign> save(const std::string& id, std::int64_t version, Campaign wish,
                        const Deed& deed) const;
  // Codes that work once each, as people type them; they are shown this once and kept as hashes.
  Result<std::vector<std::string>> make_codes(const std::string& campaign, std::int64_t count,
                                              const Deed& deed) const;
  Result<OwnedRow> claim(const UserId& user, const std::string& campaign) const;
  Result<OwnedRow> redeem(const UserId& user, std::string_view typed) const;
  // One coupon for each, all of them or none.
  Result<std::vector<OwnedRow>> grant(const std::string& campaign, const std::vector<UserId>& users,
                                      const Deed& deed) const;
  // It cannot be used from now on; an order that has it keeps it.
  Result<OwnedRow> revoke(const std::string& coupon, const Deed& deed) const;

 private:
  Result<OwnedRow> give(storage::Tx& tx, const Campaign& campaign, const UserId& user,
                        std::string_view given_by, std::int64_t now_ms) const;
  storage::Db& db_;
  const base::Clock& clock_;
  base::Random& random_;
};

}  // namespace topup::marketing
