// Who is told what when an order moves, as a table: kNews. A message is written beside the
// transition and sent by a job, way by way: a subscribe message of the mini-program while the buyer
// has agreed to one, a template message of the official account, a short message for the topics
// that the shop pays for. Whatever becomes of those, the message stands in the buyer's inbox. A
// refusal that is the buyer's right (43101) goes on to the next way and is not tried again; one
// that a person must mend becomes one work item for the template; a busy platform is asked again,
// rarely and not for ever. What the staff must do is a work item of the transition itself.
//
// Deliveries of what was paid inside the mini-program are reported to the platform, once for each
// payment, until it has them; then or never a person is told. Thread-safe; every run_* may be
// repeated at any point after a crash.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/jobs/outbox.h"
#include "server/notify/message_store.h"
#include "server/notify/sms.h"
#include "server/notify/template_spec.h"
#include "server/notify/wechat_messages.h"
#include "server/orders/order_env.h"
#include "server/orders/order_store.h"

namespace topup::orders {

// Stored words; do not rename.
namespace topic {
inline constexpr std::string_view kDelivered = "order_delivered";
inline constexpr std::string_view kFailed = "order_failed";      // the money is on its way back
inline constexpr std::string_view kRefunded = "order_refunded";  // and has arrived
// Staff said no to a wish for a refund: for the inbox, and by short message where the shop pays.
inline constexpr std::string_view kDeclined = "refund_declined";
}  // namespace topic
// Those that may have a template.
inline constexpr std::array<std::string_view, 3> kTopics = {topic::kDelivered, topic::kFailed,
                                                            topic::kRefunded};

struct News {
  Event event;
  std::string_view topic;
};
inline constexpr std::array kNews = {
    News{Event::supplier_succeeded, topic::kDelivered},
    News{Event::delivered_by_hand, topic::kDelivered},
    News{Event::supplier_rejected, topic::kFailed},
    News{Event::review_rejected, topic::kFailed},
    News{Event::hold_expired, topic::kFailed},
    News{Event::refund_ordered, topic::kFailed},
    News{Event::refund_succeeded, topic::kRefunded},
    News{Event::refunded_by_hand, topic::kRefunded},
    News{Event::partial_refund_succeeded, topic::kRefunded},
};
constexpr std::string_view topic_of(Event event) {
  for (const News& news : kNews) {
    if (news.event == event) return news.topic;
  }
  return {};
}

// The live rules of sending; a topic without a template is not sent that way.
struct NewsRules {
  std::map<std::string, notify::TemplateSpec, std::less<>> mini, oa;  // by topic
  std::vector<std::string> sms_topics;
  std::string sms_template;
  std::int64_t sms_buyer_day = 5, sms_shop_day = 500;
  bool reports_shipping = true;
};

// The outside as this needs it; a null party is one that the shop does not have.
struct NewsParties {
  base::WechatApp* mini = nullptr;
  base::WechatApp* oa = nullptr;
  notify::SmsSender* sms = nullptr;
  // Empty when the buyer has none: the openid of an app, and a phone number.
  std::function<std::string(const UserId&, std::string_view kind, std::string_view app)> subject_of;
  std::function<NewsRules()> rules;
  // Whether the buyer has taken back that they may be written to; asked right before each message.
  std::function<bool(const UserId&)> must_not_write = [](const UserId&) { return false; };
};

inline constexpr std::string_view kMessageJob = "message";           // subject: message_id
inline constexpr std::string_view kShippingJob = "shipping_report";  // subject: out_trade_no
inline constexpr std::int64_t kMaxMessageTries = 6;
inline constexpr std::int64_t kMaxShippingTries = 12;

class OrderNews {
 public:
  OrderNews(const OrderEnv& env, NewsParties parties) : env_(env), out_(std::move(parties)) {}

  // OrderEnv::announce: in the transition's transaction.
  void announce(storage::Tx& tx, const Order& order, Event event) const;
  // OrderEnv::tell. Told again, the message is unread again.
  void tell(storage::Tx& tx, const Order& order, std::string_view topic) const;
  void run_message(const jobs::Job& job) const;   // kMessageJob
  void run_shipping(const jobs::Job& job) const;  // kShippingJob

  // The templates that a page may ask its buyer about, at a tap: at most three.
  std::vector<std::pair<std::string, std::string>> templates_to_ask() const;  // topic, template id
  // What the buyer answered; only what this shop sends counts. How many were accepted.
  int accept(const UserId& user, const std::vector<std::string>& template_ids) const;

 private:
  enum class Next : std::uint8_t { done, later, other_way };
  void report_shipping(storage::Tx& tx, const Order& order) const;
  Next try_mini(const NewsRules& rules, const Order& order, notify::Message& message) const;
  Next try_oa(const NewsRules& rules, const Order& order, notify::Message& message) const;
  Next try_sms(const NewsRules& rules, const Order& order, notify::Message& message) const;
  Next after_wechat(const notify::Sent& sent, notify::Message& message) const;
  Next send_next(const NewsRules& rules, const Order& order, notify::Message& message) const;
  notify::FieldValues fields_of(const Order& order, std::string_view topic) const;
  bool save(notify::Message& message) const;
  const OrderEnv& env_;
  const NewsParties out_;
};

}  // namespace topup::orders
