// The trade bill of the rehearsed Alipay, made from its own books, and the differences a tester
// plants in it: the books themselves stay right, as they would at a real mistake of a statement.
#include <algorithm>
#include <cstdlib>

#include "server/base/gb18030.h"
#include "server/base/zip.h"
#include "server/rehearsal/alipay.h"
#include "shared/check.h"
#include "shared/money.h"
#include "shared/time_point.h"

namespace topup::rehearsal {
namespace {

using base::Json;

constexpr std::int64_t kMadeAtMs = 9 * 3'600'000;  // of the next day
constexpr std::int64_t kKeptDays = 365;
constexpr std::int64_t kFeeBp = 60;
constexpr std::string_view kTitles =
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,"
    "对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,"
    "商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,"
    "退款批次号/请求号,服务费（元）,分润（元）,备注\r\n";
constexpr std::string_view kPlants[] = {"leave_out", "stranger",   "amount", "twice",
                                        "next_day",  "day_before", "fee"};

struct Row {
  bool is_refund = false, is_left_out = false;
  std::string trade_no, out_trade_no, out_request_no, subject;
  std::int64_t created_ms = 0, at_ms = 0;
  std::int64_t amount_fen = 0;  // positive
  std::int64_t fee_fen = 0;     // what Alipay keeps; negative: gives back
  const std::string& number() const { return is_refund ? out_request_no : out_trade_no; }
};

AlipayRefusal business(std::string_view sub_code, std::string_view message) {
  return {"40004", std::string(sub_code), std::string(message)};
}

std::optional<std::int64_t> day_start(const std::string& day) {
  const auto at = parse_rfc3339(day + "T00:00:00+08:00");
  if (!at || day_text(*at, kShanghaiOffsetMs) != day) return {};
  return at;
}

std::int64_t fee_of(std::int64_t minor) {
  return scale_bp(fen(minor), kFeeBp, Round::half_up).value_or(fen(0)).minor;
}

std::string signed_yuan(std::int64_t minor) { return decimal_text(fen(minor)); }

// As Alipay writes it: nothing is quoted, ids end with a tab, amounts of refunds are negative.
std::string text_of(const Row& row) {
  const std::string amount = signed_yuan(row.is_refund ? -row.amount_fen : row.amount_fen);
  return row.trade_no + "\t," + row.out_trade_no + "\t," + (row.is_refund ? "退款" : "交易") + "," +
         row.subject + "," + spaced_time(row.created_ms, 8 * 60) + "," +
         spaced_time(row.at_ms, 8 * 60) + ",,,,,138****0000," + amount + "," + amount +
         ",0.00,0.00,0.00,0.00,0.00,,0.00,0.00," + (row.is_refund ? row.out_request_no : "") +
         "\t," + signed_yuan(-row.fee_fen) + ",0.00,\r\n";
}

std::string chinese_day(std::int64_t at_ms) {
  const std::string day = day_text(at_ms, kShanghaiOffsetMs);
  return "[" + day.substr(0, 4) + "年" + day.substr(5, 2) + "月" + day.substr(8, 2) +
         "日 00:00:00]";
}

std::string details(const std::vector<Row>& rows, const std::string& seller_id,
                    std::int64_t from_ms) {
  std::string out =
      "#支付宝业务明细查询\r\n#账号：[" + seller_id + "0156]\r\n#起始日期：" +
      chinese_day(from_ms) + "   终止日期：" + chinese_day(from_ms + kDayMs) +
      "\r\n#-----------------------------------------业务明细列表----------------\r\n";
  out += kTitles;
  std::int64_t payments = 0, refunds = 0, paid = 0, refunded = 0;
  for (const Row& row : rows) {
    out += text_of(row);
    ++(row.is_refund ? refunds : payments);
    (row.is_refund ? refunded : paid) += row.amount_fen;
  }
  return out + "#-----------------------------------------业务明细列表结束------------\r\n" +
         "#交易合计：" + std::to_string(payments) + "笔，商家实收共" + signed_yuan(paid) +
         "元，商家优惠共0.00元\r\n#退款合计：" + std::to_string(refunds) + "笔，商家实收退款共" +
         signed_yuan(-refunded) + "元，商家优惠退款共0.00元\r\n";
}

std::string archive(const std::vector<Row>& rows, const std::string& seller_id,
                    std::int64_t from_ms) {
  const auto in_gbk = [](const std::string& text) {
    auto gbk = base::gb18030_of_utf8(text);
    check(gbk.has_value(), "alipay: no table for GB18030");
    return std::move(*gbk);
  };
  std::string name = seller_id + "0156_" + day_text(from_ms, kShanghaiOffsetMs);
  std::erase(name, '-');
  // The summary comes first: whoever takes the first file has the wrong one.
  return base::zip({{in_gbk(name + "_业务明细(汇总).csv"),
                     in_gbk("#支付宝业务汇总查询\r\n#账号：[" + seller_id + "0156]\r\n")},
                    {in_gbk(name + "_业务明细.csv"), in_gbk(details(rows, seller_id, from_ms))}});
}

void apply_plant(std::vector<Row>& rows, Row& row, const AlipayBillPlant& plant) {
  const std::int64_t midnight = start_of_day_ms(row.at_ms, kShanghaiOffsetMs);
  const std::int64_t number = std::atoll(plant.value.c_str());
  if (plant.kind == "leave_out") row.is_left_out = true;
  if (plant.kind == "amount") row.amount_fen = std::max<std::int64_t>(0, row.amount_fen + number);
  if (plant.kind == "next_day") row.at_ms = midnight + kDayMs;
  if (plant.kind == "day_before") row.at_ms = midnight - 1'000;
  if (plant.kind == "fee") row.fee_fen = number;
  if (plant.kind == "twice") rows.push_back(row);
}

Row stranger(const AlipayBillPlant& plant) {
  Row row;
  row.trade_no = compact_china(plant.at_ms) + "229999999999999";
  row.out_trade_no = plant.number;
  row.subject = "stranger";
  row.created_ms = row.at_ms = plant.at_ms;
  row.amount_fen = std::atoll(plant.value.c_str());
  row.fee_fen = fee_of(row.amount_fen);
  return row;
}

void plant_all(std::vector<Row>& rows, const std::vector<AlipayBillPlant>& plants) {
  for (const AlipayBillPlant& plant : plants) {
    if (plant.kind == "stranger") {
      rows.push_back(stranger(plant));
      continue;
    }
    for (std::size_t i = 0, known = rows.size(); i < known; ++i) {
      if (rows[i].number() != plant.number) continue;
      Row changed = rows[i];
      apply_plant(rows, changed, plant);
      rows[i] = changed;
    }
  }
}

// What moved within a day of the wanted one: a planted line may come from its neighbours.
std::vector<Row> rows_around(storage::Reader& reader, std::int64_t from_ms) {
  const std::int64_t first = from_ms - kDayMs, last = from_ms + 2 * kDayMs;
  std::vector<Row> rows;
  for (const AlipayTrade& trade : alipay_book::list_paid(reader, first, last)) {
    Row row;
    row.trade_no = trade.trade_no;
    row.out_trade_no = trade.fields.out_trade_no;
    row.subject = trade.fields.subject;
    row.created_ms = trade.created_ms;
    row.at_ms = trade.paid_ms;
    row.amount_fen = trade.paid_fen;
    row.fee_fen = fee_of(trade.paid_fen);
    rows.push_back(row);
  }
  for (const AlipayRefund& refund : alipay_book::list_refunds(reader, first, last)) {
    const auto trade = alipay_book::find_trade(reader, refund.out_trade_no);
    Row row;
    row.is_refund = true;
    row.trade_no = trade ? trade->trade_no : "0";
    row.out_trade_no = refund.out_trade_no;
    row.out_request_no = refund.out_request_no;
    row.subject = trade ? trade->fields.subject : "";
    row.created_ms = trade ? trade->created_ms : refund.created_ms;
    row.at_ms = refund.done_ms;
    row.amount_fen = refund.refund_fen;
    row.fee_fen = -fee_of(refund.refund_fen);
    rows.push_back(row);
  }
  return rows;
}

}  // namespace

std::string Alipay::bill_archive(std::int64_t from_ms) {
  std::vector<Row> rows;
  around().db.read([&](storage::Reader& reader) {
    rows = rows_around(reader, from_ms);
    plant_all(rows, alipay_book::list_plants(reader));
  });
  std::erase_if(rows, [&](const Row& row) {
    return row.is_left_out || row.at_ms < from_ms || row.at_ms >= from_ms + kDayMs;
  });
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& a, const Row& b) { return a.at_ms < b.at_ms; });
  return rows.empty() ? "" : archive(rows, identity_.contract.seller_id, from_ms);
}

