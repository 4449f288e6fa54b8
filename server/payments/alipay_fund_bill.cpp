#include "server/payments/alipay_fund_bill.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "server/payments/alipay_text.h"
#include "server/payments/bill_text.h"
#include "server/payments/wechat_bill.h"

namespace topup::payments {
namespace {

using Cells = AlipayCells;

constexpr std::string_view kFirstLine = "#支付宝账务明细查询";
constexpr std::size_t kMaxWordBytes = 64;
constexpr std::size_t kMaxNumberBytes = 128;        // a fee given back is named after two numbers
constexpr std::size_t kMaxStrayCommas = 4;          // in one row
constexpr std::string_view kGivenBackMark = "-r-";  // between a trade's and a refund's number

// A fee says of what it is a fee, and a refund of what it is one, so they are looked for first.
struct Word {
  std::string_view part;
  FundKind kind;
};
constexpr Word kWords[] = {
    {"服务费", FundKind::fee},       {"手续费", FundKind::fee},   {"收费", FundKind::fee},
    {"退费", FundKind::fee},         {"退款", FundKind::refund},  {"提现", FundKind::withdrawal},
    {"在线支付", FundKind::payment}, {"交易", FundKind::payment},
};

FundKind kind_of(std::string_view word, std::int64_t minor) {
  const auto* const known = std::find_if(std::begin(kWords), std::end(kWords), [word](auto& one) {
    return word.find(one.part) != std::string_view::npos;
  });
  if (known == std::end(kWords)) return FundKind::other;
  // What we buy there ourselves, or what comes back of a refund or a withdrawal, is none of ours.
  const bool is_fitting =
      known->kind == FundKind::fee || (known->kind == FundKind::payment) == (minor > 0);
  return is_fitting ? known->kind : FundKind::other;
}

struct Columns {
  std::optional<std::size_t> time, flow, business, number, kind, story, in, out, balance, subject,
      counterparty, remark;
  std::size_t count = 0;
  bool are_there() const { return time && flow && business && kind && in && out && balance; }
  std::vector<std::size_t> texts() const {  // that somebody may have written a comma into
    std::vector<std::size_t> all;
    for (const auto& column : {subject, counterparty, remark, story}) {
      if (column) all.push_back(*column);
    }
    std::sort(all.begin(), all.end());
    return all;
  }
};

Columns columns_of(const AlipayTitles& titles) {
  Columns at;
  at.count = titles.count();
  at.time = titles.column({"发生时间"});
  at.flow = titles.column({"账务流水号"});
  at.business = titles.column({"业务流水号"});
  at.number = titles.column({"商户订单号"});
  at.kind = titles.column({"业务类型"});
  at.story = titles.column({"业务描述"});
  at.in = titles.column({"收入金额(+元)", "收入金额(元)", "收入金额"});
  at.out = titles.column({"支出金额(-元)", "支出金额(元)", "支出金额"});
  at.balance = titles.column({"账户余额(元)", "账户余额"});
  at.subject = titles.column({"商品名称"});
  at.counterparty = titles.column({"对方账号", "对方账户"});
  at.remark = titles.column({"备注"});
  return at;
}

// A movement, and by which numbers a fee names what it is of.
struct Move {
  FundLine line;
  std::vector<std::string> owners;
  auto said() const {
    return std::tie(line.flow_no, line.business_no, line.number, line.word, line.amount.minor,
                    line.balance.minor, line.at_ms);
  }
};

// What stands in brackets, as in 服务费[2026…] and 服务费退回(2026…).
void add_bracketed(std::string_view text, std::vector<std::string>& owners) {
  const std::size_t from = text.find_first_of("[(");
  if (from == std::string_view::npos) return;
  const std::size_t end = text.find_first_of("])", from);
  if (end == std::string_view::npos) return;
  auto number = bill_word(text.substr(from + 1, end - from - 1), kMaxNumberBytes);
  if (number && !number->empty()) owners.push_back(std::move(*number));
}

// A whole amount of yuan in one of the two columns; an empty cell is none.
std::optional<std::int64_t> minor_in(std::string_view cell) {
  if (cell.empty()) return 0;
  if (cell.starts_with('+')) cell.remove_prefix(1);
  const auto amount = alipay_bill_fen(cell);
  return amount ? std::optional(amount->minor) : std::nullopt;
}

tl::expected<Move, const char*> move_of(const Columns& at, const Cells& row) {
  const auto bad = [](const char* what) { return tl::unexpected<const char*>(what); };
  const auto cell = [&row](const std::optional<std::size_t>& column) {
    return column ? row[*column] : std::string_view();
  };
  const auto in = minor_in(cell(at.in)), out = minor_in(cell(at.out));
  if (!in || *in < 0 || !out || (*in != 0 && *out != 0)) return bad("an amount");
  const auto balance = alipay_bill_fen(cell(at.balance));
  if (!balance) return bad("the balance");
  const auto time = bill_time_ms(cell(at.time));
  if (!time) return bad("time");
  const auto flow_no = bill_word(cell(at.flow)), business_no = bill_word(cell(at.business));
  if (!flow_no || flow_no->empty() || !business_no) return bad("number");
  if (cell(at.kind).empty() || cell(at.kind).size() > kMaxWordBytes) return bad("kind");
  Move move;
  FundLine& line = move.line;
  line.flow_no = *flow_no;
  line.business_no = *business_no;
  // Of a movement that is no payment of ours it may hold anything.
  line.number = bill_word(cell(at.number)).value_or("");
  line.word = alipay_clean_text(cell(at.kind), kMaxWordBytes);
  line.amount = fen(*out == 0 ? *in : -std::abs(*out));
  line.balance = *balance;
  line.at_ms = *time;
  line.kind = kind_of(cell(at.kind), line.amount.minor);
  if (line.kind == FundKind::other) line.kind = kind_of(cell(at.story), line.amount.minor);
  if (line.kind != FundKind::fee) return move;
  // The order's number may name the refund itself, the others only its trade.
  for (const auto& column : {at.number, at.business}) {
    if (auto owner = bill_word(cell(column), kMaxNumberBytes); owner && !owner->empty())
      move.owners.push_back(std::move(*owner));
  }
  for (const auto& column : {at.remark, at.subject}) add_bracketed(cell(column), move.owners);
  return move;
}

// Nothing quotes a comma. The row with each surplus comma given to one of the texts, in each way
// that there is.
void each_mended(const Columns& at, const Cells& row, const std::function<void(const Cells&)>& go) {
  const std::vector<std::size_t> texts = at.texts();
  std::vector<std::size_t> shares(texts.size());
  const std::function<void(std::size_t, std::size_t)> share = [&](std::size_t text,
                                                                  std::size_t left) {
    if (text + 1 < texts.size()) {
      for (shares[text] = 0; shares[text] <= left; ++shares[text])
        share(text + 1, left - shares[text]);
      return;
    }
    shares[text] = left;
    Cells mended;
    for (std::size_t cell = 0, nth = 0; cell < row.size(); ++cell) {
      mended.push_back(row[cell]);
      if (nth < texts.size() && mended.size() == texts[nth] + 1) cell += shares[nth++];
    }
    if (mended.size() == at.count) go(mended);
  };
  if (!texts.empty()) share(0, row.size() - at.count);
}

tl::expected<Move, const char*> mended_move(const Columns& at, const Cells& row) {
  if (row.size() == at.count) return move_of(at, row);
  const tl::unexpected<const char*> bad("cells");
  if (row.size() < at.count || row.size() - at.count > kMaxStrayCommas) return bad;
  std::optional<Move> found;
  bool is_open = false;
  each_mended(at, row, [&](const Cells& mended) {
    auto move = move_of(at, mended);
    if (!move) return;
    is_open = is_open || (found && found->said() != move->said());
    if (!found) found = std::move(*move);
  });
  if (!found || is_open) return bad;
  return std::move(*found);
}

class Flow final : public AlipayTable {
 public:
  const char* take_titles(const AlipayTitles& titles) override {
    at_ = columns_of(titles);
    return at_.are_there() ? nullptr : "a needed column is missing";
  }

