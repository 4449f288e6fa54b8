#include "server/payments/alipay_bill.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "server/payments/bill_text.h"
#include "server/payments/wechat_bill.h"

namespace topup::payments {
namespace {

using Cells = AlipayCells;

constexpr std::string_view kFirstLine = "#支付宝业务明细查询";

struct Columns {
  std::optional<std::size_t> transaction, number, kind, subject, created, finished, total, received,
      refund, fee;
  std::size_t count = 0;
  bool are_there() const {
    return transaction && number && kind && finished && total && received && refund;
  }
};

Columns columns_of(const AlipayTitles& titles) {
  Columns at;
  at.count = titles.count();
  at.transaction = titles.column({"支付宝交易号"});
  at.number = titles.column({"商户订单号"});
  at.kind = titles.column({"业务类型"});
  at.subject = titles.column({"商品名称"});
  at.created = titles.column({"创建时间"});
  at.finished = titles.column({"完成时间"});
  at.total = titles.column({"订单金额(元)"});
  at.received = titles.column({"商家实收(元)"});
  at.refund = titles.column({"退款批次号/请求号", "退款请求号", "退款批次号"});
  at.fee = titles.column({"服务费(元)"});
  return at;
}

// Nothing quotes a comma inside the goods' name or the remark. The two times behind the name show
// how many of the cells are the name; what is left over then belongs to the remark, the last one.
bool mend(const Columns& at, Cells& row) {
  if (row.size() == at.count) return true;
  if (row.size() < at.count || row.size() > kMaxAlipayColumns) return false;
  const std::size_t surplus = row.size() - at.count;
  if (at.subject && at.created && at.finished && *at.created == *at.subject + 1 &&
      *at.finished == *at.created + 1) {
    std::size_t shift = 0;
    const auto is_time = [&](std::size_t cell) { return bill_time_ms(row[cell]).has_value(); };
    while (shift <= surplus && !(is_time(*at.created + shift) && is_time(*at.finished + shift)))
      ++shift;
    if (shift > surplus) return false;
    const auto first = row.begin() + static_cast<std::ptrdiff_t>(*at.subject + 1);
    row.erase(first, first + static_cast<std::ptrdiff_t>(shift));
  }
  row.resize(at.count);
  return true;
}

using Line = tl::expected<BillLine, const char*>;
tl::unexpected<const char*> bad(const char* what) { return tl::unexpected<const char*>(what); }

Line with_money(BillLine line, const Columns& at, const Cells& row) {
  const bool is_refund = line.kind == BillKind::refund;
  const auto total = alipay_bill_fen(row[*at.total]);
  if (!total || (is_refund ? total->minor > 0 : total->minor < 0)) return bad("amount");
  line.amount = fen(is_refund ? -total->minor : total->minor);
  const std::string_view fee_text = at.fee ? row[*at.fee] : std::string_view();
  const auto fee = fee_text.empty() ? std::optional(fen(0)) : alipay_bill_fen(fee_text);
  if (!fee) return bad("fee");
  line.fee = fen(-fee->minor);
  return line;
}

Line line_of(const Columns& at, const Cells& row) {
  BillLine line;
  const std::string_view kind = row[*at.kind];
  const bool is_refund = kind.find("退款") != std::string_view::npos;
  if (!is_refund && kind.find("交易") == std::string_view::npos) return bad("kind");
  line.kind = is_refund ? BillKind::refund : BillKind::payment;
  line.state = is_refund ? "REFUND" : "SUCCESS";
  const auto number = bill_word(row[*at.number]);
  const auto transaction = bill_word(row[*at.transaction]);
  if (!number || number->empty() || !transaction || transaction->empty()) return bad("number");
  line.out_trade_no = OutTradeNo(*number);
  line.transaction_id = TransactionId(*transaction);
  auto time = bill_time_ms(row[*at.finished]);
  if (!time && at.created && row[*at.finished].empty()) time = bill_time_ms(row[*at.created]);
  if (!time) return bad("time");
  line.at_ms = *time;
  if (is_refund) {
    // A refund that was asked for without a number has that of its payment.
    const auto refund = bill_word(row[*at.refund]);
    if (!refund) return bad("refund");
    line.out_refund_no = OutRefundNo(refund->empty() ? *number : *refund);
  }
  return with_money(std::move(line), at, row);
}

class Details final : public AlipayTable {
 public:
  const char* take_titles(const AlipayTitles& titles) override {
    at_ = columns_of(titles);
    return at_.are_there() ? nullptr : "a needed column is missing";
  }

