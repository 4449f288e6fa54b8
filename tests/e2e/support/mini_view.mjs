// The view layer of a mini-program, as WeChat has it: templates made by WeChat's own compiler, drawn by its component
// framework (both as miniprogram-simulate packs them) into a jsdom document. The pages' own code does not run here.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, posix } from 'node:path';

const require = createRequire(import.meta.url);
const { JSDOM } = require('jsdom');

const kGlobals = ['window', 'document', 'Event', 'CustomEvent', 'HTMLElement', 'Node', 'MutationObserver', 'TouchEvent'];
const kBuiltIn = ['view', 'scroll-view', 'swiper', 'swiper-item', 'cover-view', 'text', 'rich-text', 'icon', 'progress', 'button',
  'checkbox', 'checkbox-group', 'form', 'input', 'label', 'picker', 'picker-view', 'picker-view-column', 'radio', 'radio-group',
  'slider', 'switch', 'textarea', 'navigator', 'image', 'video', 'map', 'canvas', 'web-view', 'page-meta', 'navigation-bar'];
/** The elements that a template may use. */
export const kTags = [...kBuiltIn, 'block', 'slot', 'template', 'import', 'include', 'wxs'];
const kMaxTemplates = 64 * 1024 * 1024;

// The framework reads these names when it is loaded and whenever it draws.
const dom = new JSDOM('<!doctype html><html><head></head><body></body></html>', { pretendToBeVisual: true });
for (const name of kGlobals) globalThis[name] ??= dom.window[name];
dom.window.__webview_engine_version__ = 0.02;

const simulate = createRequire(require.resolve('miniprogram-simulate'));
const jComponent = simulate('j-component');
const exparser = createRequire(simulate.resolve('j-component'))('miniprogram-exparser');
const compiler = simulate('miniprogram-compiler');
for (const name of kBuiltIn) jComponent.register({ id: name, tagName: `wx-${name}`, template: '<slot/>' });

const templates = new Map();
/** Every template of a package in one run of WeChat's compiler. */
function templatesOf(root) {
  if (!templates.has(root)) {
    templates.set(root, new Function(compiler.wxmlToJs(root, { maxBuffer: kMaxTemplates }))());
  }
  return templates.get(root);
}

/** What WeChat's compiler of style sheets says against these files of a package; '' for nothing. */
export function compileStyles(root, files) {
  const program = join(dirname(simulate.resolve('miniprogram-compiler/package.json')), 'bin/linux/wcsc');
  chmodSync(program, 0o755);
  const parts = files.filter((file) => file !== 'app.wxss');
  const { status, stderr, error } = spawnSync(program, ['-db', '-pc', String(parts.length), ...parts, 'app.wxss'],
    { cwd: root, maxBuffer: kMaxTemplates });
  return status === 0 ? '' : `${error ?? ''}${stderr}`;
}

let shops = 0;
/** The components of one package for one running app. `run(path)` runs a component's script, which calls `defined`. */
export class View {
  constructor(root, run) {
    this.root = root;
    this.run = run;
    this.gwx = templatesOf(root);
    this.ids = new Map();
    this.defining = null;
    this.app = `app${(shops += 1)}`;
  }

  json(path) { return JSON.parse(readFileSync(join(this.root, `${path}.json`), 'utf8')); }

  /** Registers a page or component with all that it uses, as WeChat does before it runs its script. */
  register(path) {
    if (this.ids.has(path)) return this.ids.get(path);
    const id = `${this.app}-${path.replace(/[^A-Za-z0-9]+/g, '-').toLowerCase()}`;
    this.ids.set(path, id);
    const usingComponents = {};
    for (const [name, at] of Object.entries(this.json(path).usingComponents ?? {})) {
      const used = at.startsWith('/') ? at.slice(1) : posix.join(dirname(path), at);
      if (!existsSync(join(this.root, `${used}.json`))) throw new Error(`${path} uses ${at}, which is not in the package`);
      usingComponents[name] = this.register(used);
    }
    const outer = this.defining;
    this.defining = { id, path, usingComponents, template: this.gwx(`${path}.wxml`), tagName: posix.basename(path).toLowerCase() };
    this.run(path);
    if (this.defining.taken !== true) throw new Error(`${path} defined no component`);
    this.defining = outer;
    return id;
  }

