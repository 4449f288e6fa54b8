// What waits for a person: list, take, give back, close.
#include "server/audit/audit_log.h"
#include "server/http/routes/desk.h"
#include "server/http/wire.h"
#include "server/orders/refund_deeds.h"
#include "server/orders/work_items.h"

namespace topup::http::routes {
namespace {

using base::Json;
using orders::WorkItem;
namespace store = orders::work_item_store;

constexpr std::size_t kMaxBody = 1'024;
constexpr std::size_t kPage = 50;
constexpr std::size_t kMostWords = 300;  // to a buyer

// The buttons of an item. A refund's are named by what stands behind the number, money in suspense
// by the ways out of it; everything else is closed with a reason.
Json actions_json(storage::Reader& reader, const WorkItem& item) {
  if (item.state != orders::work_item_state::kOpen) return Json::array();
  if (item.held.minor != 0) return {"suspense_to_payer", "suspense_to_account"};
  const auto refund = payments::payment_store::find_refund(reader, OutRefundNo(item.subject));
  const auto deeds = refund ? refund_actions(*refund) : std::vector<std::string>();
  if (deeds.empty()) return {"resolve"};
  return deeds;
}

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

Json item_json(storage::Reader& reader, const WorkItem& item) {
  Json out = wire::work_item_json(item);
  out["actions"] = actions_json(reader, item);
  return out;
}

Result<Response> list(storage::Db& db, const Request& request) {
  store::Filter filter;
  filter.state = request.query_value("state");
  if (!filter.state.empty() && filter.state != "open" && filter.state != "resolved")
    return refuse(Code::invalid_argument, "out_of_range", "state");
  filter.kind = request.query_value("kind");
  filter.owner = request.query_value("owner");
  if (filter.owner == "me") filter.owner = request.staff.text;
  const std::string cursor(request.query_value("cursor"));
  Json out;
  bool is_known = true;
  db.read([&](storage::Reader& reader) {
    std::optional<WorkItem> after;
    if (!cursor.empty()) after = store::find(reader, cursor);
    is_known = cursor.empty() || after.has_value();
    if (!is_known) return;
    auto items = store::list(reader, filter, after ? &*after : nullptr, kPage + 1);
    out = {{"work_items", Json::array()}};
    if (items.size() > kPage) {
      items.pop_back();
      out["next_cursor"] = items.back().id;
    }
    for (const WorkItem& item : items) out["work_items"].push_back(item_json(reader, item));
  });
  if (!is_known) return refuse(Code::invalid_argument, "cursor_invalid", "cursor");
  return Response::json(out);
}

template <class Deed>
Result<Response> change(const orders::OrderEnv& env, const Request& request, const Deed& deed) {
  const std::string id(request.capture("work_item_id"));
  const auto done = storage::with_tx(env.db, [&](storage::Tx& tx) -> Result<Json> {
    const auto item = store::find(tx, id);
    if (!item) return refuse(Code::not_found, "work_item_not_found", "work_item_id");
    if (item->state != orders::work_item_state::kOpen)
      return refuse(Code::conflict, "work_item_settled", "work_item_id");
    const Result<bool> changed = deed(tx, *item);
    if (!changed) return tl::unexpected<Error>(changed.error());
    return item_json(tx, *store::find(tx, id));
  });
  if (!done) return tl::unexpected<Error>(done.error());
  return Response::json(*done);
}

Result<Response> claim(const orders::OrderEnv& env, const Request& request) {
  return change(env, request, [&](storage::Tx& tx, const WorkItem& item) -> Result<bool> {
    const std::int64_t now = env.clock.wall_ms();
    if (!store::claim(tx, item.id, request.staff, now))
      return refuse(Code::conflict, "work_item_taken", "work_item_id");
    audit::append(tx, {"staff:" + request.staff.text, "work_item.claimed", item.id, item.kind},
                  request.trace, now);
    return true;
  });
}

Result<Response> give_back(const orders::OrderEnv& env, const Request& request) {
  return change(env, request, [&](storage::Tx& tx, const WorkItem& item) -> Result<bool> {
    if (!store::give_back(tx, item.id, request.staff))
      return refuse(Code::conflict, "work_item_taken", "work_item_id");
    audit::append(tx, {"staff:" + request.staff.text, "work_item.given_back", item.id, item.kind},
                  request.trace, env.clock.wall_ms());
    return true;
  });
}

Result<Response> resolve(const orders::OrderEnv& env, const Request& request) {
  const auto body = base::json_in(request.body);
  if (!body) return tl::unexpected<Error>(body.error());
  if (const auto only = base::only_fields(*body, {"reason", "answer"}); !only)
    return tl::unexpected<Error>(only.error());
  const auto said = refund_answer_in(*body, orders::wish_decision::kDeclined);
  if (!said) return tl::unexpected<Error>(said.error());
  const auto reason = base::text_in(*body, "reason", admin::kMaxReason);
  if (!reason) return tl::unexpected<Error>(reason.error());
  if (reason->find_first_not_of(" \t\r\n") == std::string::npos)
    return refuse(Code::invalid_argument, "reason_missing", "reason");
  return change(env, request, [&](storage::Tx& tx, const WorkItem& item) -> Result<bool> {
    const Json actions = actions_json(tx, item);
    // Money and refused refunds are not talked away: their own buttons close them.
    if (std::find(actions.begin(), actions.end(), "resolve") == actions.end())
      return refuse(Code::conflict, "work_item_needs_deed", "work_item_id");
    if (!item.owner.empty() && item.owner != request.staff)
      return refuse(Code::conflict, "work_item_taken", "work_item_id");
    const std::string actor = "staff:" + request.staff.text;
    if (item.kind == to_word(Event::refund_requested))
      return orders::decline_wish(env, tx, item.order, *said, actor, *reason);
    if (body->contains("answer")) return refuse(Code::invalid_argument, "unknown_field", "answer");
    return orders::close_work_item(env, tx, item.kind, item.subject, actor, *reason);
  });
}

}  // namespace

Result<orders::RefundAnswer> refund_answer_in(const Json& body, std::string_view decision) {
  const bool declines = decision == orders::wish_decision::kDeclined;
  orders::RefundAnswer said{
      decision, std::string(declines ? orders::kDeclineReasons[0] : orders::kApproveReasons[0]),
      ""};
  if (!body.contains("answer")) return said;
  const auto answer = base::object_in(body, "answer");
  if (!answer) return tl::unexpected<Error>(answer.error());
  if (const auto only = base::only_fields(**answer, {"reason", "words"}); !only)
    return tl::unexpected<Error>(only.error());
  auto reason = base::text_in(**answer, "reason", 64);
  if (!reason) return tl::unexpected<Error>(reason.error());
  const bool is_known = declines ? is_one_of(orders::kDeclineReasons, *reason)
                                 : is_one_of(orders::kApproveReasons, *reason);
  if (!is_known) return refuse(Code::invalid_argument, "out_of_range", "reason");
  said.reason = std::move(*reason);
  if ((*answer)->contains("words")) {
    auto words = base::text_in(**answer, "words", kMostWords);
    if (!words) return tl::unexpected<Error>(words.error());
    said.words = std::move(*words);
  }
  return said;
}

void mount_admin_work_items(Router& router, const orders::OrderEnv& env) {
  router.add({"GET", "/api/admin/work-items", Auth::staff, "orders.read", Pool::compute, 0, false,
              Rate::read, Audited::no, Level::maintenance,
              [&env](const Request& request) { return list(env.db, request); }});
  router.add({"POST", "/api/admin/work-items/{work_item_id}/claim", Auth::staff, "orders.act",
              Pool::store, 0, false, Rate::write, Audited::yes, Level::maintenance,
              [&env](const Request& request) { return claim(env, request); }});
  router.add({"POST", "/api/admin/work-items/{work_item_id}/release", Auth::staff, "orders.act",
              Pool::store, 0, false, Rate::write, Audited::yes, Level::maintenance,
              [&env](const Request& request) { return give_back(env, request); }});
  router.add({"POST", "/api/admin/work-items/{work_item_id}/resolve", Auth::staff, "orders.act",
              Pool::store, kMaxBody, false, Rate::write, Audited::yes, Level::maintenance,
              [&env](const Request& request) { return resolve(env, request); }});
}

}  // namespace topup::http::routes
