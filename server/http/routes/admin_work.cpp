// Everything that waits for a person, in one list: work items, orders whose outcome nobody knows,
// deeds that wait for a second person, jobs that were given up. Each row says how long it waits,
// what is at stake, who has it, and the one deed that is right now. Bounded: the oldest of each
// sort, and from there on page by page. Whoever may not see what others ask for sees what they
// have asked for themselves, and may withdraw it.
#include <algorithm>

#include "server/http/routes/desk.h"
#include "server/http/wire.h"
#include "server/jobs/job_desk.h"
#include "server/orders/work_items.h"
#include "server/reconcile/reconcile_store.h"

namespace topup::http::routes {
namespace {

using base::Json;
using base::money_out;
using orders::WorkItem;

constexpr std::int64_t kMostEach = 100;

class WorkQueue {
 public:
  WorkQueue(const DeskParts& desk, storage::Reader& reader, const Request& request)
      : desk_(desk),
        reader_(reader),
        staff_(request.staff),
        sort_(request.query_value("sort")),
        cursor_(request.query_value("cursor")) {}

  // One page of one sort, or the first of each.
  Result<Json> answer() {
    const bool is_known = sort_.empty() || sort_ == kItems || sort_ == kOrders ||
                          sort_ == kApprovals || sort_ == kJobs;
    if (!is_known) return refuse(Code::invalid_argument, "out_of_range", "sort");
    if (sort_.empty() && !cursor_.empty())
      return refuse(Code::invalid_argument, "cursor_invalid", "cursor");
    if (wants(kItems) && !add_items())
      return refuse(Code::invalid_argument, "cursor_invalid", "cursor");
    if (wants(kOrders)) add_unknown();
    if (wants(kApprovals)) add_approvals();
    if (wants(kJobs) && may("jobs.read") && !add_jobs())
      return refuse(Code::invalid_argument, "cursor_invalid", "cursor");
    std::stable_sort(rows_.begin(), rows_.end(), [](const Row& one, const Row& other) {
      const bool first = one.shown.contains("urgent"), then = other.shown.contains("urgent");
      return first != then ? first : one.since_ms < other.since_ms;
    });
    Json work = Json::array();
    for (Row& row : rows_) work.push_back(std::move(row.shown));
    return Json{{"work", std::move(work)},
                {"me", staff_.text},
                {"next", next_},
                {"now_ms", desk_.env.clock.wall_ms()}};
  }

 private:
  static constexpr std::string_view kItems = "work_item";
  static constexpr std::string_view kOrders = "order";
  static constexpr std::string_view kApprovals = "approval";
  static constexpr std::string_view kJobs = "job";
  struct Row {
    std::int64_t since_ms = 0;
    Json shown;
  };
  void add(std::int64_t since_ms, Json row) {
    row["since_ms"] = since_ms;
    rows_.push_back({since_ms, std::move(row)});
  }
  bool may(std::string_view permission) const { return may_staff(reader_, staff_, permission); }

  bool wants(std::string_view sort) const { return sort_.empty() || sort_ == sort; }

  // Takes the row beyond the bound off, and says where the sort goes on.
  template <class Rows, class Place>
  void bound(Rows& rows, std::string_view sort, const Place& place) {
    if (rows.size() <= static_cast<std::size_t>(kMostEach)) return;
    rows.resize(static_cast<std::size_t>(kMostEach));
    next_[std::string(sort)] = place(rows.back());
  }

  // Whose order it is, what it is of and how it stands; nothing when there is none.
  std::optional<orders::Order> add_order(Json& row, const OrderId& id) {
    if (id.empty()) return std::nullopt;
    auto order = orders::order_store::find(reader_, id);
    if (!order) return std::nullopt;
    row["order_id"] = id.text;
    row["order_state"] = to_word(order->state);
    row["account_masked"] = order->account_masked;
    if (!row.contains("at_stake")) row["at_stake"] = money_out(order->payable);
    return order;
  }

