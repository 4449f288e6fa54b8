#include "tests/sim/channel_model.h"

#include <array>
#include <utility>
#include <vector>

#include "tests/sim/channel_port.h"

namespace topup::sim {
namespace {

using payments::RefundState;
using payments::TradeState;

// WeChat Pay resends until it is acknowledged: 15 s, 15 s, 30 s, 3 min, … 24 h 4 min in all.
constexpr std::array<std::int64_t, 15> kResendMs = {
    15'000,    15'000,    30'000,     180'000,    600'000,    1'200'000,  1'800'000, 1'800'000,
    1'800'000, 3'600'000, 10'800'000, 10'800'000, 10'800'000, 21'600'000, 21'600'000};
constexpr std::int64_t kSheetGraceMs = 60'000;

// Stands for the channel's signature: nobody else knows the key.
std::string seal_of(std::string_view channel, std::string_view body) {
  std::uint64_t hash = 0x5EA1'5EA1U;
  for (const std::string_view part : {channel, body}) {
    for (const char c : part) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  }
  return std::to_string(hash);
}

std::vector<std::string> split(const std::string& body) {
  std::vector<std::string> fields(1);
  for (const char c : body) {
    if (c == '|') {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

}  // namespace

ChannelModel::ChannelModel(World& world, std::string name, Bug bug)
    : world_(world), name_(std::move(name)), bug_(bug), wire_(world) {}

std::unique_ptr<payments::PayChannel> ChannelModel::adapter() {
  return make_channel_port(world_, *this, wire_, bug_);
}

bool ChannelModel::is_payable(const OutTradeNo& no) const {
  const auto sheet = sheets_.find(no.text);
  return sheet != sheets_.end() && sheet->second.state == TradeState::not_paid &&
         world_.clock.wall_ms() < sheet->second.expires_at_ms + kSheetGraceMs;
}

void ChannelModel::pay(const OutTradeNo& no, bool even_if_closed) {
  const auto found = sheets_.find(no.text);
  if (found == sheets_.end()) return;
  Sheet& sheet = found->second;
  const bool is_late = even_if_closed && sheet.state == TradeState::closed;
  if (!is_late && !is_payable(no)) return;
  sheet.state = TradeState::paid;
  sheet.paid = sheet.asked;
  sheet.paid_at_ms = world_.now();
  if (world_.strikes(Fault::wrong_amount))
    sheet.paid.minor = world_.chance.percent(50) ? sheet.asked.minor - 1 : sheet.asked.minor * 100;
  world_.note(name_ + " " + no.text + " is paid " + decimal_text(sheet.paid));
  notify([this, no] { return notice_of(no); }, 0);
}

bool ChannelModel::open(const payments::PrepayRequest& request) {
  Sheet& sheet = sheets_[request.out_trade_no.text];
  if (sheet.state != TradeState::not_paid) return false;
  sheet.asked = request.amount;
  sheet.expires_at_ms = request.expire_at_ms;
  return true;
}

payments::Trade ChannelModel::look(const OutTradeNo& no) const {
  payments::Trade trade;
  trade.out_trade_no = no;
  trade.state = TradeState::not_paid;
  trade.payee_matches = true;
  const auto found = sheets_.find(no.text);
  if (found == sheets_.end()) return trade;
  trade.state = found->second.state;
  if (trade.state == TradeState::paid) {
    trade.transaction_id = TransactionId(name_ + "-" + no.text);
    trade.paid = found->second.paid;
    trade.paid_at_ms = world_.clock.wall_ms();
  }
  return trade;
}

payments::Trade ChannelModel::close(const OutTradeNo& no) {
  const auto found = sheets_.find(no.text);
  if (found == sheets_.end()) {
    payments::Trade absent;  // nothing there: nothing can be paid
    absent.out_trade_no = no;
    absent.state = TradeState::closed;
    return absent;
  }
  if (found->second.state == TradeState::not_paid) found->second.state = TradeState::closed;
  return look(no);
}

payments::Outcome<payments::RefundTrade> ChannelModel::refund(
    const payments::RefundRequest& request) {
  const auto sheet = sheets_.find(request.out_trade_no.text);
  if (sheet == sheets_.end() || sheet->second.state != TradeState::paid)
    return payments::DefiniteFail{"TRADE_NOT_PAID", request.out_trade_no.text};
  const auto known = refunds_.find(request.out_refund_no.text);
  if (known != refunds_.end()) {
    if (known->second.amount != request.amount) {
      world_.fail("I2", request.out_refund_no.text + " asks for another amount than before");
      return payments::DefiniteFail{"PARAM_ERROR", "another amount"};
    }
    return look_at_refund(request.out_refund_no);
  }
  if (world_.strikes(Fault::refund_refused))
    return payments::DefiniteFail{"NOT_ENOUGH", "the balance is too small"};
  if (sheet->second.refunded_minor + request.amount.minor > sheet->second.paid.minor) {
    world_.fail("I2", request.out_trade_no.text + ": more is refunded than was paid");
    return payments::DefiniteFail{"REFUND_EXCEEDS", request.out_trade_no.text};
  }
  sheet->second.refunded_minor += request.amount.minor;
  refunds_[request.out_refund_no.text] = {request.out_trade_no, request.amount,
                                          payments::RefundState::processing, world_.now()};
  world_.note(name_ + " accepts refund " + request.out_refund_no.text);
  const bool is_abnormal = world_.strikes(Fault::refund_abnormal);
  const OutRefundNo no = request.out_refund_no;
  if (!is_abnormal && world_.chance.percent(40)) {
    end_refund(no, false);
  } else {
    world_.after(world_.between(1'000, 3'600'000),
                 [this, no, is_abnormal] { end_refund(no, is_abnormal); });
  }
  return look_at_refund(no);
}

void ChannelModel::end_refund(const OutRefundNo& no, bool is_abnormal) {
  ChannelRefund& refund = refunds_.at(no.text);
  Sheet& sheet = sheets_.at(refund.trade.text);
  refund.state = is_abnormal ? RefundState::abnormal : RefundState::succeeded;
  (is_abnormal ? sheet.refunded_minor : sheet.returned_minor) +=
      is_abnormal ? -refund.amount.minor : refund.amount.minor;
  world_.note(name_ + " ends refund " + no.text + (is_abnormal ? " abnormally" : ""));
  notify([this, no] { return refund_notice_of(no); }, 0);
}

payments::Outcome<payments::RefundTrade> ChannelModel::look_at_refund(const OutRefundNo& no) const {
  const auto known = refunds_.find(no.text);
  if (known == refunds_.end())
    return payments::DefiniteFail{"RESOURCE_NOT_EXISTS", "no refund of this number"};
  return payments::RefundTrade{no, known->second.trade, known->second.state, known->second.amount};
}

// ---- Notifications

payments::NotifyRequest ChannelModel::sealed(std::string body) const {
  const std::string seal = seal_of(name_, body);
  return {{{"x-seal", seal}}, std::move(body)};
}

payments::NotifyRequest ChannelModel::notice_of(const OutTradeNo& no) const {
  const payments::Trade trade = look(no);
  return sealed("trade|" + no.text + "|" + trade.transaction_id.text + "|" +
                std::to_string(trade.paid.minor));
}

payments::NotifyRequest ChannelModel::refund_notice_of(const OutRefundNo& no) const {
  const ChannelRefund& refund = refunds_.at(no.text);
  return sealed("refund|" + no.text + "|" + refund.trade.text + "|" +
                std::to_string(refund.amount.minor) + "|" +
                std::to_string(static_cast<int>(refund.state)));
}

// Without a seal, with one of another body, cut short, of another channel.
payments::NotifyRequest ChannelModel::forged_notice(const OutTradeNo& no, int kind) {
  const auto sheet = sheets_.find(no.text);
  const std::int64_t asked = sheet == sheets_.end() ? 4'975 : sheet->second.asked.minor;
  const std::string body = "trade|" + no.text + "|forged-" + no.text + "|" + std::to_string(asked);
  payments::NotifyRequest forged{{}, body};
  if (kind == 1) forged.headers = {{"x-seal", seal_of(name_, "trade|another")}};
  if (kind == 2) forged.headers = {{"x-seal", seal_of(name_, body).substr(1)}};
  if (kind == 3) forged.headers = {{"x-seal", seal_of("another", body)}};
  return forged;
}

Result<payments::Notification> ChannelModel::read(const payments::NotifyRequest& request) const {
  const bool is_genuine =
      request.headers.size() == 1 && request.headers.front().second == seal_of(name_, request.body);
  if (!is_genuine && bug_ != Bug::signature_unchecked)
    return refuse(Code::forbidden, "signature_invalid");
  const std::vector<std::string> fields = split(request.body);
  payments::Notification heard;
  heard.notify_id = name_ + "-" + fields.at(0) + "-" + fields.at(1);
  if (fields[0] == "trade") {
    payments::Trade trade;
    trade.out_trade_no = OutTradeNo(fields.at(1));
    trade.state = TradeState::paid;
    trade.transaction_id = TransactionId(fields.at(2));
    trade.paid = fen(std::stoll(fields.at(3)));
    trade.payee_matches = true;
    heard.what = trade;
  } else {
    heard.what = payments::RefundTrade{OutRefundNo(fields.at(1)), OutTradeNo(fields.at(2)),
                                       static_cast<RefundState>(std::stoi(fields.at(4))),
                                       fen(std::stoll(fields.at(3)))};
  }
  return heard;
}

void ChannelModel::notify(const std::function<payments::NotifyRequest()>& notice,
                          std::size_t tries) {
  const auto heard = std::make_shared<bool>(false);
  deliver_copies(notice, heard);
  if (tries == kResendMs.size()) return;
  world_.after(kResendMs[tries], [this, notice, tries, heard] {
    if (!*heard) notify(notice, tries + 1);
  });
}

void ChannelModel::deliver_copies(const std::function<payments::NotifyRequest()>& notice,
                                  const std::shared_ptr<bool>& heard) {
  const int copies = world_.strikes(Fault::notice_duplicate) ? 2 : 1;
  world_.counts.duplicates += copies - 1;
  for (int i = 0; i < copies; ++i) {
    if (world_.strikes(Fault::notice_loss)) continue;
    const std::int64_t delay = world_.strikes(Fault::notice_delay) ? world_.between(1'000, 600'000)
                                                                   : world_.between(50, 2'000);
    world_.after(delay, [this, notice, heard] {
      const bool acknowledged = deliver_(notice());
      if (acknowledged && !world_.strikes(Fault::reply_loss)) *heard = true;
    });
  }
}

}  // namespace topup::sim
