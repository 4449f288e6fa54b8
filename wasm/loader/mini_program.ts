// Brings the binary into a WeChat mini-program (base library 2.14 or newer). Its WXWebAssembly takes a path inside the code
// package, to a .wasm or a .wasm.br, and nothing else: no bytes, no download. There is no eval, fetch or TextDecoder.
import type { Instantiate } from './raw';

declare const WXWebAssembly:
  | {
      instantiate(path: string, imports: WebAssembly.Imports): Promise<{ instance: WebAssembly.Instance; module?: WebAssembly.Module }>;
    }
  | undefined;

const kPackagePath = /\.wasm(\.br)?$/;

export const instantiateInMiniProgram: Instantiate = async (imports, source) => {
  if (typeof WXWebAssembly === 'undefined') throw new Error('This WeChat has no WXWebAssembly.');
  if (!source.url || !kPackagePath.test(source.url)) throw new Error('The core needs its path inside the code package.');
  const { instance, module } = await WXWebAssembly.instantiate(source.url, imports);
  return { instance, module: module as WebAssembly.Module };
};
