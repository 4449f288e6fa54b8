// The logic layer of a mini-program: the real package in a Node vm that has what WeChat's engine has and lacks what it lacks,
// with `wx` played over real HTTP and WebSocket to the real shop.
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import vm from 'node:vm';
import { brotliDecompressSync } from 'node:zlib';
import { makeWx } from './mini_wx.mjs';
import { until } from './shop.mjs';
import { View } from './mini_view.mjs';

const kMissing = ['eval', 'Function', 'fetch', 'document', 'window', 'TextDecoder', 'TextEncoder', 'URL', 'process', 'crypto',
  'XMLHttpRequest', 'WebSocket', 'localStorage', 'navigator', 'location', 'structuredClone', 'performance'];

/** A phone with WeChat on it. Its storage outlives the app that is opened on it. */
export class Phone {
  constructor({ person = 'alice', platform = 'android', language = 'zh_CN', fontSize = 16 } = {}) {
    Object.assign(this, { person, platform, language, fontSize });
    this.storage = new Map();
    this.online = true;
    this.privacyAsked = false; // true: WeChat wants the buyer to agree to the privacy guide first
    this.pays = 'pays';        // what the buyer does at the sheet: pays, cancels, or only claims to have paid
    this.contact = '+86 138-0000-5678';
    this.requests = [];
    this.subscribes = 'accept';
    this.hasSockets = true;
  }
}

export class MiniApp {
  /** Opens the app cold. @param {{shop: object, root: string, phone: Phone, path?: string, query?: object}} options */
  static async open({ shop, root, phone, path, query = {} }) {
    const app = new MiniApp(shop, phone, root);
    await app.launch(path, query);
    return app;
  }

  constructor(shop, phone, root) {
    Object.assign(this, { shop, phone, root, stack: [], calls: [], problems: [], timers: new Set(), sockets: new Set() });
    this.view = new View(root, (path) => this.require(path));
    this.modules = new Map();
    this.world = this.makeWorld();
  }

  makeWorld() {
    const later = (start) => (run, ms, ...more) => {
      if (this.closed) return undefined; // an answer that came late begins nothing any more
      const timer = start(() => this.guard(() => run(...more)), ms);
      this.timers.add(timer);
      return timer;
    };
    const stop = (end) => (timer) => { this.timers.delete(timer); end(timer); };
    const said = (level) => (...words) => this.problems.push(`${level}: ${words.map((word) => word?.stack ?? word).join(' ')}`);
    const world = vm.createContext({
      setTimeout: later(setTimeout), setInterval: later(setInterval), clearTimeout: stop(clearTimeout), clearInterval: stop(clearInterval),
      console: { log() {}, info() {}, debug() {}, warn: said('warn'), error: said('error') },
    }, { codeGeneration: { strings: false, wasm: false } });
    vm.runInContext(`${kMissing.map((name) => `globalThis.${name} = undefined;`).join('')} delete globalThis.WebAssembly;
      globalThis.global = globalThis;`, world);
    this.local = vm.runInContext('(text) => JSON.parse(text)', world);
    this.bytes = vm.runInContext('(bytes) => { const copy = new Uint8Array(bytes.length); copy.set(bytes); return copy.buffer; }', world);
    Object.assign(world, {
      wx: makeWx(this),
      WXWebAssembly: { instantiate: (path, imports) => this.instantiate(path, imports) },
      App: (options) => { this.appInstance = options; },
      Page: () => { throw new Error('pages are components here'); },
      Component: (options) => this.view.defined(options),
      Behavior: (definition) => definition,
      getApp: () => this.appInstance,
      getCurrentPages: () => this.stack.map(({ page }) => page.instance),
    });
    return world;
  }

  async instantiate(path, imports) {
    if (typeof path !== 'string' || !path.startsWith('/')) throw new Error('WXWebAssembly takes a path of the package');
    const bytes = readFileSync(join(this.root, path));
    return WebAssembly.instantiate(path.endsWith('.br') ? brotliDecompressSync(bytes) : bytes, imports);
  }

  require(path) {
    const known = this.modules.get(path);
    if (known) return known.exports;
    const module = { exports: vm.runInContext('({})', this.world) };
    this.modules.set(path, module);
    const code = readFileSync(join(this.root, `${path}.js`), 'utf8');
    const run = vm.runInContext(`(function (require, module, exports) {${code}\n})`, this.world, { filename: `${path}.js` });
    run((at) => this.require(posix.join(posix.dirname(path), at).replace(/\.js$/, '')), module, module.exports);
    return module.exports;
  }