  bool add_items() {
    std::optional<WorkItem> after;
    if (!cursor_.empty()) after = orders::work_item_store::find(reader_, cursor_);
    if (!cursor_.empty() && !after) return false;
    auto items =
        orders::work_item_store::list(reader_, {}, after ? &*after : nullptr, kMostEach + 1);
    bound(items, kItems, [](const WorkItem& item) { return item.id; });
    for (const WorkItem& item : items) add(item.created_at_ms, item_row(item));
    return true;
  }

  Json item_row(const WorkItem& item) {
    Json row = {{"key", "work_item:" + item.id},
                {"sort", "work_item"},
                {"id", item.id},
                {"kind", item.kind},
                {"subject", item.subject},
                {"why", item.detail},
                {"times", item.times}};
    if (!item.owner.empty()) {
      row["owner"] = item.owner.text;
      row["owner_name"] = staff_name(reader_, item.owner);
    }
    if (orders::is_urgent(desk_.env, item)) row["urgent"] = true;
    if (item.held.minor != 0) row["at_stake"] = money_out(item.held);
    const auto refund = payments::payment_store::find_refund(reader_, OutRefundNo(item.subject));
    if (refund) row["at_stake"] = money_out(refund->amount);
    const auto order = add_order(row, item.order);
    row["deeds"] = item_deeds(row, item, refund, order);
    return row;
  }

  // The right deed first.
  Json item_deeds(Json& row, const WorkItem& item, const std::optional<payments::Refund>& refund,
                  const std::optional<orders::Order>& order) {
    Json deeds = Json::array();
    const auto difference = reconcile::reconcile_store::find_difference(reader_, item.subject);
    if (item.kind == "reconciliation" && difference) {
      row["run_id"] = difference->run_id;
      deeds.push_back("open_difference");
      return deeds;
    }
    if (order && (order->state == State::awaiting_approval || order->state == State::review)) {
      deeds.push_back("open_order");
      return deeds;
    }
    if (refund) {
      row["out_refund_no"] = refund->out_refund_no.text;
      if (may("refund.request")) {
        for (const std::string& deed : refund_actions(*refund)) deeds.push_back(deed);
      } else {
        deeds.push_back("open_order");
      }
      if (refund->state == payments::refund_state::kRefused) return deeds;
    }
    if (item.held.minor != 0) {
      if (may("ledger.post")) deeds.push_back("suspense_to_payer");
      return deeds;
    }
    if (order && is_asked_about(order->state) && may("orders.act")) deeds.push_back("query");
    if (order && deeds.empty()) deeds.push_back("open_order");
    if (may("orders.act")) deeds.push_back("resolve");
    return deeds;
  }

  static bool is_asked_about(State state) {
    return state == State::submitting || state == State::recharging || state == State::unknown ||
           state == State::refunding;
  }

  // An outcome that is not known yet has no work item: the shop asks by itself until it gives up.
  void add_unknown() {
    orders::order_store::Selection wanted;
    wanted.states.push_back(State::unknown);
    auto found = orders::order_store::list(reader_, wanted, OrderId(cursor_), kMostEach + 1);
    bound(found, kOrders, [](const orders::Order& order) { return order.id.text; });
    for (const orders::Order& order : found) {
      if (has_open_item(order.id)) continue;  // which is a row of its own
      Json row = {{"key", "order:" + order.id.text}, {"sort", "order"}, {"id", order.id.text},
                  {"kind", "outcome_unknown"},       {"why", ""},       {"deeds", Json::array()}};
      add_order(row, order.id);
      if (may("orders.act")) row["deeds"].push_back("query");
      row["deeds"].push_back("open_order");
      add(order.updated_at_ms, std::move(row));
    }
  }

  bool has_open_item(const OrderId& id) const {
    const auto items = orders::work_item_store::of_order(reader_, id);
    return std::any_of(items.begin(), items.end(), [](const WorkItem& item) {
      return item.state == orders::work_item_state::kOpen;
    });
  }

  void add_approvals() {
    const StaffId by = may("approvals.read") ? StaffId() : staff_;
    auto waiting = desk_.approvals.waiting(reader_, cursor_, by, kMostEach + 1);
    bound(waiting, kApprovals, [](const admin::Approval& approval) { return approval.id; });
    for (const admin::Approval& approval : waiting)
      add(approval.created_at_ms, approval_row(approval));
  }

