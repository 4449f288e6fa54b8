#include "server/rehearsal/desk_page.h"

#include <utility>

#include "server/base/crypto.h"

namespace topup::rehearsal {
namespace {

constexpr std::string_view kStyle = R"css(
:root{--paper:#FFFFFF;--ground:#F5F6F8;--ink:#14171A;--quiet:#5B6470;--line:#E3E6EA;--good:#0A7A4B;
--warn:#9A5B00;--bad:#B3261E;color-scheme:light dark}
@media (prefers-color-scheme:dark){:root{--paper:#171A1E;--ground:#0E1114;--ink:#F2F4F6;
--quiet:#A3ACB8;--line:#2A3038;--good:#3DD68C;--warn:#F5B95A;--bad:#FF8A80}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);padding:24px 16px;
font:15px/1.5 system-ui,"PingFang SC","Noto Sans CJK SC","Noto Sans SC",sans-serif}
main,nav{max-width:880px;margin:0 auto 16px}
nav{display:flex;flex-wrap:wrap;gap:8px}
nav a{padding:8px 12px;border:1px solid var(--line);border-radius:8px;color:inherit;
text-decoration:none;background:var(--paper)}
nav a[aria-current]{font-weight:600;border-color:currentColor}
section{background:var(--paper);border:1px solid var(--line);border-radius:12px;padding:16px;
margin:0 0 16px}
h1{font-size:22px;margin:0 0 4px}
h2{font-size:16px;margin:0 0 8px}
small,.quiet{color:var(--quiet);font-size:13px}
.warn{color:var(--warn)}.bad{color:var(--bad)}.good{color:var(--good)}
ul{list-style:none;margin:0;padding:0}
li{display:flex;flex-wrap:wrap;gap:8px 16px;align-items:center;padding:8px 0;
border-top:1px solid var(--line)}
li:first-child{border-top:0}
li>div{flex:1 1 240px;overflow-wrap:anywhere}
code{font-size:13px}
label{display:flex;flex-direction:column;gap:4px;margin:0 0 8px}
input,textarea,button{font:inherit;color:inherit;background:var(--paper);padding:8px;
border:1px solid var(--line);border-radius:8px;min-height:40px}
input[type=number]{width:88px}
textarea{min-height:72px;width:100%}
button{cursor:pointer;padding:8px 16px}
button:disabled{opacity:.5;cursor:default}
:focus-visible{outline:3px solid var(--good);outline-offset:2px}
pre{margin:8px 0 0;max-height:320px;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere}
)css";

// Texts of the party are set as text, never as markup.
constexpr std::string_view kScript = R"js(
'use strict';
const at = (id) => document.getElementById(id);
const make = (name, text, kind) => {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
};
async function ask(method, path, body) {
  const answer = await fetch(path, body === undefined ? { method } :
    { method, headers: { 'content-type': 'application/json' }, body });
  const text = await answer.text();
  let json = null;
  try { json = JSON.parse(text); } catch { json = null; }
  return { status: answer.status, text, json };
}
function say(text, kind) {
  at('said').textContent = text;
  at('said').className = kind;
  at('said').scrollIntoView({ block: 'nearest' });
}
async function arm(next, count) {
  const got = await ask('POST', '/control', JSON.stringify({ next, count }));
  say(got.status === 200 ? next + ' × ' + count : got.status + ' ' + got.text, got.status === 200 ? 'good' : 'bad');
  await show();
}
function faultRow(one) {
  const row = make('li');
  row.dataset.fault = one.next;
  const what = make('div');
  what.append(make('code', one.next), make('br'), make('small', one.meaning));
  const armed = make('span', one.count > 0 ? '还有 ' + one.count + ' 次' : '未布置', one.count > 0 ? 'warn' : 'quiet');
  armed.dataset.armed = String(one.count);
  const count = make('input');
  Object.assign(count, { type: 'number', min: 0, max: 10000, value: one.count > 0 ? one.count : 1 });
  count.setAttribute('aria-label', '次数 · ' + one.next);
  const go = make('button', '布置 Arm');
  go.addEventListener('click', () => arm(one.next, Number(count.value)));
  const off = make('button', '撤除 Clear');
  off.disabled = one.count === 0;
  off.addEventListener('click', () => arm(one.next, 0));
  row.append(what, armed, count, go, off);
  return row;
}
function numberRow(one) {
  const row = make('li');
  const what = make('div');
  what.append(make('code', '…' + one.ends_with), make('span', ' ' + one.meaning));
  row.append(what);
  return row;
}
async function replay(text) {
  let log = null;
  try { log = JSON.parse(text); } catch { log = 'not JSON'; }
  const got = await ask('POST', '/control', JSON.stringify({ replay: log }));
  if (got.status === 200) say(log === null ? '不再重演 cleared' : '接下来的订单照此进行 the next orders go the same way', 'good');
  else say('这个文件不能重演 this file cannot be replayed: ' + [got.json?.reason, got.json?.field, got.json?.detail].filter(Boolean).join(' · '), 'bad');
  await show();
}
async function show() {
  const [control, magic] = await Promise.all([ask('GET', '/control'), ask('GET', '/magic')]);
  const kinds = control.json?.armed ?? magic.json?.kinds ?? [];
  at('faults').replaceChildren(...kinds.map(faultRow));
  at('no-faults').hidden = kinds.length > 0;
  const numbers = magic.json?.recipient_numbers ?? [];
  at('numbers').replaceChildren(...numbers.map(numberRow));
  at('numbers-card').hidden = numbers.length === 0;
  const waiting = control.json?.replays;
  at('replay-card').hidden = waiting === undefined;
  at('replays').textContent = waiting > 0 ? '还有 ' + waiting + ' 次请求照日志进行 requests to go: ' + waiting : '没有待重演的日志 none waiting';
  at('replays').dataset.waiting = String(waiting ?? 0);
  at('replay-clear').disabled = !(waiting > 0);
  const { kinds: _, recipient_numbers: __, ...rest } = magic.json ?? {};
  at('more').textContent = JSON.stringify(rest, null, 2);
}
at('free').addEventListener('submit', async (event) => {
  event.preventDefault();
  const method = at('body').value.trim() === '' ? 'GET' : 'POST';
  const got = await ask(method, at('path').value, method === 'POST' ? at('body').value : undefined);
  at('answer').textContent = got.status + '\n' + (got.json === null ? got.text : JSON.stringify(got.json, null, 2));
  await show();
});
at('replay-file').addEventListener('change', async (event) => {
  const [file] = event.target.files;
  if (file) await replay(await file.text());
  event.target.value = '';
});
at('replay-clear').addEventListener('click', () => replay('null'));
show().catch((why) => say(String(why), 'bad'));
)js";

std::string links(std::string_view party, const std::vector<Neighbour>& others) {
  std::string html = "<nav aria-label=\"parties\">";
  for (const Neighbour& one : others) {
    html += "<a href=\"" + html_text(one.origin + "/desk") + "\"" +
            (one.name == party ? " aria-current=\"page\"" : "") + ">" + html_text(one.name) +
            "</a>";
  }
  return html + "</nav>";
}

constexpr std::string_view kInside = R"html(
<p id="said" role="status" class="quiet"></p>
<section><h2>下一次会出的错 <small>faults of the next cases</small></h2>
<ul id="faults"></ul><p id="no-faults" class="quiet" hidden>这一方没有可布置的错误。 It has no faults to arm.</p></section>
<section id="numbers-card"><h2>号码末四位决定结果 <small>numbers that decide by themselves</small></h2>
<ul id="numbers"></ul></section>
<section id="replay-card" hidden><h2>照真实日志重演 <small>what happened, once more</small></h2>
<p class="quiet">在后台「充值日志」里打开一次请求，带走它的重演文件；这里接下来的订单会得到同样的回答。
Take the replay file of a request along from the console's supplier log: the next orders here are answered alike.</p>
<label>重演文件 replay file<input id="replay-file" type="file" accept=".json,application/json"></label>
<p id="replays" role="status"></p><button id="replay-clear">不再重演 Clear</button></section>
<section><h2>别的控制 <small>any other control</small></h2>
<form id="free"><label>路径 path<input id="path" value="/control" required></label>
<label>JSON（留空为查询 empty: GET）<textarea id="body" spellcheck="false"></textarea></label>
<button>发送 Send</button></form><pre id="answer" role="status"></pre><pre id="more" class="quiet"></pre></section>
)html";

}  // namespace

Answered desk_page(std::string_view party, const std::vector<Neighbour>& others) {
  const auto hash = [](std::string_view text) {
    return "'sha256-" + base::base64(base::sha256(text)) + "'";
  };
  std::string html =
      "<!doctype html><html lang=\"zh-CN\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>";
  html +=
      html_text(std::string("演练 · ") + std::string(party)) + "</title><style>" +
      std::string(kStyle) + "</style></head><body>" + links(party, others) + "<main><h1>" +
      html_text(party) + "</h1><p class=\"warn\">演练：没有真钱 · rehearsal: no real money</p>" +
      std::string(kInside) + "</main><script>" + std::string(kScript) + "</script></body></html>";
  const std::string policy = "default-src 'none'; style-src " + hash(kStyle) + "; script-src " +
                             hash(kScript) +
                             "; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
                             "form-action 'none'";
  return {.status = 200,
          .content_type = "text/html; charset=utf-8",
          .body = std::move(html),
          .headers = {{"Content-Security-Policy", policy},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"},
                      {"Cache-Control", "no-store"}}};
}

}  // namespace topup::rehearsal
