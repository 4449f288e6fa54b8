#include "server/payments/alipay_bill.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "server/base/gb18030.h"
#include "server/base/zip.h"

namespace topup::payments {
namespace {

const AlipayBillOf kWanted{"2088720000000001", "2026-11-20"};
const std::string kTitles =
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,"
    "对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,"
    "商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,"
    "退款批次号/请求号,服务费（元）,分润（元）,备注";
const std::string kPaid =
    "2026112022001400000000000001\t,T1\t,交易,话费充值,2026-11-20 10:00:00,2026-11-20 10:00:09,,,,,"
    "138****0000,99.50,99.50,0.00,0.00,0.00,0.00,0.00,,0.00,0.00,\t,-0.60,0.00,";
const std::string kBack =
    "2026112022001400000000000001\t,T1\t,退款,话费充值,2026-11-20 10:00:00,2026-11-20 11:30:00,,,,,"
    "138****0000,-10.00,-10.00,0.00,0.00,0.00,0.00,0.00,,0.00,0.00,R1\t,0.06,0.00,";

struct Sheet {
  std::string account = "20887200000000010156", day = "2026年11月20日", titles = kTitles;
  std::vector<std::string> rows = {kPaid, kBack};
  std::string paid = "#交易合计：1笔，商家实收共99.50元，商家优惠共0.00元";
  std::string back = "#退款合计：1笔，商家实收退款共-10.00元，商家优惠退款共0.00元";
  std::string end = "#------业务明细列表结束------";

