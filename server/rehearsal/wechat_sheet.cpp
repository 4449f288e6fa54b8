// The page a buyer sees: what WeChat's own cashier shows, as plain HTML with plain forms. The shop
// never draws it.
#include <optional>
#include <utility>

#include "server/rehearsal/sheet_page.h"
#include "server/rehearsal/wechat_pay.h"

namespace topup::rehearsal {
namespace {

constexpr std::int64_t kH5LinkMs = 5 * 60'000;   // WeChat Pay, H5: the address lives five minutes
constexpr std::int64_t kCodeMs = 2 * 3'600'000;  // WeChat Pay, Native: a code lives two hours
constexpr std::string_view kCodeLead = "weixin://wxpay/bizpayurl?pr=";
constexpr int kChinaOffsetMinutes = 8 * 60;
constexpr std::string_view kReturnAfterS = "1";

Answered page(const std::string& title, const std::string& inside,
              const std::string& allowed_origin) {
  return sheet_page("微信支付", title, inside, allowed_origin);
}

std::string merchant_and_amount(const WechatOrder& order, std::int64_t fen) {
  const std::string& name = order.fields.app_name;
  return "<p class=\"merchant\">" + html_text(name.empty() ? "演练商户" : name) +
         "</p><p id=\"amount\">¥" + sheet_yuan(fen) + "</p>";
}

std::string details(const WechatOrder& order) {
  return "<dl><div><dt>商品<small>Item</small></dt><dd>" + html_text(order.fields.description) +
         "</dd></div><div><dt>下单时间<small>Ordered</small></dt><dd>" +
         spaced_time(order.created_ms, kChinaOffsetMinutes) + "</dd></div></dl>";
}

std::string form(std::string_view action, const WechatOrder& order, const std::string& back,
                 std::string_view button) {
  const auto hidden = [](std::string_view name, std::string_view value) {
    return "<input type=\"hidden\" name=\"" + std::string(name) + "\" value=\"" + html_text(value) +
           "\">";
  };
  return "<form method=\"post\" action=\"" + std::string(action) + "\">" +
         hidden("prepay_id", order.prepay_id) + hidden("token", order.sheet_token) +
         (back.empty() ? "" : hidden("redirect_url", back)) + std::string(button) + "</form>";
}

std::string return_link(const std::string& back) {
  if (back.empty()) return {};
  return "<a class=\"button\" id=\"back\" href=\"" + html_text(back) +
         "\">返回商户<small>Back to the shop</small></a>";
}

// The address to lead back to, if the merchant's own host is in it; "" otherwise.
std::string honoured_return(const WechatOrder& order, const std::string& wanted) {
  const auto address = parse_web_address(wanted);
  if (!address) return {};
  for (const auto& own : {order.fields.app_url, order.fields.notify_url}) {
    const auto known = parse_web_address(own);
    if (known && known->host == address->host) return wanted;
  }
  return {};
}

std::string origin_of(const std::string& url) {
  const auto address = parse_web_address(url);
  return address ? address->origin : "";
}

Answered stopped(const WechatOrder& order, std::string_view chinese, std::string_view english,
                 const std::string& back) {
  return page(std::string(chinese),
              "<p class=\"mark stopped\" aria-hidden=\"true\">–</p><h1>" + std::string(chinese) +
                  "<small>" + std::string(english) + "</small></h1>" +
                  merchant_and_amount(order, order.fields.total_fen) + return_link(back),
              "");
}

Answered paid(const WechatOrder& order, std::string_view chinese, std::string_view english,
              const std::string& back) {
  return page(std::string(chinese),
              "<p class=\"mark paid\" aria-hidden=\"true\">✓</p><h1 class=\"paid\">" +
                  std::string(chinese) + "<small>" + std::string(english) + "</small></h1>" +
                  merchant_and_amount(order, order.paid_fen) + return_link(back),
              "");
}

Answered unknown_page() {
  auto out = page("没有这笔订单",
                  "<h1>没有这笔订单<small>No such order</small></h1>"
                  "<p class=\"quiet\">请回到商户页面重新发起支付。</p>",
                  "");
  out.status = 404;
  return out;
}

std::string value_of(const Pairs& fields, std::string_view name) {
  for (const auto& [key, value] : fields) {
    if (key == name) return value;
  }
  return {};
}

std::optional<WechatOrder> order_by_prepay(storage::Db& db, const std::string& prepay_id) {
  std::optional<WechatOrder> out;
  db.read(
      [&](storage::Reader& reader) { out = wechat_book::find_order_by_prepay(reader, prepay_id); });
  return out;
}

Answered state_page(const WechatOrder& order, bool is_over, const std::string& back) {
  if (order.is_paid()) return paid(order, "订单已支付", "This order is already paid", back);
  if (order.state == "CLOSED") return stopped(order, "订单已关闭", "This order is closed", back);
  if (is_over) return stopped(order, "订单已过期", "This order has expired", back);
  return stopped(order, "链接已过期", "This link has expired; start again in the shop", back);
}

// Posts carry the token of their own sheet, so that no other page can pay or cancel for the buyer.
std::optional<WechatOrder> order_of_form(storage::Db& db, const Pairs& fields) {
  auto order = order_by_prepay(db, value_of(fields, "prepay_id"));
  if (!order || !base::constant_time_equal(order->sheet_token, value_of(fields, "token")))
    return {};
  return order;
}

}  // namespace

// A phone has scanned a native code: what it says leads to the sheet.
Answered WechatPay::scan(const Asked& asked) {
  const std::string code = asked.query_value("code");
  if (!code.starts_with(kCodeLead)) return unknown_page();
  std::optional<WechatOrder> order;
  around().db.read([&](storage::Reader& reader) {
    order = wechat_book::find_order_by_code(reader, code.substr(kCodeLead.size()));
  });
  if (!order) return unknown_page();
  return Answered::see_other(
      "/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=" + percent_encoded(order->prepay_id) +
      "&package=" + percent_encoded(order->package));
}

Answered WechatPay::sheet(const Asked& asked) {
  const auto order = order_by_prepay(around().db, asked.query_value("prepay_id"));
  if (!order) return unknown_page();
  if (order->trade_type != "JSAPI" && asked.query_value("package") != order->package) {
    return unknown_page();
  }
  const std::string back = honoured_return(*order, asked.query_value("redirect_url"));
  const std::int64_t now = around().clock.wall_ms();
  const bool is_over = is_expired(*order, now);
  const std::int64_t lives_ms = order->trade_type == "MWEB"     ? kH5LinkMs
                                : order->trade_type == "NATIVE" ? kCodeMs
                                                                : kWechatExpiryCapMs;
  const bool is_stale = now - order->link_ms >= lives_ms;
  if (order->state != "NOTPAY" || is_over || is_stale) return state_page(*order, is_over, back);
  return page("微信支付",
              merchant_and_amount(*order, order->fields.total_fen) + details(*order) +
                  form("/sheet/pay", *order, back,
                       "<button id=\"pay\" type=\"submit\">支付<small>Pay</small></button>") +
                  form("/sheet/cancel", *order, back,
                       "<button id=\"cancel\" type=\"submit\">取消<small>Cancel</small></button>"),
              origin_of(back));
}

Answered WechatPay::sheet_pay(const Asked& asked) {
  const Pairs fields = form_fields(asked.body);
  auto order = order_of_form(around().db, fields);
  if (!order) return unknown_page();
  const std::string back = honoured_return(*order, value_of(fields, "redirect_url"));
  const Paid outcome = pay(order->fields.out_trade_no, {});
  if (outcome == Paid::closed || outcome == Paid::expired) {
    order = order_by_prepay(around().db, order->prepay_id);
    return order ? state_page(*order, true, back) : unknown_page();
  }
  if (!back.empty()) return Answered::see_other(back);
  return Answered::see_other("/sheet/done?prepay_id=" + percent_encoded(order->prepay_id) +
                             "&token=" + percent_encoded(order->sheet_token));
}

Answered WechatPay::sheet_cancel(const Asked& asked) {
  const Pairs fields = form_fields(asked.body);
  const auto order = order_of_form(around().db, fields);
  if (!order) return unknown_page();
  const std::string back = honoured_return(*order, value_of(fields, "redirect_url"));
  if (!back.empty()) return Answered::see_other(back);
  return stopped(*order, "未支付", "Not paid", "");
}

Answered WechatPay::sheet_done(const Asked& asked) {
  const auto order = order_of_form(around().db, asked.query);
  if (!order) return unknown_page();
  if (!order->is_paid())
    return state_page(*order, is_expired(*order, around().clock.wall_ms()), "");
  return paid(*order, "支付成功", "Paid", "");
}

}  // namespace topup::rehearsal
