#include "server/rehearsal/alipay.h"

namespace topup::rehearsal {
namespace {

using base::Json;

constexpr std::int64_t kSlowRefundMs = 3'000;

AlipayRefusal business(std::string_view sub_code, std::string_view message) {
  return {"40004", std::string(sub_code), std::string(message)};
}

}  // namespace

// `moved`: whether this very call moved the money; a repeat of the number does not.
std::optional<AlipayRefusal> Alipay::make_refund(storage::Tx& tx, AlipayRefundFields& fields,
                                                 std::int64_t done_ms, bool* moved,
                                                 AlipayTrade* trade) {
  *moved = false;
  auto found =
      named_trade(tx, {{"out_trade_no", fields.out_trade_no}, {"trade_no", fields.trade_no}});
  if (!found) return business("ACQ.TRADE_NOT_EXIST", "交易不存在");
  *trade = *found;
  const std::string& number = found->fields.out_trade_no;
  const bool is_whole = fields.refund_fen == found->paid_fen;
  if (fields.out_request_no.empty() && !is_whole)
    return business("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额与订单金额不一致");
  if (fields.out_request_no.empty()) fields.out_request_no = number;
  if (const auto known = alipay_book::find_refund(tx, number, fields.out_request_no)) {
    if (known->refund_fen == fields.refund_fen) return {};
    return business("ACQ.DISCORDANT_REPEAT_REQUEST", "不一致的请求");
  }
  if (!found->is_paid() || found->status == "WAIT_BUYER_PAY")
    return business("ACQ.TRADE_STATUS_ERROR", "交易状态不合法");
  if (found->refunded_fen + fields.refund_fen > found->paid_fen)
    return business("ACQ.REASON_TRADE_REFUND_FEE_ERR", "退款金额无效");
  found->refunded_fen += fields.refund_fen;
  if (found->refunded_fen == found->paid_fen) found->status = "TRADE_CLOSED";
  alipay_book::save_trade(tx, *found);
  alipay_book::insert_refund(
      tx, {number, fields.out_request_no, fields.refund_fen, around().clock.wall_ms(), done_ms});
  *trade = *found;
  *moved = true;
  return {};
}

Json Alipay::refund(const Pairs& params) {
  const auto content = alipay_content(params);
  if (!content) return alipay_refusal_json({"40001", "isv.missing-parameter", "biz_content"});
  const auto checked = check_alipay_refund(*content);
  if (const auto* refusal = std::get_if<AlipayRefusal>(&checked))
    return alipay_refusal_json(*refusal);
  auto fields = std::get<AlipayRefundFields>(checked);
  std::int64_t owed = 0;
  around().db.read([&](storage::Reader& reader) {
    if (const auto trade = named_trade(reader, *content)) owed = trade->fields.total_fen;
  });
  if (armed_.take("refund_not_enough") || is_magic(owed, kMagicRefundRefused))
    return alipay_refusal_json(business("ACQ.SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足"));
  const std::int64_t now = around().clock.wall_ms();
  const bool is_slow = armed_.take("refund_slow");
  const std::int64_t done_ms = now + (is_slow ? around().scaled(kSlowRefundMs) : 0);
  std::optional<AlipayRefusal> refusal;
  bool moved = false;
  AlipayTrade trade;
  std::optional<AlipayNotice> notice;
  around().db.write([&](storage::Tx& tx) {
    notice.reset();
    refusal = make_refund(tx, fields, done_ms, &moved, &trade);
    if (!refusal && moved) {
      notice = refund_notice(trade, fields.out_request_no);
      notice->due_ms = done_ms;
      notice->row_id = alipay_book::insert_notice(tx, *notice);
    }
    return true;
  });
  if (refusal) return alipay_refusal_json(*refusal);
  if (notice) owe(*notice);
  if (armed_.take("refund_lost") || (moved && is_magic(owed, kMagicRefundLost)))
    return alipay_refusal_json({"20000", "aop.unknow-error", "系统繁忙"});
  const bool is_silent = armed_.take("refund_silent");
  Json out = {{"code", "10000"},
              {"msg", "Success"},
              {"trade_no", trade.trade_no},
              {"out_trade_no", trade.fields.out_trade_no},
              {"buyer_logon_id", "138****0000"},
              {"refund_fee", yuan_of(trade.refunded_fen)},
              {"gmt_refund_pay", spaced_time(now, 8 * 60)}};
  if (!is_silent) out["fund_change"] = moved && !is_slow ? "Y" : "N";
  return out;
}

// A refund that is not there is a success without any fields.
Json Alipay::query_refund(const Pairs& params) {
  const auto content = alipay_content(params);
  std::optional<AlipayTrade> trade;
  std::optional<AlipayRefund> refund;
  around().db.read([&](storage::Reader& reader) {
    if (!content) return;
    trade = named_trade(reader, *content);
    if (!trade) return;
    refund = alipay_book::find_refund(reader, trade->fields.out_trade_no,
                                      base::text_in(*content, "out_request_no").value_or(""));
  });
  if (!trade) return alipay_refusal_json(business("ACQ.TRADE_NOT_EXIST", "交易不存在"));
  Json out = {{"code", "10000"}, {"msg", "Success"}};
  if (!refund || around().clock.wall_ms() < refund->done_ms) return out;
  out["trade_no"] = trade->trade_no;
  out["out_trade_no"] = trade->fields.out_trade_no;
  out["out_request_no"] = refund->out_request_no;
  out["total_amount"] = yuan_of(trade->paid_fen);
  out["refund_amount"] = yuan_of(refund->refund_fen);
  out["refund_status"] = "REFUND_SUCCESS";
  return out;
}

}  // namespace topup::rehearsal
