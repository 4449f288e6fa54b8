// WeChat Pay's trade and fund-flow bills, from the text of the file. A bill is used as a whole or
// not at all: every line reads, and the lines add up to the bill's own summary to the last digit,
// or it is refused. Amounts are yuan in decimals there and integers here; no floating point. Pure;
// thread-safe; time and memory linear in the text. Source: pay.weixin.qq.com, "Trade bill format"
// and "Fund-flow bill format", read in November 2026.
// Errors: rejected/bill_malformed, with what is wrong and where as detail (never a cell's text).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/payments/channel.h"
#include "shared/result.h"

namespace topup::payments {

inline constexpr std::size_t kMaxBillBytes = 64 * 1024 * 1024;
inline constexpr std::size_t kMaxBillLines = 200'000;

// A bill of type ALL, SUCCESS or REFUND; columns are found by their titles, so more of them and
// another order are fine. `own_mchid` is whose bill it is: a line of that merchant has the payee
// "", any other line the merchant it names.
Result<Bill> read_wechat_bill(std::string_view csv, std::string_view own_mchid);

// Movements in the order of the file, of the kinds that their words name; a word that we do not
// know is of kind `other`. Columns as above; that of our numbers may be missing.
Result<std::vector<FundLine>> read_wechat_fund_bill(std::string_view csv);

// Where the file lies, as the answer of /v3/bill/… says: only the path and query of the address,
// since the file is fetched from the origin we know. Errors: rejected/bill_link_malformed.
Result<std::string> bill_file_target(std::string_view download_url);

}  // namespace topup::payments
