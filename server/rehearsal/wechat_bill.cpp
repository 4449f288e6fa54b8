// The bills of the rehearsed WeChat Pay, made from its own books, and the differences a tester
// plants in them: the books themselves stay right, as they would at a real mistake of a statement.
#include <algorithm>
#include <map>
#include <utility>

#include "server/rehearsal/wechat_pay.h"
#include "shared/money.h"
#include "shared/time_point.h"

namespace topup::rehearsal {
namespace {

using base::Json;

constexpr std::int64_t kMadeAtMs = 10 * 3'600'000;  // of the next day: yesterday's file is there
constexpr std::int64_t kKeptDays = 92;
constexpr std::int64_t kFeeBp = 60;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kTradeTitles =
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,"
    "付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,"
    "退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\r\n";
constexpr std::string_view kTradeSums =
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,"
    "申请退款总金额\r\n";
constexpr std::string_view kFundTitles =
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),"
    "资金变更提交申请人,备注,业务凭证号\r\n";
constexpr std::string_view kFeeName = "扣除交易手续费";
constexpr std::string_view kFundSums = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\r\n";
constexpr std::string_view kPlants[] = {"leave_out",    "stranger", "amount",     "twice",
                                        "refund_state", "next_day", "day_before", "fee",
                                        "payee",        "state",    "withdraw",   "balance"};
constexpr std::string_view kFundsOnly = "funds.", kTradeOnly = "trade.";  // before a stored kind

WechatRefusal refused(std::string code, std::string message) {
  return {.code = std::move(code), .message = std::move(message)};
}

// "2026-11-21" → the UTC time of its midnight in China; nothing for anything else.
std::optional<std::int64_t> day_start(const std::string& day) {
  const auto at = parse_rfc3339(day + "T00:00:00+08:00");
  if (!at || day_text(*at, kShanghaiOffsetMs) != day) return {};
  return at;
}

std::string yuan(std::int64_t minor) { return decimal_text(fen(minor)); }
std::string fee_yuan(std::int64_t minor) { return yuan(minor) + "000"; }
std::int64_t fee_of(std::int64_t minor) {
  return scale_bp(fen(minor), kFeeBp, Round::half_up).value_or(fen(0)).minor;
}

std::string row_text(const std::vector<std::string>& cells) {
  std::string out;
  for (const std::string& cell : cells) out += (out.empty() ? "`" : ",`") + cell;
  return out + "\r\n";
}

std::vector<std::string> trade_cells(const WechatBillLine& line) {
  const std::string amount = yuan(line.amount_fen);
  const bool back = line.is_refund;
  return {spaced_time(line.at_ms, 8 * 60),
          line.appid,
          line.mchid,
          line.payee,
          "",
          line.transaction_id,
          line.out_trade_no,
          line.openid,
          line.trade_type,
          line.state,
          "OTHERS",
          "CNY",
          back ? "0.00" : amount,
          "0.00",
          back ? line.refund_id : "0",
          back ? line.out_refund_no : "0",
          back ? amount : "0.00",
          "0.00",
          back ? "ORIGINAL" : "",
          back ? line.refund_state : "",
          line.description,
          line.attach,
          fee_yuan(line.fee_fen),
          "0.60%",
          back ? "0.00" : amount,
          back ? amount : "0.00",
          ""};
}

std::string trade_file(const std::vector<WechatBillLine>& lines) {
  std::string out(kByteOrderMark);
  out += kTradeTitles;
  std::int64_t paid = 0, refunded = 0, fees = 0;
  for (const WechatBillLine& line : lines) {
    out += row_text(trade_cells(line));
    (line.is_refund ? refunded : paid) += line.amount_fen;
    fees += line.fee_fen;
  }
  out += kTradeSums;
  return out + row_text({std::to_string(lines.size()), yuan(paid), yuan(refunded), "0.00",
                         fee_yuan(fees), yuan(paid), yuan(refunded)});
}

// One movement of the merchant's own account.
struct FundMove {
  const WechatBillLine* line;
  std::string_view name;
  std::int64_t into_fen;
  std::int64_t slip_fen = 0;  // what the balance says too much from here on
};

// Where the money did move, and not to a merchant of its own.
bool moves_own_money(const WechatBillLine& line) {
  if (line.payee != "0") return false;
  return line.is_refund ? line.refund_state != "CLOSED" : line.state == "SUCCESS";
}

std::vector<FundMove> moves_of(const std::vector<WechatBillLine>& lines) {
  std::vector<FundMove> moves;
  const auto add = [&moves](const WechatBillLine& line, std::string_view name, std::int64_t fen) {
    if (fen != 0) moves.push_back({&line, name, fen});
  };
  for (const WechatBillLine& line : lines) {
    if (!moves_own_money(line)) continue;
    if (line.is_withdrawal) {
      add(line, "提现", -line.amount_fen);
      continue;
    }
    add(line, line.is_refund ? "退款" : "交易",
        line.is_refund ? -line.amount_fen : line.amount_fen);
    add(line, kFeeName, -line.fee_fen);
  }
  return moves;
}

class FundFile {
 public:
  void add(const FundMove& move, std::int64_t balance_fen) {
    const WechatBillLine& line = *move.line;
    const bool is_in = move.into_fen > 0;
    const std::string amount = yuan(is_in ? move.into_fen : -move.into_fen);
    const std::string& business = line.is_refund ? line.refund_id : line.transaction_id;
    const std::string flow = (move.name == kFeeName ? "F2" : "F1") + business;
    const int before = flows_[flow]++;
    const std::string flow_no = before == 0 ? flow : flow + "-" + std::to_string(before);
    (is_in ? in_ : out_) += is_in ? move.into_fen : -move.into_fen;
    ++(is_in ? ins_ : outs_);
    text_ += row_text({spaced_time(line.at_ms, 8 * 60), business, flow_no, std::string(move.name),
                       std::string(move.name), is_in ? "收入" : "支出", amount, yuan(balance_fen),
                       "system", "", line.is_refund ? line.out_refund_no : line.out_trade_no});
  }
  bool is_empty() const { return ins_ + outs_ == 0; }
  std::string text() const {
    return std::string(kByteOrderMark) + std::string(kFundTitles) + text_ + std::string(kFundSums) +
           row_text({std::to_string(ins_ + outs_), std::to_string(ins_), yuan(in_),
                     std::to_string(outs_), yuan(out_)});
  }

