import { fileURLToPath, URL } from 'node:url';
import uniModule from '@dcloudio/vite-plugin-uni';
import { defineConfig } from 'vite';
import { noPhoneHome } from './config/no_phone_home';

// The package is CommonJS; under "type": "module" its default export sits one level deeper.
const uni = (uniModule as unknown as { default?: typeof uniModule }).default ?? uniModule;

function here(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

export default defineConfig({
  plugins: [noPhoneHome(process.env.UNI_PLATFORM), uni()],
  resolve: {
    alias: { '@api': here('../api'), '@loader': here('../../wasm/loader') },
  },
  build: { target: 'es2020', minify: 'esbuild', modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
});
