// F037: Alipay's account-flow bill: every line reads and the lines add up, or nothing is used.
#include "server/payments/alipay_fund_bill.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "server/base/gb18030.h"
#include "server/base/zip.h"
#include "server/payments/wechat_bill.h"

namespace topup::payments {
namespace {

const AlipayBillOf kWanted{"2088720000000001", "2026-11-20"};
const std::string kTrade = "2026112022001400000000000001";
const std::string kTitles =
    "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,"
    "账户余额（元）,交易渠道,业务类型,备注";
const std::string kPaid = "11\t," + kTrade +
                          "\t,T1\t,话费充值\t,2026-11-20 10:00:09,138****0000\t,99.50,0.00,1099.50,"
                          "支付宝,在线支付,";
const std::string kFee = "12\t," + kTrade +
                         "\t,T1\t,话费充值\t,2026-11-20 10:00:09,\t,0.00,-0.60,1098.90,支付宝,收费,"
                         "服务费[" +
                         kTrade + "]";
const std::string kBack = "13\t," + kTrade +
                          "\t,T1\t,话费充值\t,2026-11-20 11:30:00,138****0000\t,0.00,-10.00,"
                          "1088.90,支付宝,交易退款,";
const std::string kFeeBack = "14\t," + kTrade + "\t," + kTrade +
                             "-r-R1-\t,话费充值\t,2026-11-20 11:30:00,\t,0.06,0.00,1088.96,支付宝,"
                             "退费,服务费退回(" +
                             kTrade + ")";
const std::string kOut = "15\t,W1\t,\t,\t,2026-11-20 18:00:00,\t,0.00,-1000.00,88.96,支付宝,提现,";

struct Flow {
  std::string account = "20887200000000010156", day = "2026年11月20日", titles = kTitles;
  std::string first = "#支付宝账务明细查询";
  std::vector<std::string> rows = {kOut, kFeeBack, kBack, kFee, kPaid};
  std::string outs = "#支出合计：3笔，共-1010.60元", ins = "#收入合计：2笔，共99.56元";
  std::string end = "#------账务明细列表结束------";

