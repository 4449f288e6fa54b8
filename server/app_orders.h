// What stands beside the money path of an order, wired: reviews, finding, messages to people.
#pragma once

#include <mutex>

#include "server/app_buyers.h"
#include "server/http/routes/mounts.h"
#include "server/jobs/worker.h"
#include "server/orders/order_env.h"
#include "server/orders/order_news.h"
#include "server/orders/review_desk.h"
#include "server/orders/ticket_keeper.h"
#include "server/settings/settings.h"

namespace topup {

// The rules of ordering and of messages as the live settings have them.
orders::OrderLimits order_limits(const settings::Snapshot& now);
orders::NewsRules news_rules(const settings::Snapshot& now);

class OrderParts {
 public:
  // Gives `env` its live limits, its ear for transitions and the keeper of its tickets.
  OrderParts(orders::OrderEnv& env, BuyerParts& buyers, settings::Settings& settings);
  void stop() { tickets_.stop(); }  // when no request runs any more
  void register_jobs(jobs::Worker& worker);
  void mount(http::Router& router, const http::routes::StaffDesk& staff,
             const http::routes::OrderFinding& find);

 private:
  const orders::OrderEnv& env_;
  orders::ReviewDesk reviews_;
  orders::TicketKeeper tickets_;
  // Read from the live settings when they change: a message needs no parsing of its templates.
  std::mutex mutex_;  // held for a copy only
  orders::NewsRules rules_;
  orders::OrderNews news_;
};

}  // namespace topup