Json Alipay::bill_link(const Pairs& params) {
  const auto content = alipay_content(params);
  const auto text = [&](const char* key) {
    return content ? base::text_in(*content, key, 32).value_or("") : std::string();
  };
  const auto from = day_start(text("bill_date"));
  const std::int64_t now = around().clock.wall_ms();
  const auto wrong = [](std::string_view message) {
    return alipay_refusal_json(business("INVAILID_ARGUMENTS", message));
  };
  if (text("bill_type") != "trade") return wrong("bill_type");
  if (!from || *from > now || *from < now - kKeptDays * kDayMs) return wrong("bill_date");
  if (now < *from + kDayMs + kMadeAtMs && !armed_.take("early_bill")) return wrong("bill_date");
  std::string file = bill_archive(*from);
  if (file.empty()) return alipay_refusal_json(business("BILL_NOT_EXIST", "账单不存在"));
  if (armed_.take("bill_cut")) file.resize(file.size() / 2);
  const std::string token = base::new_token(around().random);
  bills_.add(token, std::move(file), now);
  const bool is_elsewhere = armed_.take("bill_elsewhere");
  return {{"code", "10000"},
          {"msg", "Success"},
          {"bill_download_url", (is_elsewhere ? std::string("http://127.0.0.1:9") : origin_) +
                                    "/downloadBillFile.resource?bizType=trade&fileId=" + token}};
}

