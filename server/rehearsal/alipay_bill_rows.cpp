#include "server/rehearsal/alipay_bill_rows.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "server/base/gb18030.h"
#include "server/base/zip.h"
#include "shared/check.h"
#include "shared/money.h"
#include "shared/time_point.h"

namespace topup::rehearsal {
namespace {

constexpr std::int64_t kFeeBp = 60;
constexpr std::string_view kPlants[] = {"leave_out",  "stranger", "amount",   "twice",  "next_day",
                                        "day_before", "fee",      "withdraw", "balance"};
constexpr std::string_view kFundsOnly = "funds.", kTradeOnly = "trade.";  // before a stored kind

std::int64_t fee_of(std::int64_t minor) {
  return scale_bp(fen(minor), kFeeBp, Round::half_up).value_or(fen(0)).minor;
}

void apply_plant(std::vector<AlipayBillRow>& rows, AlipayBillRow& row,
                 const AlipayBillPlant& plant) {
  const std::int64_t midnight = start_of_day_ms(row.at_ms, kShanghaiOffsetMs);
  const std::int64_t number = std::atoll(plant.value.c_str());
  if (plant.kind == "leave_out") row.is_left_out = true;
  if (plant.kind == "amount") row.amount_fen = std::max<std::int64_t>(0, row.amount_fen + number);
  if (plant.kind == "next_day") row.at_ms = midnight + kDayMs;
  if (plant.kind == "day_before") row.at_ms = midnight - 1'000;
  if (plant.kind == "fee") row.fee_fen = number;
  if (plant.kind == "twice") rows.push_back(row);
}

AlipayBillRow stranger(const AlipayBillPlant& plant) {
  AlipayBillRow row;
  row.trade_no = compact_china(plant.at_ms) + "229999999999999";
  row.out_trade_no = plant.number;
  row.subject = "stranger";
  row.created_ms = row.at_ms = plant.at_ms;
  row.amount_fen = std::atoll(plant.value.c_str());
  row.fee_fen = fee_of(row.amount_fen);
  return row;
}

AlipayBillRow withdrawal(const AlipayBillPlant& plant) {
  AlipayBillRow row;
  row.is_withdrawal = true;
  row.trade_no = row.out_trade_no = plant.number;
  row.at_ms = plant.at_ms;
  row.amount_fen = std::atoll(plant.value.c_str());
  return row;
}

void plant_all(std::vector<AlipayBillRow>& rows, const std::vector<AlipayBillPlant>& plants,
               bool is_fund_flow) {
  for (const AlipayBillPlant& plant : plants) {
    if (plant.kind == "stranger") rows.push_back(stranger(plant));
    if (plant.kind == "withdraw" && is_fund_flow) rows.push_back(withdrawal(plant));
    if (plant.kind == "stranger" || plant.kind == "withdraw") continue;
    for (std::size_t i = 0, known = rows.size(); i < known; ++i) {
      if (rows[i].number() != plant.number) continue;
      AlipayBillRow changed = rows[i];
      apply_plant(rows, changed, plant);
      rows[i] = changed;
    }
  }
}

AlipayBillRow row_of(const AlipayTrade& trade) {
  AlipayBillRow row;
  row.trade_no = trade.trade_no;
  row.out_trade_no = trade.fields.out_trade_no;
  row.subject = trade.fields.subject;
  row.created_ms = trade.created_ms;
  row.at_ms = trade.paid_ms;
  row.amount_fen = trade.paid_fen;
  row.fee_fen = fee_of(trade.paid_fen);
  return row;
}

AlipayBillRow row_of(storage::Reader& reader, const AlipayRefund& refund) {
  const auto trade = alipay_book::find_trade(reader, refund.out_trade_no);
  AlipayBillRow row;
  row.is_refund = true;
  row.trade_no = trade ? trade->trade_no : "0";
  row.out_trade_no = refund.out_trade_no;
  row.out_request_no = refund.out_request_no;
  row.subject = trade ? trade->fields.subject : "";
  row.created_ms = trade ? trade->created_ms : refund.created_ms;
  row.at_ms = refund.done_ms;
  row.amount_fen = refund.refund_fen;
  row.fee_fen = -fee_of(refund.refund_fen);
  return row;
}

std::string chinese_day(std::int64_t at_ms) {
  const std::string day = day_text(at_ms, kShanghaiOffsetMs);
  return "[" + day.substr(0, 4) + "年" + day.substr(5, 2) + "月" + day.substr(8, 2) +
         "日 00:00:00]";
}

}  // namespace

bool is_alipay_plant(std::string_view kind) {
  return std::find(std::begin(kPlants), std::end(kPlants), kind) != std::end(kPlants);
}

std::vector<AlipayBillPlant> alipay_plants_for(storage::Reader& reader, bool is_fund_flow) {
  std::vector<AlipayBillPlant> out;
  for (AlipayBillPlant plant : alipay_book::list_plants(reader)) {
    if (plant.kind.starts_with(is_fund_flow ? kTradeOnly : kFundsOnly)) continue;
    if (const auto dot = plant.kind.find('.'); dot != std::string::npos)
      plant.kind.erase(0, dot + 1);
    out.push_back(std::move(plant));
  }
  return out;
}

std::vector<AlipayBillRow> alipay_bill_rows(storage::Reader& reader, const AlipayBillSpan& span) {
  // A planted line may come from the day before or the day after.
  const std::int64_t first = span.from_ms - kDayMs, last = span.until_ms + kDayMs;
  std::vector<AlipayBillRow> rows;
  for (const AlipayTrade& trade : alipay_book::list_paid(reader, first, last))
    rows.push_back(row_of(trade));
  for (const AlipayRefund& refund : alipay_book::list_refunds(reader, first, last))
    rows.push_back(row_of(reader, refund));
  plant_all(rows, alipay_plants_for(reader, span.is_fund_flow), span.is_fund_flow);
  std::erase_if(rows, [&](const AlipayBillRow& row) {
    return row.is_left_out || row.at_ms < span.from_ms || row.at_ms >= span.until_ms;
  });
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& a, const auto& b) { return a.at_ms < b.at_ms; });
  return rows;
}

std::string alipay_bill_head(const AlipayBillFile& file) {
  const std::string kind(file.kind);
  return "#支付宝" + kind + "明细查询\r\n#账号：[" + file.account + "]\r\n#起始日期：" +
         chinese_day(file.from_ms) + "   终止日期：" + chinese_day(file.from_ms + kDayMs) +
         "\r\n#-----------------------------------------" + kind + "明细列表----------------\r\n";
}

std::string alipay_bill_end(const AlipayBillFile& file) {
  return "#-----------------------------------------" + std::string(file.kind) +
         "明细列表结束------------\r\n";
}

std::string alipay_bill_archive(const AlipayBillFile& file, const std::string& details) {
  const auto in_gbk = [](const std::string& text) {
    auto gbk = base::gb18030_of_utf8(text);
    check(gbk.has_value(), "alipay: no table for GB18030");
    return std::move(*gbk);
  };
  std::string name = file.account + "_" + day_text(file.from_ms, kShanghaiOffsetMs);
  std::erase(name, '-');
  const std::string kind(file.kind);
  // The summary comes first: whoever takes the first file has the wrong one.
  return base::zip({{in_gbk(name + "_" + kind + "明细(汇总).csv"),
                     in_gbk("#支付宝" + kind + "汇总查询\r\n#账号：[" + file.account + "]\r\n")},
                    {in_gbk(name + "_" + kind + "明细.csv"), in_gbk(details)}});
}

}  // namespace topup::rehearsal
