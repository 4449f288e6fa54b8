#include "server/admin/refund_desk.h"

#include "server/auth/rbac.h"
#include "server/auth/staff_store.h"
#include "server/base/log.h"
#include "shared/check.h"
#include "shared/order_actions.h"

namespace topup::admin {
namespace {

using base::Json;
using Waiting = Result<std::optional<Approval>>;

std::string actor_of(const StaffId& id) { return "staff:" + id.text; }
// Who asked and who agreed, where the deed writes its reason.
std::string with_approval(const std::string& reason, const Approval& approval,
                          const Person& second) {
  return reason + " (approval " + approval.id + ", agreed by staff:" + second.id.text + ")";
}

std::string_view text_at(const Json& body, const char* key) {
  return body.at(key).get_ref<const std::string&>();
}
Money amount_at(const Json& body) {
  const auto amount = base::money_in(body, "amount");
  check(amount.has_value(), "an approved deed holds what was asked for");
  return *amount;
}

// Support may ask for a refund; to order one is for those whom the order's table names.
bool may_order(storage::Reader& reader, const StaffId& id) {
  const auto staff = auth::staff_store::find(reader, id);
  if (!staff) return false;
  for (const std::string& role : staff->roles) {
    const auto actor = parse_actor(role);
    if (actor && (rule_of(topup::Action::refund_full).actors & action_table::by(*actor)) != 0)
      return true;
  }
  return false;
}

template <class Deed>
Waiting done(const Deed& deed) {
  const Result<bool> result = deed;
  if (!result) return tl::unexpected<Error>(result.error());
  return std::optional<Approval>();
}

}  // namespace

RefundDesk::RefundDesk(const orders::OrderEnv& env, ApprovalService& approvals,
                       std::function<std::int64_t()> second_above_minor)
    : env_(env), approvals_(approvals), second_above_minor_(std::move(second_above_minor)) {
  approvals.add({kRefundOrder, "refund.request", "refund.approve",
                 [this](storage::Tx& tx, const Approval& approval, const Person& second) {
                   return apply_order(tx, approval, second);
                 }});
  approvals.add({kRefundReissue, "refund.request", "refund.approve",
                 [this](storage::Tx& tx, const Approval& approval, const Person& second) {
                   const Json body = Json::parse(approval.body);
                   return orders::reissue_refund(
                       env_, tx, OutRefundNo(approval.subject), actor_of(approval.requested_by),
                       with_approval(std::string(text_at(body, "reason")), approval, second));
                 }});
  approvals.add({kRefundByHand, "refund.request", "refund.approve",
                 [this](storage::Tx& tx, const Approval& approval, const Person& second) {
                   const Json body = Json::parse(approval.body);
                   return orders::refund_by_hand(
                       env_, tx, OutRefundNo(approval.subject), actor_of(approval.requested_by),
                       with_approval(std::string(text_at(body, "proof")), approval, second));
                 }});
}

// A delivery that came between asking and agreeing makes it another deed.
Result<bool> RefundDesk::apply_order(storage::Tx& tx, const Approval& approval,
                                     const Person& second) const {
  const Json body = Json::parse(approval.body);
  orders::RefundOrder wanted{OrderId(approval.subject), amount_at(body),
                             actor_of(approval.requested_by),
                             with_approval(std::string(text_at(body, "reason")), approval, second)};
  if (body.contains("answer")) {
    const Json& said = body.at("answer");
    wanted.answer = {orders::wish_decision::kApproved, std::string(text_at(said, "reason")),
                     std::string(text_at(said, "words"))};
  }
  const auto plan = orders::plan_refund(tx, wanted);
  if (!plan) return tl::unexpected<Error>(plan.error());
  if (plan->was_delivered != (body.at("was_delivered") == true))
    return refuse(Code::conflict, "approval_stale");
  return orders::order_refund(env_, tx, wanted);
}

bool RefundDesk::needs_second(storage::Reader& reader, const StaffId& asker, Money amount) const {
  return amount.currency != Currency::cny || amount.minor > second_above_minor_() ||
         !may_order(reader, asker);
}

Result<RefundDesk::Terms> RefundDesk::terms(storage::Reader& reader, const StaffId& asker,
                                            const OrderId& id) const {
  const auto plan = orders::plan_refund(reader, {id, {}, actor_of(asker), ""});
  if (!plan) return tl::unexpected<Error>(plan.error());
  const auto payment = orders::refundable_of(reader, id);
  check(payment.has_value(), "what may be refunded was paid");
  Terms terms;
  terms.left = plan->amount;
  terms.paid = payment->paid;
  terms.may_part = next(plan->order.state, Event::partial_refund_ordered).has_value();
  terms.limit = {second_above_minor_(), Currency::cny};
  if (plan->was_delivered) {
    terms.second = Second::delivered;
  } else if (!may_order(reader, asker)) {
    terms.second = Second::asker;
  } else if (needs_second(reader, asker, plan->amount)) {
    terms.second = Second::above_limit;
  }
  return terms;
}

Waiting RefundDesk::order(const Person& asker, const OrderId& id, std::optional<Money> amount,
                          const std::string& reason,
                          const std::optional<orders::RefundAnswer>& said) {
  return storage::with_tx(env_.db, [&](storage::Tx& tx) -> Waiting {
    const orders::RefundOrder wanted{id, amount, actor_of(asker.id), reason, said};
    const auto plan = orders::plan_refund(tx, wanted);
    if (!plan) return tl::unexpected<Error>(plan.error());
    if (!plan->was_delivered && !needs_second(tx, asker.id, plan->amount))
      return done(orders::order_refund(env_, tx, wanted));
    Json deed = {{"amount", base::money_out(plan->amount)},
                 {"reason", reason},
                 {"was_delivered", plan->was_delivered}};
    if (said) deed["answer"] = {{"reason", said->reason}, {"words", said->words}};
    auto approval = approvals_.request(tx, kRefundOrder, id.text, deed, asker);
    if (!approval) return tl::unexpected<Error>(approval.error());
    return std::optional<Approval>(std::move(*approval));
  });
}

Waiting RefundDesk::reissue(const Person& asker, const OutRefundNo& out_refund_no,
                            const std::string& reason) {
  return storage::with_tx(env_.db, [&](storage::Tx& tx) -> Waiting {
    const auto refused = orders::find_refused(tx, out_refund_no);
    if (!refused) return tl::unexpected<Error>(refused.error());
    const payments::Refund& refund = refused->refund;
    if (payments::is_reserved(refund))
      return refuse(Code::conflict, "refund_not_closed", "out_refund_no");
    const bool was_delivered = refused->order.state == State::succeeded;
    if (!was_delivered && !needs_second(tx, asker.id, refund.amount)) {
      return done(orders::reissue_refund(env_, tx, out_refund_no, actor_of(asker.id), reason));
    }
    auto approval = approvals_.request(tx, kRefundReissue, out_refund_no.text,
                                       {{"amount", base::money_out(refund.amount)},
                                        {"order_id", refund.order.text},
                                        {"reason", reason}},
                                       asker);
    if (!approval) return tl::unexpected<Error>(approval.error());
    return std::optional<Approval>(std::move(*approval));
  });
}

Waiting RefundDesk::by_hand(const Person& asker, const OutRefundNo& out_refund_no,
                            const std::string& proof) {
  return storage::with_tx(env_.db, [&](storage::Tx& tx) -> Waiting {
    const auto refused = orders::find_refused(tx, out_refund_no);
    if (!refused) return tl::unexpected<Error>(refused.error());
    auto approval = approvals_.request(tx, kRefundByHand, out_refund_no.text,
                                       {{"amount", base::money_out(refused->refund.amount)},
                                        {"order_id", refused->refund.order.text},
                                        {"proof", proof}},
                                       asker);
    if (!approval) return tl::unexpected<Error>(approval.error());
    return std::optional<Approval>(std::move(*approval));
  });
}

std::string_view to_word(RefundDesk::Second second) {
  switch (second) {
    case RefundDesk::Second::delivered:
      return "delivered";
    case RefundDesk::Second::above_limit:
      return "above_limit";
    case RefundDesk::Second::asker:
      return "asker";
    case RefundDesk::Second::none:
      break;
  }
  return "none";
}

}  // namespace topup::admin
