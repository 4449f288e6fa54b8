// Placing an order and starting its payment, as orders, payments and checkouts share them.
#pragma once

#include <optional>
#include <string_view>

#include "server/base/json.h"
#include "server/http/routes/mounts.h"

namespace topup::http::routes {

// The order row itself carries the Idempotency-Key, so that placing and remembering commit
// together. `asked` is what a repeat must equal.
Result<orders::PlaceRequest> read_place_request(const Request& request, const base::Json& body,
                                                std::string_view asked);
// The refusal as the buyer needs it, with the price of now or the order already made.
std::optional<Response> explain_placing(const Error& refused, const orders::PricedQuote& current,
                                        const orders::Order& earlier, const TraceId& trace);

// All but the order. Errors: out_of_range and those of the fields.
Result<orders::StartPayment> read_start_payment(const Request& request, const base::Json& body);
// Names the channel and, inside WeChat, the payer; writes nothing. Errors: those of
// ChannelChoice::pick(). `explained`: the refusal with the channel to take instead.
Result<orders::StartPayment> choose_or_explain(const payments::ChannelChoice& choice,
                                               const BuyerDesk& desk, orders::StartPayment wanted,
                                               const TraceId& trace,
                                               std::optional<Response>* explained);
// What the page opens the sheet with.
base::Json sheet_json(const orders::StartPayment& wanted, const orders::StartedPayment& started);

}  // namespace topup::http::routes
