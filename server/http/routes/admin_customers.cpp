// Customers as staff see them: masked, with everything that hangs on them, and what may be done.
#include "server/admin/customer_desk.h"
#include "server/auth/buyer_session_store.h"
#include "server/auth/identities.h"
#include "server/auth/sign_in_log_store.h"
#include "server/http/routes/people.h"
#include "server/http/wire.h"
#include "server/ledger/wallet.h"
#include "server/notify/message_store.h"

namespace topup::http::routes {
namespace {

using admin::Customer;
using admin::CustomerList;
using base::Json;

constexpr std::size_t kMaxDeedBody = 2'048;
constexpr std::size_t kMaxNoteBody = 4'096;
constexpr std::size_t kMaxQuery = 64;
constexpr std::int64_t kShownOrders = 20;
constexpr std::int64_t kShownMessages = 20;
constexpr std::int64_t kShownSignIns = 20;

Result<CustomerList> list_of(std::string_view word) {
  if (word.empty() || word == "all") return CustomerList::all;
  if (word == "frozen") return CustomerList::frozen;
  if (word == "guest") return CustomerList::guest;
  if (word == "wechat") return CustomerList::wechat;
  if (word == "phone") return CustomerList::phone;
  return refuse(Code::invalid_argument, "out_of_range", "kind");
}

Json identity_json(const auth::Identity& identity) {
  return {{"identity_id", identity.identity_id},
          {"kind", identity.kind},
          {"app", identity.app},
          {"subject", identity.subject_masked},
          {"bound_at_ms", identity.bound_at_ms}};
}

std::string_view level_of(const std::vector<auth::Identity>& identities) {
  std::string_view level = identities.empty() ? "guest" : "alipay";
  for (const auth::Identity& identity : identities) {
    if (identity.kind != auth::identity_kind::kAlipayMini) level = "wechat";
  }
  for (const auth::Identity& identity : identities) {
    if (identity.kind == auth::identity_kind::kPhone) level = "phone";
  }
  return level;
}

Json sessions_of(storage::Reader& reader, const UserId& user, std::int64_t now) {
  Json out = Json::array();
  for (const auto& row : auth::buyer_session_store::list(reader, user, now)) {
    out.push_back({{"session_id", row.session_id},
                   {"proof", row.proof},
                   {"device", row.device},
                   {"device_code", row.device_code},
                   {"address", row.address_masked},
                   {"created_at_ms", row.created_at_ms},
                   {"seen_at_ms", row.seen_at_ms}});
  }
  return out;
}

Json sign_ins_of(storage::Reader& reader, const UserId& user) {
  Json out = Json::array();
  for (const auth::SignIn& row : auth::sign_in_log_store::list(reader, user, kShownSignIns)) {
    out.push_back({{"kind", row.kind},
                   {"outcome", row.outcome},
                   {"reason", row.reason},
                   {"subject", row.subject_masked},
                   {"address", row.address_masked},
                   {"device", row.device},
                   {"at_ms", row.at_ms}});
  }
  return out;
}

Json messages_of(storage::Reader& reader, const UserId& user) {
  Json out = Json::array();
  for (const notify::Message& one :
       notify::message_store::of_user(reader, user, "", kShownMessages)) {
    out.push_back({{"message_id", one.id},
                   {"order_id", one.order.text},
                   {"topic", one.topic},
                   {"way", one.way},
                   {"state", one.state},
                   {"created_at_ms", one.created_at_ms}});
  }
  return out;
}

Json orders_of(storage::Reader& reader, const UserId& user) {
  orders::order_store::Selection own;
  own.user = user;
  Json out = Json::array();
  for (const auto& order : orders::order_store::list(reader, own, OrderId(), kShownOrders))
    out.push_back(wire::order_row_json(order));
  return out;
}

class CustomerRoutes {
 public:
  explicit CustomerRoutes(const PeopleDesk& desk) : desk_(desk) {}

