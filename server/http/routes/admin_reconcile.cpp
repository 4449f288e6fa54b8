#include "server/http/routes/admin_reconcile.h"

#include "server/audit/audit_log.h"
#include "server/jobs/failure_text.h"

namespace topup::http::routes {
namespace {

using base::Json;
using reconcile::Run;
using reconcile::StoredDifference;
namespace store = reconcile::reconcile_store;

constexpr std::size_t kMaxBody = 2'048;
constexpr std::size_t kMaxReasonBytes = 200;
constexpr std::int64_t kRunsAPage = 40;
constexpr std::int64_t kDifferencesAPage = 50;
constexpr std::string_view kRunsList = "reconcile_runs";
constexpr std::string_view kDifferencesList = "reconcile_differences";
constexpr std::string_view kResolve = "reconcile.resolve";

Json run_json(const Run& run) {
  return {{"run_id", run.id},
          {"party", run.party},
          {"day", run.day},
          {"state", run.state},
          {"why", run.why},
          {"lines", run.lines},
          {"agreed", run.agreed},
          {"open", run.open},
          {"resolved", run.resolved},
          {"tries", run.tries},
          {"asked_by", run.asked_by},
          {"created_at_ms", run.created_at_ms},
          {"finished_at_ms", run.finished_at_ms}};
}

Json total_json(const reconcile::Total& total) {
  return {{"payee", total.payee},
          {"lines", total.lines},
          {"in", base::money_out({total.in_minor, total.currency})},
          {"out", base::money_out({total.out_minor, total.currency})},
          {"fees", base::money_out({total.fee_minor, total.currency})}};
}

Json side_json(const std::optional<Money>& amount, const std::string& word, std::int64_t at_ms) {
  Json out = {{"state", word}, {"at_ms", at_ms}};
  if (amount) out["amount"] = base::money_out(*amount);
  return out;
}

Json difference_json(const StoredDifference& row) {
  const reconcile::Difference& what = row.what;
  Json actions = Json::array();
  for (const std::string_view way : reconcile::offered(row)) actions.push_back(way);
  const bool has_ours = what.ours_at_ms != 0, has_theirs = what.theirs_at_ms != 0;
  return {
      {"difference_id", row.id},
      {"run_id", row.run_id},
      {"party", row.party},
      {"day", row.day},
      {"kind", to_word(what.kind)},
      {"side", to_word(what.side)},
      {"number", what.number},
      {"order_id", what.order_id},
      {"payee", what.payee},
      {"ours", has_ours ? side_json(what.ours, what.ours_word, what.ours_at_ms) : Json()},
      {"theirs", has_theirs ? side_json(what.theirs, what.theirs_word, what.theirs_at_ms) : Json()},
      {"move", base::money_out(what.move)},
      {"suspense", base::money_out({row.suspense_minor, what.move.currency})},
      {"state", row.state},
      {"resolution", row.resolution},
      {"reason", row.reason},
      {"resolved_by", row.resolved_by},
      {"opened_at_ms", row.opened_at_ms},
      {"resolved_at_ms", row.resolved_at_ms},
      {"actions", std::move(actions)}};
}

class Desk {
 public:
  explicit Desk(const ReconcileDesk& desk) : desk_(desk) {}

  Result<Response> runs(const Request& request) const {
    const auto place = desk_.cursors.place_of(kRunsList, "", request.query_value("cursor"));
    if (!place) return tl::unexpected<Error>(place.error());
    Run after;
    after.day = place->substr(0, place->find('/'));
    after.id = place->empty() ? "" : place->substr(place->find('/') + 1);
    std::vector<Run> page;
    desk_.db.read([&](storage::Reader& reader) {
      page = store::list_runs(reader, place->empty() ? nullptr : &after, kRunsAPage + 1);
    });
    Json out = {{"runs", Json::array()}, {"parties", Json::array()}};
    for (const auto& party : desk_.reconciler.parties()) out["parties"].push_back(party.name);
    if (page.size() > static_cast<std::size_t>(kRunsAPage)) {
      page.pop_back();
      out["next_cursor"] =
          desk_.cursors.make(kRunsList, "", page.back().day + "/" + page.back().id);
    }
    for (const Run& run : page) out["runs"].push_back(run_json(run));
    return Response::json(out);
  }

