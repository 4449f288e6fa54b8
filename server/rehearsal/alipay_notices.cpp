#include <array>
#include <utility>

#include "server/rehearsal/alipay.h"

namespace topup::rehearsal {
namespace {

using base::Json;

// Alipay, "asynchronous notification": seven repeats within 25 hours of the first delivery.
constexpr std::array<std::int64_t, 7> kRetryAfterS = {240, 600, 600, 3'600, 7'200, 21'600, 54'000};
constexpr int kDuplicates = 3;
constexpr std::int64_t kDelayedFirstMs = 60'000;
constexpr std::int64_t kAfterForgedMs = 5'000;
constexpr int kChina = 8 * 60;
constexpr std::string_view kOtherSeller = "2088999999999999";

std::string form_of(const Pairs& params) {
  std::string text;
  for (const auto& [name, value] : params) {
    text += (text.empty() ? "" : "&") + percent_encoded(name) + "=" + percent_encoded(value);
  }
  return text;
}

}  // namespace

Alipay::Paid Alipay::pay(const std::string& out_trade_no, const Payment& payment) {
  std::vector<std::string_view> taken;
  const auto take = [&](std::string_view kind) {
    if (!armed_.take(kind)) return false;
    taken.push_back(kind);
    return true;
  };
  const bool is_wrong_sum = !payment.paid_fen && take("wrong_amount");
  const bool is_wrong_seller = take("wrong_seller");
  const bool is_duplicated = payment.times == 1 && take("duplicate_notifications");
  const bool is_dropped = take("drop_notifications");
  const bool is_bad_first = take("bad_signature_first");
  const std::int64_t now = around().clock.wall_ms();
  const std::int64_t due =
      now + (take("delay_notifications") ? around().scaled(kDelayedFirstMs) : 0);
  int deliveries = is_dropped ? 0 : is_duplicated ? kDuplicates : payment.times;
  Paid outcome = Paid::unknown;
  std::vector<AlipayNotice> notices;
  around().db.write([&](storage::Tx& tx) {
    notices.clear();
    auto trade = alipay_book::find_trade(tx, out_trade_no);
    outcome = payable(trade, now);
    if (outcome != Paid::done) return true;
    const std::int64_t owed = trade->fields.total_fen;
    const std::int64_t wrong = owed > 1 ? owed - 1 : owed + 1;
    trade->paid_fen = is_wrong_sum ? wrong : payment.paid_fen.value_or(owed);
    trade->status = "TRADE_SUCCESS";
    trade->paid_ms = now;
    alipay_book::save_trade(tx, *trade);
    if (is_magic(owed, kMagicNeverNotified)) deliveries = 0;
    AlipayNotice notice = notice_of(*trade);
    notice.due_ms = due;
    notice.is_bad_first = is_bad_first;
    if (is_wrong_seller) {
      Json fields = Json::parse(notice.fields);
      fields["seller_id"] = kOtherSeller;
      notice.fields = fields.dump();
    }
    notices.assign(static_cast<std::size_t>(deliveries), notice);
    for (auto& each : notices) each.row_id = alipay_book::insert_notice(tx, each);
    return true;
  });
  if (outcome != Paid::done) {
    for (const auto kind : taken) armed_.give_back(kind);
  }
  for (const auto& each : notices) owe(each);
  return outcome;
}

Alipay::Paid Alipay::payable(const std::optional<AlipayTrade>& trade, std::int64_t now_ms) {
  if (!trade) return Paid::unknown;
  if (trade->is_paid()) return Paid::already;
  if (trade->status == "TRADE_CLOSED") return Paid::closed;
  return now_ms >= trade->fields.expires_ms ? Paid::expired : Paid::done;
}

AlipayNotice Alipay::notice_of(const AlipayTrade& trade) const {
  const std::string paid = yuan_of(trade.paid_fen);
  const Json fields = {
      {"notify_type", "trade_status_sync"},
      {"charset", "utf-8"},
      {"version", "1.0"},
      {"app_id", identity_.contract.app_id},
      {"auth_app_id", identity_.contract.app_id},
      {"seller_id", identity_.contract.seller_id},
      {"trade_no", trade.trade_no},
      {"out_trade_no", trade.fields.out_trade_no},
      {"buyer_logon_id", "138****0000"},
      {"trade_status", trade.status},
      {"total_amount", paid},
      {"receipt_amount", paid},
      {"invoice_amount", paid},
      {"buyer_pay_amount", paid},
      {"point_amount", "0.00"},
      {"subject", trade.fields.subject},
      {"gmt_create", spaced_time(trade.created_ms, kChina)},
      {"gmt_payment", spaced_time(trade.paid_ms, kChina)},
      {"fund_bill_list", R"([{"amount":")" + paid + R"(","fundChannel":"ALIPAYACCOUNT"}])"}};
  AlipayNotice notice;
  notice.notify_id =
      compact_china(around().clock.wall_ms()) + "222" + base::hex(around().random.bytes(8));
  notice.url = trade.fields.notify_url;
  notice.fields = fields.dump();
  notice.due_ms = around().clock.wall_ms();
  return notice;
}

// The same TRADE_SUCCESS once more (TRADE_CLOSED after the last fen), with what was given back.
AlipayNotice Alipay::refund_notice(const AlipayTrade& trade, const std::string& out_request_no) {
  AlipayNotice notice = notice_of(trade);
  Json fields = Json::parse(notice.fields);
  fields["out_biz_no"] = out_request_no;
  fields["refund_fee"] = yuan_of(trade.refunded_fen);
  fields["gmt_refund"] = spaced_time(around().clock.wall_ms(), kChina) + ".000";
  notice.fields = fields.dump();
  return notice;
}

void Alipay::owe(const AlipayNotice& notice) {
  later(notice.due_ms - around().clock.wall_ms(),
        [this, row_id = notice.row_id] { deliver(row_id); });
}

void Alipay::deliver(std::int64_t row_id) {
  std::optional<AlipayNotice> notice;
  around().db.read(
      [&](storage::Reader& reader) { notice = alipay_book::find_notice(reader, row_id); });
  if (!notice) return;
  const bool is_forged = notice->is_bad_first;
  const bool is_taken = post_notice(*notice, is_forged) && !is_forged;
  const auto tried = static_cast<std::size_t>(notice->attempts);
  const bool is_over = is_taken || tried >= kRetryAfterS.size();
  const std::int64_t now = around().clock.wall_ms();
  if (is_forged) {
    notice->is_bad_first = false;
    notice->due_ms = now + around().scaled(kAfterForgedMs);
  } else if (!is_over) {
    notice->due_ms = now + around().scaled(kRetryAfterS.at(tried) * 1'000);
    ++notice->attempts;
  }
  around().db.write([&](storage::Tx& tx) {
    if (is_over) {
      alipay_book::end_notice(tx, row_id);
    } else {
      alipay_book::save_notice(tx, *notice);
    }
    return true;
  });
  if (!is_over) owe(*notice);
}

// Only the seven letters end the deliveries, whatever the status says.
bool Alipay::post_notice(const AlipayNotice& notice, bool is_forged) {
  Pairs params = {{"notify_id", notice.notify_id},
                  {"notify_time", spaced_time(around().clock.wall_ms(), kChina)}};
  const Json fields = Json::parse(notice.fields);
  for (const auto& [name, value] : fields.items())
    params.emplace_back(name, value.get<std::string>());
  const std::string text = alipay_sign_text(params, false) + (is_forged ? "&total=1" : "");
  params.emplace_back("sign_type", "RSA2");
  params.emplace_back("sign", base::sign_sha256_rsa(identity_.alipay_key, text));
  const auto reply = post_out(notice.url,
                              {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
                               {"User-Agent", "Mozilla/4.0"}},
                              form_of(params));
  return reply.kind == base::OutboundReply::Kind::answered && reply.body == "success";
}

}  // namespace topup::rehearsal
