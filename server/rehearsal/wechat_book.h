// What the rehearsed WeChat Pay remembers: orders, refunds and the notifications it still owes.
// Owns the tables wechat_*. Every function takes the transaction or reader of its caller; nothing
// here waits. Amounts are fen, times UTC ms.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/rehearsal/wechat_rules.h"
#include "server/storage/db.h"

namespace topup::rehearsal {

struct WechatOrder {
  PrepayFields fields;
  std::string fingerprint, trade_type;  // JSAPI | MWEB | NATIVE
  std::string prepay_id, package, sheet_token;
  std::string state = "NOTPAY";  // NOTPAY SUCCESS REFUND CLOSED
  std::string transaction_id;
  std::int64_t created_ms = 0, link_ms = 0,
               paid_ms = 0;  // link_ms: when the h5 address was last given out
  std::int64_t paid_fen =
      0;  // what the payer paid; differs from total_fen only when a tester wants it
  std::int64_t refunded_fen = 0;  // accepted refunds
  int refunds = 0;
  bool is_paid() const { return state == "SUCCESS" || state == "REFUND"; }
};

struct WechatRefund {
  RefundFields fields;
  std::string fingerprint, refund_id, status;  // PROCESSING SUCCESS ABNORMAL
  std::int64_t created_ms = 0, success_ms = 0, due_ms = 0;
  std::int64_t paid_fen = 0;
  bool will_fail = false;  // ends ABNORMAL
};

struct WechatNotice {  // one delivery still owed; several may share a notice_id
  std::int64_t row_id = 0;
  std::string notice_id, url, event_type, original_type, summary, plain;
  std::int64_t created_ms = 0, due_ms = 0;
  int attempts = 0;
  bool is_bad_first = false;
};

// What a tester makes a bill say otherwise than the books.
struct WechatBillPlant {
  std::string kind, number, value;  // kind with "trade." or "funds." before it: of one bill only
  std::int64_t at_ms = 0;           // of a line that the books do not have
};

namespace wechat_book {

void create_tables(storage::Tx& tx);

void insert_order(storage::Tx& tx, const WechatOrder& order);
void save_order(storage::Tx& tx, const WechatOrder& order);  // state, transaction, sums, link_ms
std::optional<WechatOrder> find_order(storage::Reader& reader, std::string_view out_trade_no);
std::optional<WechatOrder> find_order_by_prepay(storage::Reader& reader,
                                                std::string_view prepay_id);
// By what a native code says.
std::optional<WechatOrder> find_order_by_code(storage::Reader& reader, std::string_view code);
std::optional<WechatOrder> find_order_by_transaction(storage::Reader& reader,
                                                     std::string_view transaction_id);

void insert_refund(storage::Tx& tx, const WechatRefund& refund);
void end_refund(storage::Tx& tx, const WechatRefund& refund);  // status and success_ms
std::optional<WechatRefund> find_refund(storage::Reader& reader, std::string_view out_refund_no);
std::vector<WechatRefund> list_processing_refunds(storage::Reader& reader);

std::int64_t insert_notice(storage::Tx& tx, const WechatNotice& notice);  // its row_id
std::optional<WechatNotice> find_notice(storage::Reader& reader,
                                        std::int64_t row_id);     // owed ones only
std::vector<WechatNotice> list_notices(storage::Reader& reader);  // owed ones, by due time
void postpone_notice(storage::Tx& tx, std::int64_t row_id, int attempts, std::int64_t due_ms);
void end_notice(storage::Tx& tx, std::int64_t row_id);  // delivered or given up

// Paid, and refunds accepted, from first_ms up to but without last_ms; by time.
std::vector<WechatOrder> list_paid(storage::Reader& reader, std::int64_t first_ms,
                                   std::int64_t last_ms);
std::vector<WechatRefund> list_refunds(storage::Reader& reader, std::int64_t first_ms,
                                       std::int64_t last_ms);
void insert_plant(storage::Tx& tx, const WechatBillPlant& plant);
std::vector<WechatBillPlant> list_plants(storage::Reader& reader);
void drop_plants(storage::Tx& tx);

}  // namespace wechat_book
}  // namespace topup::rehearsal
