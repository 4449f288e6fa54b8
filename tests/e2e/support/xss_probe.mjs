// Watches a page for anything that ran, asked elsewhere or came to life from a text. It judges three ways, because a policy
// that stops a script would otherwise hide a page that is careless: what ran, what the policy had to stop, and what stands
// in the document that only a text could have brought.
import { canary } from './xss_payloads.mjs';

// Runs in the page before its own scripts.
function watch() {
  const tell = (what) => { (window.__seen ??= []).push(String(what).slice(0, 300)); };
  Object.defineProperty(window, '__ran', { value: () => tell('a script ran'), writable: false, configurable: false });
  for (const name of ['alert', 'confirm', 'prompt', 'open']) window[name] = (...words) => tell(`${name}(${words.join()})`);
  document.addEventListener('securitypolicyviolation', (event) => {
    tell(`the policy stopped ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
  });
}

// What only a text can have brought into the document. Also walks into the values that a page keeps in attributes.
function brought(host) {
  const found = [];
  const own = location.origin;
  const bad = /^[\u0000-\u0020]*(?:j\s*a\s*v\s*a\s*s\s*c\s*r\s*i\s*p\s*t|vbscript|data\s*:\s*text)/i;
  for (const element of document.querySelectorAll('*')) {
    const tag = element.localName;
    const name = `${tag}.${element.className?.baseVal ?? element.className}`.slice(0, 80);
    for (const { name: key, value } of element.attributes) {
      if (/^on/i.test(key)) found.push(`${name} has ${key}`);
      if (/^(?:href|src|action|formaction|data|poster|background|xlink:href|srcset|content|values|to)$/i.test(key)) {
        if (bad.test(value)) found.push(`${name} leads to a script: ${value.slice(0, 80)}`);
        if (/^\s*(?:https?:)?\/\//i.test(value) && !value.trim().startsWith(own) && value.includes(host)) {
          found.push(`${name} leads elsewhere: ${value.slice(0, 80)}`);
        }
      }
      if (key === 'style' && value.includes(host)) found.push(`${name} is styled from elsewhere`);
      if (key === 'srcdoc') found.push(`${name} has a document of its own`);
    }
    if (tag === 'script' && !(element.src.startsWith(own) && element.textContent === '')) found.push(`a script: ${element.outerHTML.slice(0, 80)}`);
    // The console shows the shop's own page in a frame of its own; any other frame was brought in.
    if (tag === 'iframe' && element.getAttribute('src') === '/preview' && element.dataset.test === 'preview') continue;
    if (['object', 'embed', 'applet', 'base', 'iframe', 'marquee', 'math', 'xmp', 'foreignobject'].includes(tag)) found.push(`a ${tag}`);
    if (tag === 'style' && element.textContent.includes(host)) found.push('a style from elsewhere');
  }
  return found;
}

/** What is written on the page and in its fields, titles and labels. */
function written() {
  const parts = [document.title, document.body.innerText, document.body.textContent];
  for (const element of document.querySelectorAll('[title],[aria-label],[placeholder],input,textarea')) {
    parts.push(element.title, element.getAttribute('aria-label') ?? '', element.getAttribute('placeholder') ?? '', element.value ?? '');
  }
  return parts.join('\n');
}

/** Puts the watch on a page that openPage made: `look(where)` gathers into `found` and `shown`, `waiting()` counts requests. */
export async function probe(page) {
  const found = [];
  const seen = new Set();
  page.found = found;
  page.shown = seen;
  await page.addInitScript(watch);
  page.on('dialog', async (dialog) => {
    found.push(`a dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  page.on('popup', (other) => { found.push(`a window: ${other.url()}`); });
  page.on('request', (request) => { if (request.url().includes(canary)) found.push(`asked ${request.url()}`); });
  const waiting = new Set();
  page.on('request', (request) => { waiting.add(request); });
  for (const end of ['requestfinished', 'requestfailed']) page.on(end, (request) => { waiting.delete(request); });
  page.on('framenavigated', () => { waiting.clear(); });
  page.waiting = () => waiting.size;
  page.look = async (where) => {
    const alive = await page.evaluate(() => window.__seen?.splice(0) ?? []);
    const grown = await page.evaluate(brought, canary);
    found.push(...[...alive, ...grown].map((what) => `${where}: ${what}`));
    for (const [, mark] of (await page.evaluate(written)).matchAll(/⟦([a-z_.]+)⟧/g)) seen.add(mark);
  };
  return page;
}

export const inPage = { watch, brought };
