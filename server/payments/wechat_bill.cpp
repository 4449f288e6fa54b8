#include "server/payments/wechat_bill.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>

#include "server/payments/bill_text.h"
#include "server/payments/wechat_text.h"

namespace topup::payments {
namespace {

using Cells = std::vector<std::string_view>;
using Titles = std::initializer_list<std::string_view>;

constexpr std::size_t kMaxColumns = 64;
constexpr std::size_t kFramingLines = 3;  // titles, and the two of the summary
constexpr std::string_view kFilePath = "/v3/billdownload/file";

tl::unexpected<Error> malformed(const std::string& what, std::size_t line = 0) {
  return refuse(Code::rejected, "bill_malformed", {},
                line == 0 ? what : "line " + std::to_string(line) + ": " + what);
}

// Titles have no mark before each value; values have one, which is what keeps a comma inside a text
// from being taken for a separator.
Cells cells_of(std::string_view line, bool is_marked) {
  const std::string_view separator = is_marked ? ",`" : ",";
  if (line.starts_with('`')) line.remove_prefix(1);
  Cells cells;
  for (;;) {
    const std::size_t end = line.find(separator);
    cells.push_back(line.substr(0, end));
    if (end == std::string_view::npos || cells.size() > kMaxColumns) return cells;
    line.remove_prefix(end + separator.size());
  }
}

// A file taken apart: titles, rows under them, and the summary at its end.
struct Sheet {
  Cells titles, sum_titles, sums;
  std::vector<Cells> rows;

  static std::optional<std::size_t> place(const Cells& titles, std::string_view title) {
    const auto found = std::find(titles.begin(), titles.end(), title);
    if (found == titles.end()) return std::nullopt;
    return static_cast<std::size_t>(found - titles.begin());
  }
  // The first of the titles that this file has.
  std::optional<std::size_t> column(Titles wanted) const {
    for (const std::string_view title : wanted) {
      if (const auto at = place(titles, title)) return at;
    }
    return std::nullopt;
  }
  std::optional<std::string_view> sum(std::string_view title) const {
    const auto at = place(sum_titles, title);
    if (!at) return std::nullopt;
    return sums[*at];
  }
};

bool is_twice(Cells titles) {
  std::sort(titles.begin(), titles.end());
  return std::adjacent_find(titles.begin(), titles.end()) != titles.end();
}

Result<Sheet> sheet_of(std::string_view csv) {
  if (csv.size() > kMaxBillBytes) return malformed("the file is too large");
  const auto lines = bill_lines(csv, kMaxBillLines + kFramingLines);
  if (!lines) return malformed("there are too many lines");
  if (lines->size() < kFramingLines) return malformed("the summary is missing");
  const std::size_t last = lines->size() - 1;
  Sheet sheet;
  sheet.titles = cells_of(lines->front(), false);
  sheet.sum_titles = cells_of((*lines)[last - 1], false);
  sheet.sums = cells_of((*lines)[last], true);
  const bool is_framed = !lines->front().starts_with('`') && !(*lines)[last - 1].starts_with('`') &&
                         (*lines)[last].starts_with('`');
  if (!is_framed) return malformed("the titles or the summary are missing");
  if (sheet.sums.size() != sheet.sum_titles.size()) return malformed("the summary is cut");
  if (is_twice(sheet.titles) || is_twice(sheet.sum_titles)) return malformed("a title comes twice");
  sheet.rows.reserve(last);
  for (std::size_t at = 1; at + 1 < last; ++at) {
    if (!(*lines)[at].starts_with('`')) return malformed("not a row", at + 1);
    sheet.rows.push_back(cells_of((*lines)[at], true));
    if (sheet.rows.back().size() != sheet.titles.size()) return malformed("cells", at + 1);
  }
  return sheet;
}

// Exact sums of one column, of all rows and of each kind of row apart: for columns that a row of
// the other kind fills with something else.
struct Sums {
  __int128 all = 0, payments = 0, refunds = 0;
  void add(BillKind kind, std::int64_t parts) {
    all += parts;
    (kind == BillKind::payment ? payments : refunds) += parts;
  }
};

struct SummedColumn {
  std::string_view sum_title, title;
  BillKind of;
};
constexpr SummedColumn kSummed[] = {
    {"应结订单总金额", "应结订单金额", BillKind::payment},
    {"总交易额", "总金额", BillKind::payment},
    {"订单总金额", "订单金额", BillKind::payment},
    {"退款总金额", "退款金额", BillKind::refund},
    {"充值券退款总金额", "充值券退款金额", BillKind::refund},
    {"申请退款总金额", "申请退款金额", BillKind::refund},
    {"手续费总金额", "手续费", BillKind::payment},
};

struct Columns {
  std::optional<std::size_t> time, own, sub, transaction, number, state, currency;
  std::optional<std::size_t> refund_number, refund_state, refund_time, fee, paid, refunded;
};

Columns columns_of(const Sheet& sheet) {
  Columns at;
  at.time = sheet.column({"交易时间"});
  at.own = sheet.column({"商户号"});
  at.sub = sheet.column({"特约商户号", "子商户号"});
  at.transaction = sheet.column({"微信订单号"});
  at.number = sheet.column({"商户订单号"});
  at.state = sheet.column({"交易状态"});
  at.currency = sheet.column({"货币种类"});
  at.refund_number = sheet.column({"商户退款单号"});
  at.refund_state = sheet.column({"退款状态"});
  at.refund_time = sheet.column({"退款申请时间"});
  at.fee = sheet.column({"手续费"});
  at.paid = sheet.column({"订单金额", "应结订单金额", "总金额"});
  at.refunded = sheet.column({"申请退款金额", "退款金额"});
  return at;
}

class TradeBill {
 public:
  TradeBill(const Sheet& sheet, std::string_view own_mchid)
      : sheet_(sheet), at_(columns_of(sheet)), own_mchid_(own_mchid) {}

