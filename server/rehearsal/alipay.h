// Alipay's gateway v1 as a merchant meets it, played on loopback: mobile web pay, trade.create,
// query, close, refund and its query, the bills, signing in, RSA2 in both directions, in the mode
// of keys and of certificates, signed notifications on the real schedule, the cashier a buyer sees,
// and a control page that arms faults. Everything is durable in the rehearsal database. Thread-safe
// after start(). It knows nothing of the shop but the addresses the merchant gives. Control and
// /magic answer loopback only. Source: opendocs.alipay.com, read in November 2026.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "server/base/crypto.h"
#include "server/rehearsal/alipay_book.h"
#include "server/rehearsal/alipay_rules.h"
#include "server/rehearsal/armed.h"
#include "server/rehearsal/bill_links.h"
#include "server/rehearsal/party.h"

namespace topup::rehearsal {

inline constexpr std::int64_t kAlipayBillLinkMs = 30'000;

struct AlipayIdentity {
  AlipayContract contract;
  base::RsaKey app_key;     // only its public half is used here
  base::RsaKey alipay_key;  // signs answers and notifications
  std::string app_cert_sn, root_cert_sn, alipay_cert_sn;
};

class Alipay final : public Party {
 public:
  Alipay(Surroundings around, AlipayIdentity identity);
  ~Alipay() override { stop(); }
  void set_origin(const std::string& origin) { origin_ = origin; }  // before start()
  void start() override;  // also takes up the notifications an earlier run still owes

 protected:
  Answered answer(const Asked& asked) override;

 private:
  struct Payment {                         // how one trade is paid
    std::optional<std::int64_t> paid_fen;  // nothing: what is owed
    int times = 1;                         // deliveries of the notification
  };
  enum class Paid { done, already, closed, expired, unknown };

  // The gateway (alipay_gateway.cpp).
  Answered gateway(const Asked& asked);
  std::optional<AlipayRefusal> unauthorised(const Pairs& params) const;
  Answered api(const std::string& method, const Pairs& params);
  Answered said(const Pairs& params, const base::Json& content) const;
  static Answered refused(const AlipayRefusal& refusal);
  std::variant<AlipayTrade, AlipayRefusal> trade_for(const AlipayTradeFields& fields);
  base::Json create(const Pairs& params);
  base::Json query(const Pairs& params);
  base::Json close(const Pairs& params);
  std::optional<AlipayTrade> named_trade(storage::Reader& reader, const base::Json& content) const;

  // Refunds (alipay_refunds.cpp).
  base::Json refund(const Pairs& params);
  base::Json query_refund(const Pairs& params);
  std::optional<AlipayRefusal> make_refund(storage::Tx& tx, AlipayRefundFields& fields,
                                           std::int64_t done_ms, bool* moved, AlipayTrade* trade);

  // Bills (alipay_bill.cpp, alipay_fund_bill.cpp).
  std::string trade_archive(std::int64_t from_ms);  // "" for a day without any
  std::string fund_archive(std::int64_t from_ms);
  base::Json bill_link(const Pairs& params);
  Answered bill_file(const Asked& asked);
  Answered control_bill(const Asked& asked);

  // Signing in (alipay_people.cpp).
  Answered oauth_token(const Pairs& params);
  Answered control_auth_code(const Asked& asked);

  // Paying and notifying (alipay_notices.cpp).
  Paid pay(const std::string& out_trade_no, const Payment& payment);
  static Paid payable(const std::optional<AlipayTrade>& trade, std::int64_t now_ms);
  AlipayNotice notice_of(const AlipayTrade& trade) const;
  AlipayNotice refund_notice(const AlipayTrade& trade, const std::string& out_request_no);
  void notify(AlipayNotice notice);
  void deliver(std::int64_t row_id);
  bool post_notice(const AlipayNotice& notice, bool is_forged);
  void owe(const AlipayNotice& notice);

  // The cashier (alipay_sheet.cpp).
  Answered sheet(const Pairs& params);
  Answered sheet_of(const AlipayTrade& trade) const;
  Answered sheet_pay(const Asked& asked);
  Answered sheet_cancel(const Asked& asked);
  std::string return_address(const AlipayTrade& trade) const;

  // The control page (alipay_control.cpp).
  Answered control(const Asked& asked);
  Answered control_pay(const Asked& asked);
  Answered magic() const;

  AlipayIdentity identity_;
  Armed armed_;
  std::string origin_;
  BillLinks bills_{kAlipayBillLinkMs};
};

// Shared by the files of this party.
std::string alipay_sign_text(Pairs params, bool with_sign_type);
base::Json alipay_refusal_json(const AlipayRefusal& refusal);
// The last two digits of a sum that make a fault by themselves.
bool is_magic(std::int64_t total_fen, int cents);
inline constexpr int kMagicRefundRefused = 91;
inline constexpr int kMagicNeverNotified = 92;
inline constexpr int kMagicRefundLost = 93;

}  // namespace topup::rehearsal
