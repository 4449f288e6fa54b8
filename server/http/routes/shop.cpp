// What a page needs before it knows anybody: the shop, the price book, a guest's session.
#include "server/content/content.h"
#include "server/http/routes/mounts.h"
#include "server/http/routes/setup.h"
#include "server/http/session_gate.h"

namespace topup::http::routes {
namespace {

using base::Json;

Result<Response> get_price_book(const catalog::Catalog& catalog, const Request& request) {
  const auto current = catalog.current();
  if (!current) return tl::unexpected<Error>(current.error());
  const std::string etag = "\"" + (*current)->buyers.fingerprint + "\"";
  Response response;
  response.headers = {{"ETag", etag}, {"Cache-Control", "no-cache"}};
  response.content_type = "application/octet-stream";
  if (request.header("if-none-match") == etag) {
    response.status = 304;
    return response;
  }
  response.body = (*current)->buyers.bytes;
  return response;
}

}  // namespace

void mount_shop(Router& router, const ShopFacts& facts, const catalog::Catalog& catalog,
                auth::BuyerSessions& sessions, const ServiceLevels& levels,
                const base::Clock& clock, const ShopNow& now) {
  router.add(
      {"GET", "/api/v1/shop", Auth::none, "", Pool::compute, 0, false, Rate::read, Audited::no,
       Level::maintenance, [facts, now, &levels, &clock](const Request&) -> Result<Response> {
         Json out = levels.facts();
         out["name"] = facts.name;
         out["now_ms"] = clock.wall_ms();
         out["rehearsed"] = facts.rehearsed;
         out["sign_in"] = facts.sign_in;
         for (const std::string_view document : {"terms", "privacy"})
           out["agreements"][std::string(document)] = facts.content->agreement_version(document);
         if (facts.offers) out["offers"] = facts.offers();
         if (facts.decoration) out["decoration"] = facts.decoration();
         if (now) now(out);
         return Response::json(out);
       }});
  router.add({"GET", "/api/v1/price-book", Auth::none, "", Pool::compute, 0, false, Rate::read,
              Audited::no, Level::maintenance,
              [&catalog](const Request& request) { return get_price_book(catalog, request); }});
  router.add({"POST", "/api/v1/sessions", Auth::none, "", Pool::store, 1'024, false, Rate::sign_in,
              Audited::no, Level::maintenance,
              [&sessions](const Request& request) -> Result<Response> {
                if (const auto plain = base::no_fields_in(request.body); !plain)
                  return tl::unexpected<Error>(plain.error());
                const auth::StartedSession session = sessions.start_guest(caller_of(request));
                return Response::json({{"token", session.token},
                                       {"session_id", session.session_id},
                                       {"user_id", session.user.text},
                                       {"expires_at_ms", session.expires_at_ms}},
                                      201);
              }});
}

}  // namespace topup::http::routes