  /** What the package's `Component()` does. */
  defined(options) {
    const { taken: _, ...known } = this.defining;
    this.defining.taken = true;
    const { attached } = options.lifetimes ?? {};
    // The framework says `ready` to what was there from the start; WeChat says it to each component.
    const lifetimes = { ...options.lifetimes, attached(...given) {
      const node = this._exparserNode;
      queueMicrotask(() => node.triggerLifeTime('ready'));
      return attached?.apply(this, given);
    } };
    jComponent.register({ ...known, ...options, lifetimes, options: { ...(options.options ?? {}) } });
  }

  open(path, prepare) {
    const component = jComponent.create(this.register(path));
    const instance = exparser.Element.getMethodCaller(component._exparserNode);
    prepare(instance);
    document.body.appendChild(component.dom);
    exparser.Element.pretendAttached(component._exparserNode);
    return new Shown(component, instance);
  }
}

const isElement = (node) => node instanceof exparser.Element;
// The tree as it is drawn: a component's own template, its slots filled with what was put between its tags.
function* drawn(node) {
  yield node;
  if (node instanceof exparser.TextNode) return;
  const root = node instanceof exparser.Component ? node.shadowRoot : null;
  for (const child of root ? [root] : (node.__wxSlotChildren ?? node.childNodes)) yield* drawn(child);
}

/** One page on the screen, for a test's eyes and fingers. */
export class Shown {
  constructor(component, instance) {
    this.component = component;
    this.instance = instance;
  }

  text(node = this.component._exparserNode) {
    return [...drawn(node)].filter((one) => one instanceof exparser.TextNode).map((one) => one.textContent).join(' ')
      .replace(/\s+/g, ' ').trim();
  }

  all(test) {
    const seen = [...drawn(this.component._exparserNode)];
    return seen.filter((node) => isElement(node) && node.dataset?.test === test);
  }
  find(test) { return this.all(test)[0]; }
  textOf(test) { return this.find(test) && this.text(this.find(test)); }
  data(test, name) { return this.find(test)?.dataset[name]; }
  names() { return [...drawn(this.component._exparserNode)].filter(isElement).map((node) => node.dataset?.test).filter(Boolean); }

  /** Whether a part of the page still says that it is being read. */
  waits() { return [...drawn(this.component._exparserNode)].some((node) => node._vt?.attrs?.some(({ name, value }) => /^aria-?busy$/i.test(name) && String(value) === 'true')); }
  /** The styles of all that is drawn. */
  styles() { return [...drawn(this.component._exparserNode)].map((node) => node.$$?.getAttribute?.('style')).filter(Boolean); }

  // A finger lands on the innermost box, and the event rises from there.
  landing(test) {
    const node = this.find(test);
    if (!node) throw new Error(`nothing on the page is called ${test}: ${this.names().join(', ')}; ${this.text()}`);
    const boxes = [...drawn(node)].filter((one) => one instanceof exparser.Component && one.$$);
    return boxes.find((one) => /^wx-/i.test(one.$$.tagName)) ?? node;
  }
  dispatch(node, name, detail, bubbles = true) {
    exparser.Event.dispatchEvent(node, exparser.Event.create(name, detail, {
      bubbles, composed: bubbles, capturePhase: bubbles, extraFields: { touches: [], changedTouches: [] } }));
  }
  tap(test) { this.dispatch(this.landing(test), 'tap', { x: 1, y: 1 }); }
  /** What an element answers by itself: a field's input, a button's open-type. */
  fire(test, name, detail) { this.dispatch(this.landing(test), name, detail, false); }

  close() {
    this.component.dom.remove();
    exparser.Element.pretendDetached(this.component._exparserNode);
  }
}
