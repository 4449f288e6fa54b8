// What a person does about an order that is stuck, see orders/supply_deeds.h: another supplier,
// taking over, marking its outcome (by two), messages once more, and taking its work items.
#include "server/audit/audit_log.h"
#include "server/http/routes/desk.h"
#include "server/orders/supply_deeds.h"

namespace topup::http::routes {
namespace {

using base::Json;
using base::money_out;
using topup::Action;

constexpr std::size_t kMaxBody = 2'048;
constexpr std::size_t kMaxEvidence = 400;  // bytes
constexpr std::size_t kMaxSupplier = 64;
constexpr std::string_view kSupplyPermission = "orders.supply";

std::string actor_of(const Request& request) { return "staff:" + request.staff.text; }
OrderId order_in(const Request& request) {
  return OrderId(std::string(request.capture("order_id")));
}

Result<std::string> words_in(const Json& body, const char* key, std::size_t most) {
  auto text = base::text_in(body, key, most);
  if (text && text->find_first_not_of(" \t\r\n") == std::string::npos)
    return refuse(Code::invalid_argument, "reason_missing", key);
  return text;
}

// A body of exactly these texts, each with something in it; "reason" is one of them.
Result<Json> body_of(const Request& request, std::initializer_list<std::string_view> fields) {
  auto body = base::json_in(request.body);
  if (!body) return body;
  if (const auto only = base::only_fields(*body, fields); !only)
    return tl::unexpected<Error>(only.error());
  const auto reason = words_in(*body, "reason", admin::kMaxReason);
  if (!reason) return tl::unexpected<Error>(reason.error());
  return body;
}

std::string text_at(const Json& body, const char* key) { return body.at(key).get<std::string>(); }

// Runs the deed in one transaction and answers with the state that the order has then.
template <class Deed>
Result<Response> done(const DeskParts& desk, const OrderId& id, const Deed& deed) {
  return storage::with_tx(desk.env.db, [&](storage::Tx& tx) -> Result<Response> {
    const auto result = deed(tx);
    if (!result) return tl::unexpected<Error>(result.error());
    const auto order = orders::order_store::find(tx, id);
    return Response::json({{"order_id", id.text}, {"state", to_word(order->state)}});
  });
}

Result<Response> switch_supplier(const DeskParts& desk, const Request& request) {
  const auto body = body_of(request, {"supplier", "reason"});
  if (!body) return tl::unexpected<Error>(body.error());
  const auto supplier = base::text_in(*body, "supplier", kMaxSupplier);
  if (!supplier) return tl::unexpected<Error>(supplier.error());
  const orders::Said said{order_in(request), actor_of(request), text_at(*body, "reason")};
  return done(desk, said.order, [&](storage::Tx& tx) {
    return orders::switch_supplier(desk.env, tx, said, *supplier);
  });
}

Result<Response> hand_over(const DeskParts& desk, const Request& request) {
  const auto body = body_of(request, {"reason"});
  if (!body) return tl::unexpected<Error>(body.error());
  const orders::Said said{order_in(request), actor_of(request), text_at(*body, "reason")};
  return done(desk, said.order,
              [&](storage::Tx& tx) { return orders::hand_over(desk.env, tx, said); });
}

// ---- an outcome, marked by two

Action deed_of(std::string_view outcome) {
  return outcome == "delivered" ? Action::mark_delivered : Action::mark_failed;
}

Result<Response> ask_to_mark(const DeskParts& desk, const Request& request) {
  const auto body = body_of(request, {"outcome", "evidence", "reason"});
  if (!body) return tl::unexpected<Error>(body.error());
  const auto outcome = base::text_in(*body, "outcome", 16);
  if (!outcome) return tl::unexpected<Error>(outcome.error());
  if (*outcome != "delivered" && *outcome != "failed")
    return refuse(Code::invalid_argument, "out_of_range", "outcome", "delivered or failed");
  const auto evidence = words_in(*body, "evidence", kMaxEvidence);
  if (!evidence) return tl::unexpected<Error>(evidence.error());
  const auto staff = desk.sessions.who(request.session_id);
  if (!staff) return tl::unexpected<Error>(staff.error());
  const OrderId id = order_in(request);
  return storage::with_tx(desk.env.db, [&](storage::Tx& tx) -> Result<Response> {
    const auto order = orders::may_mark(tx, id, deed_of(*outcome));
    if (!order) return tl::unexpected<Error>(order.error());
    const auto asked = desk.approvals.request(tx, kOutcomeMark, id.text,
                                              {{"amount", money_out(order->payable)},
                                               {"evidence", *evidence},
                                               {"outcome", *outcome},
                                               {"reason", text_at(*body, "reason")},
                                               {"seq", order->event_seq}},
                                              {staff->id, staff->session_id, request.trace});
    if (!asked) return tl::unexpected<Error>(asked.error());
    return Response::json({{"state", "waiting_for_second_person"},
                           {"approval_id", asked->id},
                           {"expires_at_ms", asked->expires_at_ms}},
                          202);
  });
}

// Whatever the order has heard since the first person looked makes it another deed.
Result<bool> mark_by_two(const DeskParts& desk, storage::Tx& tx, const admin::Approval& approval,
                         const admin::Person& second) {
  const Json body = Json::parse(approval.body);
  const OrderId id(approval.subject);
  const Action deed = deed_of(text_at(body, "outcome"));
  const auto order = orders::may_mark(tx, id, deed);
  if (!order) return tl::unexpected<Error>(order.error());
  const auto seq = base::integer_in(body, "seq", 0, kMaxMinor);
  if (!seq || order->event_seq != *seq) return refuse(Code::conflict, "approval_stale");
  const std::string by = "staff:" + approval.requested_by.text;
  audit::append(tx, {by, "order.outcome_marked", id.text, text_at(body, "evidence")}, second.trace,
                desk.env.clock.wall_ms());
  return orders::mark(desk.env, tx,
                      {id, by,
                       text_at(body, "reason") + " (approval " + approval.id +
                           ", agreed by staff:" + second.id.text + ")"},
                      deed);
}

// ---- messages and work items

Result<Response> resend(const DeskParts& desk, const Request& request) {
  const auto body = body_of(request, {"reason"});
  if (!body) return tl::unexpected<Error>(body.error());
  const OrderId id = order_in(request);
  return storage::with_tx(desk.env.db, [&](storage::Tx& tx) -> Result<Response> {
    const auto again = orders::resend(desk.env, tx, id);
    if (!again) return tl::unexpected<Error>(again.error());
    audit::append(tx,
                  {actor_of(request), "order.messages_resent", id.text,
                   std::to_string(*again) + ": " + text_at(*body, "reason")},
                  request.trace, desk.env.clock.wall_ms());
    return Response::json({{"order_id", id.text}, {"resent", *again}});
  });
}

Result<Response> claim(const DeskParts& desk, const Request& request) {
  const auto body = body_of(request, {"reason"});
  if (!body) return tl::unexpected<Error>(body.error());
  const OrderId id = order_in(request);
  return storage::with_tx(desk.env.db, [&](storage::Tx& tx) -> Result<Response> {
    const auto claimed = orders::claim_items(desk.env, tx, id, request.staff, request.trace);
    if (!claimed) return tl::unexpected<Error>(claimed.error());
    audit::append(tx,
                  {actor_of(request), "order.claimed", id.text,
                   std::to_string(*claimed) + ": " + text_at(*body, "reason")},
                  request.trace, desk.env.clock.wall_ms());
    return Response::json({{"order_id", id.text}, {"claimed", *claimed}});
  });
}

Json plain_deed(std::string_view deed) {
  return {{"deed", deed}, {"needs_reason", true}, {"needs_second", false}};
}

}  // namespace

void add_supply_deeds(const DeskParts& desk, storage::Reader& reader, const StaffId& staff,
                      const orders::Order& order, Json& deeds) {
  if (may_staff(reader, staff, kSupplyPermission)) {
    const auto takers = orders::takers_of(desk.env, reader, order);
    if (!takers.empty()) {
      Json deed = plain_deed("switch_supplier");
      deed["suppliers"] = Json::array();
      for (const orders::Taker& taker : takers) {
        Json row = {{"supplier", taker.supplier}};
        if (taker.cost.minor > 0) row["cost"] = money_out(taker.cost);
        deed["suppliers"].push_back(std::move(row));
      }
      deeds.push_back(std::move(deed));
    }
    if (may(Actor::operator_, order.state, Action::hand_over))
      deeds.push_back(plain_deed("hand_over"));
    for (const Action action : {Action::mark_delivered, Action::mark_failed}) {
      if (!orders::may_mark(reader, order.id, action)) continue;
      deeds.push_back(
          {{"deed", to_word(action)},
           {"needs_reason", true},
           {"needs_evidence", true},
           {"needs_second", true},
           {"amount", money_out(order.payable)},
           {"seconds", people_json(reader, desk.approvals.seconds(reader, kOutcomeMark, staff))}});
    }
  }
  if (!may_staff(reader, staff, "orders.act")) return;
  if (orders::has_unclaimed(reader, order.id)) deeds.push_back(plain_deed("claim"));
  if (orders::has_failed_message(reader, order.id)) deeds.push_back(plain_deed("resend"));
}

void mount_admin_order_deeds(Router& router, const DeskParts& desk) {
  desk.approvals.add(
      {kOutcomeMark, kSupplyPermission, "refund.approve",
       [desk](storage::Tx& tx, const admin::Approval& approval, const admin::Person& second) {
         return mark_by_two(desk, tx, approval, second);
       }});
  const auto add = [&](std::string_view path, std::string_view permission,
                       Result<Response> (*deed)(const DeskParts&, const Request&)) {
    router.add({"POST", path, Auth::staff, permission, Pool::store, kMaxBody, false, Rate::write,
                Audited::yes, Level::maintenance,
                [desk, deed](const Request& request) { return deed(desk, request); }});
  };
  add("/api/admin/orders/{order_id}/switch-supplier", kSupplyPermission, switch_supplier);
  add("/api/admin/orders/{order_id}/hand-over", kSupplyPermission, hand_over);
  add("/api/admin/orders/{order_id}/mark", kSupplyPermission, ask_to_mark);
  add("/api/admin/orders/{order_id}/resend", "orders.act", resend);
  add("/api/admin/orders/{order_id}/claim", "orders.act", claim);
}

}  // namespace topup::http::routes
