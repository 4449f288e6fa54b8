// What the console reads: orders with everything behind them, and the day's overview.
#include "server/audit/audit_log.h"
#include "server/base/party_gate.h"
#include "server/http/routes/exchanges.h"
#include "server/http/routes/mounts.h"
#include "server/http/wire.h"
#include "server/ledger/ledger_store.h"
#include "server/notify/message_store.h"
#include "server/orders/order_notes_store.h"
#include "server/payments/payment_store.h"
#include "server/suppliers/exchange_store.h"
#include "server/suppliers/pin_stock.h"
#include "server/suppliers/supplier_line_store.h"
#include "server/suppliers/supplier_store.h"
#include "shared/time_point.h"

namespace topup::http::routes {
namespace {

using base::Json;
using base::money_out;

Json payments_json(storage::Reader& reader, const OrderId& id) {
  Json out = Json::array();
  for (const payments::Attempt& attempt : payments::payment_store::attempts_of(reader, id)) {
    out.push_back({{"out_trade_no", attempt.out_trade_no.text},
                   {"channel", attempt.channel},
                   {"scene", attempt.scene},
                   {"state", attempt.state},
                   {"amount", money_out(attempt.amount)},
                   {"paid", money_out({attempt.paid_minor, attempt.amount.currency})},
                   {"refunded", money_out({attempt.refunded_minor, attempt.amount.currency})},
                   {"transaction_id", attempt.transaction_id},
                   {"created_at_ms", attempt.created_at_ms},
                   {"updated_at_ms", attempt.updated_at_ms}});
  }
  return out;
}

Json supplies_json(storage::Reader& reader, const OrderId& id) {
  Json out = Json::array();
  for (const suppliers::SupplyAttempt& attempt :
       suppliers::supplier_store::attempts_of(reader, id)) {
    Json row = {{"attempt_id", attempt.id.text},
                {"supplier", attempt.supplier},
                {"state", attempt.state},
                {"supplier_order_id", attempt.supplier_order_id},
                {"code", attempt.code},
                {"queries", attempt.queries},
                {"created_at_ms", attempt.created_at_ms},
                {"updated_at_ms", attempt.updated_at_ms}};
    if (attempt.cost) row["cost"] = money_out(*attempt.cost);
    if (attempt.most_cost.minor > 0) row["most_cost"] = money_out(attempt.most_cost);
    if (!attempt.sku.empty()) row["sku"] = attempt.sku;
    if (const auto choice = base::json_in(attempt.choice)) row["choice"] = *choice;
    out.push_back(std::move(row));
  }
  return out;
}

Json exchanges_json(storage::Reader& reader, const OrderId& id) {
  Json out = Json::array();
  for (const suppliers::Exchange& one : suppliers::exchange_store::of_order(reader, id))
    out.push_back(exchange_json(one));
  return out;
}

Json refunds_json(storage::Reader& reader, const OrderId& id) {
  Json out = Json::array();
  for (const payments::Refund& refund : payments::payment_store::refunds_of(reader, id)) {
    out.push_back({{"out_refund_no", refund.out_refund_no.text},
                   {"out_trade_no", refund.out_trade_no.text},
                   {"state", refund.state},
                   {"amount", money_out(refund.amount)},
                   {"reason", refund.reason},
                   {"code", refund.code},
                   {"asked_by", refund.asked_by},
                   {"replaces", refund.replaces},
                   {"created_at_ms", refund.created_at_ms},
                   {"updated_at_ms", refund.updated_at_ms}});
  }
  return out;
}

Json journals_json(storage::Reader& reader, const OrderId& id) {
  Json out = Json::array();
  for (const ledger::PostedJournal& journal : ledger::list_of(reader, id)) {
    Json postings = Json::array();
    for (const ledger::Posting& posting : journal.postings) {
      postings.push_back({{"account", posting.account}, {"amount", money_out(posting.amount)}});
    }
    out.push_back({{"journal_id", journal.journal_id},
                   {"template", journal.name},
                   {"at_ms", journal.at_ms},
                   {"postings", std::move(postings)}});
  }
  return out;
}

Json audit_json(storage::Reader& reader, const OrderId& id) {
  Json out = Json::array();
  for (const audit::Row& row : audit::list_of(reader, id.text)) {
    out.push_back({{"seq", row.seq},
                   {"actor", row.actor},
                   {"action", row.action},
                   {"subject", row.subject},
                   {"detail", row.detail},
                   {"at_ms", row.at_ms},
                   {"trace_id", row.trace_id},
                   {"hash", row.hash}});
  }
  return out;
}

Json work_items_json(const std::vector<orders::WorkItem>& items) {
  Json out = Json::array();
  for (const orders::WorkItem& item : items) out.push_back(wire::work_item_json(item));
  return out;
}

// Those of the order itself, its payments, refunds and attempts at a supplier: a job is known by
// its kind and subject.
Json jobs_json(storage::Reader& reader, const OrderId& id, const Json& shown) {
  std::vector<std::string> job_ids = {std::string(orders::job_kind::kExpire) + ":" + id.text,
                                      std::string(orders::job_kind::kSupplyWait) + ":" + id.text};
  const auto add = [&](std::string_view kind, const Json& subject) {
    job_ids.push_back(std::string(kind) + ":" + subject.get<std::string>());
  };
  for (const Json& row : shown["payments"])
    add(orders::job_kind::kPaymentQuery, row["out_trade_no"]);
  for (const Json& row : shown["refunds"]) add(orders::job_kind::kRefund, row["out_refund_no"]);
  for (const Json& row : shown["supplier_attempts"]) {
    add(orders::job_kind::kSubmit, row["attempt_id"]);
    add(orders::job_kind::kSupplierQuery, row["attempt_id"]);
  }
  Json out = Json::array();
  for (const std::string& job_id : job_ids) {
    if (const auto job = jobs::job_desk::find(reader, job_id)) out.push_back(wire::job_json(*job));
  }
  return out;
}

// The order's story as staff see it: who, from what to what, why and in which trace.
Json timeline_json(const std::vector<orders::OrderEvent>& events) {
  Json out = Json::array();
  for (const orders::OrderEvent& event : events) {
    out.push_back({{"seq", event.seq},
                   {"event", event.event},
                   {"from", event.from_state},
                   {"to", event.to_state},
                   {"actor", event.actor},
                   {"reason", event.reason},
                   {"trace_id", event.trace_id},
                   {"at_ms", event.at_ms}});
  }
  return out;
}

Json messages_json(storage::Reader& reader, const OrderId& id) {
  Json out = Json::array();
  for (const notify::Message& message : notify::message_store::of_order(reader, id)) {
    out.push_back({{"message_id", message.id},
                   {"topic", message.topic},
                   {"way", message.way},
                   {"state", message.state},
                   {"template_id", message.template_id},
                   {"party_id", message.party_id},
                   {"code", message.code},
                   {"tries", message.tries},
                   {"created_at_ms", message.created_at_ms},
                   {"updated_at_ms", message.updated_at_ms}});
  }
  return out;
}

// What the platform was told of the delivery.
Json shipping_json(storage::Reader& reader, const OrderId& id) {
  Json out = Json::array();
  for (const notify::ShippingReport& report : notify::message_store::reports_of(reader, id)) {
    out.push_back({{"out_trade_no", report.out_trade_no.text},
                   {"state", report.state},
                   {"code", report.code},
                   {"tries", report.tries},
                   {"updated_at_ms", report.updated_at_ms}});
  }
  return out;
}

Json notes_json(storage::Reader& reader, const privacy::Pii& pii, const OrderId& id) {
  Json out = Json::array();
  for (const orders::OrderNote& note : orders::order_notes::of_order(reader, pii, id)) {
    out.push_back({{"note_id", note.id},
                   {"staff_id", note.staff.text},
                   {"text", note.text},
                   {"at_ms", note.at_ms}});
  }
  return out;
}

Result<Response> show(storage::Db& db, const base::Clock& clock, const privacy::Pii& pii,
                      const Request& request) {
  const OrderId id(std::string(request.capture("order_id")));
  const auto view = orders::load_view(db, id);
  if (!view) return refuse(Code::not_found, "order_not_found", "order_id");
  Json out = {{"order", wire::order_json(*view, clock.wall_ms())},
              {"timeline", timeline_json(view->events)}};
  db.read([&](storage::Reader& reader) {
    out["payments"] = payments_json(reader, id);
    out["supplier_attempts"] = supplies_json(reader, id);
    out["exchanges"] = exchanges_json(reader, id);
    out["refunds"] = refunds_json(reader, id);
    out["journals"] = journals_json(reader, id);
    out["work_items"] = work_items_json(orders::work_item_store::of_order(reader, id));
    out["audit"] = audit_json(reader, id);
    out["jobs"] = jobs_json(reader, id, out);
    out["messages"] = messages_json(reader, id);
    out["shipping"] = shipping_json(reader, id);
    out["notes"] = notes_json(reader, pii, id);
  });
  return Response::json(out);
}

// How each outside party fares, as its breaker sees it.
Json parties_json() {
  Json parties = Json::array();
  for (const base::OutboundHealth& seen : base::outbound_health()) {
    parties.push_back({{"name", seen.party},
                       {"breaker", base::word_of(seen.breaker)},
                       {"changed_at", seen.changed_wall_ms},
                       {"recent_calls", seen.recent_calls},
                       {"recent_errors", seen.recent_errors},
                       {"in_flight", seen.in_flight},
                       {"waiting", seen.waiting}});
  }
  return parties;
}

Json channels_json(const payments::ChannelHealth& health) {
  Json channels = Json::array();
  for (const payments::HealthReport& seen : health.all()) {
    channels.push_back({{"name", seen.channel},
                        {"health", payments::to_word(seen.health)},
                        {"why", seen.why},
                        {"since_ms", seen.since_wall_ms},
                        {"recent_calls", seen.calls},
                        {"recent_bad", seen.bad},
                        {"p95_ms", seen.p95_ms}});
  }
  return channels;
}

// Each supplier with the balance that was kept last, so that the first page waits for nobody; it is
// asked only while none was kept. Without one when it does not answer, and for the shop's own
// stock.
Json suppliers_json(storage::Db& db, const suppliers::Suppliers& suppliers) {
  std::vector<suppliers::SupplierLine> lines;
  db.read(
      [&lines](storage::Reader& reader) { lines = suppliers::supplier_line_store::all(reader); });
  Json out = Json::array();
  for (const auto& supplier : suppliers.all()) {
    Json row = {{"name", supplier->name()},
                {"keeps_balance", supplier->name() != suppliers::kStock},
                {"line", suppliers::to_word(suppliers::LineState::open)}};
    for (const suppliers::SupplierLine& line : lines) {
      if (line.line != supplier->name()) continue;
      row["line"] = suppliers::to_word(line.state);
      if (!line.balance) continue;
      row["balance"] = money_out(*line.balance);
      row["balance_at_ms"] = line.balance_at_ms;
      row["low"] = line.is_low;
    }
    if (row["keeps_balance"] == true && !row.contains("balance")) {
      if (const auto balance = supplier->balance()) row["balance"] = money_out(*balance);
    }
    out.push_back(std::move(row));
  }
  return out;
}

Result<Response> overview(storage::Db& db, const suppliers::Suppliers& suppliers,
                          const payments::ChannelHealth& channels, const base::Clock& clock) {
  const std::int64_t now = clock.wall_ms();
  const std::int64_t day_start = start_of_day_ms(now, kShanghaiOffsetMs);
  Json by_state = Json::object();
  Json trial = Json::array();
  Json items;
  bool chain_holds = false;
  orders::order_store::DayFigures figures;
  db.read([&](storage::Reader& reader) {
    figures = orders::order_store::figures_since(reader, day_start);
    for (const ledger::Balance& balance : ledger::trial_balance(reader)) {
      trial.push_back({{"account", balance.account}, {"balance", money_out(balance.amount)}});
    }
    items = work_items_json(orders::work_item_store::open_items(reader, 50));
    chain_holds = audit::tail_holds(reader);
  });
  for (const auto& [state, count] : figures.by_state) by_state[state] = count;
  return Response::json({{"day", day_text(now, kShanghaiOffsetMs)},
                         {"orders_by_state", by_state},
                         {"sales", money_out(fen(figures.sold_minor))},
                         {"trial_balance", trial},
                         {"work_items", items},
                         {"audit_ok", chain_holds},
                         {"suppliers", suppliers_json(db, suppliers)},
                         {"channels", channels_json(channels)},
                         {"parties", parties_json()}});
}

}  // namespace

void mount_admin_orders(Router& router, storage::Db& db, const suppliers::Suppliers& suppliers,
                        const payments::ChannelHealth& channels, const base::Clock& clock,
                        const privacy::Pii& pii) {
  router.add({"GET", "/api/admin/orders/{order_id}", Auth::staff, "orders.read", Pool::compute, 0,
              false, Rate::read, Audited::no, Level::maintenance,
              [&](const Request& request) { return show(db, clock, pii, request); }});
  router.add({"GET", "/api/admin/overview", Auth::staff, "overview.read", Pool::outside, 0, false,
              Rate::costly, Audited::no, Level::maintenance,
              [&](const Request&) { return overview(db, suppliers, channels, clock); }});
}

}  // namespace topup::http::routes
