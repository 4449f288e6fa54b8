#include "server/marketing/coupon_desk.h"

#include <utility>

#include "server/audit/audit_log.h"
#include "server/base/crypto.h"
#include "server/base/log.h"
#include "server/marketing/coupon_store.h"
#include "server/marketing/offer_store.h"

namespace topup::marketing {
namespace {

// Without the letters and digits that look alike.
constexpr std::string_view kCodeLetters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
constexpr std::size_t kCodeLength = 12;  // 60 random bits
static_assert(kCodeLetters.size() == 32, "each letter is five bits of a byte");

std::string hash_of(std::string_view code) { return base::hex(base::sha256(code)); }

std::string new_code(base::Random& random) {
  std::string code;
  for (const char byte : random.bytes(kCodeLength))
    code += kCodeLetters[static_cast<unsigned char>(byte) & 31U];
  return code;
}

void note(storage::Tx& tx, const Deed& deed, std::string_view action, const std::string& subject,
          const std::string& detail, std::int64_t now, const audit::Change& change = {}) {
  audit::append(tx, {deed.actor, action, subject, detail, change.before, change.after}, deed.trace,
                now);
}

}  // namespace

Result<Campaign> CouponDesk::save(const std::string& id, std::int64_t version, Campaign wish,
                                  const Deed& deed) const {
  const std::int64_t now = clock_.wall_ms();
  const std::string own = id.empty() ? base::new_id(random_, now) : id;
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<Campaign> {
    const auto before = coupon_store::find_campaign(tx, own);
    if (!id.empty() && !before) return refuse(Code::not_found, "campaign_not_found", "campaign_id");
    if ((before ? before->version : 0) != version)
      return refuse(Code::conflict, "offer_changed", "version");
    if (!offer_store::find(tx, OfferKind::coupon, wish.template_id))
      return refuse(Code::not_found, "offer_not_found", "template_id");
    const bool is_other =
        before && (before->template_id != wish.template_id || before->way != wish.way);
    if (is_other && before->claimed > 0)
      return refuse(Code::conflict, "coupon_issued", "template_id");
    if (before && wish.budget < before->claimed)
      return refuse(Code::invalid_argument, "out_of_range", "budget",
                    "not below what was handed out");
    if (!wish.code.empty()) {
      const auto other = coupon_store::find_by_code(tx, wish.code);
      if (other && other->id != own) return refuse(Code::conflict, "coupon_code_taken", "code");
    }
    Campaign after = wish;
    after.id = own;
    after.claimed = before ? before->claimed : 0;
    after.version = version + 1;
    after.changed_by = deed.actor;
    after.changed_at_ms = now;
    coupon_store::save_campaign(tx, after);
    note(tx, deed, "campaign.saved", "campaign:" + own, "version " + std::to_string(after.version),
         now,
         audit::change_between(before ? campaign_json(*before) : base::Json::object(),
                               campaign_json(after)));
    return after;
  });
}

Result<std::vector<std::string>> CouponDesk::make_codes(const std::string& campaign,
                                                        std::int64_t count,
                                                        const Deed& deed) const {
  std::vector<std::string> codes;
  for (std::int64_t i = 0; i < count; ++i) codes.push_back(new_code(random_));
  const std::int64_t now = clock_.wall_ms();
  const auto made = storage::with_tx(db_, [&](storage::Tx& tx) -> Result<bool> {
    const auto found = coupon_store::find_campaign(tx, campaign);
    if (!found || found->way != way::kCodes)
      return refuse(Code::not_found, "campaign_not_found", "campaign_id");
    if (coupon_store::count_codes(tx, campaign) + count > found->budget)
      return refuse(Code::invalid_argument, "out_of_range", "count",
                    "more codes than the budget has coupons");
    for (const std::string& code : codes)
      coupon_store::insert_code(tx, {hash_of(code), campaign, {}}, now);
    note(tx, deed, "campaign.codes_made", "campaign:" + campaign, std::to_string(count) + " codes",
         now);
    return true;
  });
  if (!made) return tl::unexpected<Error>(made.error());
  return codes;
}

