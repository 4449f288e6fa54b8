#include "server/orders/work_items.h"

#include "server/audit/audit_log.h"
#include "server/base/log.h"

namespace topup::orders {

void open_work_item(const OrderEnv& env, storage::Tx& tx, std::string_view kind,
                    std::string_view subject, const OrderId& order, std::string_view detail,
                    Money held) {
  const std::int64_t now = env.clock.wall_ms();
  WorkItem item;
  item.id = base::new_id(env.random, now);
  item.kind = kind;
  item.subject = subject;
  item.order = order;
  item.detail = detail;
  item.state = work_item_state::kOpen;
  item.created_at_ms = now;
  item.held = held;
  if (!work_item_store::insert(tx, item)) return;
  const TraceId& trace = base::TraceScope::current();
  audit::append(tx,
                {"system", "work_item.opened", order.empty() ? item.subject : order.text,
                 item.kind + ": " + item.detail},
                trace, now);
  base::log(base::Level::warn, "work_item_opened",
            {{"kind", kind}, {"order_id", order.text}, {"detail", detail}});
}

bool is_urgent(const OrderEnv& env, const WorkItem& item) {
  return item.state == work_item_state::kOpen && item.kind == to_word(Event::refund_requested) &&
         env.clock.wall_ms() - item.created_at_ms > env.limits().refund_answer_within_ms;
}

bool close_work_item(const OrderEnv& env, storage::Tx& tx, std::string_view kind,
                     std::string_view subject, std::string_view by, std::string_view resolution) {
  const auto item = work_item_store::find_open(tx, kind, subject);
  if (!item) return false;
  const std::int64_t now = env.clock.wall_ms();
  if (!work_item_store::resolve(tx, item->id, by, resolution, now)) return false;
  audit::append(tx,
                {by, "work_item.resolved", item->order.empty() ? item->subject : item->order.text,
                 item->kind + ": " + std::string(resolution)},
                base::TraceScope::current(), now);
  return true;
}

}  // namespace topup::orders
