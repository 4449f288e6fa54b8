// What the devices of one buyer share, wired.
#pragma once

#include "server/http/router.h"
#include "server/jobs/schedule.h"
#include "server/jobs/worker.h"
#include "server/orders/draft_service.h"

namespace topup {

class DraftParts {
 public:
  DraftParts(storage::Db& db, const base::Clock& clock, const privacy::Pii& pii)
      : drafts_(db, clock, pii) {}
  DraftParts(const DraftParts&) = delete;
  DraftParts& operator=(const DraftParts&) = delete;

  void schedule(jobs::Schedules& schedules, jobs::Worker& worker);
  void mount(http::Router& router) const;
  privacy::Holder holder() const { return drafts_.holder(); }

 private:
  orders::DraftService drafts_;
};

}  // namespace topup