Result<OwnedRow> CouponDesk::give(storage::Tx& tx, const Campaign& campaign, const UserId& user,
                                  std::string_view given_by, std::int64_t now_ms) const {
  if (const auto open = check_open(campaign, now_ms); !open)
    return tl::unexpected<Error>(open.error());
  if (coupon_store::claimed_by(tx, campaign.id, user) >= campaign.per_user)
    return refuse(Code::rejected, "coupon_limit_reached");
  if (coupon_store::usable_of(tx, user, now_ms) >= kMostOwned)
    return refuse(Code::rejected, "too_many_coupons");
  if (!coupon_store::take_from_budget(tx, campaign.id))
    return refuse(Code::rejected, "coupons_gone");
  OwnedRow row{base::new_id(random_, now_ms), user.text, campaign.template_id,  campaign.id, now_ms,
               expiry_of(campaign, now_ms),   0,         std::string(given_by), now_ms};
  coupon_store::insert_coupon(tx, row);
  return row;
}

Result<OwnedRow> CouponDesk::claim(const UserId& user, const std::string& id) const {
  const std::int64_t now = clock_.wall_ms();
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<OwnedRow> {
    const auto campaign = coupon_store::find_campaign(tx, id);
    if (!campaign || campaign->way != way::kOpen)
      return refuse(Code::not_found, "campaign_not_found", "campaign_id");
    return give(tx, *campaign, user, "buyer:" + user.text, now);
  });
}

Result<OwnedRow> CouponDesk::redeem(const UserId& user, std::string_view typed) const {
  const std::string code = canonical_code(typed);
  if (code.empty()) return refuse(Code::not_found, "coupon_code_unknown", "code");
  const std::string hash = hash_of(code);
  const std::int64_t now = clock_.wall_ms();
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<OwnedRow> {
    const std::string actor = "buyer:" + user.text;
    if (const auto campaign = coupon_store::find_by_code(tx, code))
      return give(tx, *campaign, user, actor, now);
    const auto single = coupon_store::find_code(tx, hash);
    if (!single) return refuse(Code::not_found, "coupon_code_unknown", "code");
    if (!single->coupon_id.empty()) return refuse(Code::rejected, "coupon_code_used", "code");
    const auto campaign = coupon_store::find_campaign(tx, single->campaign_id);
    if (!campaign) return refuse(Code::not_found, "coupon_code_unknown", "code");
    auto given = give(tx, *campaign, user, actor, now);
    if (given && !coupon_store::use_code(tx, hash, given->id))
      return refuse(Code::rejected, "coupon_code_used", "code");
    return given;
  });
}

Result<std::vector<OwnedRow>> CouponDesk::grant(const std::string& id,
                                                const std::vector<UserId>& users,
                                                const Deed& deed) const {
  const std::int64_t now = clock_.wall_ms();
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<std::vector<OwnedRow>> {
    const auto campaign = coupon_store::find_campaign(tx, id);
    if (!campaign) return refuse(Code::not_found, "campaign_not_found", "campaign_id");
    std::vector<OwnedRow> given;
    for (const UserId& user : users) {
      if (!coupon_store::is_user(tx, user))
        return refuse(Code::not_found, "buyer_not_found", "users", user.text);
      auto one = give(tx, *campaign, user, deed.actor, now);
      if (!one) return refuse(one.error().code, one.error().reason, "users", user.text);
      note(tx, deed, "coupon.granted", "user:" + user.text, one->id + ": " + deed.note, now);
      given.push_back(*std::move(one));
    }
    return given;
  });
}

Result<OwnedRow> CouponDesk::revoke(const std::string& id, const Deed& deed) const {
  const std::int64_t now = clock_.wall_ms();
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<OwnedRow> {
    auto row = coupon_store::find_coupon(tx, id);
    if (!row) return refuse(Code::not_found, "coupon_not_found", "coupon_id");
    if (!coupon_store::revoke(tx, id, now)) return refuse(Code::conflict, "coupon_revoked");
    row->revoked_at_ms = now;
    note(tx, deed, "coupon.revoked", "user:" + row->user, id + ": " + deed.note, now);
    return *std::move(row);
  });
}

}  // namespace topup::marketing
