// What the rehearsed Alipay's bills are made of, from its book, and the differences that a tester
// plants in them: the book itself stays right, as it would at a real mistake of a statement.
// Amounts are fen, times UTC ms.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/rehearsal/alipay_book.h"
#include "server/storage/db.h"

namespace topup::rehearsal {

struct AlipayBillRow {
  bool is_refund = false, is_withdrawal = false, is_left_out = false;
  std::string trade_no, out_trade_no, out_request_no, subject;
  std::int64_t created_ms = 0, at_ms = 0;
  std::int64_t amount_fen = 0;  // positive
  std::int64_t fee_fen = 0;     // what Alipay keeps; negative: gives back
  const std::string& number() const { return is_refund ? out_request_no : out_trade_no; }
};

struct AlipayBillSpan {
  std::int64_t from_ms, until_ms;
  bool is_fund_flow;
};

bool is_alipay_plant(std::string_view kind);
// What changes one of the bills, or both in the same way, without the bill's name.
std::vector<AlipayBillPlant> alipay_plants_for(storage::Reader& reader, bool is_fund_flow);
std::vector<AlipayBillRow> alipay_bill_rows(storage::Reader& reader, const AlipayBillSpan& span);

// The zip as it is downloaded: the details beside a summary, by the name of their kind.
struct AlipayBillFile {
  std::string account;  // with the branch's digits
  std::int64_t from_ms;
  std::string_view kind;  // 业务 | 账务
};
// The details up to their titles, with a rule between.
std::string alipay_bill_head(const AlipayBillFile& file);
std::string alipay_bill_end(const AlipayBillFile& file);
std::string alipay_bill_archive(const AlipayBillFile& file, const std::string& details);

}  // namespace topup::rehearsal