  Json approval_row(const admin::Approval& approval) {
    const Json body = Json::parse(approval.body, nullptr, false);
    const auto text = [&body](const char* key) {
      return body.is_object() && body.contains(key) && body[key].is_string()
                 ? body[key].get<std::string>()
                 : std::string();
    };
    const std::vector<StaffId> seconds =
        desk_.approvals.seconds(reader_, approval.action, approval.requested_by);
    const bool is_mine = approval.requested_by == staff_;
    const bool may_agree = may("approvals.decide") &&
                           std::find(seconds.begin(), seconds.end(), staff_) != seconds.end();
    Json row = {{"key", "approval:" + approval.id},
                {"sort", "approval"},
                {"id", approval.id},
                {"kind", "approval"},
                {"action", approval.action},
                {"subject", approval.subject},
                {"body", body.is_object() ? body : Json::object()},
                {"body_hash", approval.body_hash},
                {"why", text("reason").empty() ? text("proof") : text("reason")},
                {"expires_at_ms", approval.expires_at_ms},
                {"owner", approval.requested_by.text},
                {"owner_name", staff_name(reader_, approval.requested_by)},
                {"seconds", people_json(reader_, seconds)},
                {"deeds", Json::array()}};
    if (body.is_object() && body.contains("amount")) row["at_stake"] = body["amount"];
    const std::string order = text("order_id");
    add_order(row, OrderId(order.empty() ? approval.subject : order));
    if (may_agree) row["deeds"].push_back("approve");
    const bool may_decide = may("approvals.decide");
    if ((may_agree || is_mine) && may_decide) row["deeds"].push_back("reject");
    if (is_mine && !may_decide) row["deeds"].push_back("withdraw");
    return row;
  }

  bool add_jobs() {
    auto dead = jobs::job_desk::list(reader_, "dead", cursor_, kMostEach + 1);
    if (!dead) return false;
    bound(*dead, kJobs, [](const jobs::JobView& job) { return job.cursor; });
    for (const jobs::JobView& job : *dead) {
      Json row = {{"key", "job:" + job.job_id}, {"sort", "job"},         {"id", job.job_id},
                  {"kind", "job_dead"},         {"action", job.kind},    {"subject", job.subject},
                  {"why", job.last_failure},    {"deeds", Json::array()}};
      add_order(row, OrderId(job.subject));
      if (may("jobs.manage")) row["deeds"] = {"retry_job", "open_jobs"};
      add(job.last_tried_at_ms == 0 ? job.created_at_ms : job.last_tried_at_ms, std::move(row));
    }
    return true;
  }

  const DeskParts& desk_;
  storage::Reader& reader_;
  const StaffId staff_;
  const std::string sort_, cursor_;
  std::vector<Row> rows_;
  Json next_ = Json::object();  // by sort: the cursor of its next page
};

}  // namespace

std::vector<std::string> refund_actions(const payments::Refund& refund) {
  namespace refund_state = payments::refund_state;
  if (refund.state == refund_state::kRequested || refund.state == refund_state::kProcessing)
    return {"query_refund", "retry_refund"};
  if (refund.state != refund_state::kRefused) return {};
  if (payments::is_reserved(refund)) return {"query_refund", "refund_by_hand"};
  return {"reissue_refund", "query_refund", "refund_by_hand"};
}

void mount_admin_work(Router& router, const DeskParts& desk) {
  router.add({"GET", "/api/admin/work", Auth::staff, "orders.read", Pool::compute, 0, false,
              Rate::read, Audited::no, Level::maintenance,
              [desk](const Request& request) -> Result<Response> {
                Result<Json> out = Json();
                desk.env.db.read([&](storage::Reader& reader) {
                  out = WorkQueue(desk, reader, request).answer();
                });
                if (!out) return tl::unexpected<Error>(out.error());
                return Response::json(*out);
              }});
}

}  // namespace topup::http::routes
