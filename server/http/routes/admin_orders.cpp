// What the console reads: orders with everything behind them, and the day's overview.
#include "server/audit/audit_log.h"
#include "server/http/routes/mounts.h"
#include "server/http/wire.h"
#include "server/ledger/ledger_store.h"
#include "server/payments/payment_store.h"
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
    out.push_back(std::move(row));
  }
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

Result<Response> show(storage::Db& db, const base::Clock& clock, const Request& request) {
  const OrderId id(std::string(request.capture("order_id")));
  const auto view = orders::load_view(db, id);
  if (!view) return refuse(Code::not_found, "order_not_found", "order_id");
  Json out = {{"order", wire::order_json(*view, clock.wall_ms())}};
  db.read([&](storage::Reader& reader) {
    out["payments"] = payments_json(reader, id);
    out["supplier_attempts"] = supplies_json(reader, id);
    out["refunds"] = refunds_json(reader, id);
    out["journals"] = journals_json(reader, id);
    out["work_items"] = work_items_json(orders::work_item_store::of_order(reader, id));
    out["audit"] = audit_json(reader, id);
  });
  return Response::json(out);
}

Result<Response> list(storage::Db& db, const Request& request) {
  const std::string_view state = request.query_value("state");
  if (!state.empty() && !parse_state(state))
    return refuse(Code::invalid_argument, "out_of_range", "state");
  const OrderId cursor(std::string(request.query_value("cursor")));
  std::vector<orders::Order> found;
  db.read([&](storage::Reader& reader) {
    found = orders::order_store::list(reader, UserId(), state, cursor, orders::kPageSize + 1);
  });
  Json out = {{"orders", Json::array()}};
  if (found.size() > static_cast<std::size_t>(orders::kPageSize)) {
    found.pop_back();
    out["next_cursor"] = found.back().id.text;
  }
  for (const orders::Order& order : found) out["orders"].push_back(wire::order_row_json(order));
  return Response::json(out);
}

Result<Response> overview(storage::Db& db, const suppliers::Suppliers& suppliers,
                          const base::Clock& clock) {
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
  Json balances = Json::array();
  if (suppliers::Supplier* supplier = suppliers.find("reloadly")) {
    Json row = {{"name", supplier->name()}};  // without a balance when it does not answer
    if (const auto balance = supplier->balance()) row["balance"] = money_out(*balance);
    balances.push_back(std::move(row));
  }
  return Response::json({{"day", day_text(now, kShanghaiOffsetMs)},
                         {"orders_by_state", by_state},
                         {"sales", money_out(fen(figures.sold_minor))},
                         {"trial_balance", trial},
                         {"work_items", items},
                         {"audit_ok", chain_holds},
                         {"suppliers", balances}});
}

}  // namespace

void mount_admin_orders(Router& router, storage::Db& db, const suppliers::Suppliers& suppliers,
                        const base::Clock& clock) {
  router.add({"GET", "/api/admin/orders", Auth::staff, "orders.read", Pool::compute, 0, false,
              [&](const Request& request) { return list(db, request); }});
  router.add({"GET", "/api/admin/orders/{order_id}", Auth::staff, "orders.read", Pool::compute, 0,
              false, [&](const Request& request) { return show(db, clock, request); }});
  router.add({"GET", "/api/admin/overview", Auth::staff, "overview.read", Pool::outside, 0, false,
              [&](const Request&) { return overview(db, suppliers, clock); }});
}

}  // namespace topup::http::routes