  Result<Response> list(const Request& request) const {
    const std::string q(request.query_value("q"));
    if (q.size() > kMaxQuery) return refuse(Code::invalid_argument, "out_of_range", "q");
    const auto wanted = list_of(request.query_value("kind"));
    if (!wanted) return tl::unexpected<Error>(wanted.error());
    std::vector<Customer> found;
    Json out = {{"customers", Json::array()}};
    if (!q.empty()) {
      desk_.db.read([&](storage::Reader& reader) { found = desk_.customers.search(reader, q); });
    } else {
      const std::string name = "customers/" + std::string(request.query_value("kind"));
      const auto place = desk_.cursors.place_of(name, "", request.query_value("cursor"));
      if (!place) return tl::unexpected<Error>(place.error());
      found = desk_.customers.list(*wanted, UserId(*place));
      if (found.size() > static_cast<std::size_t>(admin::kCustomersPage)) {
        found.pop_back();
        out["next_cursor"] = desk_.cursors.make(name, "", found.back().user.text);
      }
    }
    desk_.db.read([&](storage::Reader& reader) {
      out["customers"] = Json::array();
      for (const Customer& customer : found) out["customers"].push_back(row(reader, customer));
    });
    return Response::json(out);
  }

  Result<Response> show(const Request& request) const {
    const UserId user = user_of(request);
    const auto staff = desk_.sessions.who(request.session_id);
    if (!staff) return tl::unexpected<Error>(staff.error());
    Json out;
    desk_.db.read([&](storage::Reader& reader) {
      out = Json();
      const auto customer = admin::customer_store::find(reader, user);
      if (!customer) return;
      out = row(reader, *customer);
      add_story(reader, user, &out);
      if (!auth::may(staff->roles, "orders.read")) out.erase("orders");
    });
    if (out.is_null()) return refuse(Code::not_found, "user_not_found", "user_id");
    return Response::json(out);
  }

  Result<Response> freeze(const Request& request) const {
    return done(request, [this](const UserId& user, const admin::Deed& deed) {
      return desk_.customers.freeze(user, deed);
    });
  }
  Result<Response> unfreeze(const Request& request) const {
    return done(request, [this](const UserId& user, const admin::Deed& deed) {
      return desk_.customers.unfreeze(user, deed);
    });
  }
  Result<Response> end_sessions(const Request& request) const {
    const auto deed = deed_in(request, {"reason"});
    if (!deed) return tl::unexpected<Error>(deed.error());
    const auto ended = desk_.customers.end_sessions(user_of(request), deed->deed);
    if (!ended) return tl::unexpected<Error>(ended.error());
    return Response::json({{"ended", *ended}});
  }

  Result<Response> note(const Request& request) const {
    const auto body = base::json_in(request.body);
    if (!body) return tl::unexpected<Error>(body.error());
    if (const auto only = base::only_fields(*body, {"text"}); !only)
      return tl::unexpected<Error>(only.error());
    const auto text = base::text_in(*body, "text", admin::kMaxCustomerNote);
    if (!text) return tl::unexpected<Error>(text.error());
    if (text->find_first_not_of(" \t\r\n") == std::string::npos)
      return refuse(Code::invalid_argument, "missing_field", "text");
    const auto id = desk_.customers.add_note(user_of(request), *text, request.staff, request.trace);
    if (!id) return tl::unexpected<Error>(id.error());
    return Response::json({{"note_id", *id}}, 201);
  }

  Result<Response> reveal(const Request& request) const {
    const auto given = deed_in(request, {"reason", "identity_id", "order_id"});
    if (!given) return tl::unexpected<Error>(given.error());
    const bool is_order = given->body.contains("order_id");
    const char* field = is_order ? "order_id" : "identity_id";
    const auto id = base::text_in(given->body, field, 64);
    if (!id) return tl::unexpected<Error>(id.error());
    const UserId user = user_of(request);
    const auto shown = is_order ? desk_.customers.reveal_recipient(user, OrderId(*id), given->deed)
                                : desk_.customers.reveal_identity(user, *id, given->deed);
    if (!shown) return tl::unexpected<Error>(shown.error());
    return Response::json({{"text", *shown}});
  }

 private:
  static UserId user_of(const Request& request) {
    return UserId(std::string(request.capture("user_id")));
  }

  static Json row(storage::Reader& reader, const Customer& customer) {
    const auto identities = auth::identity_store::of_user(reader, customer.user);
    const auto figures = admin::customer_store::orders_of(reader, customer.user);
    Json shown = Json::array();
    for (const auth::Identity& identity : identities) shown.push_back(identity_json(identity));
    return {{"user_id", customer.user.text},
            {"level", level_of(identities)},
            {"created_at_ms", customer.created_at_ms},
            {"frozen_at_ms", customer.frozen_at_ms},
            {"merged_into", customer.merged_into.text},
            {"identities", std::move(shown)},
            {"order_count", figures.count},
            {"order_count_is_least", figures.count == admin::customer_store::kMaxCounted},
            {"last_order_id", figures.last_id}};
  }

