// Asks Lighthouse what it thinks of the shop's page, in Debian's Chromium, against the real shop. Prints the scores and what it
// found; ends with 1 below the bounds. Usage: scripts/lighthouse [--desktop] [PATH…], PATH such as "/#/pages/orders/orders".
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { launch } from 'chrome-launcher';
import lighthouse, { desktopConfig } from 'lighthouse';
import { Shop } from '../e2e/support/shop.mjs';

const kBounds = { performance: 0.9, accessibility: 0.95, 'best-practices': 0.95 };
const given = process.argv.slice(2);
const isDesktop = given.includes('--desktop');
const paths = given.filter((word) => !word.startsWith('--'));
const reports = process.env.TOPUP_REPORTS ?? resolve(import.meta.dirname, '../../build/lighthouse');

const shop = await Shop.start({ speed: 50 });
const chrome = await launch({
  chromePath: process.env.TOPUP_CHROMIUM || '/usr/bin/chromium-headless-shell',
  chromeFlags: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
mkdirSync(reports, { recursive: true });
let failed = 0;
for (const [at, path] of (paths.length > 0 ? paths : ['/']).entries()) {
  const flags = { port: chrome.port, output: 'html', onlyCategories: Object.keys(kBounds), logLevel: 'error' };
  const { lhr, report } = await lighthouse(shop.origin + path, flags, isDesktop ? desktopConfig : undefined);
  writeFileSync(join(reports, `${at}.html`), report);
  for (const [name, least] of Object.entries(kBounds)) {
    const category = lhr.categories[name];
    const isEnough = category.score >= least;
    if (!isEnough) ++failed;
    console.log(`${isEnough ? 'ok    ' : 'FAILED'}  ${path} ${name}: ${Math.round(category.score * 100)} (at least ${least * 100})`);
    for (const { id, weight } of category.auditRefs) {
      const audit = lhr.audits[id];
      if (weight > 0 && audit.score !== null && audit.score < 0.9) console.log(`        ${id}: ${audit.title} ${audit.displayValue ?? ''}`);
    }
  }
  const figure = (id) => `${id} ${lhr.audits[id].displayValue}`;
  console.log(`        ${['first-contentful-paint', 'largest-contentful-paint', 'total-blocking-time', 'cumulative-layout-shift'].map(figure).join(', ')}`);
}
await chrome.kill();
await shop.stop();
shop.cleanup();
console.log(`${Object.keys(kBounds).length * Math.max(1, paths.length) - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