Answered Alipay::bill_file(const Asked& asked) {
  if (auto file = bills_.find(asked.query_value("fileId"), around().clock.wall_ms()))
    return {.content_type = "application/octet-stream", .body = std::move(*file)};
  return {.status = 404, .content_type = "text/html", .body = ""};
}

Answered Alipay::control_bill(const Asked& asked) {
  const auto refusal = [](std::string_view why) {
    return Answered::json({{"code", "CONTROL_REFUSED"}, {"message", why}}, 400);
  };
  const auto body = base::json_in(asked.body);
  if (!body || asked.header("content-type").substr(0, 16) != "application/json")
    return refusal("wants a JSON object");
  AlipayBillPlant plant;
  plant.kind = base::text_in(*body, "plant").value_or("");
  plant.number = base::text_in(*body, "number", 64).value_or("");
  plant.value = base::text_in(*body, "value", 32).value_or("");
  const bool is_none = plant.kind == "none";
  const bool is_known =
      std::find(std::begin(kPlants), std::end(kPlants), plant.kind) != std::end(kPlants);
  if (!is_none && (!is_known || plant.number.empty())) {
    return refusal(
        "wants {\"plant\": none | leave_out | stranger | amount | twice | next_day | day_before | "
        "fee, \"number\": of the order or refund, \"value\"?: text, \"day\"?}");
  }
  const auto day = day_start(base::text_in(*body, "day", 10).value_or(""));
  plant.at_ms = day ? *day + kDayMs / 2 : around().clock.wall_ms();
  around().db.write([&](storage::Tx& tx) {
    is_none ? alipay_book::drop_plants(tx) : alipay_book::insert_plant(tx, plant);
    return true;
  });
  return Answered::json({{"planted", plant.kind}});
}

}  // namespace topup::rehearsal
