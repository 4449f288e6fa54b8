// What staff do about money: refunds, the books, wallets. A deed that waits for a second person is
// answered 202 with its approval.
#include "server/audit/audit_log.h"
#include "server/http/routes/desk.h"
#include "server/http/routes/mounts.h"
#include "server/ledger/finance_store.h"
#include "server/ledger/ledger_store.h"
#include "server/ledger/wallet.h"
#include "server/orders/error_account_store.h"

namespace topup::http::routes {
namespace {

using base::Json;
using base::money_out;
using Waiting = Result<std::optional<admin::Approval>>;

constexpr std::size_t kMaxBody = 2'048;
constexpr std::int64_t kPage = 50;

Result<admin::Person> person_of(const MoneyDesk& desk, const Request& request) {
  const auto staff = desk.sessions.who(request.session_id);
  if (!staff) return tl::unexpected<Error>(staff.error());
  return admin::Person{staff->id, staff->session_id, request.trace};
}

Result<Response> answer(const Waiting& waiting, std::string_view done) {
  if (!waiting) return tl::unexpected<Error>(waiting.error());
  if (!*waiting) return Response::json({{"state", done}});
  return Response::json({{"state", "waiting_for_second_person"},
                         {"approval_id", (*waiting)->id},
                         {"expires_at_ms", (*waiting)->expires_at_ms}},
                        202);
}

Result<std::string> reason_in(const Json& body, const char* key) {
  auto reason = base::text_in(body, key, admin::kMaxReason);
  if (reason && reason->find_first_not_of(" \t\r\n") == std::string::npos)
    return refuse(Code::invalid_argument, "reason_missing", key);
  return reason;
}

Result<Response> order_refund(const MoneyDesk& desk, const Request& request) {
  const auto body = base::json_in(request.body);
  if (!body) return tl::unexpected<Error>(body.error());
  if (const auto only = base::only_fields(*body, {"amount", "reason", "answer"}); !only)
    return tl::unexpected<Error>(only.error());
  std::optional<Money> amount;
  if (body->contains("amount")) {
    const auto asked = base::money_in(*body, "amount");
    if (!asked) return tl::unexpected<Error>(asked.error());
    amount = *asked;
  }
  const auto reason = reason_in(*body, "reason");
  if (!reason) return tl::unexpected<Error>(reason.error());
  const auto person = person_of(desk, request);
  if (!person) return tl::unexpected<Error>(person.error());
  const OrderId id(std::string(request.capture("order_id")));
  std::optional<orders::RefundAnswer> said;
  if (body->contains("answer")) {
    auto told = refund_answer_in(*body, orders::wish_decision::kApproved);
    if (!told) return tl::unexpected<Error>(told.error());
    said = std::move(*told);
  }
  return answer(desk.refunds.order(*person, id, amount, *reason, said), "ordered");
}

// Reissue and by-hand differ only in what is told and done.
template <class Deed>
Result<Response> refused_refund(const MoneyDesk& desk, const Request& request, const char* field,
                                const Deed& deed) {
  const auto body = base::json_in(request.body);
  if (!body) return tl::unexpected<Error>(body.error());
  if (const auto only = base::only_fields(*body, {field}); !only)
    return tl::unexpected<Error>(only.error());
  const auto text = reason_in(*body, field);
  if (!text) return tl::unexpected<Error>(text.error());
  const auto person = person_of(desk, request);
  if (!person) return tl::unexpected<Error>(person.error());
  return answer(deed(*person, OutRefundNo(std::string(request.capture("out_refund_no"))), *text),
                "ordered");
}

Result<Response> ask_channel(const MoneyDesk& desk, const Request& request) {
  if (const auto plain = base::no_fields_in(request.body); !plain)
    return tl::unexpected<Error>(plain.error());
  const auto asked =
      desk.refund_flow.ask(OutRefundNo(std::string(request.capture("out_refund_no"))));
  if (!asked) return tl::unexpected<Error>(asked.error());
  return Response::json({{"changed", *asked}});
}

Result<Response> hurry(const MoneyDesk& desk, const Request& request) {
  if (const auto plain = base::no_fields_in(request.body); !plain)
    return tl::unexpected<Error>(plain.error());
  const OutRefundNo number(std::string(request.capture("out_refund_no")));
  const auto hurried = storage::with_tx(desk.env.db, [&](storage::Tx& tx) -> Result<bool> {
    if (!payments::payment_store::find_refund(tx, number))
      return refuse(Code::not_found, "refund_not_found", "out_refund_no");
    return orders::hurry_refund(desk.env, tx, number, "staff:" + request.staff.text);
  });
  if (!hurried) return tl::unexpected<Error>(hurried.error());
  return Response::json({{"changed", *hurried}});
}

Result<Response> list_errors(const MoneyDesk& desk, const Request& request) {
  const std::string_view state = request.query_value("state");
  if (!state.empty() && state != "open" && state != "closed")
    return refuse(Code::invalid_argument, "out_of_range", "state");
  std::vector<orders::ErrorAccount> found;
  desk.env.db.read([&](storage::Reader& reader) {
    found =
        orders::error_account_store::list(reader, state, request.query_value("cursor"), kPage + 1);
  });
  Json out = {{"error_accounts", Json::array()}};
  if (found.size() > static_cast<std::size_t>(kPage)) {
    found.pop_back();
    out["next_cursor"] = found.back().order.text;
  }
  for (const orders::ErrorAccount& one : found) {
    out["error_accounts"].push_back({{"order_id", one.order.text},
                                     {"cause", one.cause},
                                     {"party", one.party},
                                     {"amount", money_out(one.amount)},
                                     {"state", one.state},
                                     {"opened_at_ms", one.opened_at_ms},
                                     {"closed_at_ms", one.closed_at_ms},
                                     {"closed_by", one.closed_by}});
  }
  return Response::json(out);
}

Json journal_json(const ledger::PostedJournal& journal) {
  Json postings = Json::array();
  for (const ledger::Posting& posting : journal.postings)
    postings.push_back({{"account", posting.account}, {"amount", money_out(posting.amount)}});
  return {{"journal_id", journal.journal_id},
          {"template", journal.name},
          {"at_ms", journal.at_ms},
          {"seq", journal.seq},
          {"postings", std::move(postings)}};
}

Result<Response> show_ledger(const MoneyDesk& desk, const Request& request) {
  std::int64_t before = 0;
  for (const char digit : request.query_value("cursor")) {
    if (digit < '0' || digit > '9' || before > kMaxMinor / 10)
      return refuse(Code::invalid_argument, "cursor_invalid", "cursor");
    before = before * 10 + (digit - '0');
  }
  Json out = {{"trial_balance", Json::array()}, {"journals", Json::array()}};
  desk.env.db.read([&](storage::Reader& reader) {
    out["trial_balance"].clear();
    out["journals"].clear();
    for (const ledger::Balance& one : ledger::trial_balance(reader))
      out["trial_balance"].push_back(
          {{"account", one.account}, {"balance", money_out(one.amount)}});
    auto journals = ledger::list_by_hand(reader, before, kPage + 1);
    if (journals.size() > static_cast<std::size_t>(kPage)) {
      journals.pop_back();
      out["next_cursor"] = std::to_string(journals.back().seq);
    }
    for (const ledger::PostedJournal& one : journals) out["journals"].push_back(journal_json(one));
  });
  return Response::json(out);
}

Result<Response> enter(const MoneyDesk& desk, const Request& request) {
  const auto body = base::json_in(request.body);
  if (!body) return tl::unexpected<Error>(body.error());
  const auto person = person_of(desk, request);
  if (!person) return tl::unexpected<Error>(person.error());
  return answer(desk.ledger.enter(*person, *body), "posted");
}

bool is_day(std::string_view day) {
  if (day.empty()) return true;
  if (day.size() != 10 || day[4] != '-' || day[7] != '-') return false;
  for (const std::size_t i : {0, 1, 2, 3, 5, 6, 8, 9}) {
    if (day[i] < '0' || day[i] > '9') return false;
  }
  return true;
}

Result<Response> show_finance(const MoneyDesk& desk, const Request& request) {
  const std::string_view from = request.query_value("from");
  const std::string_view to = request.query_value("to");
  if (!is_day(from)) return refuse(Code::invalid_argument, "out_of_range", "from");
  if (!is_day(to)) return refuse(Code::invalid_argument, "out_of_range", "to");
  Json days = Json::array();
  ledger::FinanceSum sum;
  desk.env.db.read([&](storage::Reader& reader) {
    days.clear();
    sum = ledger::finance_sum(reader);
    for (const ledger::FinanceDay& day : ledger::finance_days(reader, from, to)) {
      days.push_back({{"day", day.day},
                      {"account", day.account},
                      {"currency", day.currency},
                      {"debit_minor", day.debit_minor},
                      {"credit_minor", day.credit_minor},
                      {"postings", day.postings}});
    }
  });
  return Response::json(
      {{"seq", sum.seq}, {"rows", sum.rows}, {"checksum", sum.checksum}, {"days", days}});
}

Result<Response> show_wallet(const MoneyDesk& desk, const Request& request) {
  const UserId user(std::string(request.capture("user_id")));
  Json out;
  bool is_known = false;
  desk.env.db.read([&](storage::Reader& reader) {
    is_known = ledger::knows_user(reader, user);
    const ledger::Wallet wallet = ledger::wallet_of(reader, user, Currency::cny);
    Json entries = Json::array();
    for (const ledger::WalletEntry& entry :
         ledger::wallet_entries(reader, user, Currency::cny, kPage)) {
      entries.push_back({{"kind", entry.kind},
                         {"subject", entry.subject},
                         {"available", money_out(entry.available)},
                         {"held", money_out(entry.held)},
                         {"at_ms", entry.at_ms}});
    }
    out = {{"user_id", user.text},
           {"available", money_out(wallet.available)},
           {"held", money_out(wallet.held)},
           {"version", wallet.version},
           {"entries", std::move(entries)}};
  });
  if (!is_known) return refuse(Code::not_found, "user_not_found", "user_id");
  return Response::json(out);
}

void mount_refund_deeds(Router& router, const MoneyDesk& desk) {
  router.add({"POST", "/api/admin/orders/{order_id}/refunds", Auth::staff, "refund.request",
              Pool::store, kMaxBody, true, Rate::write, Audited::yes, Level::maintenance,
              [desk](const Request& request) { return order_refund(desk, request); }});
  router.add({"POST", "/api/admin/refunds/{out_refund_no}/reissue", Auth::staff, "refund.request",
              Pool::store, kMaxBody, false, Rate::write, Audited::yes, Level::maintenance,
              [desk](const Request& request) {
                return refused_refund(desk, request, "reason",
                                      [&desk](const auto& person, const auto& no, const auto& why) {
                                        return desk.refunds.reissue(person, no, why);
                                      });
              }});
  router.add({"POST", "/api/admin/refunds/{out_refund_no}/by-hand", Auth::staff, "refund.request",
              Pool::store, kMaxBody, false, Rate::write, Audited::yes, Level::maintenance,
              [desk](const Request& request) {
                return refused_refund(desk, request, "proof",
                                      [&desk](const auto& person, const auto& no, const auto& why) {
                                        return desk.refunds.by_hand(person, no, why);
                                      });
              }});
  router.add({"POST", "/api/admin/refunds/{out_refund_no}/query", Auth::staff, "refund.request",
              Pool::outside, 64, false, Rate::costly, Audited::yes, Level::maintenance,
              [desk](const Request& request) { return ask_channel(desk, request); }});
  router.add({"POST", "/api/admin/refunds/{out_refund_no}/retry", Auth::staff, "refund.request",
              Pool::store, 64, false, Rate::write, Audited::yes, Level::maintenance,
              [desk](const Request& request) { return hurry(desk, request); }});
}

}  // namespace

void mount_admin_money(Router& router, const MoneyDesk& desk) {
  mount_refund_deeds(router, desk);
  router.add({"GET", "/api/admin/error-accounts", Auth::staff, "ledger.read", Pool::compute, 0,
              false, Rate::read, Audited::no, Level::maintenance,
              [desk](const Request& request) { return list_errors(desk, request); }});
  router.add({"GET", "/api/admin/ledger", Auth::staff, "ledger.read", Pool::compute, 0, false,
              Rate::read, Audited::no, Level::maintenance,
              [desk](const Request& request) { return show_ledger(desk, request); }});
  router.add({"POST", "/api/admin/ledger/entries", Auth::staff, "ledger.post", Pool::store,
              kMaxBody, true, Rate::write, Audited::yes, Level::maintenance,
              [desk](const Request& request) { return enter(desk, request); }});
  router.add({"GET", "/api/admin/finance", Auth::staff, "ledger.read", Pool::compute, 0, false,
              Rate::costly, Audited::no, Level::maintenance,
              [desk](const Request& request) { return show_finance(desk, request); }});
  router.add({"GET", "/api/admin/wallets/{user_id}", Auth::staff, "ledger.read", Pool::compute, 0,
              false, Rate::read, Audited::no, Level::maintenance,
              [desk](const Request& request) { return show_wallet(desk, request); }});
}

}  // namespace topup::http::routes