  Result<Bill> read() {
    if (!at_.time || !at_.own || !at_.transaction || !at_.number || !at_.state)
      return malformed("a needed column is missing");
    bill_.lines.reserve(sheet_.rows.size());
    for (const SummedColumn& summed : kSummed) {
      sums_.push_back({});
      summed_.push_back(sheet_.column({summed.title}));
    }
    for (std::size_t i = 0; i < sheet_.rows.size(); ++i) {
      const auto line = line_of(sheet_.rows[i]);
      if (!line) return malformed(line.error(), i + 2);
      bill_.lines.push_back(*line);
      const char* wrong = sum_up(*line, sheet_.rows[i]);
      if (wrong != nullptr) return malformed(wrong, i + 2);
    }
    return close();
  }

 private:
  using Line = tl::expected<BillLine, const char*>;
  static tl::unexpected<const char*> bad(const char* what) {
    return tl::unexpected<const char*>(what);
  }
  std::string_view cell(const Cells& row, const std::optional<std::size_t>& column) const {
    return column ? row[*column] : std::string_view();
  }

  Line line_of(const Cells& row) const {
    const auto state = bill_word(cell(row, at_.state), 32);
    if (!state || state->empty()) return bad("state");
    if (at_.currency && cell(row, at_.currency) != "CNY") return bad("currency");
    BillLine line;
    // REVOKED is a payment at a counter that was taken back: its money went back as well.
    const bool is_refund = *state == "REFUND" || *state == "REVOKED";
    line.kind = is_refund ? BillKind::refund : BillKind::payment;
    const auto number = bill_word(cell(row, at_.number));
    const auto transaction = bill_word(cell(row, at_.transaction));
    if (!number || number->empty() || !transaction) return bad("number");
    line.out_trade_no = OutTradeNo(*number);
    line.transaction_id = TransactionId(*transaction);
    line.state = *state;
    const auto at =
        bill_time_ms(cell(row, is_refund && at_.refund_time ? at_.refund_time : at_.time));
    if (!at) return bad("time");
    line.at_ms = *at;
    if (is_refund) {
      const auto refund = bill_word(cell(row, at_.refund_number));
      const auto refund_state = bill_word(cell(row, at_.refund_state), 32);
      if (!refund || refund->empty() || !refund_state) return bad("refund");
      line.out_refund_no = OutRefundNo(*refund);
      if (!refund_state->empty()) line.state = *refund_state;
    }
    return with_money(std::move(line), row);
  }