  std::string text() const {
    std::string out = first + "\r\n#账号：[" + account + "]\r\n#起始日期：[" + day +
                      " 00:00:00]   终止日期：[2026年11月21日 00:00:00]\r\n" +
                      "#------账务明细列表------\r\n" + titles + "\r\n";
    for (const std::string& row : rows) out += row + "\r\n";
    for (const std::string& line : {end, outs, ins}) out += line.empty() ? "" : line + "\r\n";
    return out + "#导出时间：[2026年11月21日 09:10:11]\r\n";
  }
  std::string why() const {
    const auto read = read_alipay_fund_details(text(), kWanted);
    return read ? ""
                : std::string(read.error().reason) + ": " + std::string(read.error().detail.view());
  }
};

std::string changed(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::vector<FundLine> read(const Flow& flow) {
  const auto lines = read_alipay_fund_details(flow.text(), kWanted);
  INFO(flow.why());
  REQUIRE(lines);
  return *lines;
}

void check_usual(const std::vector<FundLine>& lines) {
  REQUIRE(lines.size() == 5);
  const FundKind kinds[] = {FundKind::payment, FundKind::fee, FundKind::refund, FundKind::fee,
                            FundKind::withdrawal};
  const std::int64_t amounts[] = {9'950, -60, -1'000, 6, -100'000};
  std::int64_t balance = 100'000;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    CAPTURE(i);
    CHECK(lines[i].kind == kinds[i]);
    CHECK(lines[i].amount == fen(amounts[i]));
    CHECK(lines[i].balance == fen(balance += amounts[i]));
    CHECK(lines[i].flow_no == std::to_string(11 + i));
    if (i == 4) continue;
    CHECK(lines[i].number == "T1");
    CHECK(lines[i].business_no == kTrade);
  }
  CHECK(lines[0].at_ms == 1'795'140'009'000);  // 2026-11-20 10:00:09 in Beijing
}

}  // namespace

TEST_CASE("alipay fund flow: a payment, its fee, both given back in part, and a withdrawal") {
  const auto lines = read(Flow());
  check_usual(lines);
  CHECK(lines[0].word == "在线支付");
  CHECK(lines[3].word == "退费");
  CHECK(lines[4].business_no == "W1");
  CHECK(lines[4].number.empty());
}

TEST_CASE("alipay fund flow: tolerant where Alipay is not strict") {
  Flow flow;
  SUBCASE("the oldest line first") { flow.rows = {kPaid, kFee, kBack, kFeeBack, kOut}; }
  SUBCASE("what goes out without its sign, and no total of it with one") {
    for (std::string& row : flow.rows) {
      if (const auto at = row.find(",-"); at != std::string::npos) row.erase(at + 1, 1);
    }
    flow.outs = changed(flow.outs, "-", "");
  }
  SUBCASE("an empty cell for what did not move, and a plus") {
    for (std::string& row : flow.rows) {
      const bool is_in = row.find("0.00,-") == std::string::npos;
      row = is_in ? changed(row, ",0.00,", ",,") : changed(row, ",0.00,-", ",,-");
    }
    flow.rows[4] = changed(flow.rows[4], ",99.50,", ",+99.50,");
  }
  SUBCASE("titles and totals with ASCII brackets and blanks, commas behind each remark") {
    flow.titles = changed(changed(changed(kTitles, "（+元）", " (+元)"), "（-元）", "(-元)"),
                          "余额（元）", "余额(元) ");
    flow.outs = "# 支出合计： 3 笔，共 -1010.60 元,,,,,,,";
    flow.ins += ",,,,,,,";
    flow.end += ",,,,,,,";
  }
  SUBCASE("signs and brackets of full width") {
    flow.titles = changed(changed(kTitles, "（+元）", "（＋元）"), "（-元）", "（－元）");
    flow.account = "20887200000000010156］［";
  }
  SUBCASE("commas in the goods, the counterparty and the remark are put back") {
    flow.rows[4] =
        changed(changed(kPaid, "话费充值", "话费,充值,100"), "138****0000", "张,三") + "谢";
    flow.rows[3] = kFee + ",谢谢";
  }
  SUBCASE("a fee that has a number of its own, and is named in the remark alone") {
    flow.rows[3] = changed(changed(kFee, kTrade + "\t,T1", "88\t,99"), "话费充值", "");
  }
  SUBCASE("a fee whose order number is that of the trade") {
    flow.rows[3] = changed(changed(kFee, kTrade + "\t,T1", "88\t," + kTrade), "服务费[", "费用 ");
  }
  CHECK(flow.why() == "");
  check_usual(read(flow));
}

TEST_CASE("alipay fund flow: a day within one second stands in the order of its balances") {
  const auto at_ten = [](std::vector<std::string> rows) {
    for (std::string& row : rows) {
      const std::size_t at = row.find("2026-11-20 ");
      REQUIRE(at != std::string::npos);
      row.replace(at, 19, "2026-11-20 10:00:09");
    }
    return rows;
  };
  for (const bool is_newest_first : {true, false}) {
    CAPTURE(is_newest_first);
    Flow flow;
    if (!is_newest_first) flow.rows = {kPaid, kFee, kBack, kFeeBack, kOut};
    flow.rows = at_ten(flow.rows);
    check_usual(read(flow));
  }
}

TEST_CASE("alipay fund flow: other columns in another order") {
  Flow flow;
  flow.titles =
      "业务描述,账户余额（元）,支出金额（-元）,收入金额（+元）,业务类型,业务账单来源,备注,发生时间,"
      "商户订单号,业务基础订单号,业务流水号,账务流水号";
  flow.rows = {
      "0010001|交易收款-交易收款,99.50,0,99.5,其它,x,,2026-11-20 10:00:09,T1\t,T1\t,42\t,1\t",
      "0030001|服务费,98.90,-0.6,0,其它,x,,2026-11-20 10:00:10,T1\t,T1\t,42\t,2\t",
      "0020011|交易退款-交易退款,88.90,-10,0,其它,x,,2026-11-20 10:00:11,T1\t,T1\t,42\t,3\t",
      ",89.90,0,1,转账,x,a b,2026-11-20 10:00:12,anybody's own words\t,\t,\t,4\t"};
  flow.outs = "#支出合计：2笔，共-10.60元";
  flow.ins = "#收入合计：2笔，共100.50元";
  const auto lines = read(flow);
  REQUIRE(lines.size() == 4);
  CHECK(lines[0].kind == FundKind::payment);
  CHECK(lines[1].kind == FundKind::fee);
  CHECK(lines[2].kind == FundKind::refund);
  CHECK(lines[3].kind == FundKind::other);
  CHECK(lines[3].number.empty());
  CHECK(lines[3].word == "转账");
  CHECK(lines[3].balance == fen(8'990));
}

TEST_CASE("alipay fund flow: words mean what they say, in the direction that fits") {
  struct Row {
    const char* word;
    const char* in;
    const char* out;
    FundKind kind;
  };
  const Row rows[] = {{"在线支付", "1.00", "0.00", FundKind::payment},
                      {"交易付款", "1.00", "0", FundKind::payment},
                      {"在线支付", "0.00", "-1.00", FundKind::other},
                      {"交易退款", "0", "-1", FundKind::refund},
                      {"退款", "0", "1.00", FundKind::refund},
                      {"交易退款", "1.00", "0", FundKind::other},
                      {"收费", "0", "-1", FundKind::fee},
                      {"退费", "1.00", "0", FundKind::fee},
                      {"花呗支付服务费", "0", "-1", FundKind::fee},
                      {"提现", "0", "-1", FundKind::withdrawal},
                      {"提现", "1.00", "0", FundKind::other},
                      {"转账", "0", "-1", FundKind::other},
                      {"红包退回", "1.00", "0", FundKind::other}};
  for (const Row& row : rows) {
    CAPTURE(row.word);
    CAPTURE(row.in);
    Flow flow;
    flow.rows = {"1\t,2\t,3\t,x,2026-11-20 10:00:09,y," + std::string(row.in) + "," + row.out +
                 ",5.00,支付宝," + row.word + ","};
    const bool is_in = std::string(row.in) == "1.00";
    flow.ins = is_in ? "#收入合计：1笔，共1.00元" : "#收入合计：0笔，共0.00元";
    flow.outs = is_in ? "#支出合计：0笔，共0.00元" : "#支出合计：1笔，共-1.00元";
    const auto lines = read(flow);
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].kind == row.kind);
    CHECK(lines[0].amount == fen(is_in ? 100 : -100));
  }
}

TEST_CASE("alipay fund flow: fees find their payment or refund, each its own") {
  const auto row = [](const std::string& flow, const std::string& business,
                      const std::string& number, const std::string& in, const std::string& out,
                      const std::string& word) {
    return flow + "\t," + business + "\t," + number + "\t,x,2026-11-20 10:00:09,y," + in + "," +
           out + ",5.00,支付宝," + word + ",";
  };
  Flow flow;
  // Two refunds of one payment that have numbers of their own, a fee of a payment of yesterday, and
  // one of a transfer to the bank.
  flow.rows = {row("1", "4201", "R1", "0", "-5.00", "交易退款"),
               row("2", "4201", "R2", "0", "-7.00", "交易退款"),
               row("3", "4201", "4201-r-R2-", "0.04", "0", "退费"),
               row("4", "4201", "4201-r-R1-", "0.03", "0", "退费"),
               row("5", "4200", "T0", "0", "-0.60", "收费"),
               row("6", "77", "", "0", "-0.10", "收费")};
  flow.ins = "#收入合计：2笔，共0.07元";
  flow.outs = "#支出合计：4笔，共-12.70元";
  const auto lines = read(flow);
  REQUIRE(lines.size() == 6);
  CHECK(lines[2].number == "R2");
  CHECK(lines[3].number == "R1");
  CHECK(lines[4].number.empty());
  CHECK(lines[5].number.empty());
}

TEST_CASE("alipay fund flow: a day on which nothing moved") {
  Flow flow;
  flow.rows.clear();
  flow.outs = "#支出合计：0笔，共0.00元";
  flow.ins = "#收入合计：0笔，共0.00元";
  CHECK(read(flow).empty());
  flow.outs.clear();
  CHECK(read(flow).empty());
  flow.rows = {changed(changed(kPaid, "99.50", "0.00"), "在线支付", "转账")};
  flow.ins = "#收入合计：1笔，共0.00元";
  CHECK(read(flow)[0].amount == fen(0));
}

TEST_CASE("alipay fund flow: what does not add up is refused as a whole") {
  Flow flow;
  std::string why = "bill_malformed: the lines do not add up to the totals";
  SUBCASE("a line is missing") { flow.rows.pop_back(); }
  SUBCASE("a line comes twice") { flow.rows.push_back(kPaid); }
  SUBCASE("the total of what came in is one fen off") {
    flow.ins = changed(flow.ins, "99.56", "99.57");
  }
  SUBCASE("the total of what went out is one fen off") {
    flow.outs = changed(flow.outs, "1010.60", "1010.61");
  }
  SUBCASE("the total of what went out is right, the count is not") {
    flow.outs = changed(flow.outs, "3笔", "4笔");
  }
  SUBCASE("the counts are exchanged") {
    flow.outs = changed(flow.outs, "3笔", "2笔");
    flow.ins = changed(flow.ins, "2笔", "3笔");
  }
  SUBCASE("a total is missing") { flow.ins.clear(); }
  SUBCASE("a total without a sum") { flow.outs = "#支出合计：3笔"; }
  SUBCASE("the end is missing") {
    flow.end.clear();
    why = "bill_malformed: the end is missing";
  }
  SUBCASE("a row behind the end") {
    flow.end += "\r\n" + kPaid;
    why = "bill_malformed: line 12: a row after the end";
  }
  SUBCASE("half a fen") {
    flow.rows[4] = changed(kPaid, "99.50", "99.505");
    why = "bill_malformed: line 10: an amount";
  }
  SUBCASE("money that comes in below nothing") {
    flow.rows[4] = changed(kPaid, "99.50", "-99.50");
    why = "bill_malformed: line 10: an amount";
  }
  SUBCASE("both ways at once") {
    flow.rows[4] = changed(kPaid, "99.50,0.00", "99.50,-1.00");
    why = "bill_malformed: line 10: an amount";
  }
  SUBCASE("a comma inside an amount") { flow.rows[4] = changed(kPaid, "99.50", "99,50"); }
  SUBCASE("no balance") {
    flow.rows[4] = changed(kPaid, "1099.50", "");
    why = "bill_malformed: line 10: the balance";
  }
  SUBCASE("a row of letters") {
    flow.rows[0] = "a,b,c,d,e,f,g,h,i,j,k,l";
    why = "bill_malformed: line 6: an amount";
  }
  SUBCASE("a row that is cut") {
    flow.rows[4] = kPaid.substr(0, 50);
    why = "bill_malformed: line 10: cells";
  }
  SUBCASE("commas that can be put back in no way") {
    flow.rows[4] = changed(kPaid, "2026-11-20 10", "2026-11-20,10");
    why = "bill_malformed: line 10: cells";
  }
  SUBCASE("more commas than a text has") {
    flow.rows[4] = kPaid + "a,b,c,d,e,f";
    why = "bill_malformed: line 10: cells";
  }
  SUBCASE("no such time") {
    flow.rows[4] = changed(kPaid, "10:00:09", "24:00:09");
    why = "bill_malformed: line 10: time";
  }
  SUBCASE("no number") {
    flow.rows[4] = changed(kPaid, "11\t", "\t");
    why = "bill_malformed: line 10: number";
  }
  SUBCASE("no kind") {
    flow.rows[4] = changed(kPaid, "在线支付", "");
    why = "bill_malformed: line 10: kind";
  }
  SUBCASE("a column is missing") {
    flow.titles = changed(kTitles, "账户余额（元）", "余额");
    why = "bill_malformed: line 5: a needed column is missing";
  }
  SUBCASE("a column comes twice") {
    flow.titles = changed(kTitles, "交易渠道", "业务类型");
    why = "bill_malformed: line 5: a title comes twice";
  }
  SUBCASE("the trade bill in its place") {
    flow.first = "#支付宝业务明细查询";
    why = "bill_malformed: the first line is not that of these details";
  }
  SUBCASE("another merchant's bill") {
    flow.account = "20887200000000020156";
    why = "bill_of_another: account";
  }
  SUBCASE("another day's bill") {
    flow.day = "2026年11月19日";
    why = "bill_of_another: day";
  }
  CHECK(flow.why() == why);
}

TEST_CASE("alipay fund flow: a comma that may stand in two places decides nothing by itself") {
  // A goods' name and a counterparty with the time between them: one reading alone has a time.
  Flow flow;
  flow.rows[4] = changed(kPaid, "话费充值\t,2026", "话费\t,充值\t,2026");
  check_usual(read(flow));
  // The remark stands before an amount here, and what was written into it reads as amounts as well.
  flow.titles =
      "账务流水号,业务流水号,商户订单号,发生时间,业务类型,备注,收入金额（+元）,"
      "支出金额（-元）,账户余额（元）,业务描述";
  flow.rows = {"1\t,2\t,T1\t,2026-11-20 10:00:09,在线支付,x,1.00,0.00,1.00,0.00"};
  flow.outs.clear();
  flow.ins = "#收入合计：1笔，共1.00元";
  CHECK(read(flow)[0].amount == fen(100));
  flow.rows = {"1\t,2\t,T1\t,2026-11-20 10:00:09,在线支付,1.00,0.00,1.00,0.00,1.00,0.00"};
  CHECK(flow.why() == "bill_malformed: line 6: cells");
}

TEST_CASE("alipay fund flow: of the archive the details count, in GB18030 or UTF-8") {
  const auto gbk = [](const std::string& text) { return *base::gb18030_of_utf8(text); };
  const std::string summary =
      gbk("#支付宝账务汇总查询\r\n#账号：[2088]\r\n类型,收入笔数\r\n合计,1\r\n");
  Flow second;
  second.rows = {changed(changed(kPaid, "11\t", "21\t"), "10:00:09", "20:00:09")};
  second.outs.clear();
  second.ins = "#收入合计：1笔，共99.50元";
  const auto lines = read_alipay_fund_bill(base::zip({{"summary.csv", summary},
                                                      {"details_2.csv", second.text()},
                                                      {"details.csv", gbk(Flow().text())}}),
                                           kWanted);
  REQUIRE(lines);
  REQUIRE(lines->size() == 6);
  CHECK(lines->front().flow_no == "11");
  CHECK(lines->back().flow_no == "21");
  const auto why = [](const std::string& archive) {
    const auto bill = read_alipay_fund_bill(archive, kWanted);
    return bill ? "" : std::string(bill.error().detail.view());
  };
  CHECK(why(base::zip({{"summary.csv", summary}})) == "the archive holds no details");
  CHECK(why(base::zip({{"trade.csv", gbk("#支付宝业务明细查询\r\n")}})) ==
        "the archive holds no details");
  CHECK(why("not an archive") == "zip_malformed");
  CHECK(why(base::zip({{"a", "\xff\xff\xff"}})) == "the text is not GB18030");
  const std::string good = base::zip({{"details.csv", gbk(Flow().text())}});
  for (std::size_t cut = 0; cut < good.size(); cut += 7)
    CHECK_FALSE(why(good.substr(0, cut)).empty());
  std::vector<base::ZipEntry> many;
  for (int i = 0; i < 40; ++i) many.push_back({"details_" + std::to_string(i), Flow().text()});
  CHECK(why(base::zip(many)) == "zip_too_large");
  // More than is read, packed into little.
  CHECK(why(base::zip({{"details.csv", std::string(kMaxBillBytes + 1, 'x')}})) == "zip_too_large");
}

}  // namespace topup::payments
