// The buyer's own orders.
#include "server/base/crypto.h"
#include "server/http/routes/mounts.h"
#include "server/http/wire.h"

namespace topup::http::routes {
namespace {

using base::Json;

constexpr std::size_t kMaxBody = 2'048;
constexpr std::size_t kMaxReturnPath = 200;

Result<QuoteRequest> read_quote_request(const Json& body) {
  const auto product = base::text_in(body, "product_id", 64);
  if (!product) return tl::unexpected<Error>(product.error());
  const auto account = base::text_in(body, "account_number", 64);
  if (!account) return tl::unexpected<Error>(account.error());
  return QuoteRequest{ProductId(*product), *account};
}

Result<Response> create_quote(const orders::OrderService& orders, const Request& request) {
  const auto body = base::json_in(request.body);
  if (!body) return tl::unexpected<Error>(body.error());
  const auto only = base::only_fields(*body, {"product_id", "account_number"});
  if (!only) return tl::unexpected<Error>(only.error());
  const auto wanted = read_quote_request(*body);
  if (!wanted) return tl::unexpected<Error>(wanted.error());
  const auto priced = orders.price(*wanted);
  if (!priced) return tl::unexpected<Error>(priced.error());
  return Response::json(wire::quote_json(*priced));
}

bool is_key(std::string_view key) {
  if (key.size() < 16 || key.size() > 64) return false;
  for (const char c : key) {
    const bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '-' || c == '_';
    if (!word) return false;
  }
  return true;
}

// The order row itself carries the key, so that placing and remembering commit together.
Result<orders::PlaceRequest> read_place_request(const Request& request) {
  const std::string_view key = request.header("idempotency-key");
  if (key.empty())
    return refuse(Code::invalid_argument, "idempotency_key_missing", "Idempotency-Key");
  if (!is_key(key)) {
    return refuse(Code::invalid_argument, "idempotency_key_malformed", "Idempotency-Key",
                  "16 to 64 letters, digits, - or _");
  }
  const auto body = base::json_in(request.body);
  if (!body) return tl::unexpected<Error>(body.error());
  const auto only = base::only_fields(*body, {"product_id", "account_number", "quote_fingerprint"});
  if (!only) return tl::unexpected<Error>(only.error());
  const auto wanted = read_quote_request(*body);
  if (!wanted) return tl::unexpected<Error>(wanted.error());
  const auto seen = base::text_in(*body, "quote_fingerprint", 16);
  if (!seen) return tl::unexpected<Error>(seen.error());
  return orders::PlaceRequest{request.user, std::string(key), base::hex(base::sha256(request.body)),
                              *wanted, *seen};
}

Result<Response> create_order(const orders::OrderService& orders, const base::Clock& clock,
                              const Request& request) {
  const auto place = read_place_request(request);
  if (!place) return tl::unexpected<Error>(place.error());
  Quote current;
  const auto placed = orders.place(*place, &current);
  if (!placed && placed.error().reason == "price_changed") {
    return problem_with(placed.error(), request.trace, {{"quote", wire::quote_json(current)}});
  }
  if (!placed) return tl::unexpected<Error>(placed.error());
  Response response = Response::json(wire::order_json(*placed, clock.wall_ms()), 201);
  if (placed->replayed) response.headers.emplace_back("Idempotency-Replayed", "true");
  return response;
}

Result<Response> show_order(const orders::OrderService& orders, const base::Clock& clock,
                            const Request& request) {
  const auto view = orders.find(request.user, OrderId(std::string(request.capture("order_id"))));
  if (!view) return tl::unexpected<Error>(view.error());
  return Response::json(wire::order_json(*view, clock.wall_ms()));
}

Result<Response> list_orders(const orders::OrderService& orders, const Request& request) {
  const orders::OrderPage page =
      orders.list(request.user, OrderId(std::string(request.query_value("cursor"))));
  Json rows = Json::array();
  for (const orders::Order& order : page.orders) rows.push_back(wire::order_row_json(order));
  Json out = {{"orders", std::move(rows)}};
  if (!page.next_cursor.empty()) out["next_cursor"] = page.next_cursor;
  return Response::json(out);
}

Result<orders::StartPayment> read_start_payment(const Request& request) {
  const auto body = base::json_in(request.body);
  if (!body) return tl::unexpected<Error>(body.error());
  const auto only = base::only_fields(*body, {"channel", "scene", "return_path"});
  if (!only) return tl::unexpected<Error>(only.error());
  const auto channel = base::text_in(*body, "channel", 16);
  if (!channel) return tl::unexpected<Error>(channel.error());
  const auto scene = base::text_in(*body, "scene", 16);
  if (!scene) return tl::unexpected<Error>(scene.error());
  if (*scene != "h5") return refuse(Code::invalid_argument, "out_of_range", "scene", "h5");
  orders::StartPayment start;
  start.user = request.user;
  start.order = OrderId(std::string(request.capture("order_id")));
  start.channel = *channel;
  start.client_address = request.client_address;
  if (body->contains("return_path")) {
    const auto path = base::text_in(*body, "return_path", kMaxReturnPath);
    if (!path) return tl::unexpected<Error>(path.error());
    if (!path->starts_with("/") || path->starts_with("//") ||
        path->find('\\') != std::string::npos) {
      return refuse(Code::invalid_argument, "out_of_range", "return_path",
                    "a path of this shop, starting with one slash");
    }
    start.return_path = *path;
  }
  return start;
}

Result<Response> start_payment(const orders::PaymentFlow& payments, const Request& request) {
  const auto wanted = read_start_payment(request);
  if (!wanted) return tl::unexpected<Error>(wanted.error());
  const auto started = payments.start(*wanted);
  if (!started) return tl::unexpected<Error>(started.error());
  return Response::json({{"out_trade_no", started->out_trade_no.text},
                         {"scene", "h5"},
                         {"h5_url", started->ticket.h5_url},
                         {"expires_at_ms", started->expires_at_ms}});
}

}  // namespace

void mount_orders(Router& router, const orders::OrderService& orders,
                  const orders::PaymentFlow& payments, const base::Clock& clock) {
  router.add({"POST", "/api/v1/quotes", Auth::none, "", Pool::compute, kMaxBody, false,
              [&](const Request& request) { return create_quote(orders, request); }});
  router.add({"POST", "/api/v1/orders", Auth::buyer, "", Pool::store, kMaxBody, false,
              [&](const Request& request) { return create_order(orders, clock, request); }});
  router.add({"GET", "/api/v1/orders", Auth::buyer, "", Pool::compute, 0, false,
              [&](const Request& request) { return list_orders(orders, request); }});
  router.add({"GET", "/api/v1/orders/{order_id}", Auth::buyer, "", Pool::compute, 0, false,
              [&](const Request& request) { return show_order(orders, clock, request); }});
  router.add({"POST", "/api/v1/orders/{order_id}/payments", Auth::buyer, "", Pool::outside,
              kMaxBody, true,
              [&](const Request& request) { return start_payment(payments, request); }});
  router.add({"POST", "/api/v1/orders/{order_id}/confirm", Auth::buyer, "", Pool::outside, kMaxBody,
              false, [&](const Request& request) -> Result<Response> {
                const auto asked = payments.confirm(
                    request.user, OrderId(std::string(request.capture("order_id"))));
                if (!asked) return tl::unexpected<Error>(asked.error());
                return show_order(orders, clock, request);
              }});
  router.add({"POST", "/api/v1/orders/{order_id}/cancel", Auth::buyer, "", Pool::outside, kMaxBody,
              false, [&](const Request& request) -> Result<Response> {
                const auto done =
                    payments.cancel(request.user, OrderId(std::string(request.capture("order_id"))),
                                    "buyer:" + request.user.text);
                if (!done) return tl::unexpected<Error>(done.error());
                return show_order(orders, clock, request);
              }});
}

}  // namespace topup::http::routes
