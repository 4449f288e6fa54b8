// What the compiled module exports (wasm/bindings.cpp), and how a host brings it to life.

export interface RawTopup {
  version(): string;
  /** Any call of the border: JSON text in, canonical JSON text out. */
  call(name: string, json: string): string;
  /** The names that call() knows, as a JSON array. */
  call_names(): string;
  /** The words whose places the numbers of the hot paths are, as a JSON object of arrays. */
  words(): string;
  load_price_book(bytes: Uint8Array): string;
  load_stations(bytes: Uint8Array): string;
  mask_phone(number: string): string;
  /** Views of the module's memory. When it grows they become empty and new ones stand here. */
  HEAPU8: Uint8Array;
  HEAP32: Int32Array;
  HEAPF64: Float64Array;
  /** Where texts go in and come out, and where numbers come out: addresses that never change. */
  _hot_text_start(): number;
  _hot_integers_start(): number;
  _hot_doubles_start(): number;
  _hot_check_phone(typedBytes: number, countryBytes: number): void;
  _hot_order_next(state: number, event: number): number;
  _hot_quote(
    productBytes: number,
    accountBytes: number,
    amountMinor: number,
    nowMs: number,
    degraded: number,
    withoutCoupons: number,
  ): number;
}

export interface Source {
  url?: string;
  bytes?: BufferSource;
}
export type Instantiate = (
  imports: WebAssembly.Imports,
  source: Source,
) => Promise<WebAssembly.WebAssemblyInstantiatedSource>;
/** The factory in Emscripten's glue, topup.js. */
export type Glue = (options: {
  instantiateWasm(
    imports: WebAssembly.Imports,
    done: (instance: WebAssembly.Instance, module?: WebAssembly.Module) => void,
  ): object;
}) => Promise<RawTopup>;