  const char* take_row(Cells& cells) override {
    auto move = mended_move(at_, cells);
    if (!move) return move.error();
    const std::int64_t minor = move->line.amount.minor;
    if (minor != 0) ++(minor > 0 ? ins_ : outs_);
    (minor > 0 ? in_ : out_) += minor;
    moves_.push_back(std::move(*move));
    return nullptr;
  }

  void take_remark(std::string_view remark) override {
    if (remark.starts_with("收入合计")) said_in_ = alipay_total(remark);
    if (remark.starts_with("支出合计")) said_out_ = alipay_total(remark);
  }

  Result<std::vector<Move>> close() {
    const AlipayTotal in = said_in_.value_or(AlipayTotal{});
    const AlipayTotal out = said_out_.value_or(AlipayTotal{});
    const __int128 in_parts = in_ * kPartsPerFen, out_parts = out_ * kPartsPerFen;
    // A movement of nothing goes neither way, and may be counted on either side.
    const bool is_counted = in.count >= ins_ && out.count >= outs_ &&
                            static_cast<std::size_t>(in.count + out.count) == moves_.size();
    if (!is_counted || in.parts != in_parts || (out.parts != out_parts && -out.parts != out_parts))
      return alipay_malformed("the lines do not add up to the totals");
    return std::move(moves_);
  }

