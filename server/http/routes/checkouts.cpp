// From the confirm page to the payment sheet in one round trip: airports have bad networks. Before
// the channel is asked, order and payment attempt are durable by one commit (PaymentFlow::
// check_out). The ticket that the channel answers is handed out while it waits for its commit
// (TicketKeeper): nothing depends on it. A crash in between loses no order and no number, and a
// repeat of the key has the channel give the sheet of the same out_trade_no again.
#include "server/http/routes/placing.h"
#include "server/http/wire.h"

namespace topup::http::routes {
namespace {

using base::Json;

constexpr std::size_t kMaxBody = 4'096;

// An order that was placed is told also when its payment did not start: it may be paid later, by
// the same button or another channel.
Result<Response> check_out(const orders::OrderService& orders, const orders::PaymentFlow& payments,
                           const payments::ChannelChoice& choice, const BuyerDesk& desk,
                           const base::Clock& clock, const Request& request) {
  const auto body = base::json_in(request.body);
  if (!body) return tl::unexpected<Error>(body.error());
  const auto only = base::only_fields(*body, {"order", "payment"});
  if (!only) return tl::unexpected<Error>(only.error());
  const auto order = base::object_in(*body, "order");
  if (!order) return tl::unexpected<Error>(order.error());
  const auto payment = base::object_in(*body, "payment");
  if (!payment) return tl::unexpected<Error>(payment.error());
  const auto place = read_place_request(request, **order, (*order)->dump());
  if (!place) return tl::unexpected<Error>(place.error());
  auto start = read_start_payment(request, **payment);
  if (!start) return tl::unexpected<Error>(start.error());

  std::optional<Response> explained;
  const auto chosen = choose_or_explain(choice, desk, *start, request.trace, &explained);
  orders::PricedQuote current;
  orders::Order earlier;
  const auto refused = [&](const Error& error) -> Result<Response> {
    if (auto told = explain_placing(error, current, earlier, request.trace))
      return *std::move(told);
    return tl::unexpected<Error>(error);
  };
  Json out = Json::object();
  bool is_replayed = false;
  const auto told = [&](const orders::OrderView& placed) {
    is_replayed = placed.replayed;
    out["order"] = wire::order_json(placed, clock.wall_ms());
  };
  const auto not_paid = [&](const Error& error) {
    const Response why = explained ? *explained : problem(error, request.trace);
    out["payment_problem"] = Json::parse(why.body);
  };
  if (!chosen) {  // no channel takes it now: the order is placed all the same
    const auto placed = orders.place(*place, &current, &earlier);
    if (!placed) return refused(placed.error());
    told(*placed);
    not_paid(chosen.error());
  } else {
    const auto done = payments.check_out(orders, *place, *chosen, &current, &earlier);
    if (!done) return refused(done.error());
    told(done->placed);
    if (done->started) {
      out["payment"] = sheet_json(*chosen, *done->started);
    } else {
      not_paid(done->started.error());
    }
  }
  Response response = Response::json(out, 201);
  if (is_replayed) response.headers.emplace_back("Idempotency-Replayed", "true");
  return response;
}

}  // namespace

void mount_checkouts(Router& router, const orders::OrderService& orders,
                     const orders::PaymentFlow& payments, const payments::ChannelChoice& choice,
                     const BuyerDesk& desk, const base::Clock& clock) {
  router.add({"POST", "/api/v1/checkouts", Auth::buyer, "", Pool::outside, kMaxBody, false,
              Rate::costly, Audited::yes, Level::simple_pages, [&](const Request& request) {
                return check_out(orders, payments, choice, desk, clock, request);
              }});
}

}  // namespace topup::http::routes
