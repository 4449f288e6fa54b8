// How a buyer becomes somebody, and what somebody may see and change of oneself.
#include <algorithm>

#include "server/http/routes/mounts.h"
#include "server/http/session_gate.h"

namespace topup::http::routes {
namespace {

using base::Json;

constexpr std::size_t kMaxBody = 2'048;
constexpr std::string_view kBearer = "Bearer ";
constexpr std::string_view kJourneyCookie = "topup_journey";
constexpr std::string_view kJourneyPath = "/api/v1/sign-in/wechat-oa";

// A sign-in may come with the session of a guest, which then goes on as somebody.
std::string_view token_of(const Request& request) {
  const std::string_view header = request.header("authorization");
  return header.starts_with(kBearer) ? header.substr(kBearer.size()) : std::string_view();
}

std::string journey_of(const Request& request) {
  return std::string(request.cookie(kJourneyCookie).substr(0, 64));
}

std::string journey_cookie(const BuyerDesk& desk, std::string_view token, std::int64_t max_age_s) {
  return std::string(kJourneyCookie) + "=" + std::string(token) +
         "; Path=" + std::string(kJourneyPath) +
         "; HttpOnly; SameSite=Lax; Max-Age=" + std::to_string(max_age_s) +
         (desk.is_https ? "; Secure" : "");
}

Json session_json(const auth::StartedSession& session) {
  return {{"token", session.token},
          {"session_id", session.session_id},
          {"user_id", session.user.text},
          {"expires_at_ms", session.expires_at_ms}};
}

Result<Response> arrived(const Result<auth::Arrival>& arrival, const Request& request) {
  if (!arrival) return tl::unexpected<Error>(arrival.error());
  if (arrival->session) {
    Json session = session_json(*arrival->session);
    if (!arrival->merge_token.empty()) session["merge_token"] = arrival->merge_token;
    return Response::json(session);
  }
  const Error merge{Code::conflict, "merge_needed", "",
                    "this identity belongs to another account; merging needs consent"};
  return problem_with(merge, request.trace, {{"merge_token", arrival->merge_token}});
}

Result<Json> body_of(const Request& request, std::initializer_list<std::string_view> allowed) {
  auto body = base::json_in(request.body);
  if (!body) return body;
  const auto only = base::only_fields(*body, allowed);
  if (!only) return tl::unexpected<Error>(only.error());
  return body;
}

Result<std::string> code_in(const Request& request) {
  const auto body = body_of(request, {"code"});
  if (!body) return tl::unexpected<Error>(body.error());
  return base::text_in(*body, "code", 512);
}

struct TypedPhone {
  std::string phone, country, purpose;
};
Result<TypedPhone> phone_in(const Json& body) {
  TypedPhone typed{"", "CN", "sign_in"};
  const auto phone = base::text_in(body, "phone", 64);
  if (!phone) return tl::unexpected<Error>(phone.error());
  typed.phone = *phone;
  if (body.contains("country")) {
    const auto country = base::text_in(body, "country", 2);
    if (!country) return tl::unexpected<Error>(country.error());
    typed.country = *country;
  }
  if (body.contains("purpose")) {
    const auto purpose = base::text_in(body, "purpose", 16);
    if (!purpose) return tl::unexpected<Error>(purpose.error());
    if (*purpose != "sign_in" && *purpose != "bind")
      return refuse(Code::invalid_argument, "out_of_range", "purpose", "sign_in or bind");
    typed.purpose = *purpose;
  }
  return typed;
}

Result<Response> ask_code(const BuyerDesk& desk, const Request& request) {
  const auto body = body_of(request, {"phone", "country", "purpose"});
  if (!body) return tl::unexpected<Error>(body.error());
  const auto typed = phone_in(*body);
  if (!typed) return tl::unexpected<Error>(typed.error());
  if (desk.sms == nullptr) return refuse(Code::rejected, "sign_in_not_offered");
  const auto user = desk.sessions->buyer(token_of(request));
  const auto asked = desk.sms->ask(typed->phone, typed->country, typed->purpose,
                                   user ? user->text : "", caller_of(request));
  if (!asked) return tl::unexpected<Error>(asked.error());
  return Response::json(
      {{"again_after_ms", asked->again_after_ms}, {"expires_at_ms", asked->expires_at_ms}}, 202);
}

Result<auth::Proof> phone_proof(const BuyerDesk& desk, const Request& request,
                                std::string_view purpose) {
  const auto body = body_of(request, {"phone", "country", "code"});
  if (!body) return tl::unexpected<Error>(body.error());
  const auto typed = phone_in(*body);
  if (!typed) return tl::unexpected<Error>(typed.error());
  const auto code = base::text_in(*body, "code", 16);
  if (!code) return tl::unexpected<Error>(code.error());
  if (desk.sms == nullptr) return refuse(Code::rejected, "sign_in_not_offered");
  return desk.sms->check(typed->phone, typed->country, purpose, *code, caller_of(request));
}

// A refusal by WeChat is an attempt to sign in that failed: it is in the trail.
Result<auth::Proof> noted(const BuyerDesk& desk, std::string_view kind, Result<auth::Proof> proof,
                          const Request& request) {
  if (proof || proof.error().reason == "sign_in_not_offered") return proof;
  auth::Proof tried;
  tried.kind = kind;
  desk.identities->refused(tried, proof.error().reason, caller_of(request));
  return proof;
}

Result<auth::Proof> mini_proof(const BuyerDesk& desk, const Request& request) {
  const auto code = code_in(request);
  if (!code) return tl::unexpected<Error>(code.error());
  return noted(desk, auth::identity_kind::kWechatMini, desk.wechat->of_mini_program(*code),
               request);
}

Result<auth::Proof> alipay_proof(const BuyerDesk& desk, const Request& request) {
  const auto code = code_in(request);
  if (!code) return tl::unexpected<Error>(code.error());
  const std::string app = desk.alipay.app_id ? desk.alipay.app_id() : "";
  if (app.empty()) return refuse(Code::rejected, "sign_in_not_offered");
  const auto person = desk.alipay.person_of(*code);
  const std::string_view kind = auth::identity_kind::kAlipayMini;
  if (!person) return noted(desk, kind, tl::unexpected<Error>(person.error()), request);
  return auth::Proof{std::string(kind), app, *person, ""};
}

Result<Response> begin(const BuyerDesk& desk, const Result<auth::Proof>& proof,
                       const Request& request) {
  if (!proof) return tl::unexpected<Error>(proof.error());
  return arrived(desk.identities->sign_in(*proof, token_of(request), caller_of(request)), request);
}

Result<Response> bind(const BuyerDesk& desk, const Result<auth::Proof>& proof,
                      const Request& request) {
  if (!proof) return tl::unexpected<Error>(proof.error());
  return arrived(
      desk.identities->bind(*proof, request.user, request.session_id, caller_of(request)), request);
}

Response redirect(const std::string& location) {
  Response response;
  response.status = 302;
  response.content_type = "text/plain; charset=utf-8";
  response.headers = {{"Location", location}, {"Cache-Control", "no-store"}};
  return response;
}

Result<Response> depart(const BuyerDesk& desk, const Request& request) {
  const std::string_view wanted = request.query_value("return_path");
  const auto departure = desk.wechat->depart(wanted.empty() ? "/" : wanted);
  if (!departure) return tl::unexpected<Error>(departure.error());
  Response response = redirect(departure->location);
  response.headers.emplace_back(
      "Set-Cookie", journey_cookie(desk, departure->browser_token, auth::kJourneyMs / 1'000));
  return response;
}

Result<Response> come_back(const BuyerDesk& desk, const Request& request) {
  const std::string code(request.query_value("code"));
  const auto path = desk.wechat->arrive(request.query_value("state"), code, journey_of(request));
  if (!path) {
    auth::Proof tried;
    tried.kind = auth::identity_kind::kWechatOa;
    if (path.error().reason != "sign_in_not_offered")
      desk.identities->refused(tried, path.error().reason, caller_of(request));
    return tl::unexpected<Error>(path.error());
  }
  return redirect(desk.public_origin + *path);
}

Result<Response> claim(const BuyerDesk& desk, const Request& request, bool is_bind) {
  if (const auto plain = base::no_fields_in(request.body); !plain)
    return tl::unexpected<Error>(plain.error());
  const auto proof = desk.wechat->claim(journey_of(request));
  auto answer = is_bind ? bind(desk, proof, request) : begin(desk, proof, request);
  if (answer) answer->headers.emplace_back("Set-Cookie", journey_cookie(desk, "", 0));
  return answer;
}

Result<Response> show_me(const BuyerDesk& desk, const Request& request) {
  return Response::json(me_json(*desk.identities, request.user));
}

Result<Response> merge(const BuyerDesk& desk, const Request& request) {
  const auto body = body_of(request, {"merge_token", "consent"});
  if (!body) return tl::unexpected<Error>(body.error());
  const auto token = base::text_in(*body, "merge_token", 64);
  if (!token) return tl::unexpected<Error>(token.error());
  const auto consent = base::bool_in(*body, "consent");
  if (!consent) return tl::unexpected<Error>(consent.error());
  return arrived(desk.identities->merge(request.user, request.session_id, *token, *consent,
                                        caller_of(request)),
                 request);
}

Result<Response> list_sessions(const BuyerDesk& desk, const Request& request) {
  Json rows = Json::array();
  for (const auth::SessionView& view : desk.sessions->list(request.user, request.session_id)) {
    rows.push_back({{"session_id", view.session_id},
                    {"kind", view.proof},
                    {"device", view.device},
                    {"address_masked", view.address_masked},
                    {"created_at_ms", view.created_at_ms},
                    {"seen_at_ms", view.seen_at_ms},
                    {"expires_at_ms", view.expires_at_ms},
                    {"is_current", view.is_current}});
  }
  return Response::json({{"sessions", std::move(rows)}});
}

Result<Response> list_sign_ins(const BuyerDesk& desk, const Request& request) {
  Json rows = Json::array();
  for (const auth::SignIn& entry : desk.sign_ins->list(request.user)) {
    rows.push_back({{"kind", entry.kind},
                    {"outcome", entry.outcome},
                    {"reason", entry.reason},
                    {"subject_masked", entry.subject_masked},
                    {"address_masked", entry.address_masked},
                    {"device", entry.device},
                    {"at_ms", entry.at_ms}});
  }
  return Response::json({{"sign_ins", std::move(rows)}});
}

Response no_content() {
  Response response;
  response.status = 204;
  return response;
}

void mount_me(Router& router, const BuyerDesk& desk) {
  const auto read = [&](std::string_view pattern,
                        Result<Response> (*show)(const BuyerDesk&, const Request&)) {
    router.add({"GET", pattern, Auth::buyer, "", Pool::compute, 0, false, Rate::read, Audited::no,
                Level::maintenance, [&desk, show](const Request& r) { return show(desk, r); }});
  };
  const auto change = [&](std::string_view method, std::string_view pattern, Pool pool, Rate rate,
                          Handler handler) {
    router.add({method, pattern, Auth::buyer, "", pool, method == "POST" ? kMaxBody : 0, false,
                rate, Audited::yes, Level::maintenance, std::move(handler)});
  };
  read("/api/v1/me", show_me);
  read("/api/v1/me/sessions", list_sessions);
  read("/api/v1/me/sign-ins", list_sign_ins);
  change("POST", "/api/v1/me/merge", Pool::store, Rate::sign_in,
         [&desk](const Request& r) { return merge(desk, r); });
  change("POST", "/api/v1/me/phone/wechat", Pool::outside, Rate::sign_in,
         [&desk](const Request& r) -> Result<Response> {
           const auto code = code_in(r);
           if (!code) return tl::unexpected<Error>(code.error());
           return bind(desk, desk.wechat->of_shared_phone(*code), r);
         });
  change("POST", "/api/v1/me/phone/sms", Pool::store, Rate::sign_in,
         [&desk](const Request& r) { return bind(desk, phone_proof(desk, r, "bind"), r); });
  change("POST", "/api/v1/me/wechat-mini", Pool::outside, Rate::sign_in,
         [&desk](const Request& r) { return bind(desk, mini_proof(desk, r), r); });
  change("POST", "/api/v1/me/alipay-mini", Pool::outside, Rate::sign_in,
         [&desk](const Request& r) { return bind(desk, alipay_proof(desk, r), r); });
  change("DELETE", "/api/v1/me/identities/{identity_id}", Pool::store, Rate::write,
         [&desk](const Request& r) -> Result<Response> {
           const auto done =
               desk.identities->unbind(r.user, std::string(r.capture("identity_id")), r.trace);
           if (!done) return tl::unexpected<Error>(done.error());
           return no_content();
         });
  change("DELETE", "/api/v1/me/sessions/{session_id}", Pool::store, Rate::write,
         [&desk](const Request& r) -> Result<Response> {
           const auto done =
               desk.sessions->end(r.user, std::string(r.capture("session_id")), r.trace);
           if (!done) return tl::unexpected<Error>(done.error());
           return no_content();
         });
  change("DELETE", "/api/v1/me/sessions", Pool::store, Rate::write,
         [&desk](const Request& r) -> Result<Response> {
           return Response::json(
               {{"ended", desk.sessions->end_others(r.user, r.session_id, r.trace)}});
         });
}

}  // namespace

void mount_sign_in(Router& router, const BuyerDesk& desk) {
  const auto add = [&](std::string_view method, std::string_view pattern, Pool pool, Rate rate,
                       Audited audited, Handler handler) {
    router.add({method, pattern, Auth::none, "", pool, method == "POST" ? kMaxBody : 0, false, rate,
                audited, Level::maintenance, std::move(handler)});
  };
  add("POST", "/api/v1/sign-in/sms/code", Pool::outside, Rate::message, Audited::no,
      [&desk](const Request& r) { return ask_code(desk, r); });
  add("POST", "/api/v1/sign-in/sms", Pool::store, Rate::sign_in, Audited::yes,
      [&desk](const Request& r) { return begin(desk, phone_proof(desk, r, "sign_in"), r); });
  add("POST", "/api/v1/sign-in/wechat-mini", Pool::outside, Rate::sign_in, Audited::yes,
      [&desk](const Request& r) { return begin(desk, mini_proof(desk, r), r); });
  add("POST", "/api/v1/sign-in/alipay-mini", Pool::outside, Rate::sign_in, Audited::yes,
      [&desk](const Request& r) { return begin(desk, alipay_proof(desk, r), r); });
  add("GET", "/api/v1/sign-in/wechat-oa/start", Pool::store, Rate::sign_in, Audited::no,
      [&desk](const Request& r) { return depart(desk, r); });
  add("GET", "/api/v1/sign-in/wechat-oa/callback", Pool::outside, Rate::sign_in, Audited::no,
      [&desk](const Request& r) { return come_back(desk, r); });
  add("POST", "/api/v1/sign-in/wechat-oa", Pool::store, Rate::sign_in, Audited::yes,
      [&desk](const Request& r) { return claim(desk, r, false); });
  // Below the same path as the rest of the journey, which is where its cookie is sent.
  router.add({"POST", "/api/v1/sign-in/wechat-oa/bind", Auth::buyer, "", Pool::store, kMaxBody,
              false, Rate::sign_in, Audited::yes, Level::maintenance,
              [&desk](const Request& r) { return claim(desk, r, true); }});
  mount_me(router, desk);
}

}  // namespace topup::http::routes
