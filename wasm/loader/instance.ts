// Holds the running module: catches every throw, and after a trap brings up a fresh one with the same book and stations.
import type { CoreError } from '../topup';
import { HotPaths } from './hot';
import { QuotePath } from './hot_quote';
import type { RawTopup } from './raw';

/** Restarts per page; a module that traps more often than this stays away, and the page asks the server. */
const kMaxRestarts = 3;
const kMaxJsonLength = 256 * 1024; // the core refuses more itself; this only spares the copy
const kMaxBookBytes = 1024 * 1024;
const kMaxStationBytes = 8 * 1024 * 1024;

const kSetBuyer = 'set_buyer';
/** Calls after which a quote's indices mean something else. */
const kChangingCalls = ['load_book_hex'];

export function refusal(code: string, reason: string): { ok: false; error: CoreError } {
  return { ok: false, error: { code, reason, field: '', detail: '' } };
}

function refusalText(code: string, reason: string): string {
  return JSON.stringify(refusal(code, reason));
}

const kUnavailable = refusalText('unavailable', 'core_unavailable');

function isOk(text: string): boolean {
  return text.startsWith('{"ok":true');
}

// A trap leaves the instance's memory in an unknown state; an ordinary Error does not.
function isTrap(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return true;
  return thrown.name === 'RuntimeError' || thrown instanceof RangeError;
}

/** The running module and what is known of its state. */
export class Running {
  readonly hot: HotPaths;
  readonly quotes: QuotePath;
  constructor(readonly raw: RawTopup) {
    this.hot = new HotPaths(raw);
    this.quotes = new QuotePath(this.hot);
  }

  call(name: string, json: string): string {
    const text = this.raw.call(name, json);
    if (kChangingCalls.includes(name)) this.quotes.forget();
    return text;
  }
  loadBook(bytes: Uint8Array): string {
    const text = this.raw.load_price_book(bytes);
    this.quotes.forget();
    return text;
  }
  setBuyer(json: string): string {
    const text = this.raw.call(kSetBuyer, json);
    if (isOk(text)) this.quotes.setOwned((JSON.parse(json) as { coupons?: [] | null } | null)?.coupons ?? []);
    return text;
  }
}

export class Instance {
  private running: Running | null;
  private book: Uint8Array | null = null;
  private stations: Uint8Array | null = null;
  private buyer = '';
  private restartsLeft = kMaxRestarts;

  constructor(raw: RawTopup, private readonly start: () => Promise<RawTopup>) {
    this.running = new Running(raw);
  }

  /** Runs against the module; `otherwise` when there is none or it failed. */
  run<T>(use: (running: Running) => T, otherwise: T): T {
    const { running } = this;
    if (running === null) return otherwise;
    try {
      return use(running);
    } catch (thrown) {
      if (isTrap(thrown)) void this.restart();
      return otherwise;
    }
  }

  /** The answer's JSON text; total, whatever `input` is. */
  callText(name: string, input: unknown): string {
    let json: string | undefined;
    try {
      json = JSON.stringify(input);
    } catch {
      return refusalText('invalid_argument', 'json_malformed');
    }
    if (json === undefined) json = 'null';
    if (json.length > kMaxJsonLength) return refusalText('invalid_argument', 'json_too_large');
    const given = json;
    if (name !== kSetBuyer) return this.run((running) => running.call(name, given), kUnavailable);
    const text = this.run((running) => running.setBuyer(given), kUnavailable);
    if (isOk(text)) this.buyer = given;
    return text;
  }

  loadBook(bytes: unknown): string {
    if (!(bytes instanceof Uint8Array)) return refusalText('invalid_argument', 'price_book_damaged');
    if (bytes.length > kMaxBookBytes) return refusalText('invalid_argument', 'price_book_too_large');
    const text = this.run((running) => running.loadBook(bytes), kUnavailable);
    if (isOk(text)) this.book = bytes.slice();
    return text;
  }

  loadStations(bytes: unknown): string {
    if (!(bytes instanceof Uint8Array)) return refusalText('invalid_argument', 'stations_damaged');
    if (bytes.length > kMaxStationBytes) return refusalText('invalid_argument', 'stations_too_large');
    const text = this.run(({ raw }) => raw.load_stations(bytes), kUnavailable);
    if (isOk(text)) this.stations = bytes.slice();
    return text;
  }

  private async restart(): Promise<void> {
    this.running = null;
    if (this.restartsLeft === 0) return;
    this.restartsLeft -= 1;
    try {
      const fresh = new Running(await this.start());
      if (this.buyer !== '') fresh.setBuyer(this.buyer);
      if (this.book !== null) fresh.loadBook(this.book);
      if (this.stations !== null) fresh.raw.load_stations(this.stations);
      this.running = fresh;
    } catch {
      this.running = null;
    }
  }
}
