// The way to a sheet: what is meant becomes durable, then the channel is asked, then the buyer has
// the answer.
#include <algorithm>
#include <utility>

#include "server/base/log.h"
#include "server/orders/buyer_facts_store.h"
#include "server/orders/order_rules.h"
#include "server/orders/payment_flow.h"
#include "server/orders/ticket_keeper.h"
#include "server/orders/transition.h"
#include "server/risk/standing.h"
#include "shared/check.h"

namespace topup::orders {
namespace {

namespace attempt_state = payments::attempt_state;
namespace payment_store = payments::payment_store;
using payments::Attempt;

// An h5_url lives five minutes, a prepay_id and a code two hours; we stop handing them out before.
constexpr std::int64_t kSheetMs = 270'000;
constexpr std::int64_t kLongTicketMs = 7'000'000;
constexpr std::int64_t kTicketMarginMs = 30'000;  // a buyer needs a moment to press "pay"
constexpr std::int64_t kFirstQueryMs = 15'000;
constexpr std::string_view kOrderInPath = "{order_id}";
constexpr std::int64_t kOpeningMs = 60'000;  // no request waits so long for its channel

std::int64_t ticket_ms(payments::Scene scene) {
  return scene == payments::Scene::h5 ? kSheetMs : kLongTicketMs;
}

// What is stored of how the buyer pays: the word of the request, or that of the scene.
std::string stored_scene(const StartPayment& request) {
  switch (request.scene) {
    case payments::Scene::native:
      return "native";
    case payments::Scene::jsapi:
      return request.scene_word == "h5" ? "jsapi" : request.scene_word;
    case payments::Scene::h5:
      break;
  }
  return request.scene_word;
}

// The channel was asked for it, and what it said is not here: another tap waits for it now, or the
// process that heard it is gone.
bool has_lost_ticket(const Attempt& earlier) {
  return earlier.ticket.empty() && earlier.ticket_good_until_ms == 0;
}

bool is_open_for(const Attempt& earlier, const StartPayment& request, std::int64_t now) {
  return earlier.state == attempt_state::kStarted && earlier.channel == request.channel &&
         earlier.scene == stored_scene(request) && earlier.expires_at_ms > now;
}

bool is_reusable(const Attempt& earlier, const StartPayment& request, std::int64_t now) {
  if (!is_open_for(earlier, request, now)) return false;
  return has_lost_ticket(earlier) ||
         (!earlier.ticket.empty() && earlier.ticket_good_until_ms > now + kTicketMarginMs);
}

// The newest that never had an answer. Once an order has all its attempts, it is asked for again
// under its number: a channel that was away for a minute must not cost the buyer the order.
const Attempt* unanswered(const std::vector<Attempt>& attempts, const StartPayment& request,
                          std::int64_t now) {
  const Attempt* newest = nullptr;
  for (const Attempt& one : attempts) {
    if (!one.ticket.empty() || !is_open_for(one, request, now)) continue;
    if (newest == nullptr || one.created_at_ms >= newest->created_at_ms) newest = &one;
  }
  return newest;
}

// One that is being opened right now, by another tap of the same buyer, is left alone: closed too
// early its sheet would be made after the close.
void supersede(storage::Tx& tx, const Attempt& earlier, std::int64_t now) {
  if (earlier.state != attempt_state::kStarted) return;
  if (earlier.ticket.empty() && earlier.created_at_ms + kOpeningMs > now) return;
  if (!payment_store::supersede_attempt(tx, earlier.out_trade_no, now)) return;
  jobs::outbox::bring_forward(tx, job_kind::kPaymentQuery, earlier.out_trade_no.text, now);
}

// A page that checks out does not know the order's number yet, and writes {order_id}.
void name_order(std::string& return_path, const OrderId& order) {
  const std::size_t at = return_path.find(kOrderInPath);
  if (at != std::string::npos) return_path.replace(at, kOrderInPath.size(), order.text);
}

tl::unexpected<Error> channel_silent() {
  return refuse(Code::unavailable, "channel_unavailable", "channel",
                "nothing was charged; try again in a moment");
}

std::string kept_of(const payments::PrepayTicket& ticket) {
  if (!ticket.kept.empty()) return ticket.kept;
  return ticket.scene == payments::Scene::native ? ticket.code_url : ticket.h5_url;
}

}  // namespace

payments::PrepayRequest PaymentFlow::prepay_of(const StartPayment& request,
                                               const Attempt& attempt) const {
  payments::PrepayRequest prepay;
  prepay.out_trade_no = attempt.out_trade_no;
  prepay.amount = attempt.amount;
  prepay.description = "话费充值";
  prepay.expire_at_ms = attempt.expires_at_ms;
  prepay.scene = request.scene;
  prepay.openid = request.openid;
  prepay.appid = request.appid;
  prepay.client_address = request.client_address;
  prepay.payee = attempt.payee;
  if (!request.return_path.empty())
    prepay.return_url = env_.settings.public_origin + request.return_path;
  return prepay;
}

Result<payments::PayChannel*> PaymentFlow::channel_for(const StartPayment& request) const {
  payments::PayChannel* channel = env_.channels.find(request.channel);
  if (channel == nullptr) return refuse(Code::invalid_argument, "channel_unknown", "channel");
  if (!channel->offers(request.scene))
    return refuse(Code::rejected, "scene_not_offered", "scene", request.scene_word);
  return channel;
}

Result<StartedPayment> PaymentFlow::start(const StartPayment& request) const {
  const auto channel = channel_for(request);
  if (!channel) return tl::unexpected<Error>(channel.error());
  Attempt reusable;
  Result<Attempt> attempt = open_attempt(request, **channel, &reusable);
  if (!attempt) return tl::unexpected<Error>(attempt.error());
  if (!reusable.out_trade_no.empty()) {
    const auto given = give_again(request, **channel, reusable);
    if (given) return *given;
    attempt = open_attempt(request, **channel, nullptr);
    if (!attempt) return tl::unexpected<Error>(attempt.error());
  }
  return ask_for_sheet(request, **channel, *attempt);
}

Result<CheckedOut> PaymentFlow::check_out(const OrderService& orders, const PlaceRequest& place,
                                          StartPayment wanted, PricedQuote* current,
                                          Order* earlier) const {
  const auto channel = channel_for(wanted);
  std::optional<Result<Attempt>> opened;  // as the last run of the body left it
  const Along open_along = [&](storage::Tx& tx, Order& order) -> Result<bool> {
    const auto may = may_begin(tx, wanted, order);
    if (!may) {
      opened = tl::unexpected<Error>(may.error());
      return true;
    }
    opened = add_attempt(tx, order, wanted, **channel, {});
    if (!*opened) return tl::unexpected<Error>(opened->error());
    return true;
  };
  auto placed = orders.place(place, current, earlier, channel ? &open_along : nullptr);
  if (!placed) return tl::unexpected<Error>(placed.error());
  wanted.order = placed->order.id;
  name_order(wanted.return_path, wanted.order);
  const auto begun = [&]() -> Result<StartedPayment> {
    if (!channel) return tl::unexpected<Error>(channel.error());
    if (placed->replayed) return start(wanted);
    check(opened.has_value(), "a new order was given its attempt");
    if (!*opened) return tl::unexpected<Error>(opened->error());
    return ask_for_sheet(wanted, **channel, **opened);
  };
  Result<StartedPayment> started = begun();
  return CheckedOut{std::move(*placed), std::move(started)};
}

// Signed anew outside the transaction; what another payer started is not for this one. A lost
// ticket is asked for again under its number, for which the channel knows one order. nullopt: this
// attempt gives no sheet any more.
std::optional<Result<StartedPayment>> PaymentFlow::give_again(const StartPayment& request,
                                                              payments::PayChannel& channel,
                                                              const Attempt& earlier) const {
  const payments::PrepayRequest prepay = prepay_of(request, earlier);
  if (!earlier.ticket.empty()) {
    auto ticket = channel.resume(prepay, earlier.ticket);
    if (!ticket) return std::nullopt;
    return StartedPayment{earlier.out_trade_no, std::move(*ticket), earlier.expires_at_ms};
  }
  const auto outcome = channel.prepay(prepay);
  if (const auto* ticket = std::get_if<payments::PrepayTicket>(&outcome))
    return hand_out(request, earlier, *ticket);
  give_up_ticket(earlier);
  return std::nullopt;
}

Result<StartedPayment> PaymentFlow::ask_for_sheet(const StartPayment& request,
                                                  payments::PayChannel& channel,
                                                  const Attempt& attempt) const {
  const auto outcome = channel.prepay(prepay_of(request, attempt));
  if (const auto* ticket = std::get_if<payments::PrepayTicket>(&outcome))
    return hand_out(request, attempt, *ticket);
  if (const auto* refused = std::get_if<payments::DefiniteFail>(&outcome)) {
    env_.db.write([&](storage::Tx& tx) {
      return payment_store::settle_attempt(tx, attempt.out_trade_no, attempt_state::kRefused, 0, "",
                                           env_.clock.wall_ms());
    });
    base::log(base::Level::error, "prepay_refused",
              {{"out_trade_no", attempt.out_trade_no.text},
               {"code", refused->code()},
               {"message", refused->message()}});
    return refuse(Code::unavailable, "channel_refused", "channel", refused->code());
  }
  give_up_ticket(attempt);
  return channel_silent();
}

// The channel did not say what became of it: the attempt stays open and watched, and the next tap
// takes a number of its own while the order has one left.
void PaymentFlow::give_up_ticket(const Attempt& attempt) const {
  env_.db.write(
      [&](storage::Tx& tx) { return payment_store::give_up_ticket(tx, attempt.out_trade_no); });
}

Result<StartedPayment> PaymentFlow::hand_out(const StartPayment& request, const Attempt& attempt,
                                             const payments::PrepayTicket& ticket) const {
  const Ticket kept{attempt.out_trade_no, kept_of(ticket),
                    env_.clock.wall_ms() + ticket_ms(request.scene)};
  bool is_open = false;
  if (env_.tickets != nullptr) {
    env_.db.read([&](storage::Reader& reader) {
      const auto now = payment_store::find_attempt(reader, attempt.out_trade_no);
      is_open = now && now->state == attempt_state::kStarted;
    });
    if (is_open) env_.tickets->keep(kept);
  } else {
    env_.db.write([&](storage::Tx& tx) {
      is_open = payment_store::save_ticket(tx, kept.out_trade_no, kept.kept, kept.good_until_ms);
      return is_open;
    });
  }
  if (is_open) return StartedPayment{attempt.out_trade_no, ticket, attempt.expires_at_ms};
  // Cancelled while the channel was asked: a sheet that nobody watches must not stay payable.
  // Unanswered here, the job of end_unpaid() asks again.
  (void)close_at_channel(attempt);
  return refuse(Code::conflict, "order_not_payable", "order_id");
}

// A product that has left the shelf since counts as allowed: its kind is not known any more.
bool PaymentFlow::is_kept_off_ios(const Order& order) const {
  const auto kinds = env_.limits().not_on_ios;
  if (kinds == nullptr || kinds->empty()) return false;
  const auto current = env_.catalog.current();
  const Product* product = current ? (*current)->book.find(order.product) : nullptr;
  return product != nullptr &&
         std::find(kinds->begin(), kinds->end(), to_word(product->kind)) != kinds->end();
}

// What stands in the way of this sheet and not of the order.
Result<bool> PaymentFlow::may_begin(storage::Reader& reader, const StartPayment& request,
                                    const Order& order) const {
  if (request.on_ios && is_kept_off_ios(order))
    return refuse(Code::rejected, "not_sold_on_ios", "scene");
  const std::int64_t verify_above = env_.limits().verify_above_minor;
  if (verify_above > 0 && order.payable.minor > verify_above &&
      !has_proven_phone(reader, request.user))
    return refuse(Code::rejected, "phone_needed", "order_id", "bind a phone, then pay");
  return true;
}

// `reusable` null: a new attempt in any case. Whatever it takes the place of is closed at its
// channel soon: a payment that is faster counts, and a second one goes back (X06).
Result<Attempt> PaymentFlow::open_attempt(const StartPayment& request,
                                          const payments::PayChannel& channel,
                                          Attempt* reusable) const {
  const std::int64_t now = env_.clock.wall_ms();
  return storage::with_tx(env_.db, [&](storage::Tx& tx) -> Result<Attempt> {
    if (reusable != nullptr) *reusable = {};
    auto order = order_store::find(tx, request.order);
    if (!order || order->user != request.user)
      return refuse(Code::not_found, "order_not_found", "order_id");
    if (!may_pay(order->state) || order->pay_by_ms <= now)
      return refuse(Code::conflict, "order_not_payable", "order_id");
    const auto may_now = may_begin(tx, request, *order);
    if (!may_now) return tl::unexpected<Error>(may_now.error());
    const auto account =
        env_.pii.open("orders", "account_sealed", order->id.text, order->account_sealed);
    const auto may =
        risk::may_buy(tx, env_.pii, {request.user, request.client_address, request.device_code},
                      account.value_or(""), now);
    if (!may) return tl::unexpected<Error>(may.error());
    auto attempts = payment_store::attempts_of(tx, order->id);
    for (Attempt& earlier : attempts) {
      if (env_.tickets == nullptr || !has_lost_ticket(earlier)) continue;
      if (auto waiting = env_.tickets->find(earlier.out_trade_no)) {
        earlier.ticket = std::move(waiting->kept);
        earlier.ticket_good_until_ms = waiting->good_until_ms;
      }
    }
    for (const Attempt& earlier : attempts) {
      if (reusable != nullptr && is_reusable(earlier, request, now)) {
        *reusable = earlier;
        return earlier;
      }
    }
    const Attempt* again = unanswered(attempts, request, now);
    if (reusable != nullptr && again != nullptr && has_all_attempts(attempts)) {
      *reusable = *again;
      return *again;
    }
    return add_attempt(tx, *order, request, channel, attempts);
  });
}

bool PaymentFlow::has_all_attempts(const std::vector<Attempt>& attempts) const {
  return static_cast<std::int64_t>(attempts.size()) >= env_.settings.max_payment_attempts;
}

Result<Attempt> PaymentFlow::add_attempt(storage::Tx& tx, Order& order, const StartPayment& request,
                                         const payments::PayChannel& channel,
                                         const std::vector<Attempt>& earlier) const {
  const std::int64_t now = env_.clock.wall_ms();
  if (has_all_attempts(earlier)) {
    if (unanswered(earlier, request, now) != nullptr) return channel_silent();
    return refuse(Code::rejected, "too_many_attempts", "order_id", "place a new order");
  }
  Attempt attempt;
  attempt.out_trade_no = OutTradeNo("T" + base::new_id(env_.random, now));
  attempt.order = order.id;
  attempt.channel = request.channel;
  attempt.scene = stored_scene(request);
  attempt.state = attempt_state::kStarted;
  attempt.amount = order.payable;
  attempt.expires_at_ms = order.pay_by_ms;
  attempt.created_at_ms = now;
  attempt.payee = channel.payee_of(order.operator_id);
  payment_store::insert_attempt(tx, attempt);
  for (const Attempt& one : earlier) supersede(tx, one, now);
  const auto moved =
      apply(env_, tx, order, Event::start_payment, {"buyer:" + request.user.text, request.channel});
  if (!moved) return tl::unexpected<Error>(moved.error());
  jobs::outbox::enqueue(tx, job_kind::kPaymentQuery, attempt.out_trade_no.text, now + kFirstQueryMs,
                        now, base::TraceScope::current(), jobs::Priority::money);
  return attempt;
}

}  // namespace topup::orders