  Result<Response> ask(const Request& request) const {
    const auto body = base::json_in(request.body);
    if (!body) return tl::unexpected<Error>(body.error());
    if (const auto only = base::only_fields(*body, {"party", "day"}); !only)
      return tl::unexpected<Error>(only.error());
    const auto party = base::text_in(*body, "party", 32);
    if (!party) return tl::unexpected<Error>(party.error());
    const auto day = base::text_in(*body, "day", 10);
    if (!day) return tl::unexpected<Error>(day.error());
    const std::string actor = "staff:" + request.staff.text;
    const auto run = storage::with_tx(desk_.db, [&](storage::Tx& tx) {
      auto planned = desk_.reconciler.plan(tx, *party, *day, actor, request.trace);
      if (!planned) return planned;
      audit::append(tx, {actor, "reconcile.asked", planned->id, ""}, request.trace,
                    desk_.clock.wall_ms());
      tx.after_commit(desk_.wake_jobs);
      return planned;
    });
    if (!run) return tl::unexpected<Error>(run.error());
    return Response::json(run_json(*run), 202);
  }

  Result<Response> run(const Request& request) const {
    const std::string id(request.capture("run_id"));
    std::optional<Run> found;
    Json totals = Json::array(), kinds = Json::object();
    desk_.db.read([&](storage::Reader& reader) {
      found = store::find_run(reader, id);
      totals = Json::array();
      kinds = Json::object();
      if (!found) return;
      for (const auto& total : store::totals_of(reader, id)) totals.push_back(total_json(total));
      for (const StoredDifference& row : store::differences_of_run(reader, id)) {
        const bool is_open = row.state == reconcile::difference_state::kOpen;
        ++(is_open ? found->open : found->resolved);
        const std::string kind(to_word(row.what.kind));
        if (!kinds.contains(kind)) kinds[kind] = 0;
        kinds[kind] = base::integer_in(kinds, kind.c_str(), 0, kMaxMinor).value_or(0) + 1;
      }
    });
    if (!found) return refuse(Code::not_found, "run_not_found", "run_id");
    Json out = run_json(*found);
    out["totals"] = std::move(totals);
    out["kinds"] = std::move(kinds);
    out["balance"] = found->closing_minor ? base::money_out(fen(*found->closing_minor)) : Json();
    return Response::json(out);
  }

  Result<Response> differences(const Request& request) const {
    const std::string run_id(request.query_value("run_id"));
    const std::string state(request.query_value("state"));
    if (!state.empty() && state != reconcile::difference_state::kOpen &&
        state != reconcile::difference_state::kResolved)
      return refuse(Code::invalid_argument, "out_of_range", "state");
    if (run_id.size() > 64) return refuse(Code::invalid_argument, "out_of_range", "run_id");
    const std::string list = std::string(kDifferencesList) + "/" + run_id + "/" + state;
    const auto place = desk_.cursors.place_of(list, "", request.query_value("cursor"));
    if (!place) return tl::unexpected<Error>(place.error());
    std::vector<StoredDifference> page;
    desk_.db.read([&](storage::Reader& reader) {
      page = store::list_differences(reader, {run_id, state}, *place, kDifferencesAPage + 1);
    });
    Json out = {{"differences", Json::array()}};
    if (page.size() > static_cast<std::size_t>(kDifferencesAPage)) {
      page.pop_back();
      out["next_cursor"] = desk_.cursors.make(list, "", page.back().id);
    }
    for (const StoredDifference& row : page) out["differences"].push_back(difference_json(row));
    return Response::json(out);
  }

