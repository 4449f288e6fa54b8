// What a first visit needs, in few files that a browser asks for at once: on a slow line each step of a chain costs half a second,
// and so does each file beyond the six that a browser asks one host for at a time. The home page and all it is made of are one
// file, in the order in which it runs; index.html names it, the core, and the two answers of the shop without which nothing can be priced.
import type { HtmlTagDescriptor, Plugin } from 'vite';

const kHome = 'pages/home/home.vue';
/** Read by src/early.ts, in the same words. */
const kAnswers = ['/api/v1/price-book', '/api/v1/shop'];

const kSign = 'src="/static/icon.svg"';

interface Module {
  id: string;
  importedIds: readonly string[];
}
type Ask = (id: string) => Module | null;

function closureOf(roots: string[], ask: Ask): Set<string> {
  const found = new Set<string>();
  const left = [...roots];
  for (let id = left.pop(); id !== undefined; id = left.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    left.push(...(ask(id)?.importedIds ?? []));
  }
  return found;
}

/** `core`: its address; `sign`: the picture that stands until there is a page, put into the HTML so that it waits for nothing. */
export function firstPage(core: () => string, sign: () => string): Plugin {
  const firstIds = new Set<string>();
  return {
    name: 'first-page',
    config: () => ({
      build: {
        rollupOptions: {
          output: {
            manualChunks(id: string, { getModuleInfo, getModuleIds }) {
              if (firstIds.size === 0) {
                const roots = [...getModuleIds()].filter((one) => one.endsWith(kHome) || getModuleInfo(one)?.isEntry);
                closureOf(roots, getModuleInfo).forEach((one) => firstIds.add(one));
              }
              return firstIds.has(id) && !getModuleInfo(id)?.isEntry ? 'first' : undefined;
            },
          },
        },
      },
    }),
    transformIndexHtml: {
      order: 'post',
      handler(html, { bundle }) {
        if (!bundle) return [];
        const home = Object.values(bundle).find((file) => file.type === 'chunk' && Object.keys(file.modules).some((id) => id.endsWith(kHome)));
        if (home?.type !== 'chunk') throw new Error(`The build has no ${kHome}.`);
        if (!html.includes(kSign)) throw new Error(`index.html shows no ${kSign}.`);
        // The entry is nothing but its import, so that its file and its styles are named already.
        if (!html.includes(home.fileName)) throw new Error(`index.html does not name ${home.fileName}.`);
        const tags = [core(), ...kAnswers].map((href): HtmlTagDescriptor => (
          { tag: 'link', attrs: { rel: 'preload', as: 'fetch', href, crossorigin: true }, injectTo: 'head' }));
        return { html: html.replace(kSign, `src="data:image/svg+xml,${encodeURIComponent(sign())}"`), tags };
      },
    },
  };
}
