// One search over everything that staff may look at: each group only for who may read it, each with
// few answers. Pages of the console are searched by the console itself.
#include <algorithm>

#include "server/auth/identity_store.h"
#include "server/http/routes/people.h"
#include "server/http/wire.h"
#include "server/orders/order_rules.h"
#include "server/orders/order_store.h"
#include "server/settings/definitions.h"
#include "shared/phone.h"

namespace topup::http::routes {
namespace {

using base::Json;
using orders::order_store::Selection;

constexpr std::size_t kShortestQuery = 2;
constexpr std::size_t kLongestQuery = 64;
constexpr std::size_t kMostPerGroup = 6;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool holds(std::string_view text, std::string_view wanted) {
  return lower(text).find(wanted) != std::string::npos;
}

bool all_digits(std::string_view text) {
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

class Finder {
 public:
  explicit Finder(const PeopleDesk& desk) : desk_(desk) {}

  Result<Response> answer(const Request& request) const {
    const auto staff = desk_.sessions.who(request.session_id);
    if (!staff) return tl::unexpected<Error>(staff.error());
    const std::string q(request.query_value("q"));
    if (q.size() < kShortestQuery || q.size() > kLongestQuery)
      return refuse(Code::invalid_argument, "out_of_range", "q", "2 to 64 characters");
    const auto may = [&staff](std::string_view permission) {
      return auth::may(staff->roles, permission);
    };
    Json out = {{"orders", Json::array()},
                {"customers", Json::array()},
                {"products", Json::array()},
                {"settings", Json::array()}};
    desk_.db.read([&](storage::Reader& reader) {
      if (may("orders.read")) out["orders"] = orders_of(reader, q);
      if (may("customers.read")) out["customers"] = customers_of(reader, q);
    });
    if (may("catalog.read")) out["products"] = products_of(lower(q));
    if (may("settings.read")) out["settings"] = settings_of(lower(q));
    return Response::json(out);
  }

 private:
  std::vector<Selection> readings_of(const std::string& q) const {
    std::vector<Selection> readings;
    const auto by_account = [&](const std::string& account) {
      Selection one;
      one.account_index = orders::account_index_of(desk_.env.pii, account);
      readings.push_back(std::move(one));
    };
    if (q.size() == orders::kTailDigits && all_digits(q)) {
      Selection one;
      one.tail_index = orders::tail_index_of(desk_.env.pii, q);
      readings.push_back(std::move(one));
      return readings;
    }
    if (const auto mainland = normalise_mainland_phone(q)) by_account(*mainland);
    if (const auto abroad = normalise_phone(q, "")) by_account(*abroad);
    if (all_digits(q)) by_account(q);
    Selection buyer;
    buyer.user = UserId(q);
    readings.push_back(std::move(buyer));
    return readings;
  }

  Json orders_of(storage::Reader& reader, const std::string& q) const {
    std::vector<std::string> channels;
    for (const auto& channel : desk_.env.channels.all()) channels.emplace_back(channel->name());
    std::vector<orders::Order> found;
    for (const OrderId& id : orders::order_store::find_by_reference(reader, q, channels)) {
      if (auto order = orders::order_store::find(reader, id)) found.push_back(std::move(*order));
    }
    for (const Selection& reading : readings_of(q)) {
      if (!found.empty()) break;
      found = orders::order_store::list(reader, reading, OrderId(),
                                        static_cast<std::int64_t>(kMostPerGroup));
    }
    Json out = Json::array();
    for (const orders::Order& order : found) {
      if (out.size() == kMostPerGroup) break;
      out.push_back(wire::order_row_json(order));
    }
    return out;
  }

  Json customers_of(storage::Reader& reader, const std::string& q) const {
    Json out = Json::array();
    for (const admin::Customer& customer : desk_.customers.search(reader, q)) {
      if (out.size() == kMostPerGroup) break;
      Json shown = {{"user_id", customer.user.text},
                    {"frozen", customer.frozen_at_ms > 0},
                    {"identities", Json::array()}};
      for (const auto& identity : auth::identity_store::of_user(reader, customer.user))
        shown["identities"].push_back(identity.subject_masked);
      out.push_back(std::move(shown));
    }
    return out;
  }

  Json products_of(const std::string& q) const {
    Json out = Json::array();
    const auto current = desk_.catalog.current();
    if (!current) return out;
    const PriceBook& book = (*current)->book;
    for (const Product& product : book.products) {
      if (out.size() == kMostPerGroup) break;
      const Operator& op = book.operators[product.operator_index];
      if (!holds(product.id.text, q) && !holds(op.name_zh, q) && !holds(op.name_en, q)) continue;
      out.push_back({{"product_id", product.id.text},
                     {"operator_zh", op.name_zh},
                     {"operator_en", op.name_en},
                     {"country", op.country}});
    }
    return out;
  }

  Json settings_of(const std::string& q) const {
    Json out = Json::array();
    for (const settings::Definition& definition : desk_.settings.definitions()) {
      if (out.size() == kMostPerGroup) break;
      if (holds(definition.key, q) || holds(definition.doc, q))
        out.push_back({{"key", definition.key}, {"doc", definition.doc}});
    }
    return out;
  }

  PeopleDesk desk_;
};

}  // namespace

void mount_admin_search(Router& router, const PeopleDesk& desk) {
  const Finder finder(desk);
  router.add({"GET", "/api/admin/search", Auth::staff, "session.own", Pool::compute, 0, false,
              Rate::read, Audited::no, Level::maintenance,
              [finder](const Request& request) { return finder.answer(request); }});
}

}  // namespace topup::http::routes
