// The shop's page without a network. make_pwa.mjs puts BUILD and FILES in front of this.
// Every build has a cache of its own; a page only ever gets files of one build. A new worker waits until all pages of the old one
// are closed or a buyer takes it over; a cache goes when no open page is of its build. Answers of /api are never kept.
/* global BUILD, FILES */
const kPrefix = 'topup-';
const kOwn = kPrefix + BUILD;
const kAnswerMs = 2000;
const kTidyTurns = 5;
const kHashed = /^\/(assets|static\/wasm)\//;

// A file whose name holds its hash is the same in every build: what an older cache has is not fetched again.
async function keep(cache, path) {
  const known = kHashed.test(path) ? await caches.match(path) : undefined;
  if (known) return cache.put(path, known);
  const answer = await fetch(path, { cache: 'no-cache', credentials: 'same-origin' });
  if (!answer.ok || answer.redirected) throw new Error(`${path}: ${answer.status}`);
  return cache.put(path, answer);
}

async function install() {
  const cache = await caches.open(kOwn);
  await Promise.all(FILES.map((path) => keep(cache, path)));
}

function buildOf(page) {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => resolve(String(data));
    setTimeout(() => resolve(''), kAnswerMs);
    page.postMessage('which build', [port2]);
  });
}

// A page that is still loading, or is just being closed, does not say which files it needs: it is asked again a little later.
async function tidy(turns = kTidyTurns) {
  const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const shops = pages.filter((page) => new URL(page.url).pathname === '/');
  const builds = await Promise.all(shops.map(buildOf));
  if (builds.includes('')) return turns > 1 ? tidy(turns - 1) : undefined;
  const kept = new Set([kOwn, ...builds.map((build) => kPrefix + build)]);
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(kPrefix) && !kept.has(name)).map((name) => caches.delete(name)));
}

async function openPage(request) {
  const cached = await (await caches.open(kOwn)).match('/');
  return cached ?? fetch(request);
}

// An open page may be of an older build: its hashed files are in that build's cache.
async function file(request, path) {
  const own = await (await caches.open(kOwn)).match(path);
  const known = own ?? (await caches.match(path));
  if (known) return known;
  const answer = await fetch(request);
  if (answer.ok && path.startsWith('/static/')) await (await caches.open(kOwn)).put(path, answer.clone());
  return answer;
}

self.addEventListener('install', (event) => event.waitUntil(install()));
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim().then(() => tidy())));
self.addEventListener('message', (event) => {
  if (event.data === 'take over') event.waitUntil(self.skipWaiting());
  if (event.data === 'tidy') event.waitUntil(tidy());
});
self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== self.location.origin) return;
  if (request.mode === 'navigate') {
    if (pathname === '/') event.respondWith(openPage(request));
    return;
  }
  if (pathname.startsWith('/assets/') || pathname.startsWith('/static/')) event.respondWith(file(request, pathname));
});
