// A new build never breaks an open page: it keeps every file of its own build, is told quietly, and is renewed by a tap only.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { by, openBrowser, openPage, picture } from './support/browser.mjs';
import { Shop, client, until } from './support/shop.mjs';

const scripts = resolve(import.meta.dirname, '../../web/client/scripts');
const kOutage = [/Failed to load resource/, /ERR_/, /WebSocket/];

let folder;
let shop;
let browser;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'topup builds '));
  cpSync(client, join(folder, 'old'), { recursive: true });
  shop = await Shop.start({ speed: 50, web: join(folder, 'old') });
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await shop?.stop();
  shop?.cleanup();
  rmSync(folder, { recursive: true, force: true });
});

/** The same pages under new names, as after any change of the sources. */
function nextBuild(from, to) {
  cpSync(from, to, { recursive: true, filter: (path) => !path.endsWith('.br') });
  const assets = join(to, 'assets');
  const names = readdirSync(assets).map((name) => [name, name.replace(/(.)(\.\w+)$/, (_all, last, ending) => (last === 'Z' ? 'Y' : 'Z') + ending)]);
  const renamed = (text) => names.reduce((now, [old, fresh]) => now.replaceAll(old, fresh), text);
  for (const [old, fresh] of names) {
    writeFileSync(join(assets, old), renamed(readFileSync(join(assets, old), 'utf8')));
    renameSync(join(assets, old), join(assets, fresh));
  }
  writeFileSync(join(to, 'index.html'), renamed(readFileSync(join(to, 'index.html'), 'utf8')));
  for (const script of ['make_pwa.mjs', 'compress.mjs']) execFileSync(process.execPath, [join(scripts, script), to]);
}

const buildOf = (page) => page.evaluate(() => document.querySelector('meta[name="build"]').content);
const cachesOf = (page) => page.evaluate(async () => (await caches.keys()).filter((name) => name.startsWith('topup-')).length);

async function openInstalled() {
  const page = await openPage(browser, { expected: kOutage });
  await page.goto(`${shop.origin}/`);
  await by(page, 'phone-input').waitFor();
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  return page;
}

test('sw.js is asked for anew each time, is a script, and the hashed files are kept for good', async () => {
  const worker = await shop.call('GET', '/sw.js');
  assert.equal(worker.status, 200);
  assert.match(worker.headers.get('content-type'), /^text\/javascript/);
  assert.equal(worker.headers.get('cache-control'), 'no-cache');
  const manifest = await shop.call('GET', '/app.webmanifest');
  assert.equal(manifest.headers.get('content-type'), 'application/manifest+json');
  for (const { src, sizes, type } of manifest.json.icons) {
    const icon = await fetch(shop.origin + src);
    assert.equal(icon.headers.get('content-type'), type);
    const bytes = Buffer.from(await icon.arrayBuffer());
    if (type === 'image/png') assert.equal(`${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`, sizes);
  }
});

test('an open page outlives an update of the shop, and is renewed when its reader says so', async () => {
  const page = await openInstalled();
  const old = await buildOf(page);
  const other = await page.context().newPage();
  await other.goto(`${shop.origin}/`);
  await by(other, 'phone-input').waitFor();

  const { port } = new URL(shop.origin);
  await shop.stop();
  nextBuild(join(folder, 'old'), join(folder, 'new'));
  shop.options.web = join(folder, 'new');
  await shop.run(Number(port));

  // A page that this one has not loaded yet, of a build that the shop no longer has.
  await page.evaluate(() => { location.hash = '#/pages/drafts/drafts'; });
  await by(page, 'drafts-go').waitFor();
  assert.equal(await buildOf(page), old);

  await page.evaluate(() => navigator.serviceWorker.getRegistration().then((found) => found.update()).then(() => undefined));
  await by(page, 'update-bar').waitFor();
  await picture(page, 'offline-phone-zh-update');
  assert.equal(await buildOf(page), old, 'nothing is reloaded by itself');
  await by(page, 'update-take').click();
  await page.waitForFunction((before) => document.querySelector('meta[name="build"]')?.content !== before, old);
  await by(page, 'drafts-go').waitFor();

  // The other one was not asked to reload, and still has the files of its build.
  await other.evaluate(() => { location.hash = '#/pages/drafts/drafts'; });
  await by(other, 'drafts-go').waitFor();
  assert.equal(await buildOf(other), old);
  assert.equal(await cachesOf(page), 2);

  // A page that is too busy to say of which build it is delays the tidying, and does not end it.
  const busy = await page.context().newPage();
  await busy.goto(`${shop.origin}/`);
  await by(busy, 'phone-input').waitFor();
  const waits = busy.evaluate(() => {
    for (const end = Date.now() + 3_000; Date.now() < end;);
  });
  await other.close();
  await page.reload();
  await by(page, 'drafts-go').waitFor();
  await waits;
  await until('the files of the old build go with its last page', async () => (await cachesOf(page)) === 1);
  await busy.close();
  await page.context().setOffline(true);
  await page.reload();
  await by(page, 'drafts-go').waitFor();
  assert.notEqual(await buildOf(page), old);
  assert.deepEqual(page.complaints(), []);
  await page.context().close();
});
