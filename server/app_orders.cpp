#include "server/app_orders.h"

#include <string>
#include <utility>

#include "server/auth/consent.h"
#include "server/base/log.h"

namespace topup {

orders::OrderLimits order_limits(const settings::Snapshot& now) {
  return {
      .pay_within_ms = now.integer("orders.pay_within_ms"),
      .max_unpaid_per_user = now.integer("orders.max_unpaid_per_user"),
      .not_on_ios = std::make_shared<std::vector<std::string>>(now.list("mini_program.not_on_ios")),
      .repeat_window_ms = now.integer("orders.repeat_window_ms"),
      .review_above_minor = now.integer("orders.review_above_minor"),
      .review_window_ms = now.integer("orders.review_window_ms"),
      .review_buyer_day_minor = now.integer("orders.review_buyer_day_minor"),
      .review_within_ms = now.integer("orders.review_within_ms"),
      .two_people_above_minor = now.integer("orders.two_people_above_minor"),
      .revive_within_ms = now.integer("orders.revive_within_ms"),
      .verify_above_minor = now.integer("orders.verify_above_minor"),
      .opens_at_minute = now.integer("orders.opens_at_minute"),
      .closes_at_minute = now.integer("orders.closes_at_minute"),
      .confirm_account = now.boolean("orders.confirm_account"),
      .refund_answer_within_ms = now.integer("refunds.answer_within_ms")};
}

orders::NewsRules news_rules(const settings::Snapshot& now) {
  orders::NewsRules rules;
  for (const std::string_view topic : orders::kTopics) {
    const auto read = [&](const std::string& key, auto* into) {
      const std::string text = now.text(key.c_str());
      if (text.empty()) return;
      auto spec = notify::parse_template(text);
      if (spec) {
        (*into)[std::string(topic)] = std::move(*spec);
        return;
      }
      base::log(base::Level::error, "message_template_malformed",
                {{"setting", key}, {"word", spec.error().detail.view()}});
    };
    const std::string key = "messages." + std::string(topic);
    read(key + "_mini", &rules.mini);
    read(key + "_oa", &rules.oa);
  }
  rules.sms_topics = now.list("messages.sms_topics");
  rules.sms_template = now.text("messages.sms_template");
  rules.sms_buyer_day = now.integer("messages.sms_buyer_day");
  rules.sms_shop_day = now.integer("messages.sms_shop_day");
  rules.reports_shipping = now.boolean("messages.report_shipping");
  return rules;
}

OrderParts::OrderParts(orders::OrderEnv& env, BuyerParts& buyers, settings::Settings& settings)
    : env_(env),
      reviews_(env),
      tickets_(env.db, env.clock),
      news_(env, {buyers.mini(), buyers.oa(), buyers.sms(),
                  [&buyers](const UserId& user, std::string_view kind, std::string_view app) {
                    return buyers.identities().openid_of(user, kind, app).value_or("");
                  },
                  [this] {
                    const std::lock_guard hold(mutex_);
                    return rules_;
                  },
                  [&buyers](const UserId& user) {
                    const auto consents = buyers.identities().person(user).consents;
                    return auth::has_taken_back(consents, "messages") ||
                           auth::has_taken_back(consents, "privacy");
                  }}) {
  settings.observe([this](const settings::Snapshot& now) {
    orders::NewsRules rules = news_rules(now);
    const std::lock_guard hold(mutex_);
    rules_ = std::move(rules);
  });
  env.live_limits = [&settings] { return order_limits(*settings.current()); };
  env.tickets = &tickets_;
  env.tell = [this](storage::Tx& tx, const orders::Order& order, std::string_view topic) {
    news_.tell(tx, order, topic);
  };
  env.announce = [this](storage::Tx& tx, const orders::Order& order, Event event) {
    news_.announce(tx, order, event);
  };
}

void OrderParts::register_jobs(jobs::Worker& worker) {
  worker.handle(std::string(orders::job_kind::kReview),
                [this](const jobs::Job& job) { reviews_.run_expiry(job); });
  worker.handle(std::string(orders::kMessageJob),
                [this](const jobs::Job& job) { news_.run_message(job); });
  worker.handle(std::string(orders::kShippingJob),
                [this](const jobs::Job& job) { news_.run_shipping(job); });
}

void OrderParts::mount(http::Router& router, const http::routes::StaffDesk& staff,
                       const http::routes::OrderFinding& find) {
  http::routes::mount_order_finding(router, find);
  http::routes::mount_admin_order_acts(router, {staff, env_, reviews_});
  http::routes::mount_messages(router, {env_.db, env_.clock, find.cursors, news_});
}

}  // namespace topup
