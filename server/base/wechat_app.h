// One WeChat app of ours, a mini-program or an official account, as its server API knows it: who a
// login code belongs to, which phone number a buyer shares, and the access token that other calls
// need. Source: developers.weixin.qq.com, server API, read in November 2026.
//
// The token comes from stable_token, so that other programs on the same appid do not retire it. One
// holder: callers wait for one fetch, it is renewed before it ends, and a shelf shares it with the
// other nodes. When WeChat calls it invalid (40001, 40014, 42001) it is replaced and the call is
// made once more, never a third time; a token that is refused again and again is fetched by force
// at most every kForceEveryMs.
//
// Errors: unauthenticated/wechat_code_invalid (wrong, expired or used),
// forbidden/wechat_user_blocked, forbidden/wechat_snapshot_user, rate_limited/wechat_too_frequent,
// unavailable/wechat_unavailable (nothing is known to have failed: repeat with a new code),
// unavailable/wechat_misconfigured. Thread-safe. Secrets, session keys and tokens are never logged
// and never leave but to WeChat.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "server/base/clock.h"
#include "server/base/http_client.h"
#include "server/base/json.h"
#include "shared/result.h"

namespace topup::base {

inline constexpr std::int64_t kTokenMarginMs = 4 * 60'000;  // stable_token renews in the last five
inline constexpr std::int64_t kForceEveryMs = 10 * 60'000;  // WeChat: at most 20 a day, 30 s apart
inline constexpr std::int64_t kTokenFailedPauseMs = 5'000;  // after a fetch that failed
inline constexpr std::size_t kMaxWechatCode = 512;
inline constexpr std::size_t kMaxWechatToken = 2'048;

struct WechatAppConfig {
  std::string appid, secret;
};
struct WechatPerson {
  std::string openid;   // of this app
  std::string unionid;  // the same in all apps of one owner; "" when WeChat does not say
};
struct WechatPhone {
  std::string calling_code;  // "86"
  std::string number;        // without the calling code
};

struct WechatToken {
  std::string text;
  std::int64_t expires_at_ms = 0;  // wall time
};
struct WechatSaid {
  std::int64_t errcode = 0;
  std::string errmsg;
  Json body;
};
// Where nodes of one shop share a token. Both may fail silently: then each node fetches its own,
// which stable_token makes the same one.
class WechatTokenShelf {
 public:
  virtual ~WechatTokenShelf() = default;
  virtual std::optional<WechatToken> load(const std::string& appid) = 0;
  virtual void keep(const std::string& appid, const WechatToken& token) = 0;
};

class WechatApp {
 public:
  // `shelf` may be null. All must outlive this.
  WechatApp(WechatAppConfig config, Outbound& outbound, const Clock& clock,
            WechatTokenShelf* shelf = nullptr);

  const std::string& appid() const { return config_.appid; }
  Result<WechatPerson> person_of_login_code(const std::string& code);  // wx.login
  Result<WechatPerson> person_of_oauth_code(const std::string& code);  // the authorize page
  Result<WechatPhone> phone_of_code(const std::string& code);          // the getPhoneNumber button
  Result<std::string> access_token();
  // The answer's object; `path` without a query. Handles a token that has become invalid.
  Result<Json> post(const std::string& path, const Json& body);
  // The same for calls whose refusals mean something to the caller: an answer with any errcode but
  // those of the token and of a busy platform (-1) is an answer.
  Result<WechatSaid> call(const std::string& path, const Json& body);

 private:
  enum class Force : std::uint8_t { no, yes };
  Result<WechatSaid> said(std::string_view call, OutboundRequest request) const;
  Result<Json> exchange(std::string_view call, OutboundRequest request,
                        std::int64_t* errcode) const;
  Result<WechatPerson> person_in(const Json& answer) const;
  Result<std::string> token_beside(const std::string& refused);
  Result<std::string> fetch(Force force);
  bool is_fresh(const WechatToken& token, const std::string& refused) const;

  const WechatAppConfig config_;
  Outbound& outbound_;
  const Clock& clock_;
  WechatTokenShelf* const shelf_;
  std::mutex mutex_;  // held while the token is fetched: whoever comes meanwhile wants that one
  WechatToken token_;
  std::optional<std::int64_t> failed_mono_ms_, forced_mono_ms_;
};

}  // namespace topup::base
