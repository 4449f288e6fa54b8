#include "server/rehearsal/sheet_page.h"

#include <utility>

#include "server/base/crypto.h"

namespace topup::rehearsal {
namespace {

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

}  // namespace

std::string sheet_yuan(std::int64_t fen) {
  const std::string cents = std::to_string(fen % 100);
  return std::to_string(fen / 100) + (cents.size() < 2 ? ".0" : ".") + cents;
}

Answered sheet_page(const std::string& channel, const std::string& title, const std::string& inside,
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
  html += "<p class=\"tag\">演练 · " + html_text(channel) +
          "<small>Rehearsal · no real money moves</small></p>";
  html += inside + "</main></body></html>";
  return {.status = 200,
          .content_type = "text/html; charset=utf-8",
          .body = std::move(html),
          .headers = {{"Content-Security-Policy", policy},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"},
                      {"Cache-Control", "no-store"}}};
}

}  // namespace topup::rehearsal
