#include "server/payments/channel_health.h"

#include <algorithm>
#include <array>
#include <utility>

#include "server/base/log.h"
#include "server/base/party_gate.h"

namespace topup::payments {
namespace {

constexpr std::size_t kSlowNeedsCalls = 5;
constexpr int kAmberBadCalls = 2;
constexpr int kAmberOneIn = 5;  // calls
constexpr std::string_view kTrialNumber = "T000000000000TRIAL";

// Words of an Unknown that was nevertheless a whole, believed answer.
constexpr std::array<std::string_view, 5> kAnswered = {
    "not_refunded_yet", "ORDER_PAID", "OUT_TRADE_NO_USED", "INVALID_REQUEST", "ORDER_CLOSED"};

base::CircuitBreaker::State breaker_of(const std::string& party) {
  for (const base::OutboundHealth& seen : base::outbound_health())
    if (seen.party == party) return seen.breaker;
  return base::CircuitBreaker::State::closed;
}

class WatchedChannel final : public PayChannel {
  template <class Ask>
  auto told(Ask ask) -> decltype(ask()) {
    const std::int64_t began = clock_.mono_ms();
    auto outcome = ask();
    auto heard = ChannelHealth::Heard::good;
    if (const auto* unknown = std::get_if<Unknown>(&outcome)) {
      const bool is_answer =
          std::find(kAnswered.begin(), kAnswered.end(), unknown->why) != kAnswered.end();
      if (!is_answer) heard = ChannelHealth::Heard::bad;
    } else if (const auto* refusal = std::get_if<DefiniteFail>(&outcome)) {
      if (channel_->blames_channel(*refusal)) heard = ChannelHealth::Heard::own_trouble;
    }
    health_.record(channel_->name(), heard, clock_.mono_ms() - began);
    return outcome;
  }

 public:
  WatchedChannel(std::unique_ptr<PayChannel> channel, ChannelHealth& health,
                 const base::Clock& clock)
      : channel_(std::move(channel)), health_(health), clock_(clock) {}

  std::string_view name() const override { return channel_->name(); }
  bool offers(Scene scene) const override { return channel_->offers(scene); }
  bool outlives_close(Scene scene) const override { return channel_->outlives_close(scene); }
  bool calls_to_prepay(Scene scene) const override { return channel_->calls_to_prepay(scene); }
  bool blames_channel(const DefiniteFail& refusal) const override {
    return channel_->blames_channel(refusal);
  }
  NotifyAnswer notify_answer() const override { return channel_->notify_answer(); }
  Result<Notification> parse_notify(const NotifyRequest& request) const override {
    return channel_->parse_notify(request);
  }
  // Bills are made at night by machines of their own.
  Outcome<Bill> bill(std::string_view day) override { return channel_->bill(day); }
  bool has_fund_bill() const override { return channel_->has_fund_bill(); }
  Outcome<std::vector<FundLine>> fund_bill(std::string_view day) override {
    return channel_->fund_bill(day);
  }

  Outcome<PrepayTicket> prepay(const PrepayRequest& request) override {
    if (!channel_->calls_to_prepay(request.scene)) return channel_->prepay(request);
    return told([&] { return channel_->prepay(request); });
  }
  Outcome<Trade> query(const OutTradeNo& number) override {
    return told([&] { return channel_->query(number); });
  }
  Outcome<Trade> close(const OutTradeNo& number) override {
    return told([&] { return channel_->close(number); });
  }
  Outcome<RefundTrade> refund(const RefundRequest& request) override {
    return told([&] { return channel_->refund(request); });
  }
  Outcome<RefundTrade> query_refund(const OutRefundNo& number) override {
    return told([&] { return channel_->query_refund(number); });
  }
  Outcome<RefundTrade> query_refund_of(const OutTradeNo& trade, const OutRefundNo& refund,
                                       const std::string& payee) override {
    return told([&] { return channel_->query_refund_of(trade, refund, payee); });
  }
  Outcome<Trade> query_of(const OutTradeNo& number, const std::string& payee) override {
    return told([&] { return channel_->query_of(number, payee); });
  }
  Outcome<Trade> close_of(const OutTradeNo& number, const std::string& payee) override {
    return told([&] { return channel_->close_of(number, payee); });
  }
  std::string payee_of(std::string_view operator_id) const override {
    return channel_->payee_of(operator_id);
  }
  std::optional<PrepayTicket> resume(const PrepayRequest& request,
                                     const std::string& kept) override {
    return channel_->resume(request, kept);
  }

