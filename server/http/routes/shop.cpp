// What a page needs before it knows anybody: the shop, the price book, a guest's session.
#include "server/http/routes/mounts.h"

namespace topup::http::routes {
namespace {

using base::Json;

Result<Response> get_price_book(const catalog::Catalog& catalog, const Request& request) {
  const auto current = catalog.current();
  if (!current) return tl::unexpected<Error>(current.error());
  const std::string etag = "\"" + (*current)->fingerprint + "\"";
  Response response;
  response.headers = {{"ETag", etag}, {"Cache-Control", "no-cache"}};
  response.content_type = "application/octet-stream";
  if (request.header("if-none-match") == etag) {
    response.status = 304;
    return response;
  }
  response.body = (*current)->bytes;
  return response;
}

}  // namespace

void mount_shop(Router& router, const ShopFacts& facts, const catalog::Catalog& catalog,
                auth::Sessions& sessions, const base::Clock& clock) {
  router.add({"GET", "/api/v1/shop", Auth::none, "", Pool::compute, 0, false,
              [facts, &clock](const Request&) -> Result<Response> {
                return Response::json({{"name", facts.name},
                                       {"now_ms", clock.wall_ms()},
                                       {"rehearsed", facts.rehearsed}});
              }});
  router.add({"GET", "/api/v1/price-book", Auth::none, "", Pool::compute, 0, false,
              [&catalog](const Request& request) { return get_price_book(catalog, request); }});
  router.add({"POST", "/api/v1/sessions", Auth::none, "", Pool::store, 1'024, false,
              [&sessions](const Request&) -> Result<Response> {
                const auth::GuestSession session = sessions.start_guest();
                return Response::json({{"token", session.token},
                                       {"user_id", session.user.text},
                                       {"expires_at_ms", session.expires_at_ms}},
                                      201);
              }});
}

}  // namespace topup::http::routes
