// Makes a build installable and able to open without a network: writes app.webmanifest and sw.js, and the build's name into
// index.html. Usage: node scripts/make_pwa.mjs <folder>, before compress.mjs.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = process.argv[2];
if (!folder) throw new Error('Name the folder of the build.');
const here = dirname(fileURLToPath(import.meta.url));

const manifest = {
  id: '/',
  name: 'Topup',
  short_name: 'Topup',
  lang: 'zh-CN',
  start_url: '/',
  scope: '/',
  display: 'standalone',
  background_color: '#F5F6F8',
  theme_color: '#F5F6F8',
  icons: [
    { src: '/static/icon-192.png', sizes: '192x192', type: 'image/png', purpose: 'any' },
    { src: '/static/icon-512.png', sizes: '512x512', type: 'image/png', purpose: 'any' },
    { src: '/static/icon-maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
    { src: '/static/icon.svg', sizes: 'any', type: 'image/svg+xml', purpose: 'any' },
  ],
};
writeFileSync(join(folder, 'app.webmanifest'), JSON.stringify(manifest));

// What an open page may ask for. Icons are for the system, the manifest is asked for with the network only; of the flags of the
// whole world the worker keeps those that were seen.
const asked = (path) => !path.endsWith('.br') && !/^\/(sw\.js|app\.webmanifest|index(\.\w+)?\.html)$/.test(path) && !/^\/static\/(icon-.*\.png$|flags\/)/.test(path);
const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => `/${relative(folder, join(entry.parentPath ?? entry.path, entry.name)).split(sep).join('/')}`)
  .filter(asked)
  .sort();

const page = join(folder, 'index.html');
const html = readFileSync(page, 'utf8').replace(/\s*<meta name="build"[^>]*>/, '');
const hash = createHash('sha256').update(html);
for (const path of files) hash.update(path).update(readFileSync(join(folder, path)));
const build = hash.digest('hex').slice(0, 16);

if (!html.includes('<title>')) throw new Error('index.html has no title to put the build beside.');
const built = html.replace('<title>', `<meta name="build" content="${build}" />\n    <title>`);
writeFileSync(page, built);
// The same page for each theme: a first visit wears it before anything is drawn. The server chooses (server/http/static_files.h).
const themes = [...readFileSync(join(here, '../../api/themes.ts'), 'utf8').matchAll(/^  (\w+): \{ brand/gm)].map(([, name]) => name);
if (!built.includes('<html lang="zh-CN"') || themes.length === 0) throw new Error('The page has no place for a theme, or there are none.');
for (const name of themes) writeFileSync(join(folder, `index.${name}.html`), built.replace('<html', `<html data-look="${name}"`));
const worker = readFileSync(join(here, 'service_worker.js'), 'utf8');
writeFileSync(join(folder, 'sw.js'), `const BUILD = '${build}';\nconst FILES = ${JSON.stringify(['/', ...files])};\n${worker}`);
console.log(`pwa: build ${build}, ${files.length + 1} files`);
