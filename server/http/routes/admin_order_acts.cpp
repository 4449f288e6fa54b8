// What staff do about one order: deciding a review, and writing notes.
#include "server/audit/audit_log.h"
#include "server/http/routes/mounts.h"
#include "server/orders/order_notes_store.h"

namespace topup::http::routes {
namespace {

using base::Json;
using orders::ReviewDecision;

constexpr std::size_t kMaxActBody = 4'096;
constexpr std::string_view kReviewAction = "order.review";

struct Decision {
  ReviewDecision what = ReviewDecision::decline;
  std::string reason;
};

Result<Decision> read_decision(const Json& body) {
  const auto only = base::only_fields(body, {"decision", "reason"});
  if (!only) return tl::unexpected<Error>(only.error());
  const auto word = base::text_in(body, "decision", 16);
  if (!word) return tl::unexpected<Error>(word.error());
  if (*word != "approve" && *word != "decline")
    return refuse(Code::invalid_argument, "out_of_range", "decision", "approve or decline");
  const auto reason = base::text_in(body, "reason", orders::kMaxReviewReason);
  if (!reason) return tl::unexpected<Error>(reason.error());
  if (reason->empty()) return refuse(Code::invalid_argument, "missing_field", "reason");
  return Decision{*word == "approve" ? ReviewDecision::approve : ReviewDecision::decline, *reason};
}

Result<Response> decide(const OrderActs& acts, const Request& request) {
  const auto body = base::json_in(request.body);
  if (!body) return tl::unexpected<Error>(body.error());
  const auto decision = read_decision(*body);
  if (!decision) return tl::unexpected<Error>(decision.error());
  const auto staff = acts.staff.sessions.who(request.session_id);
  if (!staff) return tl::unexpected<Error>(staff.error());
  const OrderId id(std::string(request.capture("order_id")));
  return storage::with_tx(acts.env.db, [&](storage::Tx& tx) -> Result<Response> {
    const auto second = acts.reviews.wants_second(tx, id, decision->what);
    if (!second) return tl::unexpected<Error>(second.error());
    if (*second) {
      const auto asked = acts.staff.approvals.request(
          tx, kReviewAction, id.text, {{"decision", "approve"}, {"reason", decision->reason}},
          {staff->id, staff->session_id, request.trace});
      if (!asked) return tl::unexpected<Error>(asked.error());
      return Response::json({{"approval_id", asked->id}}, 202);
    }
    const auto state =
        acts.reviews.decide(tx, id, decision->what, "staff:" + staff->id.text, decision->reason);
    if (!state) return tl::unexpected<Error>(state.error());
    return Response::json({{"order_id", id.text}, {"state", to_word(*state)}});
  });
}

// The second person's consent does what the first one asked for, in the same transaction.
Result<bool> approve_by_two(const OrderActs& acts, storage::Tx& tx, const admin::Approval& approval,
                            const admin::Person& second) {
  const auto body = base::json_in(approval.body);
  if (!body) return tl::unexpected<Error>(body.error());
  const auto decision = read_decision(*body);
  if (!decision) return tl::unexpected<Error>(decision.error());
  const std::string actor = "staff:" + approval.requested_by.text + "+" + second.id.text;
  const auto state =
      acts.reviews.decide(tx, OrderId(approval.subject), decision->what, actor, decision->reason);
  if (!state) return tl::unexpected<Error>(state.error());
  return true;
}

Result<Response> add_note(const OrderActs& acts, const Request& request) {
  const auto body = base::json_in(request.body);
  if (!body) return tl::unexpected<Error>(body.error());
  const auto only = base::only_fields(*body, {"text"});
  if (!only) return tl::unexpected<Error>(only.error());
  const auto text = base::text_in(*body, "text", orders::kMaxNoteBytes);
  if (!text) return tl::unexpected<Error>(text.error());
  if (text->empty()) return refuse(Code::invalid_argument, "missing_field", "text");
  const std::int64_t now = acts.env.clock.wall_ms();
  const orders::OrderNote note{base::new_id(acts.env.random, now),
                               OrderId(std::string(request.capture("order_id"))), request.staff,
                               *text, now};
  return storage::with_tx(acts.env.db, [&](storage::Tx& tx) -> Result<Response> {
    if (!orders::order_store::find(tx, note.order))
      return refuse(Code::not_found, "order_not_found", "order_id");
    if (!orders::order_notes::insert(tx, acts.env.pii, note))
      return refuse(Code::rejected, "too_many_notes", "order_id");
    audit::append(tx, {"staff:" + note.staff.text, "order.note", note.order.text, note.id},
                  request.trace, now);
    return Response::json({{"note_id", note.id}, {"at_ms", now}}, 201);
  });
}

}  // namespace

void mount_admin_order_acts(Router& router, const OrderActs& acts) {
  acts.staff.approvals.add(
      {kReviewAction, "orders.review", "orders.review",
       [acts](storage::Tx& tx, const admin::Approval& approval, const admin::Person& second) {
         return approve_by_two(acts, tx, approval, second);
       }});
  router.add({"POST", "/api/admin/orders/{order_id}/review", Auth::staff, "orders.review",
              Pool::store, kMaxActBody, false, Rate::write, Audited::yes, Level::maintenance,
              [acts](const Request& request) { return decide(acts, request); }});
  router.add({"POST", "/api/admin/orders/{order_id}/notes", Auth::staff, "orders.act", Pool::store,
              kMaxActBody, false, Rate::write, Audited::yes, Level::maintenance,
              [acts](const Request& request) { return add_note(acts, request); }});
}

}  // namespace topup::http::routes
