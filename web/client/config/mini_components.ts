// In a mini-program each component is a box of its own around its template, so that a class or a grid place given to it from
// outside does not reach what is drawn. WeChat can leave the box out; this makes every component but the pages do so, as on H5.
import type { Plugin } from 'vite';

const kRuntime = /uni-mp-weixin[\\/]dist[\\/]uni\.mp\.esm\.js/;
const kOptions = /addGlobalClass: true,/g;

export function withoutBoxes(platform: string | undefined): Plugin {
  let found = 0;
  return {
    name: 'components-without-boxes',
    enforce: 'pre',
    transform(code, id) {
      if (!kRuntime.test(id)) return null;
      found += code.match(kOptions)?.length ?? 0;
      return { code: code.replace(kOptions, 'addGlobalClass: true, virtualHost: !isPageInProject,'), map: null };
    },
    buildEnd(failed) {
      if (!failed && platform === 'mp-weixin' && found !== 1) this.error('The options of components have changed; read them again.');
    },
  };
}
