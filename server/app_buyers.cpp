#include "server/app_buyers.h"

namespace topup {

BuyerParts::BuyerParts(const Config& config, storage::Db& db, const base::Clock& clock,
                       base::Random& random, const privacy::Pii& pii)
    : sessions_(db, clock, random),
      sign_ins_(db, clock, random, pii),
      identities_(db, clock, random, pii, sessions_, sign_ins_),
      tokens_(db, pii) {
  if (config.wechat_mini) {
    const WechatAppSection& section = *config.wechat_mini;
    mini_http_ = base::make_outbound("wechat_mini", section.origin);
    mini_ = std::make_unique<base::WechatApp>(base::WechatAppConfig{section.appid, section.secret},
                                              *mini_http_, clock, &tokens_);
  }
  auth::WechatApps apps;
  if (config.wechat_oa) {
    const WechatAppSection& section = *config.wechat_oa;
    oa_http_ = base::make_outbound("wechat_oa", section.origin);
    oa_ = std::make_unique<base::WechatApp>(base::WechatAppConfig{section.appid, section.secret},
                                            *oa_http_, clock, &tokens_);
    apps.authorize_origin = section.authorize_origin;
    apps.scope = section.scope;
  }
  apps.mini = mini_.get();
  apps.oa = oa_.get();
  apps.callback_url = config.server.public_origin + "/api/v1/sign-in/wechat-oa/callback";
  wechat_login_ = std::make_unique<auth::WechatLogin>(db, clock, random, pii, apps);
  if (config.sms) connect_sms(*config.sms, db, clock, random, pii);
  desk_ = {&sessions_,
           &identities_,
           &sign_ins_,
           wechat_login_.get(),
           sms_login_.get(),
           config.server.public_origin,
           config.server.public_origin.starts_with("https://"),
           {}};
}

void BuyerParts::connect_sms(const SmsSection& section, storage::Db& db, const base::Clock& clock,
                             base::Random& random, const privacy::Pii& pii) {
  sms_http_ = base::make_outbound("sms", section.origin, 4);
  sms_ =
      notify::make_http_sms({section.path, section.key, section.template_name}, *sms_http_, clock);
  auth::SmsSettings settings;
  settings.limits.shop_day = section.daily_budget;
  settings.countries = section.countries;
  sms_login_ =
      std::make_unique<auth::SmsLogin>(db, clock, random, pii, identities_, sign_ins_, settings,
                                       [this](const std::string& number, const std::string& code,
                                              std::int64_t minutes, const std::string& reference) {
                                         switch (sms_->send({number, code, minutes, reference})) {
                                           case notify::SmsOutcome::sent:
                                             return auth::Sent::sent;
                                           case notify::SmsOutcome::refused:
                                             return auth::Sent::refused;
                                           case notify::SmsOutcome::unknown:
                                             break;
                                         }
                                         return auth::Sent::unknown;
                                       });
}

std::vector<std::string> BuyerParts::ways_in() const {
  std::vector<std::string> ways;
  if (mini_) ways.push_back("wechat_mini");
  if (oa_) ways.push_back("wechat_oa");
  if (desk_.alipay.app_id && !desk_.alipay.app_id().empty()) ways.push_back("alipay_mini");
  if (sms_login_) ways.push_back("sms");
  return ways;
}

}  // namespace topup