  Line with_money(BillLine line, const Cells& row) const {
    const auto& column = line.kind == BillKind::refund ? at_.refunded : at_.paid;
    const auto parts = bill_parts(cell(row, column));
    const auto amount = parts ? fen_of_parts(*parts) : std::nullopt;
    if (!amount || amount->minor < 0) return bad("amount");
    const auto fee_parts =
        at_.fee ? bill_parts(cell(row, at_.fee)) : std::optional<std::int64_t>(0);
    const auto fee = fee_parts ? fen_of_parts(*fee_parts) : std::nullopt;
    if (!fee) return bad("fee");
    const auto own = bill_word(cell(row, at_.own));
    const auto sub = bill_word(cell(row, at_.sub));
    if (!own || !sub) return bad("merchant");
    line.amount = *amount;
    line.fee = *fee;
    line.payee = sub->empty() || *sub == "0" ? *own : *sub;
    if (line.payee == own_mchid_) line.payee.clear();
    return line;
  }

  const char* sum_up(const BillLine& line, const Cells& row) {
    for (std::size_t i = 0; i < std::size(kSummed); ++i) {
      if (!summed_[i]) continue;
      const std::string_view text = row[*summed_[i]];
      const auto parts = text.empty() ? std::optional<std::int64_t>(0) : bill_parts(text);
      if (!parts) return "an amount";
      sums_[i].add(line.kind, *parts);
    }
    const bool is_payment = line.kind == BillKind::payment;
    ++(is_payment ? bill_.payments : bill_.refunds);
    Money& total = is_payment ? bill_.paid : bill_.refunded;
    const auto sum = add(total, line.amount);
    const auto fees = add(bill_.fees, line.fee);
    if (!sum || !fees) return "the sum overflows";
    total = *sum;
    bill_.fees = *fees;
    return nullptr;
  }

  Result<Bill> close() {
    const auto rows = sheet_.sum("总交易单数");
    if (!rows) return malformed("the summary has no count");
    const auto count = bill_count(*rows);
    if (!count || static_cast<std::size_t>(*count) != sheet_.rows.size())
      return malformed("the count is not that of the lines");
    int summed = 0;
    for (std::size_t i = 0; i < std::size(kSummed); ++i) {
      const auto said = sheet_.sum(kSummed[i].sum_title);
      if (!said || !summed_[i]) continue;
      const auto parts = bill_parts(*said);
      const __int128 of_kind =
          kSummed[i].of == BillKind::payment ? sums_[i].payments : sums_[i].refunds;
      if (!parts || (sums_[i].all != *parts && of_kind != *parts))
        return malformed("the lines do not add up to the summary");
      if (kSummed[i].title != "手续费") ++summed;
    }
    if (summed == 0) return malformed("the summary has no amount");
    return std::move(bill_);
  }

