// Orders found by something else than scrolling: by a guest, by what changed, and by staff.
#include "server/http/routes/mounts.h"
#include "server/http/routes/order_search.h"
#include "server/http/wire.h"
#include "server/orders/order_rules.h"

namespace topup::http::routes {
namespace {

using base::Json;

constexpr std::size_t kMaxFindBody = 512;
bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Without the quote: whoever holds a picture of the number needs no prices of its buyer.
Result<Response> find_as_guest(const OrderFinding& find, const Request& request) {
  const auto body = base::json_in(request.body);
  if (!body) return tl::unexpected<Error>(body.error());
  const auto only = base::only_fields(*body, {"order_id", "tail"});
  if (!only) return tl::unexpected<Error>(only.error());
  const auto id = base::text_in(*body, "order_id", 64);
  if (!id) return tl::unexpected<Error>(id.error());
  const auto tail = base::text_in(*body, "tail", 16);
  if (!tail) return tl::unexpected<Error>(tail.error());
  if (tail->size() != orders::kTailDigits || !all_digits(*tail))
    return refuse(Code::invalid_argument, "out_of_range", "tail", "four digits");
  const auto view = find.orders.find_for_guest(OrderId(*id), *tail);
  if (!view) return tl::unexpected<Error>(view.error());
  Json out = wire::order_json(*view, find.env.clock.wall_ms());
  out.erase("quote");
  out["allowed"] = Json::array();
  return Response::json(out);
}

Result<Response> changes(const OrderFinding& find, const Request& request) {
  const auto after = moment_in(request.query_value("after"), "after");
  if (!after) return tl::unexpected<Error>(after.error());
  return Response::json(wire::changes_json(
      orders::changes_since(find.env.db, find.env.clock.wall_ms(), request.user, *after)));
}

// The list of the console. A page that holds fewer orders than fit may still name a next one.
Result<Response> search(const OrderFinding& find, const Request& request) {
  const auto text = [&request](const char* name) { return std::string(request.query_value(name)); };
  const auto search =
      OrderSearch::of(find, {text("q"), text("state"), text("channel"), text("supplier"),
                             text("kind"), text("from_ms"), text("to_ms")});
  if (!search) return tl::unexpected<Error>(search.error());
  const auto page = search->page(request.query_value("cursor"), orders::kPageSize);
  if (!page) return tl::unexpected<Error>(page.error());
  Json out = {{"orders", Json::array()}};
  if (!page->next_cursor.empty()) out["next_cursor"] = page->next_cursor;
  for (const orders::Order& order : page->orders) {
    Json row = wire::order_row_json(order);
    row["user_id"] = order.user.text;
    out["orders"].push_back(std::move(row));
  }
  return Response::json(out);
}

}  // namespace

void mount_order_finding(Router& router, const OrderFinding& find) {
  router.add({"POST", "/api/v1/orders/find", Auth::none, "", Pool::store, kMaxFindBody, false,
              Rate::sign_in, Audited::no, Level::maintenance,
              [find](const Request& request) { return find_as_guest(find, request); }});
  router.add({"GET", "/api/v1/orders/changes", Auth::buyer, "", Pool::compute, 0, false, Rate::read,
              Audited::no, Level::maintenance,
              [find](const Request& request) { return changes(find, request); }});
  router.add({"GET", "/api/admin/orders", Auth::staff, "orders.read", Pool::compute, 0, false,
              Rate::read, Audited::no, Level::maintenance,
              [find](const Request& request) { return search(find, request); }});
}

}  // namespace topup::http::routes
