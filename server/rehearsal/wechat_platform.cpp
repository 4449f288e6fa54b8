#include "server/rehearsal/wechat_platform.h"

#include <utility>

#include "server/base/crypto.h"

namespace topup::rehearsal {
namespace {

using base::Json;

constexpr int kWorkers = 4;
constexpr std::int64_t kCodeMs = 5 * 60'000;
constexpr std::int64_t kTokenMs = 7'200'000;
constexpr std::int64_t kRenewMs = 5 * 60'000;
constexpr std::size_t kMaxPerson = 64;

constexpr FaultKind kFaults[] = {
    {"busy", "a call is answered with errcode -1"},
    {"too_frequent", "a call is answered with errcode 45011"},
    {"user_blocked", "code2session is answered with errcode 40226"},
    {"outage", "a call is answered with 502"},
    {"token_40001", "a call with an access token is answered with errcode 40001"},
    {"retire_token", "the access token is retired at the next call: another program forced it"},
    {"not_subscribed", "a subscribe message is answered with errcode 43101"},
    {"bad_data", "a message is answered with errcode 47003"},
    {"bad_template", "a message is answered with errcode 40037"},
    {"shipping_lag", "a shipping report is answered with errcode 10060001: no such payment yet"},
    {"shipping_refused", "a shipping report is answered with errcode 10060023"},
    {"snapshot_user", "sns/oauth2 tells of a made-up user"},
};

Answered failed(std::int64_t errcode, std::string_view errmsg) {
  return Answered::json({{"errcode", errcode}, {"errmsg", errmsg}});
}

// 28 characters that begin like WeChat's own and follow from the name.
std::string id_of(char first, const std::string& salt, const std::string& person) {
  return std::string(1, first) + base::hex(base::sha256(salt + "\n" + person)).substr(0, 27);
}
std::string openid_of(const std::string& appid, const std::string& person) {
  return id_of('o', appid, person);
}
std::string unionid_of(const std::string& person) { return id_of('u', "union", person); }

Answered token_refused() {
  return failed(40001, "invalid credential, access_token is invalid or not latest");
}

Answered not_found() { return Answered::json({{"errcode", 404}, {"errmsg", "no such api"}}, 404); }

}  // namespace

WechatPlatform::WechatPlatform(Surroundings surroundings, WechatPlatformIdentity identity)
    : Party(surroundings, "wechat_platform", kWorkers),
      identity_(std::move(identity)),
      armed_(surroundings.db, "wechat_platform", {std::begin(kFaults), std::end(kFaults)}) {}

Answered WechatPlatform::answer(const Asked& asked) {
  if (asked.is("GET", {"sns", "jscode2session"})) return login(asked);
  if (asked.is("GET", {"sns", "oauth2", "access_token"})) return oauth(asked);
  if (asked.is("GET", {"connect", "oauth2", "authorize"})) return authorize(asked);
  if (asked.is("POST", {"cgi-bin", "stable_token"})) return stable_token(asked);
  if (asked.is("POST", {"wxa", "business", "getuserphonenumber"})) return phone(asked);
  if (asked.is("POST", {"cgi-bin", "message", "subscribe", "send"})) return message(asked, false);
  if (asked.is("POST", {"cgi-bin", "message", "template", "send"})) return message(asked, true);
  if (asked.is("POST", {"wxa", "sec", "order", "upload_shipping_info"})) return shipping(asked);
  if (is_loopback_client(asked)) {
    if (asked.is("GET", {"magic"}))
      return Answered::json(
          {{"party", "WeChat's platform, rehearsed"},
           {"control", "POST /control {\"next\": kind, \"count\": n}"},
           {"login", "POST /control/login {\"person\"} gives the code of a mini-program's sign-in"},
           {"phone", "POST /control/phone {\"phone\"} gives the code of its phone button"},
           {"person", "POST /control/person {\"person\"} sits at the browser inside WeChat"},
           {"kinds", armed_.listed()}});
    if (asked.is("POST", {"control", "login"})) return control_code(asked, false);
    if (asked.is("POST", {"control", "phone"})) return control_code(asked, true);
    if (asked.is("GET", {"control"}) || asked.is("POST", {"control"}) ||
        asked.is("POST", {"control", "person"}))
      return control(asked);
  }
  return not_found();
}

const PlayedApp* WechatPlatform::app_of(const std::string& appid) const {
  for (const PlayedApp& app : identity_.apps) {
    if (app.appid == appid) return &app;
  }
  return nullptr;
}

const PlayedApp* WechatPlatform::app_of_kind(AppKind kind) const {
  for (const PlayedApp& app : identity_.apps) {
    if (app.kind == kind) return &app;
  }
  return nullptr;
}

std::string WechatPlatform::new_code(Code code) {
  std::string text = base::new_nonce(around().random);
  code.expires_ms = around().clock.wall_ms() + kCodeMs;
  const std::lock_guard lock(mutex_);
  if (codes_.size() >= kMaxWechatCodes) codes_.clear();
  codes_[text] = std::move(code);
  return text;
}

std::optional<WechatPlatform::Code> WechatPlatform::spend(const std::string& text,
                                                          std::string_view what,
                                                          const std::string& appid,
                                                          std::int64_t* errcode) {
  const std::lock_guard lock(mutex_);
  const auto found = codes_.find(text);
  *errcode = 40029;
  if (found == codes_.end() || found->second.what != what || found->second.appid != appid ||
      found->second.expires_ms <= around().clock.wall_ms())
    return std::nullopt;
  *errcode = 40163;
  if (std::exchange(found->second.is_used, true)) return std::nullopt;
  *errcode = 0;
  return found->second;
}

std::optional<Answered> WechatPlatform::fault() {
  if (armed_.take("outage")) return Answered{.status = 502, .body = "<html>bad gateway</html>"};
  if (armed_.take("busy")) return failed(-1, "system error");
  if (armed_.take("too_frequent")) return failed(45011, "api minute-quota reach limit");
  return std::nullopt;
}

Answered WechatPlatform::login(const Asked& asked) {
  if (auto armed = fault()) return *armed;
  if (armed_.take("user_blocked")) return failed(40226, "code blocked");
  const std::string appid = asked.query_value("appid");
  const PlayedApp* app = app_of(appid);
  if (app == nullptr || app->kind != AppKind::mini_program) return failed(40013, "invalid appid");
  if (!base::constant_time_equal(app->secret, asked.query_value("secret")))
    return failed(40125, "invalid appsecret");
  std::int64_t errcode = 0;
  const auto code = spend(asked.query_value("js_code"), "login", appid, &errcode);
  if (!code) return failed(errcode, errcode == 40163 ? "code been used" : "invalid code");
  Json out = {{"openid", openid_of(appid, code->person)},
              {"session_key", base::base64(around().random.bytes(16))}};
  if (code->has_union) out["unionid"] = unionid_of(code->person);
  return Answered::json(out);
}

Answered WechatPlatform::oauth(const Asked& asked) {
  if (auto armed = fault()) return *armed;
  const std::string appid = asked.query_value("appid");
  const PlayedApp* app = app_of(appid);
  if (app == nullptr || app->kind != AppKind::official_account)
    return failed(40013, "invalid appid");
  if (!base::constant_time_equal(app->secret, asked.query_value("secret")))
    return failed(40125, "invalid appsecret");
  std::int64_t errcode = 0;
  const auto code = spend(asked.query_value("code"), "oauth", appid, &errcode);
  if (!code) return failed(errcode, errcode == 40163 ? "code been used" : "invalid code");
  Json out = {{"access_token", base::new_token(around().random)},
              {"expires_in", 7'200},
              {"refresh_token", base::new_token(around().random)},
              {"openid", openid_of(appid, code->person)},
              {"scope", code->has_union ? "snsapi_userinfo" : "snsapi_base"}};
  if (code->has_union) out["unionid"] = unionid_of(code->person);
  if (armed_.take("snapshot_user")) out["is_snapshotuser"] = 1;
  return Answered::json(out);
}

Answered WechatPlatform::authorize(const Asked& asked) {
  const std::string appid = asked.query_value("appid");
  const PlayedApp* app = app_of(appid);
  const std::string back = asked.query_value("redirect_uri");
  const auto address = parse_web_address(back);
  const std::string scope = asked.query_value("scope");
  if (app == nullptr || app->kind != AppKind::official_account || !address ||
      address->origin != identity_.shop_origin || asked.query_value("response_type") != "code" ||
      (scope != "snsapi_base" && scope != "snsapi_userinfo"))
    return Answered::json({{"errcode", 10003}, {"errmsg", "redirect_uri or scope is wrong"}}, 400);
  Code code;
  code.what = "oauth";
  code.appid = appid;
  code.has_union = scope == "snsapi_userinfo";
  {
    const std::lock_guard lock(mutex_);
    code.person = browser_person_;
  }
  const std::string query =
      "code=" + new_code(code) + "&state=" + percent_encoded(asked.query_value("state"));
  return Answered::see_other(back + (back.find('?') == std::string::npos ? "?" : "&") + query);
}

Answered WechatPlatform::stable_token(const Asked& asked) {
  if (auto armed = fault()) return *armed;
  const auto body = base::json_in(asked.body);
  if (!body) return failed(47001, "data format error");
  if (base::text_in(*body, "grant_type").value_or("") != "client_credential")
    return failed(40002, "invalid grant_type");
  const PlayedApp* app = app_of(base::text_in(*body, "appid").value_or(""));
  if (app == nullptr) return failed(40013, "invalid appid");
  if (base::text_in(*body, "secret").value_or("") != app->secret)
    return failed(40125, "invalid appsecret");
  const bool is_forced = base::bool_in(*body, "force_refresh").value_or(false);
  const std::int64_t now = around().clock.wall_ms();
  const std::lock_guard lock(mutex_);
  ++token_calls_;
  Token& token = tokens_[app->appid];
  if (is_forced || token.expires_ms - kRenewMs <= now) {
    token.previous = token.text;
    token.previous_ends_ms = is_forced ? 0 : now + kRenewMs;
    token.text = base::new_token(around().random) + base::new_token(around().random);
    token.expires_ms = now + kTokenMs;
  }
  return Answered::json(
      {{"access_token", token.text}, {"expires_in", (token.expires_ms - now) / 1'000}});
}

// Whose token a call bears; "" when it is nobody's.
std::string WechatPlatform::bearer_of(const Asked& asked) {
  const std::string given = asked.query_value("access_token");
  const std::int64_t now = around().clock.wall_ms();
  const bool retires = armed_.take("retire_token");
  std::string appid;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [id, token] : tokens_) {
      if (retires) token.expires_ms = token.previous_ends_ms = 0;
      const bool is_current = token.text == given && token.expires_ms > now;
      const bool is_previous = token.previous == given && token.previous_ends_ms > now;
      if (!given.empty() && (is_current || is_previous)) appid = id;
    }
  }
  return appid.empty() || armed_.take("token_40001") ? "" : appid;
}

Answered WechatPlatform::phone(const Asked& asked) {
  if (auto armed = fault()) return *armed;
  {
    const std::lock_guard lock(mutex_);
    ++phone_calls_;
  }
  const std::string appid = bearer_of(asked);
  if (appid.empty()) return token_refused();
  const auto body = base::json_in(asked.body);
  if (!body) return failed(47001, "data format error");
  std::int64_t errcode = 0;
  const auto code = spend(base::text_in(*body, "code").value_or(""), "phone", appid, &errcode);
  if (!code) return failed(40029, "invalid code");
  return Answered::json(
      {{"errcode", 0},
       {"errmsg", "ok"},
       {"phone_info",
        {{"phoneNumber", code->person},
         {"purePhoneNumber", code->person},
         {"countryCode", "86"},
         {"watermark", {{"timestamp", around().clock.wall_ms() / 1'000}, {"appid", appid}}}}}});
}

Answered WechatPlatform::control_code(const Asked& asked, bool is_phone) {
  const auto body = base::json_in(asked.body);
  const bool is_json = asked.header("content-type").substr(0, 16) == "application/json";
  const auto who = body ? base::text_in(*body, is_phone ? "phone" : "person", kMaxPerson)
                        : Result<std::string>("");
  if (!body || !is_json || !who || who->empty())
    return Answered::json({{"code", "CONTROL_REFUSED"}}, 400);
  Code code;
  code.what = is_phone ? "phone" : "login";
  code.appid = app_of_kind(AppKind::mini_program)->appid;
  code.person = *who;
  code.has_union = !body->contains("unionid") || base::bool_in(*body, "unionid").value_or(true);
  return Answered::json({{"code", new_code(code)}});
}

Answered WechatPlatform::control(const Asked& asked) {
  if (asked.method == "POST") {
    const auto body = base::json_in(asked.body);
    const bool is_json = asked.header("content-type").substr(0, 16) == "application/json";
    const bool is_person = asked.segments.size() == 2;
    if (!body || !is_json) return Answered::json({{"code", "CONTROL_REFUSED"}}, 400);
    const auto word = base::text_in(*body, is_person ? "person" : "next", kMaxPerson);
    const auto count = body->contains("count") ? base::integer_in(*body, "count", 0, kMaxArmed)
                                               : Result<std::int64_t>(1);
    if (!word || word->empty() || !count || (!is_person && !armed_.arm(*word, *count)))
      return Answered::json({{"code", "CONTROL_REFUSED"}}, 400);
    const std::lock_guard lock(mutex_);
    if (is_person) browser_person_ = *word;
  }
  const std::lock_guard lock(mutex_);
  return Answered::json({{"party", name()},
                         {"armed", armed_.listed()},
                         {"person", browser_person_},
                         {"stable_token_calls", token_calls_},
                         {"phone_calls", phone_calls_},
                         {"message_calls", message_calls_},
                         {"messages", messages_},
                         {"shipping_calls", shipping_calls_},
                         {"shipped", shipped_}});
}

}  // namespace topup::rehearsal