  std::string text() const {
    std::string out = "#支付宝业务明细查询\r\n#账号：[" + account + "]\r\n#起始日期：[" + day +
                      " 00:00:00]   终止日期：[2026年11月21日 00:00:00]\r\n" +
                      "#------业务明细列表------\r\n" + titles + "\r\n";
    for (const std::string& row : rows) out += row + "\r\n";
    for (const std::string& line : {end, paid, back}) out += line.empty() ? "" : line + "\r\n";
    return out + "#导出时间：[2026年11月21日 09:10:11]\r\n";
  }
  std::string why() const {
    const auto read = read_alipay_details(text(), kWanted);
    return read ? ""
                : std::string(read.error().reason) + ": " + std::string(read.error().detail.view());
  }
};

std::string changed(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("alipay bill: a payment and a part of it given back, with fees, in order") {
  const auto bill = read_alipay_details(Sheet().text(), kWanted);
  REQUIRE(bill);
  REQUIRE(bill->lines.size() == 2);
  const BillLine& paid = bill->lines[0];
  CHECK(paid.kind == BillKind::payment);
  CHECK(paid.out_trade_no.text == "T1");
  CHECK(paid.transaction_id.text == "2026112022001400000000000001");
  CHECK(paid.amount == fen(9'950));
  CHECK(paid.fee == fen(60));
  CHECK(paid.at_ms == 1'795'140'009'000);  // 2026-11-20 10:00:09 in Beijing
  CHECK(paid.state == "SUCCESS");
  const BillLine& back = bill->lines[1];
  CHECK(back.kind == BillKind::refund);
  CHECK(back.out_refund_no.text == "R1");
  CHECK(back.amount == fen(1'000));
  CHECK(back.fee == fen(-6));
  CHECK(bill->payments == 1);
  CHECK(bill->refunds == 1);
  CHECK(bill->paid == fen(9'950));
  CHECK(bill->refunded == fen(1'000));
  CHECK(bill->fees == fen(54));
}

TEST_CASE("alipay bill: tolerant where Alipay is not strict") {
  Sheet sheet;
  SUBCASE("a comma in the goods' name or the remark is put back") {
    sheet.rows = {changed(kPaid, "话费充值", "话费,充值,100") + "a,b,c", kBack + "x,y"};
  }
  SUBCASE("other columns, another order, ASCII brackets") {
    sheet.titles =
        "业务类型,商户订单号,支付宝交易号,完成时间,订单金额(元),商家实收(元),新的一列,"
        "退款批次号/请求号,服务费(元)";
    sheet.rows = {"交易,T1\t,4200\t,2026-11-20 10:00:09,99.50,99.5,,,-0.6",
                  "退款,T1\t,4200\t,2026-11-20 11:30:00,-10.00,-10.00,,R1\t,0.06"};
  }
  SUBCASE("the total of refunds without its sign") {
    sheet.back = changed(sheet.back, "-10.00", "10.00");
  }
  SUBCASE("a refund that was asked for without a number has that of its payment") {
    sheet.rows[1] = changed(kBack, "R1", "");
  }
  SUBCASE("a merchant's own voucher: what the payer owed counts, what was received adds up") {
    sheet.rows[0] = changed(kPaid, "99.50,99.50", "99.50,89.50");
    sheet.paid = changed(sheet.paid, "99.50", "89.50");
  }
  CHECK(sheet.why() == "");
  const auto bill = read_alipay_details(sheet.text(), kWanted);
  REQUIRE(bill);
  CHECK(bill->paid == fen(9'950));
  CHECK(bill->refunded == fen(1'000));
}

TEST_CASE("alipay bill: a day without a kind of line needs no total of it") {
  Sheet sheet;
  sheet.rows = {kPaid};
  sheet.back.clear();
  CHECK(sheet.why() == "");
  sheet.rows = {};
  sheet.paid.clear();
  CHECK(sheet.why() == "");
}

TEST_CASE("alipay bill: what does not add up is refused as a whole") {
  Sheet sheet;
  std::string why = "bill_malformed: the lines do not add up to the totals";
  SUBCASE("a line is missing") { sheet.rows = {kPaid}; }
  SUBCASE("a line comes twice") { sheet.rows = {kPaid, kPaid, kBack}; }
  SUBCASE("an amount was changed") { sheet.rows[0] = changed(kPaid, "99.50,99.50", "99.50,99.51"); }
  SUBCASE("the totals are missing") { sheet.paid.clear(); }
  SUBCASE("the end is missing") {
    sheet.end.clear();
    why = "bill_malformed: the end is missing";
  }
  SUBCASE("a row behind the end") {
    sheet.end += "\r\n" + kPaid;
    why = "bill_malformed: line 9: a row after the end";
  }
  SUBCASE("half a fen") {
    sheet.rows[0] = changed(kPaid, "99.50,99.50", "99.505,99.50");
    why = "bill_malformed: line 6: amount";
  }
  SUBCASE("a payment below nothing") {
    sheet.rows[0] = changed(kPaid, "99.50,99.50", "-99.50,99.50");
    why = "bill_malformed: line 6: amount";
  }
  SUBCASE("a row that is cut") {
    sheet.rows[1] = kBack.substr(0, 60);
    why = "bill_malformed: line 7: cells";
  }
  SUBCASE("a kind of business we do not know") {
    sheet.rows[0] = changed(kPaid, "交易", "转账");
    why = "bill_malformed: line 6: kind";
  }
  SUBCASE("no such time") {
    sheet.rows[0] = changed(kPaid, "10:00:09", "10:61:09");
    why = "bill_malformed: line 6: time";
  }
  SUBCASE("a column is missing") {
    sheet.titles = changed(kTitles, "商户订单号", "订单号");
    why = "bill_malformed: line 5: a needed column is missing";
  }
  SUBCASE("another merchant's bill") {
    sheet.account = "20887200000000020156";
    why = "bill_of_another: account";
  }
  SUBCASE("another day's bill") {
    sheet.day = "2026年11月19日";
    why = "bill_of_another: day";
  }
  CHECK(sheet.why() == why);
}

TEST_CASE("alipay bill: of the archive the details count, in GB18030 or UTF-8, not the summary") {
  const auto gbk = [](const std::string& text) { return *base::gb18030_of_utf8(text); };
  const std::string summary = gbk("#支付宝业务汇总查询\r\n#账号：[2088]\r\n");
  Sheet second;
  second.rows = {changed(changed(kPaid, "T1", "T2"), "0001\t", "0002\t")};
  second.back.clear();
  const auto read = read_alipay_bill(base::zip({{"summary.csv", summary},
                                                {"details.csv", gbk(Sheet().text())},
                                                {"details_2.csv", second.text()}}),
                                     kWanted);
  REQUIRE(read);
  CHECK(read->lines.size() == 3);
  CHECK(read->payments == 2);
  CHECK(read->paid == fen(19'900));
  const auto why = [](const std::string& archive) {
    const auto bill = read_alipay_bill(archive, kWanted);
    return bill ? "" : std::string(bill.error().detail.view());
  };
  CHECK(why(base::zip({{"summary.csv", summary}})) == "the archive holds no details");
  CHECK(why("not an archive") == "zip_malformed");
  CHECK(why(base::zip({{"a", "\xff\xff\xff"}})) == "the text is not GB18030");
}

TEST_CASE("alipay bill: a link leads to the host that was configured, or nowhere") {
  const auto target = [](const std::string& url) -> std::string {
    const auto read = alipay_bill_target(url, "https://dwbillcenter.alipay.com");
    return read ? *read : std::string(read.error().reason);
  };
  CHECK(target("http://dwbillcenter.alipay.com/downloadBillFile.resource?fileId=1") ==
        "/downloadBillFile.resource?fileId=1");
  CHECK(target("https://dwbillcenter.alipay.com/a") == "/a");
  CHECK(target("http://dwbillcenter.alipay.com.evil.example/a") == "bill_link_elsewhere");
  CHECK(target("http://evil.example@dwbillcenter.alipay.com/a") == "bill_link_elsewhere");
  CHECK(target("http://169.254.169.254/latest") == "bill_link_elsewhere");
  CHECK(target("file:///etc/passwd") == "bill_link_elsewhere");
  CHECK(target("/a") == "bill_link_malformed");
  CHECK(target("http://dwbillcenter.alipay.com/a b") == "bill_link_malformed");
  CHECK(target("http://dwbillcenter.alipay.com/a\r\nX: y") == "bill_link_malformed");
  CHECK(target("") == "bill_link_malformed");
}

}  // namespace topup::payments
