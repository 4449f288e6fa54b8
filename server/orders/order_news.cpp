#include "server/orders/order_news.h"

#include <algorithm>
#include <utility>

#include "server/base/log.h"
#include "server/orders/transition.h"
#include "server/payments/payment_store.h"
#include "shared/check.h"
#include "shared/time_point.h"

namespace topup::orders {
namespace {

namespace message_state = notify::message_state;
namespace shipping_state = notify::shipping_state;
namespace message_store = notify::message_store;

constexpr std::array<std::int64_t, 5> kAgainMs = {30'000, 120'000, 600'000, 1'800'000, 3'600'000};
constexpr std::int64_t kSmsGapMs = 60'000;
constexpr std::string_view kInbox = "inbox";
constexpr std::string_view kSubscribe = "subscribe";
constexpr std::string_view kTemplate = "template";
constexpr std::string_view kSms = "sms";
constexpr std::string_view kMiniProgram = "mini_program";

std::int64_t again_ms(std::int64_t tries) {
  const auto last = static_cast<std::int64_t>(kAgainMs.size()) - 1;
  return kAgainMs[static_cast<std::size_t>(std::clamp<std::int64_t>(tries - 1, 0, last))];
}

// Words of a template's "phrase": at most five characters.
std::string_view status_of(std::string_view topic) {
  if (topic == topic::kDelivered) return "充值成功";
  if (topic == topic::kRefunded) return "退款成功";
  if (topic == topic::kDeclined) return "退款未通过";
  return "充值失败";
}

std::string money_text(Money money) {
  const std::string sign = money.currency == Currency::cny ? "元" : "";
  return decimal_text(money) + sign;
}

}  // namespace

void OrderNews::announce(storage::Tx& tx, const Order& order, Event event) const {
  const std::string_view topic = topic_of(event);
  if (topic.empty()) return;
  tell(tx, order, topic);
  if (topic == topic::kDelivered && out_.mini != nullptr && out_.rules().reports_shipping)
    report_shipping(tx, order);
}

void OrderNews::tell(storage::Tx& tx, const Order& order, std::string_view topic) const {
  const NewsRules rules = out_.rules();
  const bool goes_out =
      (out_.mini != nullptr && rules.mini.contains(topic)) ||
      (out_.oa != nullptr && rules.oa.contains(topic)) ||
      (out_.sms != nullptr && std::find(rules.sms_topics.begin(), rules.sms_topics.end(), topic) !=
                                  rules.sms_topics.end());
  const std::int64_t now = env_.clock.wall_ms();
  notify::Message message;
  message.id = base::new_id(env_.random, now);
  message.user = order.user;
  message.order = order.id;
  message.topic = std::string(topic);
  message.way = std::string(kInbox);
  message.state = std::string(goes_out ? message_state::kQueued : message_state::kShown);
  message.created_at_ms = now;
  if (!message_store::insert(tx, message)) {
    if (topic == topic::kDeclined) message_store::show_again(tx, order.id, topic, now);
  } else if (goes_out) {
    jobs::outbox::enqueue(tx, kMessageJob, message.id, now, now, order.trace,
                          jobs::Priority::normal);
    tx.after_commit(env_.wake_jobs);
  }
}

void OrderNews::report_shipping(storage::Tx& tx, const Order& order) const {
  for (const payments::Attempt& attempt : payments::payment_store::attempts_of(tx, order.id)) {
    if (attempt.state != payments::attempt_state::kPaid || attempt.scene != kMiniProgram) continue;
    const std::int64_t now = env_.clock.wall_ms();
    notify::ShippingReport report;
    report.out_trade_no = attempt.out_trade_no;
    report.order = order.id;
    report.state = std::string(shipping_state::kQueued);
    report.created_at_ms = now;
    if (!message_store::insert_report(tx, report)) continue;
    jobs::outbox::enqueue(tx, kShippingJob, attempt.out_trade_no.text, now, now, order.trace,
                          jobs::Priority::normal);
    tx.after_commit(env_.wake_jobs);
  }
}

notify::FieldValues OrderNews::fields_of(const Order& order, std::string_view topic) const {
  const std::string day = day_text(env_.clock.wall_ms(), kShanghaiOffsetMs);
  const std::string moment = notify::shanghai_time_text(env_.clock.wall_ms());
  return {{"order_no", order.id.text},
          {"product", order.operator_name_zh + " " + money_text(order.face)},
          {"account", order.account_masked},
          {"payable", money_text(order.payable)},
          {"delivered", money_text(order.delivered)},
          {"status", std::string(status_of(topic))},
          {"at", day + " " + moment.substr(11, 5)}};
}

// False when another run has finished it meanwhile.
bool OrderNews::save(notify::Message& message) const {
  message.updated_at_ms = env_.clock.wall_ms();
  bool kept = false;
  env_.db.write([&](storage::Tx& tx) {
    const auto stored = message_store::find(tx, message.id);
    kept = stored && stored->state == message_state::kQueued;
    if (kept) message_store::save(tx, message);
    return kept;
  });
  return kept;
}

OrderNews::Next OrderNews::after_wechat(const notify::Sent& sent, notify::Message& message) const {
  message.code = sent.code;
  switch (sent.outcome) {
    case notify::SendOutcome::sent:
      message.state = std::string(message_state::kSent);
      message.party_id = sent.party_id;
      return Next::done;
    case notify::SendOutcome::unavailable:
      return Next::later;
    case notify::SendOutcome::no_quota:
      env_.db.write([&](storage::Tx& tx) {
        message_store::clear_quota(tx, message.user, message.template_id, env_.clock.wall_ms());
        return true;
      });
      return Next::other_way;
    case notify::SendOutcome::bad_template:
      env_.db.write([&](storage::Tx& tx) {
        open_work_item(env_, tx, "message_template", message.template_id + " " + sent.code,
                       message.order, message.topic + ": " + sent.detail.substr(0, 200));
        return true;
      });
      return Next::other_way;
    case notify::SendOutcome::bad_receiver:
      break;
  }
  return Next::other_way;
}

OrderNews::Next OrderNews::try_mini(const NewsRules& rules, const Order& order,
                                    notify::Message& message) const {
  const auto spec = rules.mini.find(message.topic);
  if (out_.mini == nullptr || spec == rules.mini.end()) return Next::other_way;
  const std::string openid = out_.subject_of(order.user, "wechat_mini", out_.mini->appid());
  if (openid.empty()) return Next::other_way;
  const auto lines = notify::fill_template(spec->second, fields_of(order, message.topic));
  message.template_id = spec->second.template_id;
  if (!lines) {
    return after_wechat({notify::SendOutcome::bad_template, "", std::string(lines.error().reason),
                         std::string(lines.error().detail.view())},
                        message);
  }
  // Spent before the call, once: a repeat after an unclear answer is the same message.
  if (message.way != kSubscribe) {
    bool had = false;
    env_.db.write([&](storage::Tx& tx) {
      had = message_store::spend_quota(tx, order.user, message.template_id, env_.clock.wall_ms());
      notify::Message marked = message;
      marked.way = std::string(kSubscribe);
      marked.updated_at_ms = env_.clock.wall_ms();
      if (had) message_store::save(tx, marked);
      return true;
    });
    if (!had) return Next::other_way;
    message.way = std::string(kSubscribe);
  }
  return after_wechat(
      notify::send_subscribe(*out_.mini, {openid, message.template_id,
                                          "pages/order/order?id=" + order.id.text, *lines}),
      message);
}

OrderNews::Next OrderNews::try_oa(const NewsRules& rules, const Order& order,
                                  notify::Message& message) const {
  const auto spec = rules.oa.find(message.topic);
  if (out_.oa == nullptr || spec == rules.oa.end()) return Next::other_way;
  const std::string openid = out_.subject_of(order.user, "wechat_oa", out_.oa->appid());
  if (openid.empty()) return Next::other_way;
  message.way = std::string(kTemplate);
  message.template_id = spec->second.template_id;
  const auto lines = notify::fill_template(spec->second, fields_of(order, message.topic));
  if (!lines) {
    return after_wechat({notify::SendOutcome::bad_template, "", std::string(lines.error().reason),
                         std::string(lines.error().detail.view())},
                        message);
  }
  const std::string mini_appid = out_.mini == nullptr ? "" : out_.mini->appid();
  return after_wechat(
      notify::send_template(
          *out_.oa, {openid, message.template_id, "pages/order/order?id=" + order.id.text, *lines},
          mini_appid),
      message);
}

// Messages cost money and annoy (threat A-09): so many for one buyer and for the shop a day, never
// two to one buyer within a minute, and none twice.
OrderNews::Next OrderNews::try_sms(const NewsRules& rules, const Order& order,
                                   notify::Message& message) const {
  const bool wanted = std::find(rules.sms_topics.begin(), rules.sms_topics.end(), message.topic) !=
                      rules.sms_topics.end();
  if (out_.sms == nullptr || !wanted || rules.sms_template.empty() || message.way == kSms)
    return Next::other_way;
  const std::string number = out_.subject_of(order.user, "phone", "");
  if (number.empty()) return Next::other_way;
  const std::int64_t now = env_.clock.wall_ms();
  bool within = false;
  env_.db.write([&](storage::Tx& tx) {
    const std::int64_t day = now - kDayMs;
    within = message_store::sms_since(tx, order.user, now - kSmsGapMs) == 0 &&
             message_store::sms_since(tx, order.user, day) < rules.sms_buyer_day &&
             message_store::all_sms_since(tx, day) < rules.sms_shop_day;
    notify::Message marked = message;
    marked.way = std::string(kSms);
    marked.updated_at_ms = now;
    if (within) message_store::save(tx, marked);
    return true;
  });
  if (!within) {
    message.code = "sms_limit";
    return Next::other_way;
  }
  message.way = std::string(kSms);
  message.template_id = rules.sms_template;
  notify::Sms sms;
  sms.to = number;
  sms.reference = message.id;
  sms.template_name = rules.sms_template;
  for (const auto& [name, value] : fields_of(order, message.topic)) {
    if (name == "status" || name == "account" || name == "payable")
      sms.params.emplace_back(name, value);
  }
  switch (out_.sms->send(sms)) {
    case notify::SmsOutcome::sent:
      message.state = std::string(message_state::kSent);
      message.code.clear();
      return Next::done;
    case notify::SmsOutcome::unknown:
      message.state = std::string(message_state::kSent);  // it may have arrived: never again
      message.code = "unknown";
      return Next::done;
    case notify::SmsOutcome::refused:
      break;
  }
  message.code = "sms_refused";
  return Next::other_way;
}

// From the way it has come to: a way that was left is never gone back to.
OrderNews::Next OrderNews::send_next(const NewsRules& rules, const Order& order,
                                     notify::Message& message) const {
  const bool past_mini = message.way == kTemplate || message.way == kSms;
  Next next = past_mini ? Next::other_way : try_mini(rules, order, message);
  if (next == Next::other_way && message.way != kSms) next = try_oa(rules, order, message);
  if (next == Next::other_way) next = try_sms(rules, order, message);
  return next;
}

void OrderNews::run_message(const jobs::Job& job) const {
  std::optional<notify::Message> message;
  std::optional<Order> order;
  env_.db.read([&](storage::Reader& reader) {
    message = message_store::find(reader, job.subject);
    if (message) order = order_store::find(reader, message->order);
  });
  const bool over = !message || !order || message->state != message_state::kQueued;
  if (over || !jobs::still_mine(env_.db, env_.clock, job)) {
    if (over)
      (void)storage::with_tx(env_.db,
                             [&](storage::Tx& tx) { return jobs::outbox::finish(tx, job); });
    return;
  }
  message->user = order->user;  // who may have become another since
  ++message->tries;
  const bool silenced = out_.must_not_write(order->user);
  if (silenced) message->code = "consent_withdrawn";
  const Next next = silenced ? Next::other_way : send_next(out_.rules(), *order, *message);
  const bool again = next == Next::later && message->tries < kMaxMessageTries;
  if (!again && next != Next::done) message->state = std::string(message_state::kFailed);
  (void)save(*message);
  (void)storage::with_tx(env_.db, [&](storage::Tx& tx) {
    if (!again) return jobs::outbox::finish(tx, job);
    return jobs::outbox::reschedule(tx, job, env_.clock.wall_ms() + again_ms(message->tries),
                                    message->code);
  });
}

void OrderNews::run_shipping(const jobs::Job& job) const {
  std::optional<notify::ShippingReport> report;
  std::optional<payments::Attempt> attempt;
  std::optional<Order> order;
  env_.db.read([&](storage::Reader& reader) {
    report = message_store::find_report(reader, OutTradeNo(job.subject));
    if (report) order = order_store::find(reader, report->order);
    if (report) attempt = payments::payment_store::find_attempt(reader, report->out_trade_no);
  });
  const bool over = !report || !order || !attempt || out_.mini == nullptr ||
                    report->state != shipping_state::kQueued;
  if (over) {
    (void)storage::with_tx(env_.db, [&](storage::Tx& tx) { return jobs::outbox::finish(tx, job); });
    return;
  }
  if (!jobs::still_mine(env_.db, env_.clock, job)) return;
  const std::string openid = out_.subject_of(order->user, "wechat_mini", out_.mini->appid());
  notify::Shipped said{notify::ShippingOutcome::refused, "openid_missing", ""};
  if (!openid.empty()) {
    said = notify::upload_shipping(
        *out_.mini,
        {attempt->transaction_id, openid,
         order->operator_name_zh + " " + money_text(order->face) + " " + order->account_masked,
         env_.clock.wall_ms()});
  }
  ++report->tries;
  report->code = said.code;
  const bool reported = said.outcome == notify::ShippingOutcome::reported;
  const bool given_up = said.outcome == notify::ShippingOutcome::refused ||
                        (!reported && report->tries >= kMaxShippingTries);
  if (reported) report->state = std::string(shipping_state::kReported);
  if (given_up) report->state = std::string(shipping_state::kFailed);
  const std::int64_t now = env_.clock.wall_ms();
  report->updated_at_ms = now;
  (void)storage::with_tx(env_.db, [&](storage::Tx& tx) -> Result<bool> {
    if (const auto mine = jobs::outbox::hold(tx, job); !mine) return mine;
    message_store::save_report(tx, *report);
    if (given_up) {
      open_work_item(env_, tx, "shipping_not_reported", report->out_trade_no.text, report->order,
                     said.code + " " + said.detail.substr(0, 200));
    }
    if (reported || given_up) return jobs::outbox::finish(tx, job);
    return jobs::outbox::reschedule(tx, job, now + again_ms(report->tries), said.code);
  });
}

std::vector<std::pair<std::string, std::string>> OrderNews::templates_to_ask() const {
  std::vector<std::pair<std::string, std::string>> ask;
  if (out_.mini == nullptr) return ask;
  for (const auto& [topic, spec] : out_.rules().mini) ask.emplace_back(topic, spec.template_id);
  return ask;
}

int OrderNews::accept(const UserId& user, const std::vector<std::string>& template_ids) const {
  int accepted = 0;
  const auto known = templates_to_ask();
  env_.db.write([&](storage::Tx& tx) {
    accepted = 0;
    for (const auto& [topic, id] : known) {
      if (std::find(template_ids.begin(), template_ids.end(), id) == template_ids.end()) continue;
      message_store::accept(tx, user, id, env_.clock.wall_ms());
      ++accepted;
    }
    return true;
  });
  return accepted;
}

}  // namespace topup::orders
