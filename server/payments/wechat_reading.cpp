#include "server/payments/wechat_reading.h"

#include <algorithm>
#include <utility>

#include "server/payments/wechat_text.h"

namespace topup::payments {
namespace {

using base::Json;

template <class State>
struct Word {
  std::string_view text;
  State state;
};
// REFUND follows any refund, a partial one included: the payment itself was made.
constexpr Word<TradeState> kTradeStates[] = {
    {"SUCCESS", TradeState::paid},    {"REFUND", TradeState::paid},
    {"NOTPAY", TradeState::not_paid}, {"USERPAYING", TradeState::not_paid},
    {"CLOSED", TradeState::closed},   {"REVOKED", TradeState::closed},
};
constexpr Word<RefundState> kRefundStates[] = {
    {"PROCESSING", RefundState::processing},
    {"SUCCESS", RefundState::succeeded},
    {"CLOSED", RefundState::closed},
    {"ABNORMAL", RefundState::abnormal},
};

template <class State, std::size_t kCount>
std::optional<State> state_of(const Word<State> (&words)[kCount], std::string_view text) {
  for (const auto& word : words)
    if (word.text == text) return word.state;
  return std::nullopt;
}

struct ReadAmount {
  Money money;
  bool holdable = true;  // false: a currency or a size that Money cannot hold
};

std::optional<ReadAmount> amount_in(const Json& object, const char* member) {
  const auto amount = base::object_in(object, "amount");
  if (!amount) return std::nullopt;
  const auto currency = parse_currency(text_or(**amount, "currency", "CNY"));
  const auto minor = base::integer_in(**amount, member, -kMaxMinor, kMaxMinor);
  if (!minor && minor.error().reason != "out_of_range") return std::nullopt;
  return ReadAmount{{minor ? *minor : 0, currency.value_or(Currency::cny)}, minor && currency};
}

bool is_partner(const Json& object) { return object.contains("sp_mchid"); }

}  // namespace

std::string text_or(const Json& object, const char* key, std::string missing) {
  const auto text = base::text_in(object, key);
  return text ? *text : std::move(missing);
}

bool is_own_appid(const WechatConfig& config, std::string_view appid) {
  return appid == config.appid || std::find(config.more_appids.begin(), config.more_appids.end(),
                                            appid) != config.more_appids.end();
}

std::optional<Trade> wechat_trade_in(const Json& object, const WechatConfig& config) {
  Trade trade;
  trade.out_trade_no = OutTradeNo(text_or(object, "out_trade_no", ""));
  trade.state =
      state_of(kTradeStates, text_or(object, "trade_state", "")).value_or(TradeState::unknown);
  trade.transaction_id = TransactionId(text_or(object, "transaction_id", ""));
  trade.paid_at_ms = parse_wechat_time_ms(text_or(object, "success_time", ""));
  const bool by_partner = is_partner(object);
  trade.payee_matches =
      text_or(object, by_partner ? "sp_mchid" : "mchid", "") == config.mchid &&
      is_own_appid(config, text_or(object, by_partner ? "sp_appid" : "appid", ""));
  if (by_partner) trade.payee = text_or(object, "sub_mchid", "");
  const bool is_paid = trade.state == TradeState::paid;
  const auto amount = amount_in(object, "total");
  if (trade.out_trade_no.empty() || (is_paid && (!amount || trade.transaction_id.empty())))
    return std::nullopt;
  if (amount) trade.paid = amount->money;
  if (amount && !amount->holdable) trade.payee_matches = false;
  return trade;
}

std::optional<RefundTrade> wechat_refund_in(const Json& object, const char* status_key) {
  const auto state = state_of(kRefundStates, text_or(object, status_key, ""));
  const auto amount = amount_in(object, "refund");
  RefundTrade refund;
  refund.out_refund_no = OutRefundNo(text_or(object, "out_refund_no", ""));
  refund.out_trade_no = OutTradeNo(text_or(object, "out_trade_no", ""));
  if (!state || !amount || !amount->holdable || refund.out_refund_no.empty()) return std::nullopt;
  refund.state = *state;
  refund.amount = amount->money;
  refund.payee = text_or(object, "sub_mchid", "");
  return refund;
}

bool is_own_refund(const Json& object, const WechatConfig& config) {
  return text_or(object, is_partner(object) ? "sp_mchid" : "mchid", "") == config.mchid;
}

}  // namespace topup::payments
