// What the rehearsed Alipay remembers: trades, refunds and the notifications it still owes. Owns
// the tables alipay_*. Every function takes the transaction or reader of its caller; nothing here
// waits. Amounts are fen, times UTC ms.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/rehearsal/alipay_rules.h"
#include "server/storage/db.h"

namespace topup::rehearsal {

struct AlipayTrade {
  AlipayTradeFields fields;
  std::string trade_no, sheet_token;
  std::string status = "WAIT_BUYER_PAY";  // TRADE_SUCCESS TRADE_CLOSED
  std::int64_t created_ms = 0, paid_ms = 0;
  std::int64_t paid_fen = 0;  // differs from total_fen only when a tester wants it
  std::int64_t refunded_fen = 0;
  bool is_paid() const { return paid_ms > 0; }
};
struct AlipayRefund {
  std::string out_trade_no, out_request_no;
  std::int64_t refund_fen = 0, created_ms = 0;
  std::int64_t done_ms = 0;  // when the money has moved
};
struct AlipayNotice {  // one delivery still owed; several may share a notify_id
  std::int64_t row_id = 0;
  std::string notify_id, url, fields;  // fields: JSON text of an object
  std::int64_t due_ms = 0;
  int attempts = 0;
  bool is_bad_first = false;
};

struct AlipayBillPlant {  // a difference that a tester puts into the bills
  std::string kind, number, value;
  std::int64_t at_ms = 0;  // of a stranger
};

namespace alipay_book {

void create_tables(storage::Tx& tx);

void insert_trade(storage::Tx& tx, const AlipayTrade& trade);
void save_trade(storage::Tx& tx, const AlipayTrade& trade);  // status, sums, paid_ms
std::optional<AlipayTrade> find_trade(storage::Reader& reader, std::string_view out_trade_no);
std::optional<AlipayTrade> find_trade_by_number(storage::Reader& reader, std::string_view trade_no);

void insert_refund(storage::Tx& tx, const AlipayRefund& refund);
std::optional<AlipayRefund> find_refund(storage::Reader& reader, std::string_view out_trade_no,
                                        std::string_view out_request_no);

// Paid, and refunds whose money moved, from `from_ms` on and before `until_ms`.
std::vector<AlipayTrade> list_paid(storage::Reader& reader, std::int64_t from_ms,
                                   std::int64_t until_ms);
std::vector<AlipayRefund> list_refunds(storage::Reader& reader, std::int64_t from_ms,
                                       std::int64_t until_ms);
void insert_plant(storage::Tx& tx, const AlipayBillPlant& plant);
void drop_plants(storage::Tx& tx);
std::vector<AlipayBillPlant> list_plants(storage::Reader& reader);

void insert_code(storage::Tx& tx, std::string_view code, std::string_view open_id,
                 std::int64_t until_ms);
// Whose code it is, once and in time.
std::optional<std::string> take_code(storage::Tx& tx, std::string_view code, std::int64_t now_ms);

std::int64_t insert_notice(storage::Tx& tx, const AlipayNotice& notice);  // its row_id
std::optional<AlipayNotice> find_notice(storage::Reader& reader,
                                        std::int64_t row_id);     // owed ones only
std::vector<AlipayNotice> list_notices(storage::Reader& reader);  // owed ones, by due time
void save_notice(storage::Tx& tx, const AlipayNotice& notice);    // attempts, due_ms, is_bad_first
void end_notice(storage::Tx& tx, std::int64_t row_id);            // delivered or given up

}  // namespace alipay_book
}  // namespace topup::rehearsal
