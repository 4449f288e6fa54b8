#include <array>
#include <utility>

#include "server/base/log.h"
#include "server/rehearsal/wechat_pay.h"

namespace topup::rehearsal {
namespace {

using base::Json;

// WeChat Pay, "payment result notification": 15 repeats over 24 h 4 min after the first delivery.
constexpr std::array<std::int64_t, 15> kRetryAfterS = {
    15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600};
constexpr int kDuplicates = 3;
constexpr std::int64_t kDelayedFirstMs = 60'000;
constexpr std::string_view kAlgorithm = "AEAD_AES_256_GCM";
constexpr std::string_view kProbePrefix = "WECHATPAY/SIGNTEST/";

std::string letters(std::string bytes) {  // an AES-GCM nonce travels as 12 ASCII characters
  constexpr std::string_view kAlphabet =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
  for (char& c : bytes) c = kAlphabet[static_cast<unsigned char>(c) % kAlphabet.size()];
  return bytes;
}

std::string grouped_id(std::string hex_digits) {  // 32 hex digits as 8-4-4-4-12
  for (const std::size_t at : {8, 13, 18, 23}) hex_digits.insert(at, "-");
  return hex_digits;
}

}  // namespace

WechatPay::Paid WechatPay::pay(const std::string& out_trade_no, const Payment& payment) {
  std::vector<std::string_view> taken;
  const auto take = [&](std::string_view kind) {
    if (!armed_.take(kind)) return false;
    taken.push_back(kind);
    return true;
  };
  const bool is_wrong_sum = !payment.paid_fen && take("wrong_amount");
  const bool is_duplicated = payment.times == 1 && take("duplicate_notifications");
  const bool is_dropped = take("drop_notifications");
  const bool is_bad_first = take("bad_signature_first");
  const std::int64_t now = around().clock.wall_ms();
  WechatNotice notice;
  notice.due_ms = now + (take("delay_notifications") ? around().scaled(kDelayedFirstMs) : 0);
  notice.is_bad_first = is_bad_first;
  const int deliveries = is_dropped ? 0 : is_duplicated ? kDuplicates : payment.times;
  const std::string transaction_id =
      "4200" + compact_china(now) + random_digits(around().random, 10);
  Paid outcome = Paid::unknown;
  std::vector<WechatNotice> notices;
  around().db.write([&](storage::Tx& tx) {
    auto order = wechat_book::find_order(tx, out_trade_no);
    outcome = payable(order, now);
    if (outcome != Paid::done) return true;
    const std::int64_t owed = order->fields.total_fen;
    const std::int64_t wrong = owed > 1 ? owed - 1 : owed + 1;
    order->paid_fen = is_wrong_sum ? wrong : payment.paid_fen.value_or(owed);
    order->state = "SUCCESS";
    order->transaction_id = transaction_id;
    order->paid_ms = now;
    wechat_book::save_order(tx, *order);
    notices.assign(static_cast<std::size_t>(deliveries), payment_notice(*order, notice));
    for (auto& each : notices) each.row_id = wechat_book::insert_notice(tx, each);
    return true;
  });
  if (outcome != Paid::done) {
    for (const auto kind : taken) armed_.give_back(kind);
  }
  for (const auto& each : notices) owe(each);
  return outcome;
}

WechatPay::Paid WechatPay::payable(const std::optional<WechatOrder>& order, std::int64_t now_ms) {
  if (!order) return Paid::unknown;
  if (order->is_paid()) return Paid::already;
  if (order->state == "CLOSED") return Paid::closed;
  return is_expired(*order, now_ms) ? Paid::expired : Paid::done;
}

WechatNotice WechatPay::payment_notice(const WechatOrder& order, WechatNotice notice) {
  notice.notice_id = grouped_id(base::hex(around().random.bytes(16)));
  notice.url = order.fields.notify_url;
  notice.event_type = "TRANSACTION.SUCCESS";
  notice.original_type = "transaction";
  notice.summary = "支付成功";
  notice.plain = wechat_transaction(order).dump();
  notice.created_ms = order.paid_ms;
  return notice;
}

WechatNotice WechatPay::refund_notice(const WechatRefund& refund) {
  const RefundFields& fields = refund.fields;
  const bool by_partner = !fields.sub_mchid.empty();
  Json plain = {{by_partner ? "sp_mchid" : "mchid", identity_.contract.mchid},
                {"transaction_id", fields.transaction_id},
                {"out_trade_no", fields.out_trade_no},
                {"refund_id", refund.refund_id},
                {"out_refund_no", fields.out_refund_no},
                {"refund_status", refund.status},
                {"user_received_account", "支付用户零钱"},
                {"amount",
                 {{"total", fields.total_fen},
                  {"refund", fields.refund_fen},
                  {"payer_total", refund.paid_fen},
                  {"payer_refund", fields.refund_fen}}}};
  if (by_partner) plain["sub_mchid"] = fields.sub_mchid;
  if (refund.success_ms > 0) plain["success_time"] = rfc3339_china(refund.success_ms);
  WechatNotice notice;
  notice.notice_id = grouped_id(base::hex(around().random.bytes(16)));
  notice.url = fields.notify_url;
  notice.event_type = "REFUND." + refund.status;
  notice.original_type = "refund";
  notice.summary = refund.will_fail ? "退款异常" : "退款成功";
  notice.plain = plain.dump();
  notice.created_ms = notice.due_ms = around().clock.wall_ms();
  return notice;
}

void WechatPay::owe(const WechatNotice& notice) {
  later(notice.due_ms - around().clock.wall_ms(),
        [this, row_id = notice.row_id] { deliver(row_id); });
}

void WechatPay::deliver(std::int64_t row_id) {
  std::optional<WechatNotice> notice;
  around().db.read(
      [&](storage::Reader& reader) { notice = wechat_book::find_notice(reader, row_id); });
  if (!notice) return;
  const bool is_forged = notice->is_bad_first && notice->attempts == 0;
  const bool is_taken = post_notice(*notice, is_forged) && !is_forged;
  const auto tried = static_cast<std::size_t>(notice->attempts);
  const bool is_over = is_taken || tried >= kRetryAfterS.size();
  ++notice->attempts;
  if (!is_over) {
    notice->due_ms = around().clock.wall_ms() + around().scaled(kRetryAfterS.at(tried) * 1'000);
  }
  around().db.write([&](storage::Tx& tx) {
    if (is_over) {
      wechat_book::end_notice(tx, row_id);
    } else {
      wechat_book::postpone_notice(tx, row_id, notice->attempts, notice->due_ms);
    }
    return true;
  });
  if (!is_over) owe(*notice);
}

bool WechatPay::post_notice(const WechatNotice& notice, bool is_forged) {
  auto& random = around().random;
  const auto resource_nonce = letters(random.bytes(12));
  const auto sealed =
      base::seal_aes_gcm(identity_.apiv3_key, resource_nonce, notice.original_type, notice.plain);
  const std::string body = Json{
      {"id", notice.notice_id},
      {"create_time", rfc3339_china(notice.created_ms)},
      {"event_type", notice.event_type},
      {"resource_type", "encrypt-resource"},
      {"summary", notice.summary},
      {"resource",
       {{"original_type", notice.original_type},
        {"algorithm", kAlgorithm},
        {"ciphertext", base::base64(sealed)},
        {"associated_data", notice.original_type},
        {"nonce",
         resource_nonce}}}}.dump();
  const auto timestamp = std::to_string(around().clock.wall_ms() / 1'000);
  const auto nonce = base::new_nonce(random);
  const auto signer = keys_.for_notice();
  auto signature = base::sign_sha256_rsa(signer.key, timestamp + "\n" + nonce + "\n" + body + "\n");
  if (is_forged) signature = std::string(kProbePrefix) + signature.substr(kProbePrefix.size());
  const auto reply = post_out(notice.url,
                              {{"Content-Type", "application/json"},
                               {"Accept", "*/*"},
                               {"User-Agent", "Mozilla/4.0"},
                               {"Request-ID", base::hex(random.bytes(14)) + "-0"},
                               {"Wechatpay-Timestamp", timestamp},
                               {"Wechatpay-Nonce", nonce},
                               {"Wechatpay-Signature", signature},
                               {"Wechatpay-Serial", signer.serial},
                               {"Wechatpay-Signature-Type", "WECHATPAY2-SHA256-RSA2048"}},
                              body);
  return reply.kind == base::OutboundReply::Kind::answered &&
         (reply.status == 200 || reply.status == 204);
}

}  // namespace topup::rehearsal
