// Every group of routes is mounted here; app.cpp calls them once. A handler only reads the request,
// calls one service and writes the answer: rules live in shared/, conversations in server/orders.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "server/admin/approval_service.h"
#include "server/admin/ledger_desk.h"
#include "server/admin/refund_desk.h"
#include "server/admin/role_grants.h"
#include "server/auth/buyer_sessions.h"
#include "server/auth/identities.h"
#include "server/auth/sms_login.h"
#include "server/auth/staff_accounts.h"
#include "server/auth/staff_sessions.h"
#include "server/auth/wechat_login.h"
#include "server/base/address_rules.h"
#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/catalog/catalog_desk.h"
#include "server/catalog/catalog_service.h"
#include "server/http/cursor.h"
#include "server/http/router.h"
#include "server/http/service_level.h"
#include "server/orders/order_service.h"
#include "server/orders/payment_flow.h"
#include "server/orders/refund_flow.h"
#include "server/orders/review_desk.h"
#include "server/orders/supply_flow.h"
#include "server/payments/channel_choice.h"
#include "server/settings/settings.h"
#include "server/storage/db.h"

namespace topup::content {
class Content;  // server/content/content.h
}
namespace topup::privacy {
class DataRequests;  // server/privacy/data_requests.h
}
namespace topup::orders {
class OrderNews;  // server/orders/order_news.h
}
namespace topup::http::routes {

struct ShopFacts {  // what a page is told first
  std::string name;
  std::vector<std::string> rehearsed;           // outside parties that are played
  std::vector<std::string> sign_in;             // the ways to sign in that this shop offers
  const content::Content* content = nullptr;    // whose agreements a page asks about
  std::function<base::Json()> offers = {};      // which of coupons, levels and stations it has now
  std::function<base::Json()> decoration = {};  // which layout and theme its pages wear now
};

struct AlipaySignIn {  // of the mini-program in Alipay's app; both empty: this shop has none
  std::function<std::string()> app_id;  // of the world that Alipay is in now
  std::function<Result<std::string>(const std::string& code)> person_of;  // the open_id
};
struct BuyerDesk {  // signing in and one's own account; outlives the router
  auth::BuyerSessions* sessions = nullptr;
  auth::Identities* identities = nullptr;
  auth::SignInLog* sign_ins = nullptr;
  auth::WechatLogin* wechat = nullptr;
  auth::SmsLogin* sms = nullptr;  // null: this shop sends no messages
  std::string public_origin;
  bool is_https = false;
  AlipaySignIn alipay = {};
};
void mount_sign_in(Router& router, const BuyerDesk& desk);
// A buyer's own data: consents, everything that is kept about them, and leaving. Outlives the
// router.
struct PersonalDesk {
  auth::Identities* identities = nullptr;
  const privacy::DataRequests* requests = nullptr;
  const content::Content* content = nullptr;
  std::function<void(storage::Tx&, const UserId&)> stop_messages;  // outside the shop
};
void mount_personal(Router& router, const PersonalDesk& desk);
base::Json me_json(const auth::Identities& identities, const UserId& user);
// What the shop says in words.
void mount_content(Router& router, content::Content& content);

void mount_orders(Router& router, const orders::OrderService& orders,
                  const orders::PaymentFlow& payments, const Cursors& cursors,
                  const base::Clock& clock, const privacy::Pii& pii, Sessions& sessions);
// Which channels a buyer is offered, and starting to pay on one of them.
void mount_payments(Router& router, const orders::PaymentFlow& payments,
                    const payments::ChannelChoice& choice, const BuyerDesk& desk);
// Both in one request.
void mount_checkouts(Router& router, const orders::OrderService& orders,
                     const orders::PaymentFlow& payments, const payments::ChannelChoice& choice,
                     const BuyerDesk& desk, const base::Clock& clock);
// Finding orders without scrolling: a guest's look-up, what changed since, and the console's
// search.
struct OrderFinding {
  const orders::OrderService& orders;
  const payments::Channels& channels;
  const Cursors& cursors;
  const orders::OrderEnv& env;
};
void mount_order_finding(Router& router, const OrderFinding& find);
// `is_https`: the shop's public origin is, and the cookie says so.
void mount_admin_session(Router& router, auth::StaffSessions& sessions, bool is_https);
// Live sessions of one member of staff, for that person's page and for those who administer.
base::Json sessions_json(const std::vector<auth::StaffSessionView>& views);
struct StaffDesk {
  auth::StaffSessions& sessions;
  auth::StaffAccounts& accounts;
  admin::RoleGrants& grants;
  admin::ApprovalService& approvals;
};
void mount_admin_staff(Router& router, const StaffDesk& desk);
void mount_admin_approvals(Router& router, const StaffDesk& desk);
void mount_admin_orders(Router& router, storage::Db& db, const suppliers::Suppliers& suppliers,
                        const payments::ChannelHealth& channels, const base::Clock& clock,
                        const privacy::Pii& pii);
// What suppliers list, what of it is on sale, and how the lines to them stand.
struct CatalogParts {
  storage::Db& db;
  const base::Clock& clock;
  catalog::CatalogDesk& desk;
  suppliers::SupplierHealth& health;
  const suppliers::Suppliers& suppliers;
  const Cursors& cursors;
  std::function<void()> publish;  // what was decided goes onto the shelf
  std::function<void()> wake_jobs;
};
void mount_admin_catalog(Router& router, const CatalogParts& parts);
// Price rules, and what is said of single products. Outlived by what it holds.
struct PricingParts {
  storage::Db& db;
  catalog::CatalogDesk& desk;
  const Cursors& cursors;
  std::function<catalog::CatalogDesk::ShelfState()> shelf;
  std::function<void()> publish;
};
void mount_admin_pricing(Router& router, const PricingParts& parts);
// Asks an outside party something harmless with the keys in force.
void mount_admin_party_tests(Router& router, storage::Db& db, const base::Clock& clock,
                             const suppliers::Suppliers& suppliers,
                             const payments::Channels& channels);
// A buyer's inbox, and which messages outside the shop they agree to.
struct MessageDesk {
  storage::Db& db;
  const base::Clock& clock;
  const Cursors& cursors;
  const orders::OrderNews& news;
};
void mount_messages(Router& router, const MessageDesk& desk);
// What staff do about one order: the decision that a review waits for, and notes.
struct OrderActs {
  StaffDesk staff;
  const orders::OrderEnv& env;
  const orders::ReviewDesk& reviews;
};
void mount_admin_order_acts(Router& router, const OrderActs& acts);
// `sessions` says whether the asking member of staff may change a setting that has a permission of
// its own.
void mount_admin_settings(Router& router, settings::Settings& settings, Sessions& sessions,
                          const Cursors& cursors);

void mount_admin_jobs(Router& router, storage::Db& db, const base::Clock& clock,
                      std::function<void()> wake_jobs);

void mount_refunds(Router& router, const orders::OrderEnv& env);
struct MoneyDesk {
  const orders::OrderEnv& env;
  auth::StaffSessions& sessions;
  admin::RefundDesk& refunds;
  admin::LedgerDesk& ledger;
  const orders::RefundFlow& refund_flow;
};
void mount_admin_money(Router& router, const MoneyDesk& desk);
void mount_admin_work_items(Router& router, const orders::OrderEnv& env);

struct Probes {
  std::function<std::string()> metrics_text;
  std::function<std::vector<std::string>()>
      missing;  // what keeps the shop from taking orders; empty when ready
  std::function<std::string_view()>
      trouble;  // why the process should be looked at; "" when healthy
  // Who besides this machine may read the metrics: these addresses, and whoever shows the token.
  std::vector<base::AddressBlock> scrapers;
  std::string scraper_token;  // "" for none
};
void mount_ops(Router& router, Probes probes);

}  // namespace topup::http::routes
