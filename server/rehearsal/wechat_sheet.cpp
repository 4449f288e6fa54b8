// The page a buyer sees: what WeChat's own cashier shows, as plain HTML with plain forms. The shop
// never draws it.
#include <optional>
#include <utility>

#include "server/rehearsal/wechat_pay.h"

namespace topup::rehearsal {
namespace {

constexpr std::int64_t kH5LinkMs = 5 * 60'000;  // WeChat Pay, H5: the address lives five minutes
constexpr int kChinaOffsetMinutes = 8 * 60;
constexpr std::string_view kReturnAfterS = "1";

constexpr std::string_view kStyle = R"css(
:root{--paper:#FFFFFF;--ground:#F5F6F8;--ink:#14171A;--quiet:#5B6470;--line:#E3E6EA;--accent:#0A7A4B;
--on-accent:#FFFFFF;--warn:#9A5B00;color-scheme:light dark}
@media (prefers-color-scheme:dark){:root{--paper:#171A1E;--ground:#0E1114;--ink:#F2F4F6;--quiet:#A3ACB8;
--line:#2A3038;--accent:#3DD68C;--on-accent:#0E1114;--warn:#F5B95A}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;background:var(--ground);color:var(--ink);display:flex;
font:16px/1.5 system-ui,"PingFang SC","Noto Sans CJK SC","Noto Sans SC",sans-serif;
justify-content:center;align-items:flex-start;padding:24px 16px}
main{width:100%;max-width:400px;background:var(--paper);border:1px solid var(--line);
border-radius:12px;padding:24px 16px 16px;text-align:center}
.tag{display:inline-block;margin:0 0 16px;padding:4px 12px;border:1px solid var(--line);
border-radius:12px;font-size:12px;color:var(--warn)}
.merchant{margin:0;font-size:16px;overflow-wrap:anywhere}
small,.quiet{color:var(--quiet);font-size:12px}
small{display:block;font-weight:400}
#amount{margin:8px 0 16px;font-size:32px;line-height:1.25;font-weight:600;
font-variant-numeric:tabular-nums}
h1{margin:8px 0;font-size:20px;line-height:1.4}
.mark{margin:0 auto 8px;width:56px;height:56px;border-radius:50%;border:3px solid currentColor;
font-size:20px;line-height:50px}
.paid{color:var(--accent)}
.stopped{color:var(--quiet)}
dl{margin:0 0 24px;padding:12px 0;border-top:1px solid var(--line);
border-bottom:1px solid var(--line);font-size:14px}
dl div{display:flex;justify-content:space-between;gap:16px;padding:4px 0}
dt{color:var(--quiet);text-align:left;flex:none}
dd{margin:0;text-align:right;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
form{margin:0 0 8px}
button,a.button{display:block;width:100%;min-height:48px;padding:8px 16px;border-radius:8px;
border:1px solid var(--line);background:transparent;color:var(--ink);font:inherit;line-height:1.3;
text-decoration:none;cursor:pointer}
button small,a.button small{color:inherit;opacity:.85}
#pay{background:var(--accent);border-color:var(--accent);color:var(--on-accent)}
button:focus-visible,a.button:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
)css";

std::string yuan_text(std::int64_t fen) {
  const std::string cents = std::to_string(fen % 100);
  return std::to_string(fen / 100) + (cents.size() < 2 ? ".0" : ".") + cents;
}

Answered page(const std::string& title, const std::string& inside,
              const std::string& allowed_origin) {
  const std::string style_hash = base::base64(base::sha256(kStyle));
  const std::string form_targets = "'self'" + (allowed_origin.empty() ? "" : " " + allowed_origin);
  const std::string policy = "default-src 'none'; style-src 'sha256-" + style_hash +
                             "'; base-uri 'none'; frame-ancestors 'none'; form-action " +
                             form_targets;
  std::string html =
      "<!doctype html><html lang=\"zh-CN\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>";
  html +=
      html_text(title) + "</title><style>" + std::string(kStyle) + "</style></head><body><main>";
  html += "<p class=\"tag\">演练 · 微信支付<small>Rehearsal · no real money moves</small></p>";
  html += inside + "</main></body></html>";
  return {.status = 200,
          .content_type = "text/html; charset=utf-8",
          .body = std::move(html),
          .headers = {{"Content-Security-Policy", policy},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"},
                      {"Cache-Control", "no-store"}}};
}

std::string merchant_and_amount(const WechatOrder& order, std::int64_t fen) {
  const std::string& name = order.fields.app_name;
  return "<p class=\"merchant\">" + html_text(name.empty() ? "演练商户" : name) +
         "</p><p id=\"amount\">¥" + yuan_text(fen) + "</p>";
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

Answered WechatPay::sheet(const Asked& asked) {
  const auto order = order_by_prepay(around().db, asked.query_value("prepay_id"));
  if (!order) return unknown_page();
  if (order->trade_type == "MWEB" && asked.query_value("package") != order->package) {
    return unknown_page();
  }
  const std::string back = honoured_return(*order, asked.query_value("redirect_url"));
  const std::int64_t now = around().clock.wall_ms();
  const bool is_over = is_expired(*order, now);
  const bool is_stale = order->trade_type == "MWEB" && now - order->link_ms >= kH5LinkMs;
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
