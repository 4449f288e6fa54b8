#include "server/app_people.h"

#include <string>
#include <utility>
#include <vector>

#include "server/auth/identities.h"
#include "server/base/log.h"
#include "server/http/routes/exchanges.h"
#include "server/http/routes/people.h"

namespace topup {
namespace {

std::vector<std::pair<std::string, std::string>> apps_of(const Config& config) {
  std::vector<std::pair<std::string, std::string>> apps;
  if (config.wechat_mini)
    apps.emplace_back(auth::identity_kind::kWechatMini, config.wechat_mini->appid);
  if (config.wechat_oa) apps.emplace_back(auth::identity_kind::kWechatOa, config.wechat_oa->appid);
  if (config.alipay && !config.alipay->op_app_id.empty())
    apps.emplace_back(auth::identity_kind::kAlipayMini, config.alipay->op_app_id);
  return apps;
}

}  // namespace

PeopleParts::PeopleParts(const Config& config, const orders::OrderEnv& env, const ShopKeys& keys)
    : env_(env),
      customers_(env.db, env.clock, env.random, env.pii, apps_of(config)),
      blacklist_(env.db, env.clock, env.random, env.pii),
      chain_(env.db, env.clock, [&keys] { return keys.heads().heads; }),
      visits_(env.db, env.clock) {}

void PeopleParts::mount(http::Router& router, const http::routes::StaffDesk& staff,
                        const http::Cursors& cursors, const settings::Settings& settings) {
  const http::routes::PeopleDesk desk{env_.db,        env_.clock, cursors,      staff.sessions,
                                      staff.accounts, customers_, blacklist_,   chain_,
                                      visits_,        settings,   env_.catalog, env_};
  http::routes::mount_admin_customers(router, desk);
  http::routes::mount_admin_blacklist(router, desk);
  http::routes::mount_admin_audit(router, desk);
  http::routes::mount_admin_search(router, desk);
  http::routes::mount_admin_exchanges(router, env_.db, cursors);
  http::routes::mount_admin_visits(router, desk);
}

void PeopleParts::stop() {
  chain_.stop();
  try {
    visits_.flush();
  } catch (const std::exception& failure) {
    base::log(base::Level::warn, "visits_not_written", {{"why", failure.what()}});
  }
}

}  // namespace topup
