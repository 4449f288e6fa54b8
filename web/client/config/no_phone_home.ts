// uni-app's runtime asks its vendor's hosts for pictures nobody here uses. This plugin takes the requests out:
// the mini-program's preloadAsset(), the header shadow pictures in the H5 style sheets and the hosts of the unused <ad>.
import type { Plugin } from 'vite';

const kRuntime = /uni-mp-weixin[\\/]dist[\\/]uni\.mp\.esm\.js/;
const kCall = /\n\s*preloadAsset\(\);/;
const kDefinition = /function preloadAsset\(\) \{[\s\S]*?\n\}\n/;
const kVendorHost = /https?:\/\/[a-z0-9.-]+\.dcloud\.net\.cn[a-z0-9/]*/g;
const kRemotePicture = /url\(\s*["']?https?:\/\/[^)]*\)/g;

export function noPhoneHome(platform: string | undefined): Plugin {
  let found = false;
  return {
    name: 'no-phone-home',
    enforce: 'pre',
    transform(code, id) {
      if (!kRuntime.test(id)) return null;
      if (!kCall.test(code) || !kDefinition.test(code)) this.error('preloadAsset() has changed; read it again.');
      found = true;
      return { code: code.replace(kCall, '').replace(kDefinition, ''), map: null };
    },
    buildEnd(failed) {
      if (!failed && platform === 'mp-weixin' && !found) this.error('preloadAsset() was not found in the build.');
    },
    renderChunk(code) {
      return { code: code.replace(kVendorHost, ''), map: null };
    },
    generateBundle(_options, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type === 'chunk') {
          if (file.code.search(kVendorHost) >= 0) this.error(`${file.fileName} still names a host of the vendor.`);
          continue;
        }
        if (!file.fileName.endsWith('.css')) continue;
        file.source = String(file.source).replace(kRemotePicture, 'none');
      }
    },
  };
}
