// Refunds and journals of the whole shop, page by page.
#include "server/http/routes/desk.h"
#include "server/http/wire.h"
#include "server/ledger/browse_store.h"
#include "server/ledger/chart.h"
#include "server/payments/refund_list_store.h"

namespace topup::http::routes {
namespace {

using base::Json;
using base::money_out;

constexpr std::int64_t kPage = 50;
constexpr std::size_t kMaxAccount = 128;

// ---- refunds

bool is_refund_state(std::string_view word) {
  namespace refund_state = payments::refund_state;
  for (const std::string_view known :
       {refund_state::kRequested, refund_state::kProcessing, refund_state::kSucceeded,
        refund_state::kRefused, refund_state::kReissued, refund_state::kPaidByHand}) {
    if (word == known) return true;
  }
  return false;
}

Json refund_json(storage::Reader& reader, const payments::Refund& refund, bool may_act) {
  Json out = {{"out_refund_no", refund.out_refund_no.text},
              {"out_trade_no", refund.out_trade_no.text},
              {"order_id", refund.order.text},
              {"state", refund.state},
              {"amount", money_out(refund.amount)},
              {"reason", refund.reason},
              {"code", refund.code},
              {"asked_by", refund.asked_by},
              {"replaces", refund.replaces},
              {"created_at_ms", refund.created_at_ms},
              {"updated_at_ms", refund.updated_at_ms},
              {"actions", Json::array()}};
  if (const auto attempt = payments::payment_store::find_attempt(reader, refund.out_trade_no))
    out["channel"] = attempt->channel;
  if (const auto order = orders::order_store::find(reader, refund.order))
    out["account_masked"] = order->account_masked;
  if (may_act) out["actions"] = refund_actions(refund);
  return out;
}

Result<Response> list_refunds(const DeskParts& desk, const Request& request) {
  const std::string state(request.query_value("state"));
  if (!state.empty() && !is_refund_state(state))
    return refuse(Code::invalid_argument, "out_of_range", "state");
  const std::string name = "admin_refunds/" + state;
  const auto place = desk.find.cursors.place_of(name, "", request.query_value("cursor"));
  if (!place) return tl::unexpected<Error>(place.error());
  Json out = {{"refunds", Json::array()}};
  desk.env.db.read([&](storage::Reader& reader) {
    out = {{"refunds", Json::array()}};
    const bool may_act = may_staff(reader, request.staff, "refund.request");
    auto numbers = payments::refund_list_store::list(reader, state, OutRefundNo(*place), kPage + 1);
    if (numbers.size() > static_cast<std::size_t>(kPage)) {
      numbers.pop_back();
      out["next_cursor"] = desk.find.cursors.make(name, "", numbers.back().text);
    }
    for (const OutRefundNo& number : numbers) {
      if (const auto refund = payments::payment_store::find_refund(reader, number))
        out["refunds"].push_back(refund_json(reader, *refund, may_act));
    }
  });
  return Response::json(out);
}

// ---- journals

Json journal_json(const ledger::browse_store::Browsed& one) {
  Json postings = Json::array();
  for (const ledger::Posting& posting : one.journal.postings)
    postings.push_back({{"account", posting.account}, {"amount", money_out(posting.amount)}});
  return {{"journal_id", one.journal.journal_id},
          {"template", one.journal.name},
          {"subject", one.journal.subject},
          {"order_id", one.order.text},
          {"seq", one.journal.seq},
          {"at_ms", one.journal.at_ms},
          {"postings", std::move(postings)}};
}

Result<Response> list_journals(const DeskParts& desk, const Request& request) {
  const auto wanted =
      journals_wanted(request.query_value("account"), request.query_value("template"),
                      request.query_value("from_ms"), request.query_value("to_ms"));
  if (!wanted) return tl::unexpected<Error>(wanted.error());
  const std::string name = journals_name(*wanted);
  const auto place = desk.find.cursors.place_of(name, "", request.query_value("cursor"));
  if (!place) return tl::unexpected<Error>(place.error());
  ledger::browse_store::Page page;
  desk.env.db.read([&](storage::Reader& reader) {
    page = ledger::browse_store::journals(reader, *wanted, place->empty() ? 0 : std::stoll(*place),
                                          kPage);
  });
  Json out = {{"journals", Json::array()}};
  if (page.next_before > 0)
    out["next_cursor"] = desk.find.cursors.make(name, "", std::to_string(page.next_before));
  for (const auto& one : page.journals) out["journals"].push_back(journal_json(one));
  return Response::json(out);
}

Result<Response> show_journal(const DeskParts& desk, const Request& request) {
  std::optional<ledger::browse_store::Browsed> found;
  desk.env.db.read([&](storage::Reader& reader) {
    found = ledger::browse_store::journal(reader, request.capture("journal_id"));
  });
  if (!found) return refuse(Code::not_found, "journal_not_found", "journal_id");
  return Response::json(journal_json(*found));
}

}  // namespace

Result<ledger::browse_store::Wanted> journals_wanted(std::string_view account,
                                                     std::string_view name,
                                                     std::string_view from_ms,
                                                     std::string_view to_ms) {
  ledger::browse_store::Wanted wanted;
  if (account.size() > kMaxAccount ||
      (!account.empty() && ledger::family_of(std::string(account)) == nullptr))
    return refuse(Code::invalid_argument, "account_unknown", "account");
  if (name.size() > kMaxAccount) return refuse(Code::invalid_argument, "out_of_range", "template");
  wanted.account = account;
  wanted.name = name;
  const auto from = moment_in(from_ms, "from_ms");
  if (!from) return tl::unexpected<Error>(from.error());
  const auto to = moment_in(to_ms, "to_ms");
  if (!to) return tl::unexpected<Error>(to.error());
  wanted.from_ms = *from;
  wanted.to_ms = *to;
  return wanted;
}

std::string journals_name(const ledger::browse_store::Wanted& wanted) {
  return "admin_journals/" + wanted.account + "/" + wanted.name + "/" +
         std::to_string(wanted.from_ms) + "/" + std::to_string(wanted.to_ms);
}

void mount_admin_books(Router& router, const DeskParts& desk) {
  router.add({"GET", "/api/admin/refunds", Auth::staff, "orders.read", Pool::compute, 0, false,
              Rate::read, Audited::no, Level::maintenance,
              [desk](const Request& request) { return list_refunds(desk, request); }});
  router.add({"GET", "/api/admin/ledger/journals", Auth::staff, "ledger.read", Pool::compute, 0,
              false, Rate::read, Audited::no, Level::maintenance,
              [desk](const Request& request) { return list_journals(desk, request); }});
  router.add({"GET", "/api/admin/ledger/journals/{journal_id}", Auth::staff, "ledger.read",
              Pool::compute, 0, false, Rate::read, Audited::no, Level::maintenance,
              [desk](const Request& request) { return show_journal(desk, request); }});
}

}  // namespace topup::http::routes