  void add_story(storage::Reader& reader, const UserId& user, Json* out) const {
    const admin::FrozenState frozen = desk_.customers.frozen(reader, user);
    (*out)["frozen_by"] = frozen.by;
    (*out)["frozen_reason"] = frozen.reason;
    Json consents = Json::array();
    for (const auth::Consent& one : auth::identity_store::consents_of(reader, user)) {
      consents.push_back(
          {{"document", one.document}, {"version", one.version}, {"given_at_ms", one.given_at_ms}});
    }
    (*out)["consents"] = std::move(consents);
    const ledger::Wallet wallet = ledger::wallet_of(reader, user, Currency::cny);
    (*out)["wallet"] = {{"available", base::money_out(wallet.available)},
                        {"held", base::money_out(wallet.held)}};
    (*out)["sessions"] = sessions_of(reader, user, desk_.clock.wall_ms());
    (*out)["sign_ins"] = sign_ins_of(reader, user);
    (*out)["messages"] = messages_of(reader, user);
    (*out)["orders"] = orders_of(reader, user);
    Json notes = Json::array();
    for (const admin::ReadableNote& note : desk_.customers.notes(reader, user)) {
      notes.push_back({{"note_id", note.id},
                       {"staff_id", note.staff.text},
                       {"text", note.text},
                       {"at_ms", note.at_ms}});
    }
    (*out)["notes"] = std::move(notes);
  }

  template <class Act>
  Result<Response> done(const Request& request, const Act& act) const {
    const auto deed = deed_in(request, {"reason"});
    if (!deed) return tl::unexpected<Error>(deed.error());
    const Result<bool> result = act(user_of(request), deed->deed);
    if (!result) return tl::unexpected<Error>(result.error());
    return show(request);
  }

  PeopleDesk desk_;
};

}  // namespace

Result<GivenDeed> deed_in(const Request& request, std::initializer_list<std::string_view> fields) {
  auto body = base::json_in(request.body, kMaxImportBody);
  if (!body) return tl::unexpected<Error>(body.error());
  if (const auto only = base::only_fields(*body, fields); !only)
    return tl::unexpected<Error>(only.error());
  const auto typed = base::text_in(*body, "reason", admin::kMaxReasonBytes);
  if (!typed) return tl::unexpected<Error>(typed.error());
  const auto reason = admin::checked_reason(*typed);
  if (!reason) return tl::unexpected<Error>(reason.error());
  return GivenDeed{std::move(*body), {request.staff, *reason, request.trace}};
}

void mount_admin_customers(Router& router, const PeopleDesk& desk) {
  const CustomerRoutes routes(desk);
  using Member = Result<Response> (CustomerRoutes::*)(const Request&) const;
  const auto read = [&](std::string_view pattern, Member member) {
    router.add({"GET", pattern, Auth::staff, "customers.read", Pool::compute, 0, false, Rate::read,
                Audited::no, Level::maintenance,
                [routes, member](const Request& request) { return (routes.*member)(request); }});
  };
  const auto write = [&](std::string_view method, std::string_view pattern,
                         std::string_view permission, std::size_t body_limit, Rate rate,
                         Member member) {
    router.add({method, pattern, Auth::staff, permission, Pool::store, body_limit, false, rate,
                Audited::yes, Level::maintenance,
                [routes, member](const Request& request) { return (routes.*member)(request); }});
  };
  read("/api/admin/customers", &CustomerRoutes::list);
  read("/api/admin/customers/{user_id}", &CustomerRoutes::show);
  write("POST", "/api/admin/customers/{user_id}/freeze", "customers.act", kMaxDeedBody, Rate::write,
        &CustomerRoutes::freeze);
  write("POST", "/api/admin/customers/{user_id}/unfreeze", "customers.act", kMaxDeedBody,
        Rate::write, &CustomerRoutes::unfreeze);
  write("POST", "/api/admin/customers/{user_id}/end-sessions", "customers.act", kMaxDeedBody,
        Rate::write, &CustomerRoutes::end_sessions);
  write("POST", "/api/admin/customers/{user_id}/notes", "customers.act", kMaxNoteBody, Rate::write,
        &CustomerRoutes::note);
  write("POST", "/api/admin/customers/{user_id}/reveal", "personal_data.read", kMaxDeedBody,
        Rate::costly, &CustomerRoutes::reveal);
}

}  // namespace topup::http::routes
