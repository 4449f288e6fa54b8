// A buyer's own data: what was agreed to, everything that is kept, and leaving.
#include "server/content/content.h"
#include "server/http/routes/mounts.h"
#include "server/privacy/data_requests.h"

namespace topup::http::routes {
namespace {

using base::Json;

constexpr std::size_t kMaxBody = 1'024;
constexpr std::string_view kTerms = "terms";
constexpr std::string_view kPrivacy = "privacy";
// What somebody agrees to beside the agreements; the privacy policy says what each means.
constexpr std::string_view kLocation = "location";
constexpr std::string_view kMessages = "messages";

bool is_purpose(std::string_view document) {
  return document == kTerms || document == kPrivacy || document == kLocation ||
         document == kMessages;
}

Response no_content() {
  Response response;
  response.status = 204;
  return response;
}

Result<Json> body_of(const Request& request, std::initializer_list<std::string_view> allowed) {
  auto body = base::json_in(request.body);
  if (!body) return body;
  const auto only = base::only_fields(*body, allowed);
  if (!only) return tl::unexpected<Error>(only.error());
  return body;
}

// Only to what is shown now: nobody can have read another text just before.
Result<Response> give_consent(const PersonalDesk& desk, const Request& request) {
  const auto body = body_of(request, {"document", "version"});
  if (!body) return tl::unexpected<Error>(body.error());
  const auto document = base::text_in(*body, "document", 32);
  if (!document) return tl::unexpected<Error>(document.error());
  if (!is_purpose(*document)) return refuse(Code::invalid_argument, "out_of_range", "document");
  const auto version = base::text_in(*body, "version", 32);
  if (!version) return tl::unexpected<Error>(version.error());
  const auto shown = desk.content->agreement_version(*document == kTerms ? kTerms : kPrivacy);
  if (*version != std::to_string(shown))
    return refuse(Code::conflict, "agreement_changed", "version");
  desk.identities->consent(request.user, *document, *version, request.trace);
  return Response::json(me_json(*desk.identities, request.user));
}

// Without the privacy policy nothing else that was agreed to has ground to stand on.
Result<Response> withdraw(const PersonalDesk& desk, const Request& request) {
  const std::string document(request.capture("document"));
  if (!is_purpose(document)) return refuse(Code::invalid_argument, "out_of_range", "document");
  const bool all = document == kPrivacy;
  desk.identities->withdraw(request.user, all ? "" : document, request.trace, [&](storage::Tx& tx) {
    if (all || document == kMessages) desk.stop_messages(tx, request.user);
  });
  return Response::json(me_json(*desk.identities, request.user));
}

Result<Response> export_all(const PersonalDesk& desk, const Request& request) {
  if (const auto plain = base::no_fields_in(request.body); !plain)
    return tl::unexpected<Error>(plain.error());
  Response response;
  response.body = desk.requests->export_of(request.user, request.trace).dump(2);
  response.headers = {{"Content-Disposition", "attachment; filename=\"my-topup-data.json\""},
                      {"Cache-Control", "no-store"}};
  return response;
}

Json obstacles_json(const std::vector<privacy::Obstacle>& obstacles) {
  Json out = Json::array();
  for (const privacy::Obstacle& one : obstacles)
    out.push_back({{"reason", one.word}, {"count", one.count}});
  return out;
}

Result<Response> look_before_leaving(const PersonalDesk& desk, const Request& request) {
  return Response::json({{"obstacles", obstacles_json(desk.requests->obstacles(request.user))}});
}

Result<Response> leave(const PersonalDesk& desk, const Request& request) {
  const auto body = body_of(request, {"confirm"});
  if (!body) return tl::unexpected<Error>(body.error());
  const auto confirmed = base::bool_in(*body, "confirm");
  if (!confirmed) return tl::unexpected<Error>(confirmed.error());
  if (!*confirmed) return refuse(Code::rejected, "consent_needed", "confirm");
  const auto erased = desk.requests->erase(request.user, request.trace);
  if (!erased) return tl::unexpected<Error>(erased.error());
  return no_content();
}

}  // namespace

Json me_json(const auth::Identities& source, const UserId& user) {
  const auth::Person person = source.person(user);
  Json identities = Json::array();
  for (const auth::Identity& identity : person.identities) {
    if (identity.kind == auth::identity_kind::kUnion) continue;
    identities.push_back({{"identity_id", identity.identity_id},
                          {"kind", identity.kind},
                          {"masked", identity.subject_masked},
                          {"bound_at_ms", identity.bound_at_ms}});
  }
  Json consents = Json::array();
  for (const auth::Consent& consent : person.consents) {
    consents.push_back({{"document", consent.document},
                        {"version", consent.version},
                        {"given_at_ms", consent.given_at_ms},
                        {"withdrawn_at_ms", consent.withdrawn_at_ms}});
  }
  return {{"user_id", user.text},
          {"level", person.level},
          {"identities", std::move(identities)},
          {"consents", std::move(consents)}};
}

void mount_personal(Router& router, const PersonalDesk& desk) {
  const auto change = [&](std::string_view method, std::string_view pattern, Rate rate,
                          Handler handler) {
    router.add({method, pattern, Auth::buyer, "", Pool::store, method == "POST" ? kMaxBody : 0,
                false, rate, Audited::yes, Level::maintenance, std::move(handler)});
  };
  change("POST", "/api/v1/me/consents", Rate::write,
         [&desk](const Request& r) { return give_consent(desk, r); });
  change("DELETE", "/api/v1/me/consents/{document}", Rate::write,
         [&desk](const Request& r) { return withdraw(desk, r); });
  change("POST", "/api/v1/me/export", Rate::costly,
         [&desk](const Request& r) { return export_all(desk, r); });
  router.add({"GET", "/api/v1/me/erasure", Auth::buyer, "", Pool::compute, 0, false, Rate::read,
              Audited::no, Level::maintenance,
              [&desk](const Request& r) { return look_before_leaving(desk, r); }});
  change("POST", "/api/v1/me/erasure", Rate::sign_in,
         [&desk](const Request& r) { return leave(desk, r); });
}

}  // namespace topup::http::routes
