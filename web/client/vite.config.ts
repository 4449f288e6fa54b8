import { readFileSync } from 'node:fs';
import { fileURLToPath, URL } from 'node:url';
import uniModule from '@dcloudio/vite-plugin-uni';
import { defineConfig } from 'vite';
import { firstPage } from './config/first_page';
import { imageAlt } from './config/image_alt';
import { withoutBoxes } from './config/mini_components';
import { noPhoneHome } from './config/no_phone_home';
import { plainWxss } from './config/wxss';

// The package is CommonJS; under "type": "module" its default export sits one level deeper.
const uni = (uniModule as unknown as { default?: typeof uniModule }).default ?? uniModule;

const { version } = JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8')) as { version: string };

// As scripts/copy_core.mjs has written it.
function coreAddress(): string {
  const text = readFileSync(here('./src/core/generated/wasm_name.ts'), 'utf8');
  return `/static/wasm/${/topup-[0-9a-f]+\.wasm/.exec(text)?.[0] ?? ''}`;
}

function here(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

const kPlatform = process.env.UNI_PLATFORM;

export default defineConfig({
  plugins: [
    noPhoneHome(kPlatform),
    imageAlt(kPlatform),
    withoutBoxes(kPlatform),
    uni(),
    plainWxss(kPlatform),
    ...(kPlatform === 'h5' ? [firstPage(coreAddress, () => readFileSync(here('./src/static/icon.svg'), 'utf8'))] : []),
  ],
  resolve: {
    alias: { '@api': here('../api'), '@loader': here('../../wasm/loader') },
  },
  define: { __TOPUP_VERSION__: JSON.stringify(version) },
  build: { target: 'es2020', minify: 'esbuild', modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
});