 private:
  std::string text_;
  std::map<std::string, int> flows_;  // numbers given out, the same whenever the file is made
  std::int64_t ins_ = 0, outs_ = 0, in_ = 0, out_ = 0;
};

std::int64_t number_in(const std::string& text) { return std::atoll(text.c_str()); }

void apply_plant(std::vector<WechatBillLine>& lines, WechatBillLine& line,
                 const WechatBillPlant& plant) {
  const std::int64_t midnight = start_of_day_ms(line.at_ms, kShanghaiOffsetMs);
  if (plant.kind == "leave_out") line.is_left_out = true;
  if (plant.kind == "amount")
    line.amount_fen = std::max<std::int64_t>(0, line.amount_fen + number_in(plant.value));
  if (plant.kind == "refund_state") line.refund_state = plant.value;
  if (plant.kind == "next_day") line.at_ms = midnight + kDayMs;
  if (plant.kind == "day_before") line.at_ms = midnight - 1'000;
  if (plant.kind == "fee") line.fee_fen = number_in(plant.value);
  if (plant.kind == "payee") line.payee = plant.value;
  if (plant.kind == "state") line.state = plant.value;
  if (plant.kind == "twice") lines.push_back(line);
}

WechatBillLine stranger(const WechatBillPlant& plant, const WechatContract& contract) {
  WechatBillLine line;
  line.at_ms = plant.at_ms;
  line.appid = contract.appid;
  line.mchid = contract.mchid;
  line.out_trade_no = plant.number;
  line.transaction_id = "4200" + compact_china(plant.at_ms) + "0000000001";
  line.trade_type = "NATIVE";
  line.state = "SUCCESS";
  line.description = "stranger";
  line.amount_fen = number_in(plant.value);
  line.fee_fen = fee_of(line.amount_fen);
  return line;
}

WechatBillLine withdrawal(const WechatBillPlant& plant) {
  WechatBillLine line;
  line.is_withdrawal = true;
  line.at_ms = plant.at_ms;
  line.state = "SUCCESS";
  line.transaction_id = line.out_trade_no = plant.number;
  line.amount_fen = number_in(plant.value);
  return line;
}

// A plant says what it changes: one of the bills, or both in the same way.
std::vector<WechatBillPlant> plants_for(bool is_fund_flow,
                                        const std::vector<WechatBillPlant>& all) {
  std::vector<WechatBillPlant> out;
  for (WechatBillPlant plant : all) {
    if (plant.kind.starts_with(is_fund_flow ? kTradeOnly : kFundsOnly)) continue;
    if (const auto dot = plant.kind.find('.'); dot != std::string::npos)
      plant.kind.erase(0, dot + 1);
    out.push_back(std::move(plant));
  }
  return out;
}

WechatBillLine line_of(const WechatOrder& order) {
  WechatBillLine line;
  const PrepayFields& fields = order.fields;
  line.at_ms = order.paid_ms;
  line.appid = fields.appid;
  line.mchid = fields.mchid;
  line.transaction_id = order.transaction_id;
  line.out_trade_no = fields.out_trade_no;
  line.openid = fields.openid;
  line.trade_type = order.trade_type;
  line.state = "SUCCESS";
  line.description = fields.description;
  line.attach = fields.attach;
  line.amount_fen = order.paid_fen;
  line.fee_fen = fee_of(order.paid_fen);
  if (!fields.sub_mchid.empty()) line.payee = fields.sub_mchid;
  return line;
}

WechatBillLine line_of(const WechatRefund& refund, const WechatContract& contract) {
  WechatBillLine line;
  line.is_refund = true;
  line.at_ms = refund.created_ms;
  line.appid = contract.appid;
  line.mchid = contract.mchid;
  line.transaction_id = refund.fields.transaction_id;
  line.out_trade_no = refund.fields.out_trade_no;
  line.refund_id = refund.refund_id;
  line.out_refund_no = refund.fields.out_refund_no;
  line.state = "REFUND";
  line.refund_state = refund.status;
  line.amount_fen = refund.fields.refund_fen;
  line.fee_fen = -fee_of(refund.fields.refund_fen);
  if (!refund.fields.sub_mchid.empty()) line.payee = refund.fields.sub_mchid;
  return line;
}

}  // namespace