  const char* take_row(Cells& cells) override {
    if (!mend(at_, cells)) return "cells";
    auto read = line_of(at_, cells);
    if (!read) return read.error();
    const auto received = bill_parts(cells[*at_.received]);
    if (!received || !sum_up(*read, *received)) return "an amount";
    bill_.lines.push_back(std::move(*read));
    return nullptr;
  }

  void take_remark(std::string_view remark) override {
    if (remark.starts_with("交易合计")) said_paid_ = alipay_total(remark);
    if (remark.starts_with("退款合计")) said_refunded_ = alipay_total(remark);
  }

  Result<Bill> close() {
    if (!agrees(said_paid_, bill_.payments, received_) ||
        !agrees(said_refunded_, bill_.refunds, returned_))
      return alipay_malformed("the lines do not add up to the totals");
    return std::move(bill_);
  }

 private:
  bool sum_up(const BillLine& line, std::int64_t received) {
    const bool is_payment = line.kind == BillKind::payment;
    ++(is_payment ? bill_.payments : bill_.refunds);
    (is_payment ? received_ : returned_) += received;
    Money& total = is_payment ? bill_.paid : bill_.refunded;
    const auto sum = add(total, line.amount);
    const auto fees = add(bill_.fees, line.fee);
    if (!sum || !fees) return false;
    total = *sum;
    bill_.fees = *fees;
    return true;
  }

  static bool agrees(const std::optional<AlipayTotal>& said, std::int64_t count, __int128 parts) {
    if (!said) return count == 0;
    const __int128 sum = said->parts;
    return said->count == count && (sum == parts || -sum == parts);
  }

  Columns at_;
  std::optional<AlipayTotal> said_paid_, said_refunded_;
  __int128 received_ = 0, returned_ = 0;
  Bill bill_;
};

Result<Bill> joined(Bill whole, const Bill& part) {
  whole.lines.insert(whole.lines.end(), part.lines.begin(), part.lines.end());
  if (whole.lines.size() > kMaxBillLines) return alipay_malformed("there are too many lines");
  whole.payments += part.payments;
  whole.refunds += part.refunds;
  for (const auto sum : {&Bill::paid, &Bill::refunded, &Bill::fees}) {
    const auto added = add(whole.*sum, part.*sum);
    if (!added) return alipay_malformed("the sum overflows");
    whole.*sum = *added;
  }
  return whole;
}

}  // namespace

Result<Bill> read_alipay_details(std::string_view csv, const AlipayBillOf& wanted) {
  Details details;
  const auto read = read_alipay_table(csv, kFirstLine, wanted, details);
  if (!read) return tl::unexpected<Error>(read.error());
  return details.close();
}

Result<Bill> read_alipay_bill(std::string_view archive, const AlipayBillOf& wanted) {
  const auto files = alipay_details_in(archive, kFirstLine);
  if (!files) return tl::unexpected<Error>(files.error());
  Result<Bill> bill = Bill();
  for (const std::string& file : *files) {
    const auto part = read_alipay_details(file, wanted);
    if (!part) return part;
    bill = joined(std::move(*bill), *part);
    if (!bill) return bill;
  }
  return bill;
}

Result<std::string> alipay_bill_target(std::string_view download_url, std::string_view origin) {
  const auto wrong = [] { return refuse(Code::rejected, "bill_link_malformed"); };
  const auto host_of = [](std::string_view url) {
    const std::size_t scheme = url.find("://");
    const std::size_t from = scheme == std::string_view::npos ? url.size() : scheme + 3;
    return std::pair(url.substr(std::min(from, url.size())), scheme);
  };
  const auto [rest, scheme] = host_of(download_url);
  if (scheme == std::string_view::npos || download_url.size() > 2'048) return wrong();
  const std::size_t path = rest.find('/');
  if (path == std::string_view::npos) return wrong();
  const std::string_view target = rest.substr(path);
  const bool is_plain = std::all_of(target.begin(), target.end(),
                                    [](char c) { return c > ' ' && c < 0x7F && c != '#'; });
  if (!is_plain) return wrong();
  if (rest.substr(0, path) != host_of(origin).first)
    return refuse(Code::rejected, "bill_link_elsewhere");
  return std::string(target);
}

}  // namespace topup::payments
