// Alone: it times what a page needs.
// How soon a buyer can type, on a slow line and a slow phone, and how soon a tap shows a price. The figures are printed; the
// bounds here leave room for a busy machine, those of the product are 3.5 s, 1.0 s and 16 ms.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { by, openBrowser, openPage } from './support/browser.mjs';
import { Shop } from './support/shop.mjs';

// Chromium's "Fast 3G": 1.6 Mbit/s down and 750 kbit/s up, a tenth of it lost, 150 ms of latency seen 3.75 times.
const kFast3G = { offline: false, latency: 562.5, downloadThroughput: (1.6 * 1024 * 1024 * 0.9) / 8, uploadThroughput: (750 * 1024 * 0.9) / 8 };
const kSlowerCpu = 4;
const kFirstMs = 7_000;
const kSecondMs = 2_500;
const kTapMs = 50;

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

// Interactive: the prices stand, and a digit typed is answered by its verdict.
async function untilInteractive(page) {
  await page.addInitScript(() => {
    const isReady = () => document.querySelector('[data-test="face-10000"]') && document.querySelector('[data-test="phone-input"]');
    const look = () => {
      if (!isReady()) return void requestAnimationFrame(look);
      const input = document.querySelector('[data-test="phone-input"]');
      input.value = '1';
      input.dispatchEvent(new InputEvent('input', { bubbles: true }));
      const answered = () => {
        if (document.querySelector('[data-test="phone-verdict"][data-verdict="incomplete"]')) window.interactiveMs = performance.now();
        else requestAnimationFrame(answered);
      };
      answered();
    };
    requestAnimationFrame(look);
  });
  return async () => (await page.waitForFunction(() => window.interactiveMs)).jsonValue();
}

test('interactive on Fast 3G with a CPU four times slower: first visit, then from the worker', async (t) => {
  const page = await openPage(browser);
  page.setDefaultTimeout(60_000);
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', kFast3G);
  await session.send('Emulation.setCPUThrottlingRate', { rate: kSlowerCpu });
  const interactive = await untilInteractive(page);
  await page.goto(`${shop.origin}/`, { waitUntil: 'commit' });
  const first = await interactive();
  const bytes = await page.evaluate(() => performance.getEntriesByType('resource').reduce((sum, one) => sum + one.transferSize, 0));

  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await page.goto('about:blank');
  await page.goto(`${shop.origin}/`, { waitUntil: 'commit' });
  const second = await interactive();
  t.diagnostic(`interactive: first visit ${Math.round(first)} ms (${bytes} bytes), second ${Math.round(second)} ms`);
  assert.ok(first < kFirstMs, `first visit: ${first} ms`);
  assert.ok(second < kSecondMs, `second visit: ${second} ms`);
  await page.context().close();
});

test('a tap on an amount shows its price', async (t) => {
  const page = await openPage(browser);
  await page.goto(`${shop.origin}/`);
  await by(page, 'phone-input').fill('13800001234');
  await by(page, 'face-10000').click();
  // From the tap to the changed button, without what the screen adds.
  const times = await page.evaluate(async () => {
    const button = () => document.querySelector('[data-test="go-confirm"]').textContent;
    const found = [];
    for (const face of ['5000', '10000', '3000', '20000', '5000', '10000', '3000', '20000', '5000', '10000']) {
      await new Promise((done) => setTimeout(done, 30));
      const before = button();
      const started = performance.now();
      document.querySelector(`[data-test="face-${face}"]`).click();
      for (let turns = 0; button() === before && turns < 1000; ++turns) await Promise.resolve();
      found.push(performance.now() - started);
    }
    return found.sort((a, b) => a - b);
  });
  const [median, worst] = [times[Math.floor(times.length / 2)], times[times.length - 1]];
  t.diagnostic(`quote after a tap: median ${median.toFixed(2)} ms, worst ${worst.toFixed(2)} ms of ${times.length}`);
  assert.ok(median < kTapMs, `${median} ms`);
  await page.context().close();
});