std::vector<WechatBillLine> WechatPay::bill_lines(const BillSpan& span) {
  // A planted line may come from the day before or the day after.
  const std::int64_t first = span.from_ms - kDayMs, last = span.until_ms + kDayMs;
  std::vector<WechatBillLine> lines;
  std::vector<WechatBillPlant> plants;
  around().db.read([&](storage::Reader& reader) {
    lines.clear();
    for (const auto& order : wechat_book::list_paid(reader, first, last))
      lines.push_back(line_of(order));
    for (const auto& refund : wechat_book::list_refunds(reader, first, last))
      lines.push_back(line_of(refund, identity_.contract));
    plants = plants_for(span.is_fund_flow, wechat_book::list_plants(reader));
  });
  for (const WechatBillPlant& plant : plants) {
    if (plant.kind == "stranger") lines.push_back(stranger(plant, identity_.contract));
    if (plant.kind == "withdraw" && span.is_fund_flow) lines.push_back(withdrawal(plant));
    for (std::size_t i = 0, known = lines.size(); i < known; ++i) {
      const std::string& number =
          lines[i].is_refund ? lines[i].out_refund_no : lines[i].out_trade_no;
      if (number != plant.number || plant.kind == "stranger") continue;
      WechatBillLine changed = lines[i];
      apply_plant(lines, changed, plant);
      lines[i] = changed;
    }
  }
  std::erase_if(lines, [&](const WechatBillLine& line) {
    return line.is_left_out || line.at_ms < span.from_ms || line.at_ms >= span.until_ms;
  });
  std::stable_sort(lines.begin(), lines.end(),
                   [](const auto& a, const auto& b) { return a.at_ms < b.at_ms; });
  return lines;
}

// The account runs on from day to day, so the balance is that of everything before.
std::string WechatPay::fund_text(std::int64_t from_ms) {
  const auto lines = bill_lines({kDayMs + 1, from_ms + kDayMs, true});  // 0: not paid
  std::vector<FundMove> moves = moves_of(lines);
  std::vector<WechatBillPlant> plants;
  around().db.read([&](storage::Reader& reader) {
    plants = plants_for(true, wechat_book::list_plants(reader));
  });
  for (const WechatBillPlant& plant : plants) {
    const std::int64_t end = start_of_day_ms(plant.at_ms, kShanghaiOffsetMs) + kDayMs;
    const auto last = std::find_if(moves.rbegin(), moves.rend(),
                                   [end](const FundMove& one) { return one.line->at_ms < end; });
    if (plant.kind == "balance" && last != moves.rend()) last->slip_fen += number_in(plant.value);
  }
  FundFile file;
  std::int64_t balance = 0;
  for (const FundMove& move : moves) {
    balance += move.into_fen + move.slip_fen;
    if (move.line->at_ms >= from_ms) file.add(move, balance);
  }
  return file.is_empty() ? std::string() : file.text();
}

