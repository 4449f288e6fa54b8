#include "server/base/wechat_app.h"

#include <algorithm>
#include <array>
#include <utility>

#include "server/base/log.h"
#include "shared/check.h"

namespace topup::base {
namespace {

constexpr std::int64_t kDeadlineMs = 8'000;
constexpr std::size_t kMaxErrmsg = 1'024;

struct Meaning {
  std::int64_t errcode;
  Code code;
  std::string_view reason;
};
constexpr std::array kMeanings = {
    Meaning{40029, Code::unauthenticated, "wechat_code_invalid"},
    Meaning{40163, Code::unauthenticated, "wechat_code_invalid"},
    Meaning{41008, Code::unauthenticated, "wechat_code_invalid"},
    Meaning{45011, Code::rate_limited, "wechat_too_frequent"},
    Meaning{40226, Code::forbidden, "wechat_user_blocked"},
    Meaning{40002, Code::unavailable, "wechat_misconfigured"},
    Meaning{40013, Code::unavailable, "wechat_misconfigured"},
    Meaning{40125, Code::unavailable, "wechat_misconfigured"},
    Meaning{40164, Code::unavailable, "wechat_misconfigured"},
    Meaning{40243, Code::unavailable, "wechat_misconfigured"},
    Meaning{41002, Code::unavailable, "wechat_misconfigured"},
    Meaning{41004, Code::unavailable, "wechat_misconfigured"},
};

bool says_token_invalid(std::int64_t errcode) {
  return errcode == 40001 || errcode == 40014 || errcode == 42001;
}

tl::unexpected<Error> refusal_of(std::int64_t errcode) {
  for (const Meaning& meaning : kMeanings) {
    if (meaning.errcode == errcode) return refuse(meaning.code, meaning.reason);
  }
  return refuse(Code::unavailable, "wechat_unavailable");
}

std::string escaped(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

OutboundRequest get(std::string target) {
  return {"GET", std::move(target), {{"Accept", "application/json"}}, "", kDeadlineMs};
}

OutboundRequest post_json(std::string target, const Json& body) {
  return {"POST",
          std::move(target),
          {{"Accept", "application/json"}, {"Content-Type", "application/json"}},
          body.dump(),
          kDeadlineMs};
}

bool is_code(std::string_view code) {
  return !code.empty() && code.size() <= kMaxWechatCode &&
         std::all_of(code.begin(), code.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

tl::unexpected<Error> code_invalid() {
  return refuse(Code::unauthenticated, "wechat_code_invalid", "code");
}

}  // namespace

WechatApp::WechatApp(WechatAppConfig config, Outbound& outbound, const Clock& clock,
                     WechatTokenShelf* shelf)
    : config_(std::move(config)), outbound_(outbound), clock_(clock), shelf_(shelf) {
  check(!config_.appid.empty() && !config_.secret.empty(), "wechat: appid and secret are needed");
}

// WeChat answers 200 with an errcode; "get" calls leave it out when all went well.
Result<WechatSaid> WechatApp::said(std::string_view call, OutboundRequest request) const {
  const OutboundReply reply = outbound_.call(request);
  const auto failed = [&](std::string_view why, std::int64_t number) {
    log(Level::warn, "wechat_call_failed",
        {{"call", call}, {"status", reply.status}, {"errcode", number}, {"why", why}});
  };
  if (reply.kind != OutboundReply::Kind::answered || reply.status != 200) {
    failed(reply.failure.empty() ? "http_status" : reply.failure, 0);
    return refuse(Code::unavailable, "wechat_unavailable");
  }
  auto json = json_in(reply.body, kMaxPartyJsonBytes);
  if (!json || !json->is_object()) {
    failed("answer_malformed", 0);
    return refuse(Code::unavailable, "wechat_unavailable");
  }
  WechatSaid answer;
  if (json->contains("errcode")) {
    answer.errcode = integer_in(*json, "errcode", -1'000'000'000, 1'000'000'000).value_or(-1);
    answer.errmsg = text_in(*json, "errmsg", kMaxErrmsg).value_or("");
  }
  if (answer.errcode != 0) failed("errcode", answer.errcode);
  answer.body = std::move(*json);
  return answer;
}

Result<Json> WechatApp::exchange(std::string_view call, OutboundRequest request,
                                 std::int64_t* errcode) const {
  *errcode = 0;
  auto answer = said(call, std::move(request));
  if (!answer) return tl::unexpected<Error>(answer.error());
  *errcode = answer->errcode;
  if (*errcode == 0) return std::move(answer->body);
  return refusal_of(*errcode);
}

Result<WechatPerson> WechatApp::person_in(const Json& answer) const {
  const auto openid = text_in(answer, "openid", 128);
  if (!openid || openid->empty()) return refuse(Code::unavailable, "wechat_unavailable");
  // WeChat shows some pages to a made-up user until somebody agrees: that is nobody.
  const auto snapshot = integer_in(answer, "is_snapshotuser", 0, 1);
  if (snapshot && *snapshot == 1) return refuse(Code::forbidden, "wechat_snapshot_user");
  return WechatPerson{*openid, text_in(answer, "unionid", 128).value_or("")};
}

Result<WechatPerson> WechatApp::person_of_login_code(const std::string& code) {
  if (!is_code(code)) return code_invalid();
  std::int64_t errcode = 0;
  const auto answer = exchange("code2session",
                               get("/sns/jscode2session?appid=" + escaped(config_.appid) +
                                   "&secret=" + escaped(config_.secret) +
                                   "&js_code=" + escaped(code) + "&grant_type=authorization_code"),
                               &errcode);
  if (!answer) return tl::unexpected<Error>(answer.error());
  return person_in(*answer);
}

Result<WechatPerson> WechatApp::person_of_oauth_code(const std::string& code) {
  if (!is_code(code)) return code_invalid();
  std::int64_t errcode = 0;
  const auto answer = exchange("oauth2",
                               get("/sns/oauth2/access_token?appid=" + escaped(config_.appid) +
                                   "&secret=" + escaped(config_.secret) + "&code=" + escaped(code) +
                                   "&grant_type=authorization_code"),
                               &errcode);
  if (!answer) return tl::unexpected<Error>(answer.error());
  return person_in(*answer);
}

Result<WechatPhone> WechatApp::phone_of_code(const std::string& code) {
  if (!is_code(code)) return code_invalid();
  const auto answer = post("/wxa/business/getuserphonenumber", {{"code", code}});
  if (!answer) return tl::unexpected<Error>(answer.error());
  const auto malformed = [] { return refuse(Code::unavailable, "wechat_unavailable"); };
  const auto info = object_in(*answer, "phone_info");
  if (!info) return malformed();
  const auto watermark = object_in(**info, "watermark");
  // A number that was shared with another app is not this buyer's word to us.
  if (!watermark || text_in(**watermark, "appid").value_or("") != config_.appid) return malformed();
  const auto number = text_in(**info, "purePhoneNumber", 32);
  const auto country = text_in(**info, "countryCode", 8);
  if (!number || !country || number->empty()) return malformed();
  return WechatPhone{*country, *number};
}

bool WechatApp::is_fresh(const WechatToken& token, const std::string& refused) const {
  return !token.text.empty() && token.text != refused &&
         token.expires_at_ms - kTokenMarginMs > clock_.wall_ms();
}

Result<std::string> WechatApp::fetch(Force force) {
  if (force == Force::yes) forced_mono_ms_ = clock_.mono_ms();
  std::int64_t errcode = 0;
  const auto answer =
      exchange("stable_token",
               post_json("/cgi-bin/stable_token", {{"grant_type", "client_credential"},
                                                   {"appid", config_.appid},
                                                   {"secret", config_.secret},
                                                   {"force_refresh", force == Force::yes}}),
               &errcode);
  failed_mono_ms_ = clock_.mono_ms();
  if (!answer) return tl::unexpected<Error>(answer.error());
  const auto text = text_in(*answer, "access_token", kMaxWechatToken);
  const auto seconds = integer_in(*answer, "expires_in", 1, 86'400);
  if (!text || text->empty() || !seconds) return refuse(Code::unavailable, "wechat_unavailable");
  failed_mono_ms_.reset();
  token_ = {*text, clock_.wall_ms() + *seconds * 1'000};
  if (shelf_ != nullptr) shelf_->keep(config_.appid, token_);
  return token_.text;
}

// A good token that is not `refused` ("" when none was).
Result<std::string> WechatApp::token_beside(const std::string& refused) {
  const std::lock_guard hold(mutex_);
  if (is_fresh(token_, refused)) return token_.text;
  if (shelf_ != nullptr) {
    const auto kept = shelf_->load(config_.appid);
    if (kept && is_fresh(*kept, refused)) {
      token_ = *kept;
      return token_.text;
    }
  }
  const std::int64_t now = clock_.mono_ms();
  const bool may_still_serve =
      !token_.text.empty() && token_.text != refused && token_.expires_at_ms > clock_.wall_ms();
  if (failed_mono_ms_ && now - *failed_mono_ms_ < kTokenFailedPauseMs) {
    if (may_still_serve) return token_.text;
    return refuse(Code::unavailable, "wechat_unavailable");
  }
  auto fetched = fetch(Force::no);
  if (!fetched && may_still_serve) return token_.text;
  if (!fetched || *fetched != refused) return fetched;
  // The token WeChat hands out is the one it refuses: only force ends that, and force is rationed.
  if (forced_mono_ms_ && now - *forced_mono_ms_ < kForceEveryMs) {
    failed_mono_ms_ = now;
    return refuse(Code::unavailable, "wechat_unavailable");
  }
  return fetch(Force::yes);
}

Result<std::string> WechatApp::access_token() { return token_beside(""); }

Result<Json> WechatApp::post(const std::string& path, const Json& body) {
  auto token = token_beside("");
  if (!token) return tl::unexpected<Error>(token.error());
  std::int64_t errcode = 0;
  auto answer =
      exchange(path, post_json(path + "?access_token=" + escaped(*token), body), &errcode);
  if (answer || !says_token_invalid(errcode)) return answer;
  token = token_beside(*token);
  if (!token) return tl::unexpected<Error>(token.error());
  return exchange(path, post_json(path + "?access_token=" + escaped(*token), body), &errcode);
}

Result<WechatSaid> WechatApp::call(const std::string& path, const Json& body) {
  auto token = token_beside("");
  if (!token) return tl::unexpected<Error>(token.error());
  auto answer = said(path, post_json(path + "?access_token=" + escaped(*token), body));
  if (answer && says_token_invalid(answer->errcode)) {
    token = token_beside(*token);
    if (!token) return tl::unexpected<Error>(token.error());
    answer = said(path, post_json(path + "?access_token=" + escaped(*token), body));
  }
  if (!answer) return answer;
  const bool is_ours = answer->errcode == -1 || says_token_invalid(answer->errcode);
  if (is_ours) return refuse(Code::unavailable, "wechat_unavailable");
  return answer;
}

}  // namespace topup::base
