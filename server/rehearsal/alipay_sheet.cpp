// The cashier on the mobile web, which a buyer's browser is sent to. Arriving here makes the trade.
#include <optional>
#include <utility>
#include <variant>

#include "server/rehearsal/alipay.h"
#include "server/rehearsal/sheet_page.h"

namespace topup::rehearsal {
namespace {

constexpr int kChina = 8 * 60;

Answered page(const std::string& title, const std::string& inside,
              const std::string& allowed_origin) {
  return sheet_page("支付宝", title, inside, allowed_origin);
}

std::string heading(const AlipayTrade& trade) {
  return "<p class=\"merchant\">演练商户</p><p id=\"amount\">¥" +
         sheet_yuan(trade.is_paid() ? trade.paid_fen : trade.fields.total_fen) + "</p>";
}

std::string details(const AlipayTrade& trade) {
  return "<dl><div><dt>商品<small>Item</small></dt><dd>" + html_text(trade.fields.subject) +
         "</dd></div><div><dt>下单时间<small>Ordered</small></dt><dd>" +
         spaced_time(trade.created_ms, kChina) + "</dd></div></dl>";
}

std::string form(std::string_view action, const AlipayTrade& trade, std::string_view button) {
  const auto hidden = [](std::string_view name, std::string_view value) {
    return "<input type=\"hidden\" name=\"" + std::string(name) + "\" value=\"" + html_text(value) +
           "\">";
  };
  return "<form method=\"post\" action=\"" + std::string(action) + "\">" +
         hidden("trade_no", trade.trade_no) + hidden("token", trade.sheet_token) +
         std::string(button) + "</form>";
}

Answered told(std::string_view mark, const std::string& chinese, const std::string& english,
              const AlipayTrade& trade, const std::string& back) {
  const std::string link = back.empty()
                               ? ""
                               : "<a class=\"button\" id=\"back\" href=\"" + html_text(back) +
                                     "\">返回商户<small>Back to the shop</small></a>";
  return page(chinese,
              "<p class=\"mark " + std::string(mark) + "\" aria-hidden=\"true\">" +
                  (mark == "paid" ? "✓" : "–") + "</p><h1>" + chinese + "<small>" + english +
                  "</small></h1>" + heading(trade) + link,
              "");
}

Answered refused_page(const AlipayRefusal& refusal) {
  return page("支付失败",
              "<h1>支付失败<small>Refused</small></h1><p class=\"quiet\" id=\"refusal\">" +
                  html_text(refusal.sub_code) + "</p>",
              "");
}

std::string origin_of(const std::string& url) {
  const auto address = parse_web_address(url);
  return address ? address->origin : "";
}

}  // namespace

// The buyer comes back with signed parameters, put before the fragment of the address.
std::string Alipay::return_address(const AlipayTrade& trade) const {
  const std::string& wanted = trade.fields.return_url;
  const auto address = parse_web_address(wanted);
  const bool is_known = address && (is_loopback_host(address->host) ||
                                    address->origin == identity_.contract.shop_origin);
  if (!is_known) return {};
  Pairs params = {{"app_id", identity_.contract.app_id},
                  {"charset", "utf-8"},
                  {"method", "alipay.trade.wap.pay.return"},
                  {"out_trade_no", trade.fields.out_trade_no},
                  {"seller_id", identity_.contract.seller_id},
                  {"timestamp", spaced_time(around().clock.wall_ms(), kChina)},
                  {"total_amount", yuan_of(trade.paid_fen)},
                  {"trade_no", trade.trade_no},
                  {"version", "1.0"}};
  const std::string sign =
      base::sign_sha256_rsa(identity_.alipay_key, alipay_sign_text(params, false));
  params.emplace_back("sign_type", "RSA2");
  params.emplace_back("sign", sign);
  const auto hash = wanted.find('#');
  std::string out = wanted.substr(0, hash);
  char separator = out.find('?') == std::string::npos ? '?' : '&';
  for (const auto& [name, value] : params) {
    out += separator + name + "=" + percent_encoded(value);
    separator = '&';
  }
  return hash == std::string::npos ? out : out + wanted.substr(hash);
}

Answered Alipay::sheet(const Pairs& params) {
  if (const auto refusal = unauthorised(params)) return refused_page(*refusal);
  const auto checked =
      check_alipay_trade(params, true, identity_.contract, around().clock.wall_ms());
  if (const auto* refusal = std::get_if<AlipayRefusal>(&checked)) return refused_page(*refusal);
  const auto found = trade_for(std::get<AlipayTradeFields>(checked));
  if (const auto* refusal = std::get_if<AlipayRefusal>(&found)) return refused_page(*refusal);
  return sheet_of(std::get<AlipayTrade>(found));
}

Answered Alipay::sheet_of(const AlipayTrade& trade) const {
  if (trade.is_paid())
    return told("paid", "交易已支付", "This order is already paid", trade, return_address(trade));
  if (payable(trade, around().clock.wall_ms()) != Paid::done)
    return told("stopped", "交易已关闭", "This order is closed", trade, trade.fields.return_url);
  return page("支付宝",
              heading(trade) + details(trade) +
                  form("/sheet/pay", trade,
                       "<button id=\"pay\" type=\"submit\">确认付款<small>Pay</small></button>") +
                  form("/sheet/cancel", trade,
                       "<button id=\"cancel\" type=\"submit\">取消<small>Cancel</small></button>"),
              origin_of(trade.fields.return_url));
}

// Posts carry the token of their own sheet, so that no other page can pay or cancel for the buyer.
Answered Alipay::sheet_pay(const Asked& asked) {
  const Pairs fields = form_fields(asked.body);
  std::optional<AlipayTrade> trade;
  around().db.read([&](storage::Reader& reader) {
    trade = alipay_book::find_trade_by_number(reader, alipay_param(fields, "trade_no"));
  });
  if (!trade || !base::constant_time_equal(trade->sheet_token, alipay_param(fields, "token"))) {
    return refused_page({"40004", "ACQ.TRADE_NOT_EXIST", ""});
  }
  const Paid outcome = pay(trade->fields.out_trade_no, {});
  around().db.read([&](storage::Reader& reader) {
    trade = alipay_book::find_trade(reader, trade->fields.out_trade_no);
  });
  if (outcome != Paid::done && outcome != Paid::already) return sheet_of(*trade);
  const std::string back = return_address(*trade);
  if (!back.empty()) return Answered::see_other(back);
  return told("paid", "支付成功", "Paid", *trade, "");
}

Answered Alipay::sheet_cancel(const Asked& asked) {
  const Pairs fields = form_fields(asked.body);
  std::optional<AlipayTrade> trade;
  around().db.read([&](storage::Reader& reader) {
    trade = alipay_book::find_trade_by_number(reader, alipay_param(fields, "trade_no"));
  });
  if (!trade || !base::constant_time_equal(trade->sheet_token, alipay_param(fields, "token"))) {
    return refused_page({"40004", "ACQ.TRADE_NOT_EXIST", ""});
  }
  const bool leads_back = !return_address(*trade).empty();
  if (leads_back) return Answered::see_other(trade->fields.return_url);
  return told("stopped", "未支付", "Not paid", *trade, "");
}

}  // namespace topup::rehearsal
