#include "server/app_wechat.h"

#include <cstdint>
#include <string>

namespace topup {
namespace {

constexpr std::int64_t kTendAgainMs = 12 * 3'600'000;
constexpr std::int64_t kTendJitterMs = 30 * 60'000;

}  // namespace

void look_after_wechat(payments::WechatChannel* channel, jobs::Worker& worker,
                       jobs::Schedules& schedules, observability::Metrics& metrics) {
  if (channel == nullptr) return;
  schedules.add(worker, {"wechat_keys", "own", kTendAgainMs, kTendJitterMs, true},
                [channel](const jobs::Job&) { channel->tend_keys(); });
  metrics.add_source([channel](observability::Sheet& sheet) {
    for (const payments::WechatKeyFact& fact : channel->keys()) {
      sheet.gauge_seconds(
          "wechat_pay_key_ends_seconds",
          "When a key of WeChat Pay or of ours ends, since 1970; 0: not known, or never.",
          fact.until_ms * 1'000, {{"kind", fact.kind}, {"serial", fact.serial}});
    }
  });
}

}  // namespace topup
