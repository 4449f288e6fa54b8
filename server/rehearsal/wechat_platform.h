// WeChat's open platform as a mini-program and an official account meet it, played on loopback:
// code2session, stable_token, the authorize page (which agrees by itself), sns/oauth2, the shared
// phone number, subscribe and template messages with typed data, the report of a delivery; codes
// that live five minutes and once, tokens that end, errors on demand. What a
// phone would do is asked for at POST /control/login {"person"} and /control/phone {"phone"}, which
// answer with a code; /control/person names who sits at the browser. Codes and tokens are of this
// process; persons follow from their names, so that they are the same after a restart. Control
// answers loopback only. Thread-safe after start(). Source: developers.weixin.qq.com, 2026.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "server/rehearsal/armed.h"
#include "server/rehearsal/party.h"

namespace topup::rehearsal {

inline constexpr std::size_t kMaxWechatCodes = 10'000;
inline constexpr std::size_t kMaxWechatMessages = 500;  // kept for people and tests to look at

enum class AppKind : std::uint8_t { mini_program, official_account };
struct PlayedApp {
  std::string appid, secret;
  AppKind kind = AppKind::mini_program;
};
struct WechatPlatformIdentity {
  std::vector<PlayedApp> apps;
  std::string shop_origin;  // the only place the authorize page leads back to
};

class WechatPlatform final : public Party {
 public:
  WechatPlatform(Surroundings around, WechatPlatformIdentity identity);
  ~WechatPlatform() override { stop(); }

 protected:
  Answered answer(const Asked& asked) override;

 private:
  struct Code {
    std::string what;    // login, oauth, phone
    std::string appid;   // whose
    std::string person;  // or the phone number
    std::int64_t expires_ms = 0;
    bool is_used = false, has_union = true;
  };
  struct Token {
    std::string text, previous;
    std::int64_t expires_ms = 0, previous_ends_ms = 0;
  };
  const PlayedApp* app_of(const std::string& appid) const;
  const PlayedApp* app_of_kind(AppKind kind) const;
  std::string new_code(Code code);
  // The code, spent; or the errcode why not.
  std::optional<Code> spend(const std::string& text, std::string_view what,
                            const std::string& appid, std::int64_t* errcode);
  std::optional<Answered> fault();
  Answered login(const Asked& asked);
  Answered oauth(const Asked& asked);
  Answered authorize(const Asked& asked);
  Answered stable_token(const Asked& asked);
  Answered phone(const Asked& asked);
  std::string bearer_of(const Asked& asked);
  Answered message(const Asked& asked, bool is_template);
  Answered shipping(const Asked& asked);
  Answered control(const Asked& asked);
  Answered control_code(const Asked& asked, bool is_phone);

  const WechatPlatformIdentity identity_;
  Armed armed_;
  std::mutex mutex_;
  std::map<std::string, Code> codes_;
  std::map<std::string, Token> tokens_;  // by appid
  std::string browser_person_ = "visitor";
  std::int64_t token_calls_ = 0, phone_calls_ = 0, message_calls_ = 0, shipping_calls_ = 0;
  base::Json messages_ = base::Json::array();  // what was sent, the newest last
  base::Json shipped_ = base::Json::object();  // transaction_id → item_desc
};

}  // namespace topup::rehearsal
