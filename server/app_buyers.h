// How buyers sign in here, wired: sessions, identities, and the ways that the configuration offers.
// Outlives the router.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "server/auth/identities.h"
#include "server/auth/sms_login.h"
#include "server/auth/wechat_login.h"
#include "server/base/http_client.h"
#include "server/config.h"
#include "server/http/routes/mounts.h"
#include "server/notify/sms.h"
#include "server/privacy/pii.h"

namespace topup {

class BuyerParts {
 public:
  BuyerParts(const Config& config, storage::Db& db, const base::Clock& clock, base::Random& random,
             const privacy::Pii& pii);
  BuyerParts(const BuyerParts&) = delete;
  BuyerParts& operator=(const BuyerParts&) = delete;

  auth::BuyerSessions& sessions() { return sessions_; }
  auth::Identities& identities() { return identities_; }
  const http::routes::BuyerDesk& desk() const { return desk_; }
  // Before the router is filled.
  void offer_alipay(http::routes::AlipaySignIn alipay) { desk_.alipay = std::move(alipay); }
  base::WechatApp* mini() { return mini_.get(); }  // null: the shop has none
  base::WechatApp* oa() { return oa_.get(); }
  notify::SmsSender* sms() { return sms_.get(); }
  std::vector<std::string> ways_in()
      const;  // as pages are told: wechat_mini, wechat_oa, alipay_mini, sms

 private:
  void connect_sms(const SmsSection& section, storage::Db& db, const base::Clock& clock,
                   base::Random& random, const privacy::Pii& pii);

  auth::BuyerSessions sessions_;
  auth::SignInLog sign_ins_;
  auth::Identities identities_;
  auth::SealedTokens tokens_;
  std::unique_ptr<base::Outbound> mini_http_, oa_http_, sms_http_;
  std::unique_ptr<base::WechatApp> mini_, oa_;
  std::unique_ptr<auth::WechatLogin> wechat_login_;
  std::unique_ptr<notify::SmsSender> sms_;
  std::unique_ptr<auth::SmsLogin> sms_login_;
  http::routes::BuyerDesk desk_;
};

}  // namespace topup
