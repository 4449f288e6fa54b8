#include "server/app_drafts.h"

#include "server/http/routes/drafts.h"

namespace topup {
namespace {

constexpr std::string_view kSweep = "sync_list_sweep";
constexpr std::int64_t kSweepEveryMs = 24 * 3'600'000;
constexpr std::int64_t kSweepJitterMs = 3'600'000;

}  // namespace

void DraftParts::schedule(jobs::Schedules& schedules, jobs::Worker& worker) {
  schedules.add(worker, {std::string(kSweep), "shop", kSweepEveryMs, kSweepJitterMs},
                [this](const jobs::Job&) { drafts_.sweep(); });
}

void DraftParts::mount(http::Router& router) const { http::routes::mount_drafts(router, drafts_); }

}  // namespace topup
