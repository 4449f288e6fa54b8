// Nobody is shut out: axe finds nothing serious on any page in either theme, and every colour of text stands out.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { by, openBrowser, openPage, phone } from './support/browser.mjs';
import { Shop } from './support/shop.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const client = new URL('../../web/client/src/', import.meta.url);
// What stands between marks for the mini-program is none of a browser's.
const listed = readFileSync(new URL('pages.json', client), 'utf8').replace(/\/\/ #ifdef MP-WEIXIN[\s\S]*?\/\/ #endif/g, '').replace(/^\s*\/\/.*$/gm, '');
const pages = JSON.parse(listed).pages.map((page) => page.path);
const kLeastContrast = 4.5;

let shop;
let browser;
before(async () => {
  shop = await Shop.start({ speed: 50 });
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await shop?.stop();
  shop?.cleanup();
});

// As a debugger would: the page's own policy forbids foreign script, and rightly so.
async function findings(page) {
  await page.evaluate(axe);
  // A button that has just become ready is still fading in, and is read when it has.
  await page.evaluate(() => Promise.allSettled(document.getAnimations()
    .filter((one) => one instanceof CSSTransition).map((one) => one.finished)));
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return violations
    .filter((one) => one.impact === 'serious' || one.impact === 'critical')
    .map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(' ')).join(', ')}`);
}

async function settled(page) {
  await page.waitForLoadState('networkidle');
  await page.waitForFunction(() => document.querySelector('uni-page-body')?.textContent.trim());
}

for (const colorScheme of ['light', 'dark']) {
  test(`axe: every page, ${colorScheme}`, async () => {
    const page = await openPage(browser, { viewport: phone, colorScheme, expected: [/./] });
    await page.goto(`${shop.origin}/`);
    await by(page, 'phone-input').waitFor();
    const found = {};
    for (const path of pages) {
      await page.goto(`${shop.origin}/#/${path}`);
      await page.reload();
      await settled(page);
      const here = await findings(page);
      if (here.length > 0) found[path] = here;
    }
    assert.deepEqual(found, {});
    await page.context().close();
  });

  test(`axe: the way of an order, ${colorScheme}`, async () => {
    const page = await openPage(browser, { viewport: phone, locale: 'en-US', colorScheme });
    const found = {};
    const look = async (name) => {
      const here = await findings(page);
      if (here.length > 0) found[name] = here;
    };
    await page.goto(`${shop.origin}/`);
    await by(page, 'phone-input').fill('12');
    await look('a wrong number');
    await by(page, 'phone-input').fill('13800001234');
    await by(page, 'face-10000').click();
    await look('a price');
    await by(page, 'go-confirm').click();
    await by(page, 'payable').waitFor();
    await by(page, 'quote-line').first().click();
    await look('confirm');
    await by(page, 'pay-button').click();
    await page.waitForURL(`${shop.wechat}/**`);
    await page.locator('#pay').click();
    await page.waitForURL(`${shop.origin}/**`);
    await page.waitForSelector('[data-test="order-state"][data-state="succeeded"]:visible');
    await look('the order');
    await page.goto(`${shop.origin}/#/pages/orders/orders`);
    await by(page, 'order-row').waitFor();
    await look('orders');
    assert.deepEqual(found, {});
    await page.context().close();
  });
}

// --- the colours themselves ---

function luminance(hex) {
  const [red, green, blue] = [1, 3, 5]
    .map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

test('every colour of text has a contrast of at least 4.5 to 1 on every ground it stands on, in both themes', () => {
  const css = readFileSync(new URL('tokens.css', client), 'utf8');
  const [light, dark] = css.split('@media (prefers-color-scheme: dark)');
  const tokens = (text) => Object.fromEntries([...text.matchAll(/--([a-z-]+): (?:var\(--[a-z-]+, )?(#[0-9a-f]{6})\)?;/g)].map(([, name, hex]) => [name, hex]));
  const themes = { light: tokens(light), dark: { ...tokens(light), ...tokens(dark) } };
  // What a theme may set has the standing value behind it; the themes themselves: web/client/tests/decoration.test.ts.
  const pairs = ['ink', 'quiet', 'brand', 'accent', 'warn', 'bad'].flatMap((text) => [[text, 'paper'], [text, 'ground']]);
  pairs.push(['warn', 'warn-ground'], ['bad', 'bad-ground'], ['quiet', 'bad-ground'], ['quiet', 'warn-ground'], ['quiet', 'line']);
  const weak = [];
  for (const [theme, colours] of Object.entries(themes)) {
    for (const [text, ground] of pairs) {
      assert.ok(colours[text] && colours[ground], `${theme} has ${text} and ${ground}`);
      const found = contrast(colours[text], colours[ground]);
      if (found < kLeastContrast) weak.push(`${theme}: ${text} on ${ground} is ${found.toFixed(2)}`);
    }
  }
  assert.deepEqual(weak, []);
});
