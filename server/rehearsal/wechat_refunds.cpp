#include "server/rehearsal/wechat_pay.h"

namespace topup::rehearsal {
namespace {

using base::Json;

constexpr std::int64_t kRefundTakesMs = 1'500;  // the real one takes minutes to days
constexpr int kMaxRefundsPerOrder = 50;
constexpr std::string_view kReceiver = "支付用户零钱";

WechatRefusal invalid_request(std::string message) {
  return {.code = "INVALID_REQUEST", .message = std::move(message)};
}

WechatRefusal refund_missing() {
  return {
      .status = 404, .code = "RESOURCE_NOT_EXISTS", .message = "退款单不存在", .number = 268512771};
}

}  // namespace

Json wechat_refund_object(const WechatRefund& refund) {
  const RefundFields& fields = refund.fields;
  Json out = {{"refund_id", refund.refund_id},
              {"out_refund_no", fields.out_refund_no},
              {"transaction_id", fields.transaction_id},
              {"out_trade_no", fields.out_trade_no},
              {"channel", "ORIGINAL"},
              {"user_received_account", kReceiver},
              {"create_time", rfc3339_china(refund.created_ms)},
              {"status", refund.status},
              {"funds_account", "AVAILABLE"},
              {"promotion_detail", Json::array()},
              {"amount",
               {{"total", fields.total_fen},
                {"refund", fields.refund_fen},
                {"from", Json::array()},
                {"payer_total", refund.paid_fen},
                {"payer_refund", fields.refund_fen},
                {"settlement_total", fields.total_fen},
                {"settlement_refund", fields.refund_fen},
                {"discount_refund", 0},
                {"currency", "CNY"},
                {"refund_fee", 0}}}};
  if (!fields.sub_mchid.empty()) out["sub_mchid"] = fields.sub_mchid;
  if (refund.success_ms > 0) out["success_time"] = rfc3339_china(refund.success_ms);
  return out;
}

Answered WechatPay::refund(const Asked& asked) {
  const auto body = base::json_in(asked.body);
  if (!body) return wechat_refused(wechat_param_error("", "", "is not valid JSON", "body"));
  const auto checked = check_refund(*body, identity_.contract);
  if (const auto* refusal = std::get_if<WechatRefusal>(&checked)) return wechat_refused(*refusal);
  WechatRefund fresh;
  fresh.fields = std::get<RefundFields>(checked);
  fresh.fingerprint = parameters_fingerprint(*body);
  if (armed_.take("refund_not_enough")) {
    return wechat_refused({.status = 403,
                           .code = "NOT_ENOUGH",
                           .message = "基本账户余额不足,请充值后重新发起",
                           .number = 268435462});
  }
  fresh.will_fail = armed_.take("refund_abnormal");
  fresh.created_ms = around().clock.wall_ms();
  fresh.due_ms = fresh.created_ms + around().scaled(kRefundTakesMs);
  fresh.status = "PROCESSING";
  fresh.refund_id = "5030" + compact_china(fresh.created_ms) + random_digits(around().random, 11);
  std::optional<WechatRefusal> refusal;
  WechatRefund accepted;
  around().db.write([&](storage::Tx& tx) {
    accepted = fresh;
    refusal = accept_refund(tx, accepted);
    return !refusal;
  });
  if (refusal) return wechat_refused(*refusal);
  if (accepted.refund_id == fresh.refund_id) {
    later(around().scaled(kRefundTakesMs),
          [this, number = fresh.fields.out_refund_no] { finish_refund(number); });
  }
  return Answered::json(wechat_refund_object(accepted));
}

std::optional<WechatRefusal> WechatPay::accept_refund(storage::Tx& tx, WechatRefund& refund) {
  if (const auto known = wechat_book::find_refund(tx, refund.fields.out_refund_no)) {
    if (known->fingerprint != refund.fingerprint) {
      return invalid_request("商户退款单号重入,但参数与首次请求不一致");
    }
    refund = *known;
    return {};
  }
  RefundFields& fields = refund.fields;
  auto order = fields.transaction_id.empty()
                   ? wechat_book::find_order(tx, fields.out_trade_no)
                   : wechat_book::find_order_by_transaction(tx, fields.transaction_id);
  if (!order) {
    return WechatRefusal{
        .status = 404, .code = "RESOURCE_NOT_EXISTS", .message = "订单不存在", .number = 268512771};
  }
  if (order->fields.sub_mchid != fields.sub_mchid) {
    return WechatRefusal{
        .code = "INVALID_REQUEST", .message = "子商户号与订单不一致", .number = 268447845};
  }
  if (!order->is_paid()) return invalid_request("订单未支付,不可退款");
  if (fields.total_fen != order->paid_fen) return invalid_request("订单金额与首次支付不一致");
  if (order->refunded_fen + fields.refund_fen > order->paid_fen) {
    return invalid_request("累计退款金额大于支付金额");
  }
  if (order->refunds >= kMaxRefundsPerOrder) return invalid_request("退款次数超过限制");
  fields.transaction_id = order->transaction_id;
  fields.out_trade_no = order->fields.out_trade_no;
  refund.paid_fen = order->paid_fen;
  order->refunded_fen += fields.refund_fen;
  ++order->refunds;
  order->state = "REFUND";
  wechat_book::insert_refund(tx, refund);
  wechat_book::save_order(tx, *order);
  return {};
}

Answered WechatPay::query_refund(const Asked& asked) {
  std::optional<WechatRefund> refund;
  around().db.read([&](storage::Reader& reader) {
    refund = wechat_book::find_refund(reader, asked.segments[4]);
  });
  // Of another merchant's it says nothing.
  if (!refund || refund->fields.sub_mchid != asked.query_value("sub_mchid"))
    return wechat_refused(refund_missing());
  return Answered::json(wechat_refund_object(*refund));
}

void WechatPay::finish_refund(const std::string& out_refund_no) {
  std::optional<WechatNotice> notice;
  around().db.write([&](storage::Tx& tx) {
    notice.reset();
    auto refund = wechat_book::find_refund(tx, out_refund_no);
    if (!refund || refund->status != "PROCESSING") return true;
    refund->status = refund->will_fail ? "ABNORMAL" : "SUCCESS";
    if (!refund->will_fail) refund->success_ms = around().clock.wall_ms();
    wechat_book::end_refund(tx, *refund);
    if (refund->fields.notify_url.empty()) return true;
    notice = refund_notice(*refund);
    notice->row_id = wechat_book::insert_notice(tx, *notice);
    return true;
  });
  if (notice) owe(*notice);
}

}  // namespace topup::rehearsal