std::string WechatPay::trade_text(std::int64_t from_ms, const std::string& type) {
  auto lines = bill_lines({from_ms, from_ms + kDayMs, false});
  if (type == "SUCCESS" || type == "REFUND")
    std::erase_if(lines, [&](const auto& line) { return line.is_refund != (type == "REFUND"); });
  return lines.empty() ? std::string() : trade_file(lines);
}

Answered WechatPay::bill(const Asked& asked, bool is_fund_flow) {
  const std::string day = asked.query_value("bill_date");
  const auto from = day_start(day);
  if (!from) return wechat_refused(wechat_param_error("bill_date", day, "is no day", "query"));
  const std::string type_name = is_fund_flow ? "account_type" : "bill_type";
  const std::string type = asked.query_value(type_name);
  const bool is_known = type.empty() || type == (is_fund_flow ? "BASIC" : "ALL") ||
                        (!is_fund_flow && (type == "SUCCESS" || type == "REFUND"));
  if (!is_known) return wechat_refused(wechat_param_error(type_name, type, "unknown", "query"));
  if (!asked.query_value("tar_type").empty())
    return wechat_refused(wechat_param_error("tar_type", "", "is not rehearsed", "query"));
  const std::int64_t now = around().clock.wall_ms();
  if (*from > now || *from < now - kKeptDays * kDayMs)
    return wechat_refused(refused("INVALID_REQUEST", "账单日期超出范围"));
  if (now < *from + kDayMs + kMadeAtMs && !armed_.take("early_bill"))
    return wechat_refused(refused("STATEMENT_CREATING", "账单生成中，请稍后再试"));
  std::string file = is_fund_flow ? fund_text(*from) : trade_text(*from, type);
  if (file.empty()) return wechat_refused(refused("NO_STATEMENT_EXIST", "账单文件不存在"));
  const std::string token = base::new_token(around().random);
  const std::string hash = base::hex(base::sha1(file));
  bills_.add(token, std::move(file), now);
  return Answered::json({{"hash_type", "SHA1"},
                         {"hash_value", armed_.take("bill_hash") ? std::string(40, '0') : hash},
                         {"download_url", origin_ + "/v3/billdownload/file?token=" + token}});
}

// Unsigned, as the real one: the hash of the answer before it is what vouches for it.
Answered WechatPay::bill_file(const Asked& asked) {
  if (auto file = bills_.find(asked.query_value("token"), around().clock.wall_ms()))
    return {.content_type = "text/csv; charset=utf-8", .body = std::move(*file)};
  return wechat_refused({.status = 404, .code = "RESOURCE_NOT_EXISTS", .message = "链接已失效"});
}

Answered WechatPay::control_bill(const Asked& asked) {
  const auto refusal = [](std::string_view why) {
    return Answered::json({{"code", "CONTROL_REFUSED"}, {"message", why}}, 400);
  };
  const auto body = base::json_in(asked.body);
  if (!body || asked.header("content-type").substr(0, 16) != "application/json")
    return refusal("wants a JSON object");
  const auto kind = base::text_in(*body, "plant");
  const auto number = base::text_in(*body, "number", 64);
  const std::string value = base::text_in(*body, "value", 32).value_or("");
  const std::string only = base::text_in(*body, "bill", 8).value_or("");
  const bool is_bill = only.empty() || only == "trade" || only == "funds";
  const bool is_none = kind && *kind == "none";
  if (!kind || !is_bill ||
      (!is_none &&
       (!number || number->empty() ||
        std::find(std::begin(kPlants), std::end(kPlants), *kind) == std::end(kPlants)))) {
    return refusal(
        "wants {\"plant\": none | leave_out | stranger | amount | twice | refund_state | next_day "
        "| "
        "day_before | fee | payee | state | withdraw | balance, \"number\": of the order or "
        "refund, "
        "\"value\"?: text, \"day\"?, \"bill\"?: trade | funds; without it both}");
  }
  WechatBillPlant plant;
  plant.kind = only.empty() ? *kind : only + "." + *kind;
  plant.number = number.value_or("");
  plant.value = value;
  const auto day = day_start(base::text_in(*body, "day", 10).value_or(""));
  plant.at_ms = day ? *day + kDayMs / 2 : around().clock.wall_ms();
  around().db.write([&](storage::Tx& tx) {
    if (is_none) {
      wechat_book::drop_plants(tx);
    } else {
      wechat_book::insert_plant(tx, plant);
    }
    return true;
  });
  return Answered::json({{"planted", *kind}});
}

}  // namespace topup::rehearsal
