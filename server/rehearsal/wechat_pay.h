// WeChat Pay APIv3 as a merchant or a service provider meets it, played on loopback: prepay (JSAPI,
// H5, Native), query, close, certificates, refunds, signed answers, encrypted and signed
// notifications on the real retry schedule, the pay sheet a buyer sees, and a control page that
// arms faults. Everything is durable in the rehearsal database. Thread-safe after start(). It knows
// nothing of the shop but the addresses the merchant gives. Control and /magic answer loopback
// only. Source: pay.weixin.qq.com, APIv3 documentation of 2025.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/base/crypto.h"
#include "server/rehearsal/armed.h"
#include "server/rehearsal/bill_links.h"
#include "server/rehearsal/party.h"
#include "server/rehearsal/wechat_book.h"
#include "server/rehearsal/wechat_keychain.h"
#include "server/rehearsal/wechat_rules.h"

namespace topup::rehearsal {

inline constexpr std::int64_t kWechatBillLinkMs = 300'000;

struct WechatIdentity {
  WechatContract contract;
  std::string merchant_serial_no;  // 40 upper-case hex digits
  std::string apiv3_key;           // 32 characters
  std::string platform_key_id;     // PUB_KEY_ID_…
  base::RsaKey merchant_key;       // only its public half is used here
  base::RsaKey platform_key;
  base::RsaKey authority_key;  // issues the platform's certificates
};

// A line of a trade bill, and what moves the account in a fund-flow bill, before it is text.
struct WechatBillLine {
  bool is_refund = false, is_left_out = false, is_withdrawal = false;
  std::int64_t at_ms = 0, amount_fen = 0, fee_fen = 0;
  std::string appid, mchid, payee = "0", openid, trade_type, state, description, attach;
  std::string transaction_id, out_trade_no, refund_id, out_refund_no, refund_state;
};

class WechatPay final : public Party {
 public:
  WechatPay(Surroundings around, WechatIdentity identity);
  ~WechatPay() override { stop(); }
  const std::string& authority_pem() const { return keys_.authority_pem(); }
  void set_origin(std::string origin) { origin_ = std::move(origin); }  // before start()
  void start() override;  // also takes up the refunds and notifications an earlier run still owes

 protected:
  Answered answer(const Asked& asked) override;
  void seal(const Asked& asked, Answered& answered) override;

 private:
  struct Payment {                         // how one order is paid
    std::optional<std::int64_t> paid_fen;  // nothing: what is owed
    int times = 1;                         // deliveries of the notification
  };
  enum class Paid { done, already, closed, expired, unknown };

  // The API (wechat_pay.cpp).
  Answered api(const Asked& asked);
  Answered payments_api(const Asked& asked, const WechatDoor& door, std::size_t at);
  std::optional<WechatRefusal> unauthorised(const Asked& asked) const;
  std::optional<WechatRefusal> headers_refused(const Asked& asked) const;
  Answered prepay(const Asked& asked, const WechatDoor& door);
  Answered prepay_answer(const WechatOrder& order) const;
  WechatOrder new_order(const PrepayFields& fields, const std::string& fingerprint,
                        const WechatDoor& door);
  Answered query(const Asked& asked, bool by_partner, std::size_t at);
  Answered close(const Asked& asked, bool by_partner, const std::string& out_trade_no);
  Answered certificates();

  // Refunds (wechat_refunds.cpp).
  Answered refund(const Asked& asked);
  Answered query_refund(const Asked& asked);
  std::optional<WechatRefusal> accept_refund(storage::Tx& tx, WechatRefund& refund);
  void finish_refund(const std::string& out_refund_no);

  // Paying and notifying (wechat_notices.cpp).
  Paid pay(const std::string& out_trade_no, const Payment& payment);
  static Paid payable(const std::optional<WechatOrder>& order, std::int64_t now_ms);
  WechatNotice payment_notice(const WechatOrder& order, WechatNotice notice);
  WechatNotice refund_notice(const WechatRefund& refund);
  void deliver(std::int64_t row_id);
  bool post_notice(const WechatNotice& notice, bool is_forged);
  void owe(const WechatNotice& notice);

  // Bills (wechat_bill.cpp).
  struct BillSpan {
    std::int64_t from_ms, until_ms;
    bool is_fund_flow;
  };
  std::vector<WechatBillLine> bill_lines(const BillSpan& span);
  std::string trade_text(std::int64_t from_ms, const std::string& type);  // "" for nothing
  std::string fund_text(std::int64_t from_ms);
  Answered bill(const Asked& asked, bool is_fund_flow);
  Answered bill_file(const Asked& asked);
  Answered control_bill(const Asked& asked);

  // The sheet (wechat_sheet.cpp).
  Answered scan(const Asked& asked);
  Answered sheet(const Asked& asked);
  Answered sheet_pay(const Asked& asked);
  Answered sheet_cancel(const Asked& asked);
  Answered sheet_done(const Asked& asked);

  // The control page (wechat_control.cpp).
  Answered control(const Asked& asked);
  Answered control_pay(const Asked& asked);
  Answered magic() const;
  // Keys (wechat_key_control.cpp).
  Answered control_keys(const Asked& asked);
  Answered control_rotate(const Asked& asked);
  Answered control_merchant(const Asked& asked);
  Answered control_contract() const;

  WechatIdentity identity_;
  std::string origin_;
  Armed armed_;
  BillLinks bills_{kWechatBillLinkMs};
  WechatKeychain keys_;
};

// Shared by the files of this party.
std::string random_digits(base::Random& random, std::size_t count);
Answered wechat_refused(const WechatRefusal& refusal);
bool is_expired(const WechatOrder& order, std::int64_t now_ms);
base::Json wechat_transaction(const WechatOrder& order);  // the object of query and notification
base::Json wechat_refund_object(const WechatRefund& refund);

}  // namespace topup::rehearsal
