// The trade bill of the rehearsed Alipay, the links to its bills, and what a tester plants in them.
#include <string>

#include "server/rehearsal/alipay.h"
#include "server/rehearsal/alipay_bill_rows.h"
#include "shared/money.h"
#include "shared/time_point.h"

namespace topup::rehearsal {
namespace {

using base::Json;

constexpr std::int64_t kMadeAtMs = 9 * 3'600'000;  // of the next day
constexpr std::int64_t kKeptDays = 365;
constexpr std::string_view kTitles =
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,"
    "对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,"
    "商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,"
    "退款批次号/请求号,服务费（元）,分润（元）,备注\r\n";

AlipayRefusal business(std::string_view sub_code, std::string_view message) {
  return {"40004", std::string(sub_code), std::string(message)};
}

std::optional<std::int64_t> day_start(const std::string& day) {
  const auto at = parse_rfc3339(day + "T00:00:00+08:00");
  if (!at || day_text(*at, kShanghaiOffsetMs) != day) return {};
  return at;
}

std::string signed_yuan(std::int64_t minor) { return decimal_text(fen(minor)); }

// As Alipay writes it: nothing is quoted, ids end with a tab, amounts of refunds are negative.
std::string text_of(const AlipayBillRow& row) {
  const std::string amount = signed_yuan(row.is_refund ? -row.amount_fen : row.amount_fen);
  return row.trade_no + "\t," + row.out_trade_no + "\t," + (row.is_refund ? "退款" : "交易") + "," +
         row.subject + "," + spaced_time(row.created_ms, 8 * 60) + "," +
         spaced_time(row.at_ms, 8 * 60) + ",,,,,138****0000," + amount + "," + amount +
         ",0.00,0.00,0.00,0.00,0.00,,0.00,0.00," + (row.is_refund ? row.out_request_no : "") +
         "\t," + signed_yuan(-row.fee_fen) + ",0.00,\r\n";
}

std::string details(const std::vector<AlipayBillRow>& rows, const AlipayBillFile& file) {
  std::string out = alipay_bill_head(file) + std::string(kTitles);
  std::int64_t payments = 0, refunds = 0, paid = 0, refunded = 0;
  for (const AlipayBillRow& row : rows) {
    out += text_of(row);
    ++(row.is_refund ? refunds : payments);
    (row.is_refund ? refunded : paid) += row.amount_fen;
  }
  return out + alipay_bill_end(file) + "#交易合计：" + std::to_string(payments) + "笔，商家实收共" +
         signed_yuan(paid) + "元，商家优惠共0.00元\r\n#退款合计：" + std::to_string(refunds) +
         "笔，商家实收退款共" + signed_yuan(-refunded) + "元，商家优惠退款共0.00元\r\n";
}

}  // namespace

std::string Alipay::trade_archive(std::int64_t from_ms) {
  std::vector<AlipayBillRow> rows;
  around().db.read([&](storage::Reader& reader) {
    rows = alipay_bill_rows(reader, {from_ms, from_ms + kDayMs, false});
  });
  const AlipayBillFile file{identity_.contract.seller_id + "0156", from_ms, "业务"};
  return rows.empty() ? "" : alipay_bill_archive(file, details(rows, file));
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
  const std::string type = text("bill_type");
  if (type != "trade" && type != "signcustomer") return wrong("bill_type");
  if (!from || *from > now || *from < now - kKeptDays * kDayMs) return wrong("bill_date");
  if (now < *from + kDayMs + kMadeAtMs && !armed_.take("early_bill")) return wrong("bill_date");
  std::string file = type == "trade" ? trade_archive(*from) : fund_archive(*from);
  if (file.empty()) return alipay_refusal_json(business("BILL_NOT_EXIST", "账单不存在"));
  if (armed_.take("bill_cut")) file.resize(file.size() / 2);
  const std::string token = base::new_token(around().random);
  bills_.add(token, std::move(file), now);
  const bool is_elsewhere = armed_.take("bill_elsewhere");
  return {
      {"code", "10000"},
      {"msg", "Success"},
      {"bill_download_url", (is_elsewhere ? std::string("http://127.0.0.1:9") : origin_) +
                                "/downloadBillFile.resource?bizType=" + type + "&fileId=" + token}};
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
  const std::string kind = base::text_in(*body, "plant").value_or("");
  plant.number = base::text_in(*body, "number", 64).value_or("");
  plant.value = base::text_in(*body, "value", 32).value_or("");
  const std::string only = base::text_in(*body, "bill", 8).value_or("");
  const bool is_bill = only.empty() || only == "trade" || only == "funds";
  const bool is_none = kind == "none";
  if (!is_bill || (!is_none && (!is_alipay_plant(kind) || plant.number.empty()))) {
    return refusal(
        "wants {\"plant\": none | leave_out | stranger | amount | twice | next_day | day_before | "
        "fee | withdraw | balance, \"number\": of the order or refund, \"value\"?: text, \"day\"?, "
        "\"bill\"?: trade | funds; without it both}");
  }
  plant.kind = only.empty() ? kind : only + "." + kind;
  const auto day = day_start(base::text_in(*body, "day", 10).value_or(""));
  plant.at_ms = day ? *day + kDayMs / 2 : around().clock.wall_ms();
  around().db.write([&](storage::Tx& tx) {
    is_none ? alipay_book::drop_plants(tx) : alipay_book::insert_plant(tx, plant);
    return true;
  });
  return Answered::json({{"planted", kind}});
}

}  // namespace topup::rehearsal
