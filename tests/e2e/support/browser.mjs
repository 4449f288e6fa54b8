// A real headless Chromium at phone and desktop width. Every page is watched: a script error, a refused resource (CSP) or a
// request to any other host fails the test that made it.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const pictures = process.env.TOPUP_SCREENSHOTS ?? join(root, 'build/screenshots');
const executablePath = process.env.TOPUP_CHROMIUM || '/usr/bin/chromium-headless-shell';
export const phone = { width: 390, height: 844 };
export const desktop = { width: 1440, height: 900 };

export async function openBrowser() {
  assert.ok(existsSync(executablePath), `Chromium is needed at ${executablePath}`);
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  });
}

/** A fresh buyer in a fresh profile. `expected` lists patterns of console errors that the test causes on purpose; `agreed`:
 *  this buyer has agreed to the shop's first agreements before. */
export async function openPage(browser, {
  viewport = phone, locale = 'zh-CN', colorScheme = 'light', expected = [], agreed = true, userAgent,
} = {}) {
  const context = await browser.newContext({ viewport, locale, colorScheme, timezoneId: 'Asia/Shanghai', userAgent });
  if (agreed) {
    await context.addInitScript(() => {
      const before = { terms: 1, privacy: 1, location: false };
      if (!sessionStorage.getItem('was here')) localStorage.setItem('topup.agreed', JSON.stringify(before));
      sessionStorage.setItem('was here', 'yes');
    });
  }
  const page = await context.newPage();
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(`script error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (['http:', 'https:', 'ws:', 'wss:'].includes(protocol) && hostname !== '127.0.0.1') {
      complaints.push(`asked another host: ${request.url()}`);
    }
  });
  page.complaints = () => complaints.filter((line) => !expected.some((pattern) => pattern.test(line)));
  page.setDefaultTimeout(15_000);
  const unanswered = new Set();
  page.on('request', (request) => unanswered.add(request));
  for (const end of ['requestfinished', 'requestfailed']) page.on(end, (request) => unanswered.delete(request));
  const waitForURL = page.waitForURL.bind(page);
  page.waitForURL = (...words) => waitForURL(...words).catch((error) => {  // what it says by itself names neither
    error.message += `\nThe page is at ${page.url()}; unanswered: ${[...unanswered].map((request) => request.url()).join(', ') || 'nothing'}`;
    throw error;
  });
  return page;
}

export const by = (page, name) => page.locator(`[data-test="${name}"]:visible`).first();

export async function picture(page, name) {
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`), animations: 'disabled' });
}
