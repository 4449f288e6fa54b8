#include "server/payments/alipay_bill.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "server/base/gb18030.h"
#include "server/base/zip.h"
#include "server/payments/bill_text.h"
#include "server/payments/wechat_bill.h"

namespace topup::payments {
namespace {

using Cells = std::vector<std::string_view>;
using Titles = std::initializer_list<std::string_view>;

constexpr std::size_t kMaxColumns = 64;
constexpr std::size_t kMaxRemarks = 64;
constexpr base::ZipBounds kBounds{32, kMaxBillBytes};
constexpr std::string_view kFirstLine = "#支付宝业务明细查询";

tl::unexpected<Error> malformed(const std::string& what, std::size_t line = 0) {
  return refuse(Code::rejected, "bill_malformed", {},
                line == 0 ? what : "line " + std::to_string(line) + ": " + what);
}
tl::unexpected<Error> of_another(const char* what) {
  return refuse(Code::rejected, "bill_of_another", {}, what);
}

// Ids end with a tab, so that a spreadsheet leaves them alone.
std::string_view trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

Cells cells_of(std::string_view line) {
  Cells cells;
  for (;;) {
    const std::size_t end = line.find(',');
    cells.push_back(trimmed(line.substr(0, end)));
    if (end == std::string_view::npos || cells.size() > kMaxColumns) return cells;
    line.remove_prefix(end + 1);
  }
}

std::optional<std::size_t> column(const Cells& titles, Titles wanted) {
  for (const std::string_view title : wanted) {
    const auto found = std::find(titles.begin(), titles.end(), title);
    if (found != titles.end()) return static_cast<std::size_t>(found - titles.begin());
  }
  return std::nullopt;
}

struct Columns {
  std::optional<std::size_t> transaction, number, kind, subject, created, finished, total, received,
      refund, fee;
  std::size_t count = 0;
  bool are_there() const {
    return transaction && number && kind && finished && total && received && refund;
  }
};

Columns columns_of(const Cells& titles) {
  Columns at;
  at.count = titles.size();
  at.transaction = column(titles, {"支付宝交易号"});
  at.number = column(titles, {"商户订单号"});
  at.kind = column(titles, {"业务类型"});
  at.subject = column(titles, {"商品名称"});
  at.created = column(titles, {"创建时间"});
  at.finished = column(titles, {"完成时间"});
  at.total = column(titles, {"订单金额（元）", "订单金额(元)"});
  at.received = column(titles, {"商家实收（元）", "商家实收(元)"});
  at.refund = column(titles, {"退款批次号/请求号", "退款请求号", "退款批次号"});
  at.fee = column(titles, {"服务费（元）", "服务费(元)"});
  return at;
}

// Nothing quotes a comma inside the goods' name or the remark. The two times behind the name show
// how many of the cells are the name; what is left over then belongs to the remark, the last one.
bool mend(const Columns& at, Cells& row) {
  if (row.size() == at.count) return true;
  if (row.size() < at.count || row.size() > kMaxColumns) return false;
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

std::optional<Money> fen_in(std::string_view cell) {
  const auto parts = bill_parts(cell);
  return parts ? fen_of_parts(*parts) : std::nullopt;
}

using Line = tl::expected<BillLine, const char*>;
tl::unexpected<const char*> bad(const char* what) { return tl::unexpected<const char*>(what); }

Line with_money(BillLine line, const Columns& at, const Cells& row) {
  const bool is_refund = line.kind == BillKind::refund;
  const auto total = fen_in(row[*at.total]);
  if (!total || (is_refund ? total->minor > 0 : total->minor < 0)) return bad("amount");
  line.amount = fen(is_refund ? -total->minor : total->minor);
  const std::string_view fee_text = at.fee ? row[*at.fee] : std::string_view();
  const auto fee = fee_text.empty() ? std::optional(fen(0)) : fen_in(fee_text);
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

// "#交易合计：3笔，商家实收共298.50元，…": how many, and how much in parts of a fen.
struct Total {
  std::int64_t count = 0, parts = 0;
};
std::optional<Total> total_in(std::string_view line) {
  constexpr std::string_view kPieces = "笔", kSum = "共", kYuan = "元";
  const std::size_t pieces = line.find(kPieces);
  if (pieces == std::string_view::npos) return std::nullopt;
  std::size_t digits = pieces;
  while (digits > 0 && line[digits - 1] >= '0' && line[digits - 1] <= '9') --digits;
  const auto count = bill_count(line.substr(digits, pieces - digits));
  const std::size_t sum = line.find(kSum, pieces);
  if (!count || sum == std::string_view::npos) return std::nullopt;
  const std::size_t end = line.find(kYuan, sum);
  if (end == std::string_view::npos) return std::nullopt;
  const std::size_t from = sum + kSum.size();
  const auto parts = bill_parts(trimmed(line.substr(from, end - from)));
  if (!parts) return std::nullopt;
  return Total{*count, *parts};
}

// "[2026年06月05日 00:00:00]" → "2026-06-05"; "" when the line has no such thing.
std::string day_in(std::string_view line) {
  constexpr std::string_view kYear = "年", kMonth = "月", kDay = "日";
  const std::size_t from = line.find('[');
  if (from == std::string_view::npos) return {};
  const std::string_view text = line.substr(from + 1);
  const std::size_t year = text.find(kYear), month = text.find(kMonth), day = text.find(kDay);
  if (year != 4 || month != 4 + kYear.size() + 2 || day != month + kMonth.size() + 2) return {};
  return std::string(text.substr(0, 4)) + "-" + std::string(text.substr(4 + kYear.size(), 2)) +
         "-" + std::string(text.substr(month + kMonth.size(), 2));
}

class Details {
 public:
  explicit Details(const AlipayBillOf& wanted) : wanted_(wanted) {}

  Result<Bill> read(std::string_view csv) {
    if (csv.size() > kMaxBillBytes) return malformed("the file is too large");
    const auto lines = bill_lines(csv, kMaxBillLines + kMaxRemarks);
    if (!lines) return malformed("there are too many lines");
    if (lines->empty() || !lines->front().starts_with(kFirstLine))
      return malformed("the first line is not that of a trade bill");
    for (std::size_t i = 0; i < lines->size(); ++i) {
      const std::string_view line = (*lines)[i];
      const auto taken = line.starts_with('#') ? remark(line) : row(line, i + 1);
      if (!taken) return tl::unexpected<Error>(taken.error());
    }
    return close();
  }

 private:
  Result<bool> remark(std::string_view line) {
    if (line.starts_with("#账号")) return account(line);
    if (line.starts_with("#起始日期")) {
      const std::string day = day_in(line);
      if (!day.empty() && !wanted_.day.empty() && day != wanted_.day) return of_another("day");
    }
    if (line.find("明细列表结束") != std::string_view::npos) is_ended_ = true;
    if (line.starts_with("#交易合计")) said_paid_ = total_in(line);
    if (line.starts_with("#退款合计")) said_refunded_ = total_in(line);
    return true;
  }

  // The number of the account may have a branch's four digits behind it.
  Result<bool> account(std::string_view line) const {
    const std::size_t from = line.find('['), end = line.find(']');
    if (wanted_.seller_id.empty() || from == std::string_view::npos) return true;
    const std::string_view account = line.substr(from + 1, end - from - 1);
    if (end == std::string_view::npos || !account.starts_with(wanted_.seller_id))
      return of_another("account");
    return true;
  }

  Result<bool> row(std::string_view line, std::size_t at_line) {
    if (is_ended_) return malformed("a row after the end", at_line);
    Cells cells = cells_of(line);
    if (!has_titles_) {
      has_titles_ = true;
      at_ = columns_of(cells);
      Cells sorted = cells;
      std::sort(sorted.begin(), sorted.end());
      const bool is_twice = std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end();
      if (!at_.are_there() || is_twice) return malformed("a needed column is missing", at_line);
      return true;
    }
    if (!mend(at_, cells)) return malformed("cells", at_line);
    auto read = line_of(at_, cells);
    if (!read) return malformed(read.error(), at_line);
    const auto received = bill_parts(cells[*at_.received]);
    if (!received || !sum_up(*read, *received)) return malformed("an amount", at_line);
    bill_.lines.push_back(std::move(*read));
    return true;
  }

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

  static bool agrees(const std::optional<Total>& said, std::int64_t count, __int128 parts) {
    if (!said) return count == 0;
    const __int128 sum = said->parts;
    return said->count == count && (sum == parts || -sum == parts);
  }

  Result<Bill> close() {
    if (!has_titles_ || !is_ended_) return malformed("the end is missing");
    if (!agrees(said_paid_, bill_.payments, received_) ||
        !agrees(said_refunded_, bill_.refunds, returned_))
      return malformed("the lines do not add up to the totals");
    return std::move(bill_);
  }

  const AlipayBillOf wanted_;
  Columns at_;
  bool has_titles_ = false, is_ended_ = false;
  std::optional<Total> said_paid_, said_refunded_;
  __int128 received_ = 0, returned_ = 0;
  Bill bill_;
};

Result<Bill> joined(Bill whole, const Bill& part) {
  whole.lines.insert(whole.lines.end(), part.lines.begin(), part.lines.end());
  if (whole.lines.size() > kMaxBillLines) return malformed("there are too many lines");
  whole.payments += part.payments;
  whole.refunds += part.refunds;
  for (const auto sum : {&Bill::paid, &Bill::refunded, &Bill::fees}) {
    const auto added = add(whole.*sum, part.*sum);
    if (!added) return malformed("the sum overflows");
    whole.*sum = *added;
  }
  return whole;
}

}  // namespace

Result<Bill> read_alipay_details(std::string_view csv, const AlipayBillOf& wanted) {
  return Details(wanted).read(csv);
}

Result<Bill> read_alipay_bill(std::string_view archive, const AlipayBillOf& wanted) {
  const auto entries = base::unzip(archive, kBounds);
  if (!entries) return malformed(std::string(entries.error().reason));
  Result<Bill> bill = Bill();
  bool is_found = false;
  for (const base::ZipEntry& entry : *entries) {
    const bool is_utf8 = entry.content.find(kFirstLine) != std::string::npos;
    const auto text = is_utf8 ? entry.content : base::utf8_of_gb18030(entry.content);
    if (!text) return malformed("the text is not GB18030");
    if (text->find(kFirstLine) == std::string::npos) continue;  // the summary
    const auto part = read_alipay_details(*text, wanted);
    if (!part) return part;
    is_found = true;
    bill = joined(std::move(*bill), *part);
    if (!bill) return bill;
  }
  if (!is_found) return malformed("the archive holds no details");
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
