// The buyer's own orders.
#include "server/base/crypto.h"
#include "server/http/rate_limits.h"
#include "server/http/routes/mounts.h"
#include "server/http/routes/placing.h"
#include "server/http/wire.h"
#include "server/orders/order_rules.h"
#include "server/risk/subject.h"

namespace topup::http::routes {
namespace {

using base::Json;

constexpr std::size_t kMaxBody = 2'048;
constexpr std::string_view kOwnOrders = "orders";
constexpr std::size_t kMostCoupons = 10;  // that a buyer picks by hand for one order
constexpr std::size_t kMaxCouponId = 32;

// "best", which absence means, "none", or the ids that the buyer chose.
Result<bool> read_coupons(const Json& body, QuoteRequest* wanted) {
  const auto found = body.find("coupons");
  if (found == body.end() || *found == "best") return true;
  if (*found == "none") {
    wanted->coupon_choice = CouponChoice::none;
    return true;
  }
  if (!found->is_array()) return refuse(Code::invalid_argument, "wrong_type", "coupons");
  if (found->empty() || found->size() > kMostCoupons)
    return refuse(Code::invalid_argument, "out_of_range", "coupons");
  wanted->coupon_choice = CouponChoice::these;
  for (const Json& id : *found) {
    if (!id.is_string() || id.get_ref<const std::string&>().size() > kMaxCouponId)
      return refuse(Code::invalid_argument, "wrong_type", "coupons");
    wanted->coupon_ids.push_back(id.get<std::string>());
  }
  return true;
}

Result<QuoteRequest> read_quote_request(const Json& body) {
  const auto product = base::text_in(body, "product_id", 64);
  if (!product) return tl::unexpected<Error>(product.error());
  const auto account = base::text_in(body, "account_number", 64);
  if (!account) return tl::unexpected<Error>(account.error());
  QuoteRequest wanted;
  wanted.product_id = ProductId(*product);
  wanted.account_number = *account;
  if (body.contains("amount_minor")) {
    const auto amount = base::integer_in(body, "amount_minor", 1, kMaxMinor);
    if (!amount) return tl::unexpected<Error>(amount.error());
    wanted.amount_minor = *amount;
  }
  if (const auto read = read_coupons(body, &wanted); !read)
    return tl::unexpected<Error>(read.error());
  return wanted;
}

// A price is for everybody; whoever shows a session is priced at their level and with their
// coupons. An ended session is no reason to show no price.
UserId asking_buyer(Sessions& sessions, const Request& request) {
  if (request.header("authorization").empty()) return {};
  Request known = request;
  return sessions.authenticate(Auth::buyer, "", known) ? known.user : UserId();
}

Result<Response> create_quote(const orders::OrderService& orders, Sessions& sessions,
                              const Request& request) {
  const auto body = base::json_in(request.body);
  if (!body) return tl::unexpected<Error>(body.error());
  const auto only =
      base::only_fields(*body, {"product_id", "account_number", "amount_minor", "coupons"});
  if (!only) return tl::unexpected<Error>(only.error());
  const auto wanted = read_quote_request(*body);
  if (!wanted) return tl::unexpected<Error>(wanted.error());
  const auto priced = orders.price(*wanted, asking_buyer(sessions, request));
  if (!priced) return tl::unexpected<Error>(priced.error());
  return Response::json(wire::quote_json(*priced));
}

}  // namespace

Result<orders::PlaceRequest> read_place_request(const Request& request, const Json& body,
                                                std::string_view asked) {
  const std::string_view key = request.header("idempotency-key");
  if (key.empty())
    return refuse(Code::invalid_argument, "idempotency_key_missing", "Idempotency-Key");
  if (!is_opaque_word(key, 16, 64)) {
    return refuse(Code::invalid_argument, "idempotency_key_malformed", "Idempotency-Key",
                  "16 to 64 letters, digits, - or _");
  }
  const auto only =
      base::only_fields(body, {"product_id", "account_number", "amount_minor", "quote_fingerprint",
                               "confirm_repeat", "account_number_again", "coupons"});
  if (!only) return tl::unexpected<Error>(only.error());
  const auto wanted = read_quote_request(body);
  if (!wanted) return tl::unexpected<Error>(wanted.error());
  const auto seen = base::text_in(body, "quote_fingerprint", 16);
  if (!seen) return tl::unexpected<Error>(seen.error());
  orders::PlaceRequest place{request.user, std::string(key), base::hex(base::sha256(asked)),
                             *wanted, *seen};
  if (body.contains("confirm_repeat")) {
    const auto confirmed = base::bool_in(body, "confirm_repeat");
    if (!confirmed) return tl::unexpected<Error>(confirmed.error());
    place.confirms_repeat = *confirmed;
  }
  if (body.contains("account_number_again")) {
    const auto again = base::text_in(body, "account_number_again", 64);
    if (!again) return tl::unexpected<Error>(again.error());
    place.account_again = *again;
  }
  place.address = request.client_address;
  place.device_code = risk::device_code(device_of(request));
  return place;
}

std::optional<Response> explain_placing(const Error& refused, const orders::PricedQuote& current,
                                        const orders::Order& earlier, const TraceId& trace) {
  if (refused.reason == "price_changed")
    return problem_with(refused, trace, {{"quote", wire::quote_json(current)}});
  if (refused.reason == "same_recipient_again")
    return problem_with(refused, trace, {{"earlier", wire::order_row_json(earlier)}});
  return std::nullopt;
}

namespace {

Result<Response> create_order(const orders::OrderService& orders, const base::Clock& clock,
                              const Request& request) {
  const auto body = base::json_in(request.body);
  if (!body) return tl::unexpected<Error>(body.error());
  // Compared as a value: a checkout of the same purchase under the same key is the same order.
  const auto place = read_place_request(request, *body, body->dump());
  if (!place) return tl::unexpected<Error>(place.error());
  orders::PricedQuote current;
  orders::Order earlier;
  const auto placed = orders.place(*place, &current, &earlier);
  if (!placed) {
    if (auto explained = explain_placing(placed.error(), current, earlier, request.trace))
      return *std::move(explained);
    return tl::unexpected<Error>(placed.error());
  }
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

// By one of the five words that buyers see, or by one state.
Result<std::vector<State>> states_of(std::string_view word) {
  std::vector<State> states;
  if (word.empty()) return states;
  if (const auto one = parse_state(word)) states.push_back(*one);
  for (std::size_t i = 0; i < kStateCount; ++i) {
    const auto state = static_cast<State>(i);
    const bool counted = !states.empty() && states.front() == state;
    if (to_word(buyer_word(state)) == word && !counted) states.push_back(state);
  }
  if (states.empty()) return refuse(Code::invalid_argument, "out_of_range", "state");
  return states;
}

Result<Response> list_orders(const orders::OrderService& orders, const privacy::Pii& pii,
                             const Cursors& cursors, const Request& request) {
  const std::string_view state = request.query_value("state");
  const std::string_view tail = request.query_value("tail");
  const auto states = states_of(state);
  if (!states) return tl::unexpected<Error>(states.error());
  const bool is_tail = tail.size() == orders::kTailDigits &&
                       tail.find_first_not_of("0123456789") == std::string_view::npos;
  if (!tail.empty() && !is_tail)
    return refuse(Code::invalid_argument, "out_of_range", "tail", "four digits");
  // The filter is part of the name: a cursor of one does not go on in another.
  const std::string name =
      std::string(kOwnOrders) + "/" + std::string(state) + "/" + std::string(tail);
  const auto place = cursors.place_of(name, request.user.text, request.query_value("cursor"));
  if (!place) return tl::unexpected<Error>(place.error());
  orders::order_store::Selection wanted;
  wanted.user = request.user;
  wanted.states = *states;
  if (is_tail) wanted.tail_index = orders::tail_index_of(pii, tail);
  const orders::OrderPage page = orders.list(wanted, OrderId(*place));
  Json rows = Json::array();
  for (const orders::Order& order : page.orders) rows.push_back(wire::order_row_json(order));
  Json out = {{"orders", std::move(rows)}};
  if (!page.next_cursor.empty())
    out["next_cursor"] = cursors.make(name, request.user.text, page.next_cursor);
  return Response::json(out);
}

}  // namespace

void mount_orders(Router& router, const orders::OrderService& orders,
                  const orders::PaymentFlow& payments, const Cursors& cursors,
                  const base::Clock& clock, const privacy::Pii& pii, Sessions& sessions) {
  // A price is shown in maintenance, too: it costs nothing, and a tester has no session here.
  router.add({"POST", "/api/v1/quotes", Auth::none, "", Pool::compute, kMaxBody, false, Rate::read,
              Audited::no, Level::maintenance,
              [&](const Request& request) { return create_quote(orders, sessions, request); }});
  router.add({"POST", "/api/v1/orders", Auth::buyer, "", Pool::store, kMaxBody, false, Rate::write,
              Audited::yes, Level::simple_pages,
              [&](const Request& request) { return create_order(orders, clock, request); }});
  router.add({"GET", "/api/v1/orders", Auth::buyer, "", Pool::compute, 0, false, Rate::read,
              Audited::no, Level::maintenance,
              [&](const Request& request) { return list_orders(orders, pii, cursors, request); }});
  router.add({"GET", "/api/v1/orders/{order_id}", Auth::buyer, "", Pool::compute, 0, false,
              Rate::read, Audited::no, Level::maintenance,
              [&](const Request& request) { return show_order(orders, clock, request); }});
  router.add({"POST", "/api/v1/orders/{order_id}/confirm", Auth::buyer, "", Pool::outside, kMaxBody,
              false, Rate::costly, Audited::no, Level::maintenance,
              [&](const Request& request) -> Result<Response> {
                if (const auto plain = base::no_fields_in(request.body); !plain)
                  return tl::unexpected<Error>(plain.error());
                const auto asked = payments.confirm(
                    request.user, OrderId(std::string(request.capture("order_id"))));
                if (!asked) return tl::unexpected<Error>(asked.error());
                return show_order(orders, clock, request);
              }});
  router.add({"POST", "/api/v1/orders/{order_id}/cancel", Auth::buyer, "", Pool::outside, kMaxBody,
              false, Rate::costly, Audited::yes, Level::maintenance,
              [&](const Request& request) -> Result<Response> {
                if (const auto plain = base::no_fields_in(request.body); !plain)
                  return tl::unexpected<Error>(plain.error());
                const auto done =
                    payments.cancel(request.user, OrderId(std::string(request.capture("order_id"))),
                                    "buyer:" + request.user.text);
                if (!done) return tl::unexpected<Error>(done.error());
                return show_order(orders, clock, request);
              }});
}

}  // namespace topup::http::routes
