// From Emscripten's glue to the Topup of ../topup.d.ts: one shared instance, a load that ends, a fresh instance after a trap.
import type { Topup } from '../topup';
import { makeTopup } from './face';
import type { Glue, Instantiate, RawTopup, Source } from './raw';

export type { Glue, Instantiate, RawTopup, Source } from './raw';

/** A load that takes longer has failed: the page asks the server for prices instead. */
const kMaxLoadMs = 10_000;

// Emscripten's own promise stays open for ever when the hook's instantiation fails, and a host may never answer at all.
function startOnce(glue: Glue, instantiate: Instantiate, source: Source, maxLoadMs: number): Promise<RawTopup> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`The core did not load within ${maxLoadMs} ms.`)), maxLoadMs);
    const settled = <T>(settle: (value: T) => void) => (value: T) => {
      clearTimeout(timer);
      settle(value);
    };
    const started = glue({
      instantiateWasm(imports, done) {
        instantiate(imports, source).then((result) => done(result.instance, result.module), settled(reject));
        return {};
      },
    });
    started.then(settled(resolve), settled(reject));
  });
}

/** One shared instance per loader. A failed load is forgotten, so that the next call tries again. */
export function makeLoader(
  glue: Glue,
  instantiate: Instantiate,
  { maxLoadMs = kMaxLoadMs } = {},
): (source?: Source) => Promise<Topup> {
  let shared: Promise<Topup> | null = null;
  return (source: Source = {}) => {
    if (shared === null) {
      const start = () => startOnce(glue, instantiate, source, maxLoadMs);
      const loading: Promise<Topup> = start().then((raw) => makeTopup(raw, start));
      loading.catch(() => {
        if (shared === loading) shared = null;
      });
      shared = loading;
    }
    return shared;
  };
}
