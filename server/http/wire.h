// How the shop's values look in JSON: snake_case, amounts as {minor, currency}, times in ms, states
// as words. The shapes are those of web/api/openapi.yaml. Nothing here decides.
#pragma once

#include <cstdint>

#include "server/base/json.h"
#include "server/jobs/job_desk.h"
#include "server/orders/order_service.h"
#include "server/orders/work_item_store.h"

namespace topup::http::wire {

base::Json quote_json(const orders::PricedQuote& priced);
base::Json order_json(const orders::OrderView& view, std::int64_t now_ms);
base::Json order_row_json(
    const orders::Order& order);  // a line of a list: without quote and events
base::Json changes_json(const orders::OrderChanges& changes);
base::Json work_item_json(const orders::WorkItem& item);
base::Json job_json(const jobs::JobView& job);

}  // namespace topup::http::wire
