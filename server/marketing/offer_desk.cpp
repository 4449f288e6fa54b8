#include "server/marketing/offer_desk.h"

#include "server/audit/audit_log.h"
#include "server/marketing/offer_store.h"

namespace topup::marketing {
namespace {

base::Json audited(const Offer& offer) {
  base::Json terms = terms_json(offer.terms);
  terms["on"] = offer.is_on;
  terms["kinds"] = terms["kinds"].dump();  // flat, as the trail compares
  return terms;
}

}  // namespace

Result<Offer> OfferDesk::save(const OfferWish& wish) const {
  if (!is_offer_id(wish.id))
    return refuse(Code::invalid_argument, "out_of_range", "id",
                  "1 to 40 of a-z, 0-9 and -, a letter first");
  const std::int64_t now = clock_.wall_ms();
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<Offer> {
    const OfferKind kind = wish.terms.kind;
    const auto before = offer_store::find(tx, kind, wish.id);
    if ((before ? before->version : 0) != wish.version)
      return refuse(Code::conflict, "offer_changed", "version");
    if (!before && offer_store::count(tx, kind) >= static_cast<std::int64_t>(kMaxBookRows))
      return refuse(Code::rejected, "too_many_offers");
    if (before && kind == OfferKind::coupon && !is_same_deal(before->terms, wish.terms) &&
        offer_store::is_issued(tx, wish.id)) {
      return refuse(Code::conflict, "coupon_issued", "terms",
                    "coupons of this template are in people's hands; make a new template");
    }
    const Offer after{wish.id, wish.version + 1, wish.is_on, wish.terms, wish.actor, now};
    offer_store::save(tx, after);
    const audit::Change change =
        audit::change_between(before ? audited(*before) : base::Json::object(), audited(after));
    audit::append(tx,
                  {wish.actor, "offer.saved", std::string(to_word(kind)) + ":" + wish.id,
                   "version " + std::to_string(after.version), change.before, change.after},
                  wish.trace, now);
    return after;
  });
}

}  // namespace topup::marketing
