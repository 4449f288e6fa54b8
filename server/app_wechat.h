// What WeChat Pay needs beside its calls: its keys looked after twice a day, and their ends shown
// to whoever watches.
#pragma once

#include "server/jobs/schedule.h"
#include "server/observability/metrics.h"
#include "server/payments/wechat.h"

namespace topup {

// `channel` may be null: then nothing is planned. Before the worker starts and the first text() of
// the metrics; the channel must outlive both.
void look_after_wechat(payments::WechatChannel* channel, jobs::Worker& worker,
                       jobs::Schedules& schedules, observability::Metrics& metrics);

}  // namespace topup
