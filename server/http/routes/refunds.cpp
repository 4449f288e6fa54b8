// What a buyer sees of refunds, and the wish for one.
#include "server/http/routes/mounts.h"
#include "server/orders/refund_deeds.h"
#include "server/orders/work_item_store.h"

namespace topup::http::routes {
namespace {

using base::Json;
namespace refund_state = payments::refund_state;

constexpr std::size_t kMaxBody = 1'024;
constexpr std::size_t kMaxWish = 200;

// A buyer knows two states: on its way, and there.
Json refunds_json(storage::Reader& reader, const OrderId& id) {
  Json out = Json::array();
  for (const payments::Refund& refund : payments::payment_store::refunds_of(reader, id)) {
    if (refund.state == refund_state::kReissued) continue;
    const bool is_there =
        refund.state == refund_state::kSucceeded || refund.state == refund_state::kPaidByHand;
    out.push_back({{"amount", base::money_out(refund.amount)},
                   {"state", is_there ? "succeeded" : "processing"},
                   {"created_at_ms", refund.created_at_ms},
                   {"updated_at_ms", refund.updated_at_ms}});
  }
  return out;
}

// The last of the buyer's wishes that staff have answered.
void add_answer(Json& out, const std::vector<orders::RefundWish>& wishes) {
  for (auto wish = wishes.rbegin(); wish != wishes.rend(); ++wish) {
    if (wish->decision.empty()) continue;
    out["answer"] = {{"decision", wish->decision},
                     {"reason", wish->reason},
                     {"words", wish->words},
                     {"at_ms", wish->answered_at_ms}};
    return;
  }
}

Result<Response> show(const orders::OrderEnv& env, const UserId& user, const OrderId& id) {
  Json out;
  bool is_own = false;
  env.db.read([&](storage::Reader& reader) {
    const auto order = orders::order_store::find(reader, id);
    is_own = order && order->user == user;
    if (!is_own) return;
    const auto waiting =
        orders::work_item_store::find_open(reader, to_word(Event::refund_requested), id.text);
    const auto wishes = orders::refund_wish_store::of_order(reader, id);
    const std::int64_t left = orders::kMaxRefundWishes - static_cast<std::int64_t>(wishes.size());
    const bool at_once = orders::may_take_back(reader, *order);
    out = {{"order_id", id.text},
           {"requested", waiting.has_value()},
           {"allowed", at_once || (!waiting && left > 0 && orders::may_ask_for_refund(*order))},
           {"at_once", at_once},
           {"wishes_left", left},
           {"refunds", refunds_json(reader, id)}};
    if (waiting)
      out["answer_by_ms"] = waiting->created_at_ms + env.limits().refund_answer_within_ms;
    add_answer(out, wishes);
  });
  if (!is_own) return refuse(Code::not_found, "order_not_found", "order_id");
  return Response::json(out);
}

Result<Response> request_refund(const orders::OrderEnv& env, const Request& request) {
  const auto body = base::json_in(request.body);
  if (!body) return tl::unexpected<Error>(body.error());
  if (const auto only = base::only_fields(*body, {"reason", "at_once"}); !only)
    return tl::unexpected<Error>(only.error());
  const auto reason = base::text_in(*body, "reason", kMaxWish);
  if (!reason) return tl::unexpected<Error>(reason.error());
  if (reason->find_first_not_of(" \t\r\n") == std::string::npos)
    return refuse(Code::invalid_argument, "reason_missing", "reason");
  Result<bool> at_once = false;
  if (body->contains("at_once")) at_once = base::bool_in(*body, "at_once");
  if (!at_once) return tl::unexpected<Error>(at_once.error());
  const OrderId id(std::string(request.capture("order_id")));
  const auto asked = storage::with_tx(env.db, [&](storage::Tx& tx) {
    return orders::ask_for_refund(env, tx, request.user, id, *reason, *at_once);
  });
  if (!asked) return tl::unexpected<Error>(asked.error());
  return show(env, request.user, id);
}

}  // namespace

void mount_refunds(Router& router, const orders::OrderEnv& env) {
  router.add({"GET", "/api/v1/orders/{order_id}/refund-requests", Auth::buyer, "", Pool::compute, 0,
              false, Rate::read, Audited::no, Level::maintenance, [&env](const Request& request) {
                return show(env, request.user, OrderId(std::string(request.capture("order_id"))));
              }});
  router.add({"POST", "/api/v1/orders/{order_id}/refund-requests", Auth::buyer, "", Pool::store,
              kMaxBody, false, Rate::write, Audited::yes, Level::maintenance,
              [&env](const Request& request) { return request_refund(env, request); }});
}

}  // namespace topup::http::routes
