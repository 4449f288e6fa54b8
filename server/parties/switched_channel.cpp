#include "server/parties/switched_channel.h"

#include <utility>

namespace topup::parties {
namespace {

using namespace payments;

const OutTradeNo& number_of(const Notification& heard) {
  if (const auto* trade = std::get_if<Trade>(&heard.what)) return trade->out_trade_no;
  return std::get<RefundTrade>(heard.what).out_trade_no;
}

// No number of ours: a trial, or a test.
bool has_time(const OutTradeNo& number) { return number.text.size() > 26; }

}  // namespace

SwitchedChannel::SwitchedChannel(std::unique_ptr<PayChannel> rehearsed, std::string party,
                                 const Worlds& worlds, const base::Clock& clock)
    : rehearsed_(std::move(rehearsed)), party_(std::move(party)), worlds_(worlds), clock_(clock) {}

void SwitchedChannel::set_live(std::shared_ptr<PayChannel> live) {
  const std::lock_guard hold(mutex_);
  live_.swap(live);
}

SwitchedChannel::Held SwitchedChannel::in(World world) const {
  const std::lock_guard hold(mutex_);
  return world == World::live && live_ ? live_ : rehearsed_;
}

SwitchedChannel::Held SwitchedChannel::of(const OutTradeNo& number) const {
  return has_time(number) ? in(worlds_.of(party_, number.text)) : now();
}

Outcome<PrepayTicket> SwitchedChannel::prepay(const PrepayRequest& request) {
  return of(request.out_trade_no)->prepay(request);
}
Outcome<Trade> SwitchedChannel::query(const OutTradeNo& number) {
  return of(number)->query(number);
}
Outcome<Trade> SwitchedChannel::close(const OutTradeNo& number) {
  return of(number)->close(number);
}
Outcome<RefundTrade> SwitchedChannel::refund(const RefundRequest& request) {
  return of(request.out_trade_no)->refund(request);
}
Outcome<RefundTrade> SwitchedChannel::query_refund(const OutRefundNo& number) {
  return now()->query_refund(number);
}
Outcome<Trade> SwitchedChannel::query_of(const OutTradeNo& number, const std::string& payee) {
  return of(number)->query_of(number, payee);
}
Outcome<Trade> SwitchedChannel::close_of(const OutTradeNo& number, const std::string& payee) {
  return of(number)->close_of(number, payee);
}
Outcome<RefundTrade> SwitchedChannel::query_refund_of(const OutTradeNo& payment,
                                                      const OutRefundNo& refund,
                                                      const std::string& payee) {
  return of(payment)->query_refund_of(payment, refund, payee);
}
std::string SwitchedChannel::payee_of(std::string_view operator_id) const {
  return now()->payee_of(operator_id);
}
std::optional<PrepayTicket> SwitchedChannel::resume(const PrepayRequest& request,
                                                    const std::string& kept) {
  return of(request.out_trade_no)->resume(request, kept);
}
bool SwitchedChannel::offers(Scene scene) const { return now()->offers(scene); }
bool SwitchedChannel::outlives_close(Scene scene) const { return now()->outlives_close(scene); }
bool SwitchedChannel::calls_to_prepay(Scene scene) const { return now()->calls_to_prepay(scene); }
bool SwitchedChannel::blames_channel(const DefiniteFail& refusal) const {
  return now()->blames_channel(refusal);
}
Outcome<Bill> SwitchedChannel::bill(std::string_view day) { return now()->bill(day); }
bool SwitchedChannel::has_fund_bill() const { return now()->has_fund_bill(); }
Outcome<std::vector<FundLine>> SwitchedChannel::fund_bill(std::string_view day) {
  return now()->fund_bill(day);
}
NotifyAnswer SwitchedChannel::notify_answer() const { return rehearsed_->notify_answer(); }

Result<Notification> SwitchedChannel::parse_notify(const NotifyRequest& request) const {
  const Held live = in(World::live);
  auto heard = live->parse_notify(request);
  World signer = live == rehearsed_ ? World::rehearsed : World::live;
  if (!heard && signer == World::live) {
    auto played = rehearsed_->parse_notify(request);
    if (!played) return heard;  // what the live party's check says is what an operator must know
    heard = std::move(played);
    signer = World::rehearsed;
  }
  if (!heard) return heard;
  const OutTradeNo& number = number_of(*heard);
  if (has_time(number) && worlds_.of(party_, number.text) != signer)
    return refuse(Code::forbidden, "signature_invalid", "", "signed in another world");
  return heard;
}

}  // namespace topup::parties
