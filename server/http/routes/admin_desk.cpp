// What one order offers to whoever looks at it, how orders move, and the figures of the day.
#include "server/audit/audit_log.h"
#include "server/auth/rbac.h"
#include "server/auth/staff_store.h"
#include "server/http/routes/desk.h"
#include "server/ledger/browse_store.h"
#include "server/ledger/chart.h"
#include "server/ledger/day_results.h"
#include "server/orders/day_figures_store.h"
#include "server/suppliers/supplier_store.h"
#include "shared/order_state.h"
#include "shared/time_point.h"

namespace topup::http::routes {
namespace {

using base::Json;
using base::money_out;

constexpr std::int64_t kDaysShown = 30;

// ---- how orders move, from the core's own table

Json order_table() {
  Json states = Json::array();
  for (std::size_t i = 0; i < kStateCount; ++i) {
    const State state = static_cast<State>(i);
    Json row = {{"state", to_word(state)},
                {"word", to_word(buyer_word(state))},
                {"final", is_final(state)}};
    if (const auto timeout = timeout_of(state))
      row["timeout"] = {{"event", to_word(timeout->event)}, {"after_ms", timeout->after_ms}};
    states.push_back(std::move(row));
  }
  Json steps = Json::array();
  for (const Step& step : kSteps) {
    if (step.from == step.to) continue;  // heard beside the way
    steps.push_back(
        {{"from", to_word(step.from)}, {"event", to_word(step.on)}, {"to", to_word(step.to)}});
  }
  return {{"states", std::move(states)}, {"steps", std::move(steps)}};
}

// ---- what may be done with one order

bool may_be_asked_about(State state) {
  switch (state) {
    case State::paying:
    case State::submitting:
    case State::recharging:
    case State::unknown:
    case State::refunding:
      return true;
    default:
      return false;
  }
}

Json refund_deed(const DeskParts& desk, storage::Reader& reader, const StaffId& staff,
                 const OrderId& id) {
  const auto terms = desk.refunds.terms(reader, staff, id);
  if (!terms || terms->left.minor <= 0) return nullptr;
  const bool needs_second = terms->second != admin::RefundDesk::Second::none;
  Json deed = {{"deed", "refund"},
               {"needs_reason", true},
               {"needs_second", needs_second},
               {"amount", money_out(terms->left)},
               {"paid", money_out(terms->paid)},
               {"may_part", terms->may_part},
               {"second_why", admin::to_word(terms->second)},
               {"second_above", money_out(terms->limit)}};
  if (needs_second)
    deed["seconds"] =
        people_json(reader, desk.approvals.seconds(reader, admin::kRefundOrder, staff));
  return deed;
}

Json deeds_of(const DeskParts& desk, storage::Reader& reader, const StaffId& staff,
              const orders::Order& order) {
  Json deeds = Json::array();
  if (may_be_asked_about(order.state) && may_staff(reader, staff, "orders.act"))
    deeds.push_back({{"deed", "query"}, {"needs_reason", false}, {"needs_second", false}});
  const bool is_in_review = order.state == State::awaiting_approval || order.state == State::review;
  if (is_in_review && may_staff(reader, staff, "orders.review"))
    deeds.push_back({{"deed", "review"}, {"needs_reason", true}, {"needs_second", false}});
  add_supply_deeds(desk, reader, staff, order, deeds);
  if (may_staff(reader, staff, "refund.request")) {
    Json deed = refund_deed(desk, reader, staff, order.id);
    if (!deed.is_null()) deeds.push_back(std::move(deed));
  }
  if (may_staff(reader, staff, "orders.act"))
    deeds.push_back({{"deed", "note"}, {"needs_reason", true}, {"needs_second", false}});
  return deeds;
}

Result<Response> show_deeds(const DeskParts& desk, const Request& request) {
  const OrderId id(std::string(request.capture("order_id")));
  Json deeds;
  desk.env.db.read([&](storage::Reader& reader) {
    const auto order = orders::order_store::find(reader, id);
    deeds = order ? deeds_of(desk, reader, request.staff, *order) : Json(nullptr);
  });
  if (deeds.is_null()) return refuse(Code::not_found, "order_not_found", "order_id");
  return Response::json({{"order_id", id.text}, {"deeds", std::move(deeds)}});
}

// ---- asking whoever knows, now

std::vector<std::string> ask_parties(const DeskParts& desk, const orders::Order& order) {
  std::vector<std::string> asked;
  if (order.state == State::paying) {
    if (desk.payments.confirm(order.user, order.id)) asked.emplace_back("payment");
    return asked;
  }
  std::vector<suppliers::SupplyAttempt> attempts;
  std::vector<payments::Refund> refunds;
  desk.env.db.read([&](storage::Reader& reader) {
    attempts = suppliers::supplier_store::attempts_of(reader, order.id);
    refunds = payments::payment_store::refunds_of(reader, order.id);
  });
  if (order.state == State::refunding) {
    for (const payments::Refund& refund : refunds) {
      const bool is_open = refund.state == payments::refund_state::kRequested ||
                           refund.state == payments::refund_state::kProcessing;
      if (is_open && desk.refund_flow.ask(refund.out_refund_no)) asked.emplace_back("refund");
    }
    return asked;
  }
  if (!attempts.empty() && desk.supply.on_hint(attempts.back().id)) asked.emplace_back("supplier");
  return asked;
}

// Nothing is asked that the flows do not ask by themselves: it is only brought forward.
Result<Response> ask_now(const DeskParts& desk, const Request& request) {
  const OrderId id(std::string(request.capture("order_id")));
  std::optional<orders::Order> order;
  desk.env.db.read([&](storage::Reader& reader) { order = orders::order_store::find(reader, id); });
  if (!order) return refuse(Code::not_found, "order_not_found", "order_id");
  if (!may_be_asked_about(order->state))
    return refuse(Code::conflict, "nothing_to_ask", "order_id");
  desk.env.db.write([&](storage::Tx& tx) {
    audit::append(
        tx,
        {"staff:" + request.staff.text, "order.asked", id.text, std::string(to_word(order->state))},
        request.trace, desk.env.clock.wall_ms());
    return true;
  });
  const std::vector<std::string> asked = ask_parties(desk, *order);
  std::string_view state = to_word(order->state);
  desk.env.db.read([&](storage::Reader& reader) {
    if (const auto now = orders::order_store::find(reader, id)) state = to_word(now->state);
  });
  return Response::json({{"order_id", id.text}, {"asked", asked}, {"state", state}});
}

// ---- figures

struct Sums {
  std::int64_t orders = 0, succeeded = 0, failed = 0, sales_minor = 0;
};

void add_to(Sums& sums, const orders::day_figures_store::HourFigure& figure) {
  sums.orders += figure.orders;
  const auto state = parse_state(figure.state);
  if (!state) return;
  if (*state == State::succeeded) {
    sums.succeeded += figure.orders;
    sums.sales_minor += figure.payable_minor;
  }
  // Never paid is nobody's failure.
  if (*state == State::refunding || *state == State::refunded || *state == State::reversed)
    sums.failed += figure.orders;
}

Json sums_json(const Sums& sums) {
  return {{"orders", sums.orders},
          {"succeeded", sums.succeeded},
          {"failed", sums.failed},
          {"sales", money_out(fen(sums.sales_minor))}};
}

// A day without its profit has costs in a currency that the price book cannot exchange.
Json day_json(const ledger::DayResult& day) {
  Json out = {{"day", day.day}, {"sales", money_out(day.sales)}, {"converted", day.is_converted}};
  const auto profit = subtract(day.sales, day.cost);
  if (!day.is_whole || !profit) return out;
  out["cost"] = money_out(day.cost);
  out["profit"] = money_out(*profit);
  return out;
}

std::vector<topup::Rate> rates_now(const catalog::Catalog& catalog) {
  const auto current = catalog.current();
  return current ? (*current)->book.rates : std::vector<topup::Rate>();
}

// Sales by hour are of today's orders; profit is what the books say of the day, as far as the
// finance view has come, costs in another currency at the price book's rate of now.
Result<Response> figures(const DeskParts& desk) {
  const std::int64_t now = desk.env.clock.wall_ms();
  const std::int64_t today = start_of_day_ms(now, kShanghaiOffsetMs);
  std::vector<orders::day_figures_store::HourFigure> counted;
  std::vector<ledger::browse_store::Earned> earned;
  Money suspense = fen(0);
  desk.env.db.read([&](storage::Reader& reader) {
    counted = orders::day_figures_store::hours_of(reader, today);
    earned = ledger::browse_store::earned_since(
        reader, day_text(today - (kDaysShown - 1) * kDayMs, kShanghaiOffsetMs));
    suspense = ledger::balance_of(reader, ledger::account::kSuspense, Currency::cny);
  });
  std::vector<Sums> hours(24);
  Sums day;
  for (const auto& figure : counted) {
    if (figure.hour < 0 || figure.hour > 23) continue;
    add_to(hours[static_cast<std::size_t>(figure.hour)], figure);
    add_to(day, figure);
  }
  Json by_hour = Json::array();
  for (const Sums& sums : hours) by_hour.push_back(sums_json(sums));
  Json out = {{"day", day_text(now, kShanghaiOffsetMs)},
              {"now_hour", (now - today) / 3'600'000},
              {"today", sums_json(day)},
              {"hours", std::move(by_hour)},
              {"days", Json::array()},
              {"suspense", money_out({-suspense.minor, suspense.currency})}};
  for (const ledger::DayResult& one :
       ledger::results_of(earned, rates_now(desk.env.catalog), Currency::cny)) {
    out["days"].push_back(day_json(one));
  }
  return Response::json(out);
}

}  // namespace

std::string staff_name(storage::Reader& reader, const StaffId& id) {
  const auto staff = auth::staff_store::find(reader, id);
  return staff ? staff->name : id.text;
}

Json people_json(storage::Reader& reader, const std::vector<StaffId>& ids) {
  Json out = Json::array();
  for (const StaffId& id : ids)
    out.push_back({{"staff_id", id.text}, {"name", staff_name(reader, id)}});
  return out;
}

bool may_staff(storage::Reader& reader, const StaffId& id, std::string_view permission) {
  return auth::may(auth::staff_store::roles_of(reader, id), permission);
}

void mount_admin_desk(Router& router, const DeskParts& desk) {
  router.add({"GET", "/api/admin/order-table", Auth::staff, "orders.read", Pool::compute, 0, false,
              Rate::read, Audited::no, Level::maintenance,
              [](const Request&) -> Result<Response> { return Response::json(order_table()); }});
  router.add({"GET", "/api/admin/orders/{order_id}/deeds", Auth::staff, "orders.read",
              Pool::compute, 0, false, Rate::read, Audited::no, Level::maintenance,
              [desk](const Request& request) { return show_deeds(desk, request); }});
  router.add({"POST", "/api/admin/orders/{order_id}/query", Auth::staff, "orders.act",
              Pool::outside, 0, false, Rate::costly, Audited::yes, Level::maintenance,
              [desk](const Request& request) { return ask_now(desk, request); }});
  router.add({"GET", "/api/admin/figures", Auth::staff, "overview.read", Pool::compute, 0, false,
              Rate::read, Audited::no, Level::maintenance,
              [desk](const Request&) { return figures(desk); }});
}

}  // namespace topup::http::routes
