// What WeChat proves about a buyer. The mini-program brings a login code. An official-account page
// sends the browser on a journey: depart() gives the address and a browser token (a cookie of that
// browser alone), arrive() takes WeChat's code back once, only with the state and the browser it
// began with, and claim() hands the proof to that same browser, once. Nothing secret ever stands in
// an address. Errors: those of base::WechatApp; rejected/sign_in_not_offered,
// invalid_argument/out_of_range (return_path), forbidden/state_foreign,
// unauthenticated/sign_in_not_proven, rejected/phone_invalid. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/auth/identities.h"
#include "server/base/wechat_app.h"

namespace topup::auth {

inline constexpr std::int64_t kJourneyMs = 10 * 60'000;
inline constexpr std::size_t kMaxReturnPath = 200;

// The token shelf of the shop's nodes, sealed in the store.
class SealedTokens final : public base::WechatTokenShelf {
 public:
  SealedTokens(storage::Db& db, const privacy::Pii& pii) : db_(db), pii_(pii) {}
  std::optional<base::WechatToken> load(const std::string& appid) override;
  void keep(const std::string& appid, const base::WechatToken& token) override;

 private:
  storage::Db& db_;
  const privacy::Pii& pii_;
};

struct WechatApps {  // null: this shop has none
  base::WechatApp* mini = nullptr;
  base::WechatApp* oa = nullptr;
  std::string authorize_origin;  // https://open.weixin.qq.com
  std::string scope;             // snsapi_base, snsapi_userinfo
  std::string callback_url;      // of ours
};
struct Departure {
  std::string location, browser_token;
};

// A path of this shop: one slash first, printable ASCII, no backslash.
bool is_return_path(std::string_view path);

class WechatLogin {
 public:
  WechatLogin(storage::Db& db, const base::Clock& clock, base::Random& random,
              const privacy::Pii& pii, WechatApps apps)
      : db_(db), clock_(clock), random_(random), pii_(pii), apps_(std::move(apps)) {}

  const WechatApps& apps() const { return apps_; }
  Result<Proof> of_mini_program(const std::string& code) const;
  Result<Proof> of_shared_phone(const std::string& code) const;  // the mini-program's button

  Result<Departure> depart(std::string_view return_path) const;
  // The path to lead the browser to. Without a code (the buyer said no) nothing is proven.
  Result<std::string> arrive(std::string_view state, const std::string& code,
                             std::string_view browser_token) const;
  Result<Proof> claim(std::string_view browser_token) const;

 private:
  storage::Db& db_;
  const base::Clock& clock_;
  base::Random& random_;
  const privacy::Pii& pii_;
  const WechatApps apps_;
};

}  // namespace topup::auth
