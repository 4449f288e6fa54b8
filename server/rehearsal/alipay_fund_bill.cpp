// The account-flow bill of the rehearsed Alipay, made from its book: every movement of the shop's
// account, each service fee by itself, the newest first, as published exports have them. A refund
// stands under its payment's number; a fee says in brackets which trade it is of.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "server/rehearsal/alipay.h"
#include "server/rehearsal/alipay_bill_rows.h"
#include "shared/money.h"
#include "shared/time_point.h"

namespace topup::rehearsal {
namespace {

constexpr std::string_view kTitles =
    "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,"
    "账户余额（元）,交易渠道,业务类型,备注\r\n";
constexpr std::string_view kFee = "收费", kFeeBack = "退费";

// One movement of the account.
struct Move {
  const AlipayBillRow* row;
  std::string_view word;
  std::int64_t into_fen;
  std::int64_t slip_fen = 0;  // what the balance says too much from here on
};

std::vector<Move> moves_of(const std::vector<AlipayBillRow>& rows) {
  std::vector<Move> moves;
  const auto add = [&moves](const AlipayBillRow& row, std::string_view word, std::int64_t fen) {
    if (fen != 0) moves.push_back({&row, word, fen});
  };
  for (const AlipayBillRow& row : rows) {
    if (row.is_withdrawal) {
      add(row, "提现", -row.amount_fen);
      continue;
    }
    add(row, row.is_refund ? "交易退款" : "在线支付",
        row.is_refund ? -row.amount_fen : row.amount_fen);
    add(row, row.fee_fen > 0 ? kFee : kFeeBack, -row.fee_fen);
  }
  return moves;
}

std::string yuan(std::int64_t minor) { return decimal_text(fen(minor)); }

// As Alipay writes it: nothing is quoted, ids end with a tab, what goes out is negative.
std::string text_of(const Move& move, std::int64_t balance_fen, std::map<std::string, int>& flows) {
  const AlipayBillRow& row = *move.row;
  const bool is_fee = move.word == kFee || move.word == kFeeBack;
  std::string flow = (is_fee ? "F2" : "F1") + (row.is_refund ? row.out_request_no : row.trade_no);
  if (const int before = flows[flow]++; before > 0) flow += "-" + std::to_string(before);
  std::string number = row.out_trade_no, remark;
  if (row.is_withdrawal) number.clear();
  if (move.word == kFee) remark = "服务费[" + row.trade_no + "]";
  if (move.word == kFeeBack) {
    number = row.trade_no + "-r-" + row.number() + "-";
    remark = "服务费退回(" + row.trade_no + ")";
  }
  const bool is_in = move.into_fen > 0;
  return flow + "\t," + row.trade_no + "\t," + number + "\t," + row.subject + "\t," +
         spaced_time(row.at_ms, 8 * 60) + ",138****0000\t," +
         (is_in ? yuan(move.into_fen) : "0.00") + "," + (is_in ? "0.00" : yuan(move.into_fen)) +
         "," + yuan(balance_fen) + ",支付宝," + std::string(move.word) + "," + remark + "\r\n";
}

void slip(std::vector<Move>& moves, const AlipayBillPlant& plant) {
  const std::int64_t end = start_of_day_ms(plant.at_ms, kShanghaiOffsetMs) + kDayMs;
  const auto last = std::find_if(moves.rbegin(), moves.rend(),
                                 [end](const Move& one) { return one.row->at_ms < end; });
  if (plant.kind == "balance" && last != moves.rend())
    last->slip_fen += std::atoll(plant.value.c_str());
}

}  // namespace

// The account runs on from day to day, so the balance is that of everything before.
std::string Alipay::fund_archive(std::int64_t from_ms) {
  std::vector<AlipayBillRow> rows;
  std::vector<AlipayBillPlant> plants;
  around().db.read([&](storage::Reader& reader) {
    rows = alipay_bill_rows(reader, {kDayMs + 1, from_ms + kDayMs, true});  // 0: not paid
    plants = alipay_plants_for(reader, true);
  });
  std::vector<Move> moves = moves_of(rows);
  for (const AlipayBillPlant& plant : plants) slip(moves, plant);
  std::int64_t balance = 0, ins = 0, outs = 0, in = 0, out = 0;
  std::vector<std::string> lines;
  std::map<std::string, int> flows;  // numbers given out, the same whenever the file is made
  for (const Move& move : moves) {
    balance += move.into_fen + move.slip_fen;
    if (move.row->at_ms < from_ms) continue;
    ++(move.into_fen > 0 ? ins : outs);
    (move.into_fen > 0 ? in : out) += move.into_fen;
    lines.push_back(text_of(move, balance, flows));
  }
  if (lines.empty()) return {};
  const AlipayBillFile file{identity_.contract.seller_id + "0156", from_ms, "账务"};
  std::string text = alipay_bill_head(file) + std::string(kTitles);
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) text += *line;
  text += alipay_bill_end(file) + "#支出合计：" + std::to_string(outs) + "笔，共" + yuan(out) +
          "元\r\n#收入合计：" + std::to_string(ins) + "笔，共" + yuan(in) + "元\r\n";
  return alipay_bill_archive(file, text);
}

}  // namespace topup::rehearsal
