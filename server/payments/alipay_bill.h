// Alipay's trade bill: a zip of comma-separated text in GB18030. A bill is used as a whole or not
// at all: every line reads, and the lines add up to the bill's own totals to the last digit, or it
// is refused. Columns are found by their titles, so more of them and another order are fine; a
// comma inside the goods' name or the remark, which Alipay does not quote, is put back. Amounts are
// yuan in decimals there and integers here. What the payer owed (订单金额) counts, as the
// notification says it. Pure; thread-safe; time and memory linear in the text. Source:
// opendocs.alipay.com, "alipay.data.dataservice.bill.downloadurl.query", read in November 2026.
// Errors: rejected/bill_malformed, rejected/bill_of_another (account or day), with what is wrong
// and where as detail (never a cell's text).
#pragma once

#include <string>
#include <string_view>

#include "server/payments/alipay_table.h"
#include "server/payments/channel.h"
#include "shared/result.h"

namespace topup::payments {

// The archive as downloaded. It may hold a summary beside, and the details in several files.
Result<Bill> read_alipay_bill(std::string_view archive, const AlipayBillOf& wanted);

// One file of details, in UTF-8.
Result<Bill> read_alipay_details(std::string_view csv, const AlipayBillOf& wanted);

// Where the file lies, as the signed answer says: the path and query of the address, when it leads
// to `origin`, be it said with http or https. Errors: rejected/bill_link_malformed,
// rejected/bill_link_elsewhere.
Result<std::string> alipay_bill_target(std::string_view download_url, std::string_view origin);

}  // namespace topup::payments