 private:
  Columns at_;
  std::vector<Move> moves_;
  std::optional<AlipayTotal> said_in_, said_out_;
  std::int64_t ins_ = 0, outs_ = 0;
  __int128 in_ = 0, out_ = 0;
};

Result<std::vector<Move>> moves_in(std::string_view csv, const AlipayBillOf& wanted) {
  Flow flow;
  const auto read = read_alipay_table(csv, kFirstLine, wanted, flow);
  if (!read) return tl::unexpected<Error>(read.error());
  return flow.close();
}

// Payments or refunds of a bill by each of their numbers, so that fees find them. Several fees of
// one number go to its lines in turn.
class Owners {
 public:
  void add(const FundLine& line) {
    for (const std::string& name : {line.business_no, line.number}) {
      if (!name.empty()) lines_[name].of.push_back(&line);
    }
  }
  const FundLine* next(const std::string& name) {
    const auto found = lines_.find(name);
    if (found == lines_.end()) return nullptr;
    auto& [of, used] = found->second;
    return of[std::min(used++, of.size() - 1)];
  }

 private:
  struct Lines {
    std::vector<const FundLine*> of;
    std::size_t used = 0;
  };
  std::map<std::string, Lines> lines_;
};

// "trade-r-refund-" names a refund, or at least its trade.
std::vector<std::string> names_in(const std::string& owner) {
  const std::size_t mark = owner.find(kGivenBackMark);
  if (mark == std::string::npos) return {owner};
  std::string refund = owner.substr(mark + kGivenBackMark.size());
  if (refund.ends_with('-')) refund.pop_back();
  return {std::move(refund), owner.substr(0, mark)};
}

// By the times; where they are all the same, by the balances, which follow one order or the other.
bool is_newest_first(const std::vector<Move>& moves) {
  if (moves.empty()) return false;
  const std::int64_t first_ms = moves.front().line.at_ms, last_ms = moves.back().line.at_ms;
  if (first_ms != last_ms) return first_ms > last_ms;
  const auto follows = [](const FundLine& later, const FundLine& earlier) {
    return later.balance.minor - later.amount.minor == earlier.balance.minor;
  };
  std::int64_t up = 0, down = 0;
  for (std::size_t i = 1; i < moves.size(); ++i) {
    up += follows(moves[i].line, moves[i - 1].line) ? 1 : 0;
    down += follows(moves[i - 1].line, moves[i].line) ? 1 : 0;
  }
  return down > up;
}

// Each fee gets the numbers of what it is of, where that is in the bill: of a payment what was
// kept, of a refund what was given back.
std::vector<FundLine> with_owned_fees(std::vector<Move> moves) {
  // The oldest first; what stands in one second keeps the order that the balances follow.
  if (is_newest_first(moves)) std::reverse(moves.begin(), moves.end());
  std::stable_sort(moves.begin(), moves.end(),
                   [](const Move& a, const Move& b) { return a.line.at_ms < b.line.at_ms; });
  Owners payments, refunds;
  for (const Move& move : moves) {
    if (move.line.kind == FundKind::payment) payments.add(move.line);
    if (move.line.kind == FundKind::refund) refunds.add(move.line);
  }
  std::vector<FundLine> lines;
  lines.reserve(moves.size());
  for (const Move& move : moves) {
    lines.push_back(move.line);
    const FundLine* owner = nullptr;
    for (const std::string& said : move.owners) {
      for (const std::string& name : names_in(said)) {
        if (owner == nullptr) owner = (move.line.amount.minor < 0 ? payments : refunds).next(name);
      }
    }
    if (owner != nullptr) lines.back().business_no = owner->business_no;
    // A fee of what is on another day's bill is nobody's here.
    if (owner != nullptr || move.line.kind == FundKind::fee)
      lines.back().number = owner == nullptr ? "" : owner->number;
  }
  return lines;
}

}  // namespace

Result<std::vector<FundLine>> read_alipay_fund_details(std::string_view csv,
                                                       const AlipayBillOf& wanted) {
  auto moves = moves_in(csv, wanted);
  if (!moves) return tl::unexpected<Error>(moves.error());
  return with_owned_fees(std::move(*moves));
}

Result<std::vector<FundLine>> read_alipay_fund_bill(std::string_view archive,
                                                    const AlipayBillOf& wanted) {
  const auto files = alipay_details_in(archive, kFirstLine);
  if (!files) return tl::unexpected<Error>(files.error());
  std::vector<Move> all;
  for (const std::string& file : *files) {
    auto moves = moves_in(file, wanted);
    if (!moves) return tl::unexpected<Error>(moves.error());
    all.insert(all.end(), std::make_move_iterator(moves->begin()),
               std::make_move_iterator(moves->end()));
    if (all.size() > kMaxBillLines) return alipay_malformed("there are too many lines");
  }
  return with_owned_fees(std::move(all));
}

}  // namespace topup::payments
