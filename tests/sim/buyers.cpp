#include "tests/sim/buyers.h"

#include <array>

#include "server/orders/pin_reveal.h"
#include "shared/pricing.h"
#include "tests/sim/pins.h"
#include "tests/sim/wallet_port.h"

namespace topup::sim {
namespace {

constexpr int kMostTries = 1'000;  // of one buyer, while the shop keeps dying
constexpr std::array<std::string_view, 3> kProducts = {"cn-mobile-2000", "cn-mobile-5000",
                                                       "cn-mobile-10000"};
constexpr std::array<std::int64_t, 3> kFaces = {2'000, 5'000, 10'000};
constexpr std::size_t kWallet = 2;  // the channel after those outside
constexpr int kMostAsks = 20;       // for a piece of the stock, before one goes without

void found_out(const Error& refusal, Wish& wish) {
  if (refusal.reason == std::string_view("out_of_stock")) wish.found_none = wish.tries >= kMostAsks;
}

}  // namespace

std::string Buyers::account_of(int number) {
  const std::string digits = std::to_string(number);
  return "1380013" + std::string(4 - digits.size(), '0') + digits;
}

void Buyers::come(std::uint64_t seed, int first, int count) {
  for (int i = 0; i < count; ++i) plan(seed, first + i);
  for (std::size_t i = 0; i < wishes_.size(); ++i) {
    world_.after(wishes_[i].start_after_ms, [this, i] { place(i); });
  }
}

void Buyers::plan(std::uint64_t seed, int number) {
  testing::SeededRandom chance(seed * 1'000'003 + static_cast<std::uint64_t>(number));
  Wish wish;
  wish.number = number;
  wish.user = user_of(number);
  wish.key = "wish-" + std::to_string(number) + "-0123456789";
  wish.account = account_of(number);
  const auto product = static_cast<std::size_t>(chance.below(3));
  wish.product = ProductId(std::string(kProducts[product]));
  wish.list_minor = kFaces[product] * kListBp / 10'000;
  wish.start_after_ms = chance.below(1'200'000);
  wish.pay_after_ms = 3'000 + chance.below(chance.percent(15) ? 900'000 : 120'000);
  wish.pays = !chance.percent(12);
  wish.uses_app = chance.percent(40);
  wish.cancels = chance.percent(world_.faults.rate(Fault::cancel_race) + (wish.pays ? 0 : 40));
  wish.pays_twice = wish.pays && chance.percent(world_.faults.rate(Fault::double_payment));
  wish.comes_back = chance.percent(20);
  wish.pays_late = chance.percent(world_.faults.rate(Fault::late_payment));
  wish.is_attacked = chance.percent(world_.faults.rate(Fault::forged));
  wish.wants_scarce = chance.percent(33);
  wish.checks_out = wish.pays && chance.percent(50);
  wish.wants_pin = chance.percent(22);
  if (wish.wants_pin) {
    wish.product = chance.percent(60) ? own_voucher() : shared_voucher();
    wish.list_minor = kVoucherFace * kListBp / 10'000;
    wish.wants_scarce = false;
  }
  wish.from_wallet = chance.percent(world_.faults.rate(Fault::wallet_payment));
  wishes_.push_back(std::move(wish));
}

void Buyers::try_again(std::size_t i, void (Buyers::*what)(std::size_t)) {
  if (++wishes_[i].tries > kMostTries) return;
  world_.after(world_.between(2'000, 20'000), [this, i, what] { (this->*what)(i); });
}

void Buyers::place(std::size_t i) {
  Wish& wish = wishes_[i];
  world_.note("buyer " + std::to_string(wish.number) + " orders");
  const std::size_t channel = wish.from_wallet ? kWallet : outside(wish);
  OutTradeNo sheet;
  shop_.serve([&](Node& node) {
    orders::PlaceRequest request;
    request.user = wish.user;
    request.client_key = wish.key;
    if (bug_ == Bug::key_per_try) request.client_key += std::to_string(wish.tries);
    request.client_fingerprint = "body-of-" + wish.key;
    request.quote.product_id = wish.product;
    request.quote.account_number = wish.account;
    request.quote.coupon_choice = CouponChoice::best;
    if (wish.wants_scarce) request.holds.push_back({"stock", std::string(kScarce)});
    const auto quote = node.orders.price(request.quote, wish.user);
    if (!quote) {
      world_.fail("catalogue", std::string(quote.error().reason));
      return;
    }
    request.quote_fingerprint = fingerprint_text(quote->quote);
    orders::PricedQuote shown;
    orders::Order before;
    if (wish.checks_out) {
      const auto done =
          node.payments.check_out(node.orders, request, sheet_of(wish, channel), &shown, &before);
      if (!done) found_out(done.error(), wish);
      if (!done || world_.strikes(Fault::reply_loss)) return;
      if (done->started) sheet = done->started->out_trade_no;
      wish.order = done->placed.order.id;
      wish.payable = done->placed.order.payable;
      return;
    }
    const auto placed = node.orders.place(request, &shown);
    if (!placed) found_out(placed.error(), wish);
    if (!placed || world_.strikes(Fault::reply_loss)) return;
    wish.order = placed->order.id;
    wish.payable = placed->order.payable;
  });
  if (wish.found_none) return;
  if (wish.order.empty()) return try_again(i, &Buyers::place);
  ++world_.counts.orders;
  world_.note("buyer " + std::to_string(wish.number) + " has order " + wish.order.text);
  wish.tries = 0;
  if (!wish.pays && !wish.cancels && !wish.pays_late) return;
  if (sheet.empty()) {
    world_.after(world_.between(500, 5'000), [this, i, channel] { start(i, channel); });
  } else {
    wish.sheets.push_back(sheet);
    at_the_sheet(i, channel, sheet);
  }
  if (wish.comes_back)
    world_.after(world_.between(20'000, 600'000), [this, i, channel] { start(i, channel); });
  if (wish.pays_twice) {
    const std::size_t other = channel == kWallet ? outside(wish) : 1 - channel;
    world_.after(world_.between(5'000, 60'000), [this, i, other] { start(i, other); });
  }
  if (wish.cancels)
    world_.after(wish.pay_after_ms + world_.between(0, 8'000), [this, i] { cancel(i); });
  for (const std::int64_t late_ms : {60'000, 1'500'000, 2 * 3'600'000}) {
    if (wish.wants_pin) world_.after(wish.pay_after_ms + late_ms, [this, i] { look_at_pin(i); });
  }
  if (wish.is_attacked)
    world_.after(world_.between(1'000, wish.pay_after_ms + 60'000), [this, i] { attack(i); });
}

orders::StartPayment Buyers::sheet_of(const Wish& wish, std::size_t channel) const {
  orders::StartPayment request;
  request.user = wish.user;
  request.order = wish.order;
  request.channel =
      channel == kWallet ? std::string(kWalletChannel) : parties_.channels[channel]->name();
  request.scene = wish.uses_app ? payments::Scene::jsapi : payments::Scene::h5;
  if (wish.uses_app) request.openid = "openid-" + std::to_string(wish.number);
  request.client_address = "203.0.113.7";
  request.return_path = "/#/order";
  return request;
}

void Buyers::start(std::size_t i, std::size_t channel) {
  Wish& wish = wishes_[i];
  OutTradeNo no;
  bool is_over = false, is_short = false;
  const bool answered = shop_.serve([&](Node& node) {
    const auto started = node.payments.start(sheet_of(wish, channel));
    if (started) {
      no = started->out_trade_no;
    } else {
      is_over = started.error().reason == std::string_view("order_not_payable") ||
                started.error().reason == std::string_view("too_many_attempts");
      is_short =
          channel == kWallet && started.error().reason == std::string_view("channel_refused");
    }
  });
  if (is_over) return;
  if (answered && is_short) return find_money(i);
  if (!answered || no.empty()) {
    if (++wish.tries <= kMostTries)
      world_.after(world_.between(2'000, 20'000), [this, i, channel] { start(i, channel); });
    return;
  }
  wish.sheets.push_back(no);
  at_the_sheet(i, channel, no);
}

void Buyers::at_the_sheet(std::size_t i, std::size_t channel, const OutTradeNo& no) {
  Wish& wish = wishes_[i];
  const bool is_second = wish.sheets.size() > 1 && !wish.pays_twice;
  if (is_second) return;
  if (channel == kWallet) return at_the_wallet(i, no);
  ChannelModel* model = parties_.channels[channel].get();
  if (wish.pays) world_.after(wish.pay_after_ms, [model, no] { model->pay(no, false); });
  if (wish.pays_late)
    world_.after(world_.between(840'000, 3'600'000), [model, no] { model->pay(no, true); });
  world_.after(wish.pay_after_ms + world_.between(500, 20'000), [this, i] { confirm(i); });
}

// Says yes, now and then twice, and again until there is an answer.
void Buyers::at_the_wallet(std::size_t i, const OutTradeNo& no) {
  const Wish& wish = wishes_[i];
  const auto yes = [this, i, no] { say_yes(i, no); };
  if (wish.pays) world_.after(wish.pay_after_ms, yes);
  if (wish.pays && world_.chance.percent(30))
    world_.after(wish.pay_after_ms + world_.between(0, 2'000), yes);
  if (wish.pays_late) world_.after(world_.between(840'000, 3'600'000), yes);
}

void Buyers::say_yes(std::size_t i, const OutTradeNo& no) {
  Wish& wish = wishes_[i];
  bool is_told = false;
  const bool answered = shop_.serve([&](Node& node) {
    const auto paid = node.wallet->pay(wish.user, no);
    is_told = true;
    if (paid) (void)node.payments.confirm(wish.user, wish.order);
  });
  if (answered && is_told && !world_.strikes(Fault::reply_loss)) return;
  if (++wish.tries <= kMostTries)
    world_.after(world_.between(2'000, 20'000), [this, i, no] { say_yes(i, no); });
}

void Buyers::find_money(std::size_t i) {
  Wish& wish = wishes_[i];
  ++world_.counts.wallet_short;
  world_.note("buyer " + std::to_string(wish.number) + " has too little in the wallet");
  const bool waits = ++wish.times_short <= 3 && world_.chance.percent(60);
  const std::size_t channel = waits ? kWallet : outside(wish);
  const std::int64_t wait_ms =
      waits ? world_.between(5'000, 120'000) : world_.between(1'000, 20'000);
  world_.after(wait_ms, [this, i, channel] { start(i, channel); });
}

void Buyers::cancel(std::size_t i) {
  const Wish& wish = wishes_[i];
  Code refusal = Code::unavailable;
  const bool answered = shop_.serve([&](Node& node) {
    const auto done = node.payments.cancel(wish.user, wish.order, "buyer:" + wish.user.text);
    refusal = done ? Code::conflict : done.error().code;
  });
  if (!answered || refusal == Code::unavailable) try_again(i, &Buyers::cancel);
}

void Buyers::confirm(std::size_t i) {
  const Wish& wish = wishes_[i];
  shop_.serve([&](Node& node) { (void)node.payments.confirm(wish.user, wish.order); });
}

// What was shown once is the same for ever, and nobody else's.
void Buyers::look_at_pin(std::size_t i) {
  Wish& wish = wishes_[i];
  shop_.serve([&](Node& node) {
    const auto pins =
        orders::reveal_pins(node.env.db, node.env.clock, node.env.pii, wish.user, wish.order);
    if (!pins) return;
    for (const suppliers::Pin& pin : *pins) {
      const auto [owner, is_new] = shown_.emplace(pin.code, wish.number);
      if (owner->second != wish.number) world_.fail("I7", "a PIN was shown to two buyers");
      if (!wish.seen_pin.empty() && wish.seen_pin != pin.code)
        world_.fail("I7", wish.order.text + " is shown two PINs");
      wish.seen_pin = pin.code;
      world_.counts.pins += is_new ? 1 : 0;
    }
  });
}

void Buyers::attack(std::size_t i) {
  const Wish& wish = wishes_[i];
  if (wish.sheets.empty()) return;
  ChannelModel& model = *parties_.channels[static_cast<std::size_t>(wish.number % 2)];
  for (int kind = 0; kind < 4; ++kind) {
    ++world_.counts.forged;
    const payments::NotifyRequest forged = model.forged_notice(wish.sheets.front(), kind);
    const std::int64_t before = shop_.statements();
    bool acknowledged = false;
    shop_.serve([&](Node& node) { acknowledged = node.hear_notice(model.name(), forged); });
    if (acknowledged || shop_.statements() != before)
      world_.fail("I5", "a forged notification of " + wish.sheets.front().text + " had an effect");
  }
}

}  // namespace topup::sim
