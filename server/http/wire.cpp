#include "server/http/wire.h"

#include <utility>

namespace topup::http::wire {
namespace {

using base::Json;

Json operator_json(const orders::Order& order) {
  return {{"id", order.operator_id},
          {"name_zh", order.operator_name_zh},
          {"name_en", order.operator_name_en}};
}

Json allowed_json(const orders::Order& order, std::int64_t now_ms) {
  Json allowed = Json::array();
  if (may_pay(order.state) && order.pay_by_ms > now_ms) allowed.push_back("pay");
  if (may_cancel(order.state)) allowed.push_back("cancel");
  return allowed;
}

Json events_json(const std::vector<orders::OrderEvent>& events) {
  Json out = Json::array();
  for (const orders::OrderEvent& event : events) {
    const auto state = parse_state(event.to_state);
    out.push_back({{"seq", event.seq},
                   {"state", event.to_state},
                   {"word", state ? to_word(buyer_word(*state)) : std::string_view()},
                   {"event", event.event},
                   {"at_ms", event.at_ms}});
  }
  return out;
}

}  // namespace

Json quote_json(const orders::PricedQuote& priced) { return Json::parse(priced.text); }

Json order_row_json(const orders::Order& order) {
  return {{"order_id", order.id.text},
          {"state", to_word(order.state)},
          {"word", to_word(buyer_word(order.state))},
          {"product_id", order.product.text},
          {"operator", operator_json(order)},
          {"account_masked", order.account_masked},
          {"face", base::money_out(order.face)},
          {"payable", base::money_out(order.payable)},
          {"delivered", base::money_out(order.delivered)},
          {"created_at_ms", order.created_at_ms},
          {"updated_at_ms", order.updated_at_ms},
          {"pay_by_ms", order.pay_by_ms}};
}

Json order_json(const orders::OrderView& view, std::int64_t now_ms) {
  Json out = order_row_json(view.order);
  out["quote"] = Json::parse(view.order.quote);  // our own canonical text
  out["now_ms"] = now_ms;
  out["allowed"] = allowed_json(view.order, now_ms);
  out["events"] = events_json(view.events);
  if (view.promised_until_ms > 0) out["promised_until_ms"] = view.promised_until_ms;
  return out;
}

Json changes_json(const orders::OrderChanges& changes) {
  Json rows = Json::array();
  for (const orders::Order& order : changes.orders) {
    Json row = order_row_json(order);
    row["seq"] = order.event_seq;
    rows.push_back(std::move(row));
  }
  return {{"changes", std::move(rows)},
          {"last", changes.last_ms},
          {"more", changes.more},
          {"resync", changes.resync}};
}

Json work_item_json(const orders::WorkItem& item) {
  Json out = {{"work_item_id", item.id}, {"kind", item.kind},
              {"state", item.state},     {"order_id", item.order.text},
              {"subject", item.subject}, {"detail", item.detail},
              {"times", item.times},     {"created_at_ms", item.created_at_ms}};
  if (item.held.minor != 0) out["held"] = base::money_out(item.held);
  if (!item.owner.empty()) {
    out["owner"] = item.owner.text;
    out["claimed_at_ms"] = item.claimed_at_ms;
  }
  if (!item.resolved_by.empty()) {
    out["resolved_by"] = item.resolved_by;
    out["resolution"] = item.resolution;
    out["resolved_at_ms"] = item.resolved_at_ms;
  }
  return out;
}

Json job_json(const jobs::JobView& job) {
  return {{"job_id", job.job_id},
          {"kind", job.kind},
          {"subject", job.subject},
          {"state", job.state},
          {"priority", job.priority},
          {"attempts", job.attempts},
          {"run_at_ms", job.run_at_ms},
          {"created_at_ms", job.created_at_ms},
          {"last_tried_at_ms", job.last_tried_at_ms},
          {"last_failure", job.last_failure},
          {"trace_id", job.trace_id}};
}

}  // namespace topup::http::wire