  guard(run) {
    try {
      return run();
    } catch (thrown) {
      this.problems.push(thrown?.stack ?? String(thrown));
      return undefined;
    }
  }

  async launch(path, query) {
    const config = JSON.parse(readFileSync(join(this.root, 'app.json'), 'utf8'));
    this.pages = [...config.pages, ...(config.subPackages ?? config.subpackages ?? []).flatMap((one) => one.pages.map((page) => `${one.root}/${page}`))];
    const first = path ?? config.pages[0];
    this.launchOptions = { path: first, query, scene: 1001 };
    this.require('app');
    this.appInstance.onLaunch?.(this.local(JSON.stringify(this.launchOptions)));
    this.appInstance.onShow?.(this.local(JSON.stringify(this.launchOptions)));
    this.push(`/${first}`, query);
  }

  get page() { return this.stack.at(-1)?.page; }
  get path() { return this.stack.at(-1)?.path; }
  get query() { return this.stack.at(-1)?.query; }

  hook(entry, name, ...given) {
    const { instance } = entry.page;
    if (typeof instance[name] === 'function') this.guard(() => instance[name](...given));
  }

  push(url, extra = {}) {
    const [address, text = ''] = url.split('?');
    const path = address.replace(/^\//, '');
    if (!this.pages.includes(path)) throw new Error(`${path} is no page of the app`);
    const query = { ...extra };
    for (const [name, value] of new URLSearchParams(text)) query[name] = encodeURIComponent(value);
    if (this.stack.length > 0) this.hook(this.stack.at(-1), 'onHide');
    if (this.stack.length >= 10) throw new Error('WeChat opens ten pages and no more');
    const page = this.view.open(path, (instance) => { instance.route = path; });
    const entry = { page, path, query: this.local(JSON.stringify(query)) };
    this.stack.push(entry);
    for (const [name, ...given] of [['onLoad', entry.query], ['onShow'], ['onReady']]) this.hook(entry, name, ...given);
  }
  pop(count = 1) {
    for (let i = 0; i < count && this.stack.length > 0; ++i) {
      const entry = this.stack.pop();
      this.hook(entry, 'onUnload');
      entry.page.close();
    }
  }
  back(count = 1) {
    this.pop(Math.min(count, this.stack.length - 1));
    this.hook(this.stack.at(-1), 'onShow');
  }
  replace(url) { this.pop(); this.push(url); }
  relaunch(url) { this.pop(this.stack.length); this.push(url); }

  /** Waits for the page to say so; shows what it says instead. */
  async see(what, probe, ms = 10_000) {
    try {
      return await until(what, () => this.page && probe(this.page, this), ms);
    } catch (late) {
      throw new Error(`${late.message}\non ${this.path}: ${this.page?.text()}\n${this.problems.join('\n')}`);
    }
  }
  async tap(test) {
    await this.see(`${test} is there to tap`, (page) => page.find(test));
    this.page.tap(test);
  }
  async type(test, value) {
    await this.see(`${test} is there to type in`, (page) => page.find(test));
    this.page.fire(test, 'input', this.local(JSON.stringify({ value, cursor: value.length })));
  }

  hide() { this.appInstance.onHide?.(); for (const told of this.told('hide')) told({}); this.hook(this.stack.at(-1), 'onHide'); }
  show() {
    this.appInstance.onShow?.(this.local(JSON.stringify(this.launchOptions)));
    this.hook(this.stack.at(-1), 'onShow');
    for (const told of this.told('show')) told(this.local('{}'));
  }
  told(name) { return [...(this.listeners?.[name] ?? [])]; }
  setOnline(online) {
    this.phone.online = online;
    if (!online) for (const socket of this.sockets) socket.destroy();
    for (const told of this.told('network')) told(this.local(JSON.stringify({ isConnected: online, networkType: online ? 'wifi' : 'none' })));
  }

  close() {
    this.closed = true;
    this.pop(this.stack.length);
    for (const timer of this.timers) clearTimeout(timer);
    for (const socket of this.sockets) socket.destroy();
  }
}