  const Sheet& sheet_;
  const Columns at_;
  const std::string_view own_mchid_;
  std::vector<Sums> sums_;
  std::vector<std::optional<std::size_t>> summed_;  // the column of each of kSummed
  Bill bill_;
};

std::optional<Money> bill_fen(std::string_view text) {
  const auto parts = bill_parts(text);
  return parts ? fen_of_parts(*parts) : std::nullopt;
}

constexpr std::size_t kMaxFundWordBytes = 64;

// A fee says of what it is a fee, so it is looked for first.
struct FundWord {
  std::string_view part;
  FundKind kind;
};
constexpr FundWord kFundWords[] = {{"手续费", FundKind::fee},
                                   {"退款", FundKind::refund},
                                   {"提现", FundKind::withdrawal},
                                   {"交易", FundKind::payment}};

FundKind fund_kind_of(std::string_view word) {
  for (const FundWord& one : kFundWords) {
    if (word.find(one.part) != std::string_view::npos) return one.kind;
  }
  return FundKind::other;
}

struct FundColumns {
  std::optional<std::size_t> time, business, flow, kind, way, amount, balance, number;
  bool are_there() const { return time && business && flow && kind && way && amount && balance; }
};

FundColumns fund_columns_of(const Sheet& sheet) {
  FundColumns at;
  at.time = sheet.column({"记账时间"});
  at.business = sheet.column({"微信支付业务单号"});
  at.flow = sheet.column({"资金流水单号"});
  at.kind = sheet.column({"业务类型", "业务名称"});
  at.way = sheet.column({"收支类型"});
  at.amount = sheet.column({"收支金额(元)", "收支金额（元）"});
  at.balance = sheet.column({"账户结余(元)", "账户结余（元）"});
  at.number = sheet.column({"业务凭证号"});
  return at;
}

std::optional<FundLine> fund_line(const FundColumns& at, const Cells& row) {
  const bool is_in = row[*at.way] == "收入";
  if (!is_in && row[*at.way] != "支出") return std::nullopt;
  const auto moved = bill_fen(row[*at.amount]);
  const auto left = bill_fen(row[*at.balance]);
  const auto time = bill_time_ms(row[*at.time]);
  const auto flow_no = bill_word(row[*at.flow]);
  const auto business_no = bill_word(row[*at.business]);
  if (!moved || moved->minor < 0 || !left || !time || !flow_no || !business_no) return std::nullopt;
  if (flow_no->empty() || row[*at.kind].size() > kMaxFundWordBytes) return std::nullopt;
  FundLine line;
  line.flow_no = *flow_no;
  line.business_no = *business_no;
  // Of a movement that is no payment of ours it may hold anything.
  if (at.number) line.number = bill_word(row[*at.number]).value_or("");
  line.word = wechat_clean_text(row[*at.kind], kMaxFundWordBytes);
  line.kind = fund_kind_of(line.word);
  line.amount = fen(is_in ? moved->minor : -moved->minor);
  line.balance = *left;
  line.at_ms = *time;
  return line;
}

struct FundTotals {
  std::int64_t lines_in = 0, lines_out = 0;
  __int128 in = 0, out = 0;
};

bool adds_up(const Sheet& sheet, const FundTotals& totals) {
  const auto count = [&](std::string_view title) {
    return bill_count(sheet.sum(title).value_or("")).value_or(-1);
  };
  const auto parts = [&](std::string_view title) {
    return bill_parts(sheet.sum(title).value_or(""));
  };
  const auto in = parts("收入金额");
  const auto out = parts("支出金额");
  return count("资金流水总笔数") == totals.lines_in + totals.lines_out &&
         count("收入笔数") == totals.lines_in && count("支出笔数") == totals.lines_out && in &&
         *in == totals.in && out && *out == totals.out;
}

}  // namespace

Result<Bill> read_wechat_bill(std::string_view csv, std::string_view own_mchid) {
  const auto sheet = sheet_of(csv);
  if (!sheet) return tl::unexpected<Error>(sheet.error());
  return TradeBill(*sheet, own_mchid).read();
}

Result<std::vector<FundLine>> read_wechat_fund_bill(std::string_view csv) {
  const auto sheet = sheet_of(csv);
  if (!sheet) return tl::unexpected<Error>(sheet.error());
  const FundColumns at = fund_columns_of(*sheet);
  if (!at.are_there()) return malformed("a needed column is missing");
  std::vector<FundLine> lines;
  lines.reserve(sheet->rows.size());
  FundTotals totals;
  for (std::size_t i = 0; i < sheet->rows.size(); ++i) {
    auto line = fund_line(at, sheet->rows[i]);
    if (!line) return malformed("a cell", i + 2);
    const bool is_in = sheet->rows[i][*at.way] == "收入";
    (is_in ? totals.in : totals.out) += *bill_parts(sheet->rows[i][*at.amount]);
    ++(is_in ? totals.lines_in : totals.lines_out);
    lines.push_back(std::move(*line));
  }
  if (!adds_up(*sheet, totals)) return malformed("the lines do not add up to the summary");
  return lines;
}

Result<std::string> bill_file_target(std::string_view download_url) {
  const auto wrong = [] { return refuse(Code::rejected, "bill_link_malformed"); };
  const std::size_t scheme = download_url.find("://");
  if (scheme == std::string_view::npos || download_url.size() > 2048) return wrong();
  const std::size_t path = download_url.find('/', scheme + 3);
  if (path == std::string_view::npos) return wrong();
  const std::string_view target = download_url.substr(path);
  const bool is_plain = std::all_of(target.begin(), target.end(),
                                    [](char c) { return c > ' ' && c < 0x7F && c != '#'; });
  if (!is_plain || target.substr(0, target.find('?')) != kFilePath) return wrong();
  return std::string(target);
}

}  // namespace topup::payments
