// uni-app's <image> puts an <img> without alt into its own element, and a screen reader then reads out the file's name. What
// the picture says stands on the element around it, so the <img> itself is silent.
import type { Plugin } from 'vite';

const kRuntime = /uni-h5[\\/]dist[\\/]uni-h5\.es\.js/;
const kPlace = 'img.draggable = props2.draggable;';

export function imageAlt(platform: string | undefined): Plugin {
  let found = false;
  return {
    name: 'image-alt',
    enforce: 'pre',
    transform(code, id) {
      if (!kRuntime.test(id) || !code.includes(kPlace)) return null;
      found = true;
      return { code: code.replace(kPlace, `${kPlace} img.alt = '';`), map: null };
    },
    buildEnd(failed) {
      if (!failed && platform === 'h5' && !found) this.error('The <img> of <image> was not found; read the runtime again.');
    },
  };
}
