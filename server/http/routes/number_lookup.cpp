#include "server/http/routes/number_lookup.h"

#include "server/http/rate_limits.h"

namespace topup::http::routes {
namespace {

constexpr std::size_t kMaxNumber = 64;

Result<Response> look_up(suppliers::NumberLookup& lookup, const Request& request) {
  const auto body = base::json_in(request.body);
  if (!body) return tl::unexpected<Error>(body.error());
  const auto only = base::only_fields(*body, {"account_number"});
  if (!only) return tl::unexpected<Error>(only.error());
  const auto number = base::text_in(*body, "account_number", kMaxNumber);
  if (!number) return tl::unexpected<Error>(number.error());
  const auto answer = lookup.look_up(*number, paying_address(request.client_address));
  if (!answer) return tl::unexpected<Error>(answer.error());
  return Response::json({{"answer", suppliers::to_word(answer->word)},
                         {"country", answer->country},
                         {"operator_id", answer->operator_id}});
}

}  // namespace

void mount_number_lookup(Router& router, suppliers::NumberLookup& lookup) {
  router.add({"POST", "/api/v1/operators/lookup", Auth::none, "", Pool::outside, kMaxLookupBody,
              false, Rate::costly, Audited::no, Level::no_marketing,
              [&lookup](const Request& request) { return look_up(lookup, request); }});
}

}  // namespace topup::http::routes
