import { fileURLToPath, URL } from 'node:url';
import { defineConfig } from 'vitest/config';

function here(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

// What uni-app does to the sources before it builds them for H5: the lines of other platforms go.
const ofH5 = {
  name: 'lines-of-h5',
  enforce: 'pre' as const,
  transform: (code: string, path: string) =>
    path.includes('/src/')
      ? code.replace(/^\s*\/\/ #if(n?)def ([\w-]+)\n([^]*?)^\s*\/\/ #endif\n/gm, (_all, not: string, platform: string, lines: string) =>
          (platform === 'H5') === (not === '') ? lines : '')
      : undefined,
};

export default defineConfig({
  plugins: [ofH5],
  resolve: {
    alias: { '@api': here('../api'), '@loader': here('../../wasm/loader'), '@topup/core': here('../../wasm/topup.d.ts'), '@': here('src') },
  },
  test: { include: ['tests/**/*.test.ts'], setupFiles: ['tests/support/device.ts'], restoreMocks: true },
});