 private:
  const std::unique_ptr<PayChannel> channel_;
  ChannelHealth& health_;
  const base::Clock& clock_;
};

}  // namespace

std::string_view to_word(Health health) {
  constexpr std::string_view kWords[] = {"green", "amber", "red"};
  return kWords[static_cast<std::size_t>(health)];
}

void ChannelHealth::add(std::string channel, std::string party) {
  const std::lock_guard hold(mutex_);
  watched_[std::move(channel)].party = std::move(party);
}

void ChannelHealth::record(std::string_view channel, Heard heard, std::int64_t elapsed_ms) {
  const std::lock_guard hold(mutex_);
  const auto found = watched_.find(channel);
  if (found == watched_.end()) return;
  Watched& watched = found->second;
  const std::int64_t now = clock_.mono_ms();
  const bool is_good = heard == Heard::good;
  watched.calls.push_back({now, elapsed_ms, !is_good});
  if (watched.calls.size() > kMaxHealthCalls) watched.calls.pop_front();
  watched.good_run = is_good ? watched.good_run + 1 : 0;
  if (heard != Heard::bad) watched.trouble_run = is_good ? 0 : watched.trouble_run + 1;
  if (watched.is_red && watched.good_run >= kTrialsToRecover) {
    watched.is_red = false;
    watched.calls.clear();
  }
  if (!watched.is_red) {
    const HealthReport seen = judge(found->first, watched);
    const bool fails = seen.bad >= kRedBadCalls && seen.bad * 2 >= seen.calls;
    const bool is_in_trouble = watched.trouble_run >= kRedOwnTroubles;
    watched.is_red = fails || is_in_trouble;
    watched.red_why = is_in_trouble ? "own_trouble" : "errors";
    if (watched.is_red) watched.tried_ms = now;
  }
  note(found->first, watched);
}

HealthReport ChannelHealth::judge(const std::string& channel, const Watched& watched) const {
  HealthReport seen;
  seen.channel = channel;
  seen.since_wall_ms = watched.since_wall_ms;
  std::vector<std::int64_t> times;
  const std::int64_t from = clock_.mono_ms() - kHealthWindowMs;
  for (const Call& call : watched.calls) {
    if (call.at_ms < from) continue;
    times.push_back(call.elapsed_ms);
    if (call.is_bad) ++seen.bad;
  }
  seen.calls = static_cast<int>(times.size());
  std::sort(times.begin(), times.end());
  if (!times.empty()) seen.p95_ms = times[(times.size() * 95 - 1) / 100];
  const auto breaker = breaker_of(watched.party);
  const auto become = [&seen](Health health, std::string_view why) {
    seen.health = health;
    seen.why = why;
  };
  if (times.size() >= kSlowNeedsCalls && seen.p95_ms >= kSlowMs) become(Health::amber, "slow");
  if (seen.bad >= kAmberBadCalls && seen.bad * kAmberOneIn >= seen.calls)
    become(Health::amber, "errors");
  if (breaker == base::CircuitBreaker::State::half_open) become(Health::amber, "recovering");
  if (breaker == base::CircuitBreaker::State::open) become(Health::red, "breaker_open");
  if (watched.is_red) become(Health::red, watched.red_why);
  return seen;
}

void ChannelHealth::note(const std::string& channel, Watched& watched) {
  const HealthReport seen = judge(channel, watched);
  if (seen.health == watched.shown) return;
  const auto level = seen.health == Health::red ? base::Level::error : base::Level::warn;
  base::log(seen.health == Health::green ? base::Level::info : level, "payment_channel_health",
            {{"channel", channel},
             {"from", to_word(watched.shown)},
             {"to", to_word(seen.health)},
             {"why", seen.why},
             {"calls", seen.calls},
             {"bad", seen.bad},
             {"p95_ms", seen.p95_ms}});
  watched.shown = seen.health;
  watched.since_wall_ms = clock_.wall_ms();
}

HealthReport ChannelHealth::report(std::string_view channel) const {
  const std::lock_guard hold(mutex_);
  const auto found = watched_.find(channel);
  if (found != watched_.end()) return judge(found->first, found->second);
  HealthReport unwatched;
  unwatched.channel = channel;
  return unwatched;
}

std::vector<HealthReport> ChannelHealth::all() const {
  const std::lock_guard hold(mutex_);
  std::vector<HealthReport> reports;
  for (const auto& [channel, watched] : watched_) reports.push_back(judge(channel, watched));
  return reports;
}

std::vector<std::string> ChannelHealth::due_trials() {
  const std::lock_guard hold(mutex_);
  const std::int64_t now = clock_.mono_ms();
  std::vector<std::string> due;
  for (auto& [channel, watched] : watched_) {
    if (judge(channel, watched).health != Health::red || now - watched.tried_ms < kTrialEveryMs)
      continue;
    watched.tried_ms = now;
    due.push_back(channel);
  }
  return due;
}

void ChannelHealth::look() {
  const std::lock_guard hold(mutex_);
  for (auto& [channel, watched] : watched_) note(channel, watched);
}

std::unique_ptr<PayChannel> watched(std::unique_ptr<PayChannel> channel, ChannelHealth& health,
                                    const base::Clock& clock) {
  return std::make_unique<WatchedChannel>(std::move(channel), health, clock);
}

void try_channel(PayChannel& channel) {
  (void)channel.query(OutTradeNo(std::string(kTrialNumber)));
}

}  // namespace topup::payments
