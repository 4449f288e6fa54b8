// The operator's side of offers: write, switch on and off. Every change is audited in its
// transaction. A coupon's deal stays as it was handed out: once one of a template is in somebody's
// hands, only names and the switch change. Errors: those of read_terms(), out_of_range/id,
// conflict/offer_changed (somebody was faster), conflict/coupon_issued, rejected/too_many_offers.
// Thread-safe.
#pragma once

#include <string>

#include "server/base/clock.h"
#include "server/marketing/offer.h"
#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/result.h"

namespace topup::marketing {

struct OfferWish {
  std::string id;
  std::int64_t version = 0;  // that was looked at; 0: a new one
  bool is_on = false;
  Terms terms;
  std::string actor;
  TraceId trace;
};

class OfferDesk {
 public:
  OfferDesk(storage::Db& db, const base::Clock& clock) : db_(db), clock_(clock) {}
  Result<Offer> save(const OfferWish& wish) const;

 private:
  storage::Db& db_;
  const base::Clock& clock_;
};

}  // namespace topup::marketing
