#include "server/app_account.h"

#include "server/audit/audit_log.h"
#include "server/auth/personal_data_store.h"
#include "server/ledger/personal_wallet_store.h"
#include "server/marketing/personal_coupons_store.h"
#include "server/notify/personal_messages_store.h"
#include "server/orders/personal_orders_store.h"

namespace topup {

AccountParts::AccountParts(const std::string& shop_name, storage::Db& db, const base::Clock& clock,
                           const privacy::Pii& pii, auth::Identities& identities)
    : content_(db, clock, shop_name),
      requests_(db, clock,
                [&clock](storage::Tx& tx, std::string_view action, const UserId& user,
                         std::string_view detail, const TraceId& trace) {
                  const std::string actor = "buyer:" + user.text;
                  audit::append(tx, {actor, action, user.text, detail}, trace, clock.wall_ms());
                }) {
  requests_.add(auth::account_holder(pii));
  requests_.add(orders::orders_holder(pii));
  requests_.add(notify::messages_holder());
  requests_.add(ledger::wallet_holder());
  requests_.add(marketing::coupons_holder(clock));
  desk_ = {&identities, &requests_, &content_, [](storage::Tx& tx, const UserId& user) {
             (void)notify::forget_subscriptions(tx, user);
           }};
  content_.seed();
}

void AccountParts::mount(http::Router& router) {
  http::routes::mount_personal(router, desk_);
  http::routes::mount_content(router, content_);
}

}  // namespace topup