  Result<Response> resolve(const Request& request) const {
    const auto body = base::json_in(request.body);
    if (!body) return tl::unexpected<Error>(body.error());
    if (const auto only = base::only_fields(*body, {"resolution", "reason"}); !only)
      return tl::unexpected<Error>(only.error());
    const auto how = base::text_in(*body, "resolution", 32);
    if (!how) return tl::unexpected<Error>(how.error());
    const auto reason = base::text_in(*body, "reason", kMaxReasonBytes);
    if (!reason) return tl::unexpected<Error>(reason.error());
    if (reason->find_first_not_of(" \t\r\n") == std::string::npos)
      return refuse(Code::invalid_argument, "reason_missing", "reason");
    const auto staff = desk_.sessions.who(request.session_id);
    if (!staff) return tl::unexpected<Error>(staff.error());
    const admin::Person asker{staff->id, staff->session_id, request.trace};
    const std::string id(request.capture("difference_id"));
    const std::string said = jobs::failure_text(*reason);
    return storage::with_tx(desk_.db, [&](storage::Tx& tx) -> Result<Response> {
      const auto row = store::find_difference(tx, id);
      if (!row) return refuse(Code::not_found, "difference_not_found", "difference_id");
      if (row->state == reconcile::difference_state::kOpen && wants_second(*row, *how)) {
        const Json deed = {
            {"difference_id", id},
            {"resolution", *how},
            {"reason", said},
            {"suspense", base::money_out({row->suspense_minor, row->what.move.currency})}};
        const auto approval = desk_.approvals.request(tx, kResolve, id, deed, asker);
        if (!approval) return tl::unexpected<Error>(approval.error());
        return Response::json({{"approval_id", approval->id}}, 202);
      }
      const auto done = desk_.reconciler.resolve(tx, id, *how, said, "staff:" + asker.id.text);
      if (!done) return tl::unexpected<Error>(done.error());
      return Response::json(difference_json(*done));
    });
  }

 private:
  // Amounts in other currencies have no limit of their own: they always want a second person.
  bool wants_second(const StoredDifference& row, const std::string& how) const {
    if (how == reconcile::resolution::kQueryAgain || row.suspense_minor == 0) return false;
    const std::int64_t amount = std::abs(row.suspense_minor);
    return row.what.move.currency != Currency::cny || amount > desk_.second_above_minor();
  }
  const ReconcileDesk desk_;
};

}  // namespace

admin::Action resolving_deed(reconcile::Reconciler& reconciler) {
  return {kResolve, "reconcile.act", "ledger.approve",
          [&reconciler](storage::Tx& tx, const admin::Approval& approval,
                        const admin::Person& second) -> Result<bool> {
            const Json deed = Json::parse(approval.body, nullptr, false);
            const auto how = base::text_in(deed, "resolution");
            const auto reason = base::text_in(deed, "reason");
            const auto row = store::find_difference(tx, approval.subject);
            if (!how || !reason || !row) return refuse(Code::conflict, "approval_stale");
            const auto agreed = base::object_in(deed, "suspense");
            const auto minor = agreed ? base::integer_in(**agreed, "minor", -kMaxMinor, kMaxMinor)
                                      : Result<std::int64_t>(0);
            // The amount that was agreed to is the amount that is moved.
            if (!minor || *minor != row->suspense_minor)
              return refuse(Code::conflict, "approval_stale");
            const auto done = reconciler.resolve(
                tx, approval.subject, *how, *reason + " (agreed by staff:" + second.id.text + ")",
                "staff:" + approval.requested_by.text);
            if (!done) return tl::unexpected<Error>(done.error());
            return true;
          }};
}

void mount_admin_reconcile(Router& router, const ReconcileDesk& outer) {
  const Desk desk(outer);
  router.add({"GET", "/api/admin/reconcile/runs", Auth::staff, "reconcile.read", Pool::compute, 0,
              false, Rate::read, Audited::no, Level::maintenance,
              [desk](const Request& request) { return desk.runs(request); }});
  router.add({"POST", "/api/admin/reconcile/runs", Auth::staff, "reconcile.act", Pool::store,
              kMaxBody, false, Rate::write, Audited::yes, Level::maintenance,
              [desk](const Request& request) { return desk.ask(request); }});
  router.add({"GET", "/api/admin/reconcile/runs/{run_id}", Auth::staff, "reconcile.read",
              Pool::compute, 0, false, Rate::read, Audited::no, Level::maintenance,
              [desk](const Request& request) { return desk.run(request); }});
  router.add({"GET", "/api/admin/reconcile/differences", Auth::staff, "reconcile.read",
              Pool::compute, 0, false, Rate::read, Audited::no, Level::maintenance,
              [desk](const Request& request) { return desk.differences(request); }});
  router.add({"POST", "/api/admin/reconcile/differences/{difference_id}/resolve", Auth::staff,
              "reconcile.act", Pool::store, kMaxBody, false, Rate::write, Audited::yes,
              Level::maintenance,
              [desk](const Request& request) { return desk.resolve(request); }});
}

}  // namespace topup::http::routes
