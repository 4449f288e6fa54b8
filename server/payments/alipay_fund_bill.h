// Alipay's account-flow bill (bill_type signcustomer, 账务明细): every movement of the shop's own
// account, each service fee by itself. A bill is used as a whole or not at all: every line reads,
// and the lines add up to the bill's own totals to the last digit, or it is refused. A comma inside
// a name or a remark is put back where one way alone to do so reads. Balances are read as given.
// Amounts are yuan in decimals there and integers here. Pure; thread-safe; time and memory linear
// in the text.
// Sources: opendocs.alipay.com, "alipay.data.dataservice.bill.downloadurl.query" and
// "alipay.data.bill.accountlog.query", read in November 2026; for titles, words and totals, exports
// that merchants published between 2012 and 2026. Not confirmed by Alipay's own pages, and read
// tolerantly: the order of lines (newest first in what was seen; either is taken), the sign of
// outgoing amounts and of their total (both are taken), and what a refund is called. In what was
// seen 商户订单号 is the payment's number; the refund's own number stands nowhere for certain, so a
// refund may carry its payment's, and whoever compares knows which refund it is. A fee names what
// it is of by the trade's number, in a cell or in brackets in the remark. Alipay says that a
// balance need not follow from the line before it, only that it comes right in the end. Errors:
// rejected/bill_malformed, rejected/bill_of_another (account or day), with what is wrong and where
// as detail (never a cell's text).
#pragma once

#include <string_view>
#include <vector>

#include "server/payments/alipay_table.h"
#include "server/payments/channel.h"
#include "shared/result.h"

namespace topup::payments {

// The archive as downloaded. It may hold a summary beside, and the details in several files. The
// oldest movement first; words that we do not know are of kind `other`.
Result<std::vector<FundLine>> read_alipay_fund_bill(std::string_view archive,
                                                    const AlipayBillOf& wanted);

// One file of details, in UTF-8.
Result<std::vector<FundLine>> read_alipay_fund_details(std::string_view csv,
                                                       const AlipayBillOf& wanted);

}  // namespace topup::payments
