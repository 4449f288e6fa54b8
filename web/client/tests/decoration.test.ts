import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import type { HomePage, PageBlock } from '@api/decoration';
import { isThemeName, kThemes, themeVariables, type ThemeName } from '@api/themes';
import { placeOf } from '@/places';
import { useDecoration } from '@/stores/decoration';
import { useShop } from '@/stores/shop';
import { storage } from './support/device';

const answers = vi.hoisted(() => ({ page: null as unknown, asked: 0 }));
vi.mock('@/transport', () => ({
  send: async () => {
    answers.asked += 1;
    if (answers.page === null) throw new Error('no network');
    return { body: answers.page };
  },
}));
const worn: Record<string, string> = {};
Object.assign(globalThis, { document: { documentElement: { dataset: {}, style: { setProperty: (name: string, value: string) => (worn[name] = value) } } } });

const kPlain = ['recipient', 'recents', 'amounts', 'promise'];
const block = (kind: string, more: object = {}): PageBlock => ({ id: kind, kind, from_ms: 0, until_ms: 0, ...more }) as PageBlock;
function pageOf(version: number, kinds: PageBlock[]): HomePage {
  return { schema: 1, version, theme: 'plum', blocks: kinds };
}
const kinds = () => useDecoration().blocks.map((one) => one.kind as string);
const needed = [block('recipient'), block('amounts')];

beforeEach(() => {
  answers.page = null;
  answers.asked = 0;
});

test('F081: without a page, home is as it comes', async () => {
  expect(kinds()).toEqual(kPlain);
  await useDecoration().take({ version: 0, theme: 'ink' });
  expect(answers.asked).toBe(0);
  await useDecoration().take({ version: 3, theme: 'ink' });
  expect(kinds()).toEqual(kPlain); // nobody answered
});

test('F081: a new version is fetched once, kept for the next visit, and worn with its theme', async () => {
  answers.page = pageOf(4, [block('contact'), ...needed]);
  await useDecoration().take({ version: 4, theme: 'plum' });
  await useDecoration().take({ version: 4, theme: 'plum' });
  expect(answers.asked).toBe(1);
  expect(kinds()).toEqual(['contact', 'recipient', 'amounts']);
  expect(worn['--brand-day']).toBe(kThemes.plum.brand[0]);
  expect(JSON.parse(storage.get('topup.decoration') ?? '')).toEqual(answers.page);
});

test('F081: taking it back gives home as it comes', async () => {
  answers.page = pageOf(5, [block('contact'), ...needed]);
  await useDecoration().take({ version: 5, theme: 'ink' });
  answers.page = pageOf(0, []);
  await useDecoration().take({ version: 0, theme: 'ink' });
  expect(kinds()).toEqual(kPlain);
});

test.each([
  ['of another schema', { ...pageOf(6, needed), schema: 2 }],
  ['without a place for the number', pageOf(6, [block('amounts')])],
  ['of blocks that are none', { ...pageOf(6, needed), blocks: ['recipient', null] }],
  ['that is a text', 'oops'],
])('F081: a page %s leaves home as it comes', async (_what, page) => {
  answers.page = page;
  await useDecoration().take({ version: 6, theme: 'ink' });
  expect(kinds()).toEqual(kPlain);
});

test('F081: a block is shown within its time only', async () => {
  const at = Date.now();
  answers.page = pageOf(7, [block('text', { until_ms: at - 1 }), block('notice', { from_ms: at + 60_000 }), block('contact', { from_ms: at - 1, until_ms: at + 60_000 }), ...needed]);
  await useDecoration().take({ version: 7, theme: 'ink' });
  expect(kinds()).toEqual(['contact', 'recipient', 'amounts']);
});

test('F019, F020: under load advertising goes first, then everything but what sells', async () => {
  answers.page = pageOf(8, [block('banner'), block('notice'), block('text'), ...needed]);
  await useDecoration().take({ version: 8, theme: 'ink' });
  const level = (word: 'no_marketing' | 'simple_pages') =>
    useShop().takeService({ level: word, notice: { zh: '', en: '' }, reopens_at_ms: 0, lowest_client: '' });
  level('no_marketing');
  expect(kinds()).toEqual(['text', 'recipient', 'amounts']);
  level('simple_pages');
  expect(kinds()).toEqual(kPlain);
});

test('F081: a page that was asked for before the draft came does not take its place', async () => {
  answers.page = pageOf(7, [...needed, block('contact')]);
  const asked = useDecoration().take({ version: 7, theme: 'ink' });
  useDecoration().draft(pageOf(-1, [block('contact'), ...needed]));
  await asked;
  expect(answers.asked).toBe(1);
  expect(kinds()).toEqual(['contact', 'recipient', 'amounts']);
});

test('F081: what the console draws is not replaced by what the shop publishes meanwhile', async () => {
  useDecoration().draft(pageOf(-1, [block('contact'), ...needed]));
  answers.page = pageOf(9, needed);
  await useDecoration().take({ version: 9, theme: 'sand' });
  expect(answers.asked).toBe(0);
  expect(kinds()).toEqual(['contact', 'recipient', 'amounts']);
});

test('A-11: a link is the name of a place, never an address or a member of every object', () => {
  expect(placeOf('help')?.word).toBe('me.help');
  for (const name of ['https://example.com', 'javascript:alert(1)', '//x', '__proto__', 'constructor', 'toString', '']) expect(placeOf(name)).toBeNull();
});

// WCAG 2.2, relative luminance and contrast ratio.
function luminance(colour: string): number {
  const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);
  const [r, g, b] = parts.map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}
function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light! + 0.05) / (dark! + 0.05);
}
/** Colours of a style sheet as its light and its dark block have them. */
function tokensOf(path: string): Record<string, string>[] {
  const sheet = readFileSync(join(__dirname, path), 'utf8');
  return ['light', 'dark'].map((mode) => {
    const start = mode === 'light' ? sheet.indexOf('--paper: #ffffff') : sheet.indexOf('--paper: #171a1e');
    return Object.fromEntries([...sheet.slice(start, sheet.indexOf('}', start)).matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [name, value]));
  });
}
const kNames = Object.keys(kThemes) as ThemeName[];

test.each([...kNames.map((name) => [name, '../src/tokens.css']), ...kNames.map((name) => [name, '../../admin/src/styles/tokens.css'])] as [ThemeName, string][])(
  'F082: every pair of colours of %s with %s reaches WCAG AA, by day and by night',
  (name, path) => {
    tokensOf(path).forEach((tokens, mode) => {
      const brand = kThemes[name].brand[mode]!;
      const ground = kThemes[name].ground[mode]!;
      const { paper, ink, quiet, accent, warn, bad } = tokens as Record<string, string>;
      for (const below of [paper!, ground]) {
        for (const above of [brand, ink!, quiet!, accent!, warn!, bad!]) expect([above, below, contrast(above, below) >= 4.5]).toEqual([above, below, true]);
      }
      expect(contrast(paper!, brand)).toBeGreaterThanOrEqual(4.5); // the words of the main button
    });
  },
);

test('F082: every token of a theme is read by both sheets, and no theme touches the green of money that arrived', () => {
  const client = readFileSync(join(__dirname, '../src/tokens.css'), 'utf8');
  for (const [token] of themeVariables('ink')) expect(client).toContain(`var(${token},`);
  expect(client).not.toMatch(/--accent: var\(/);
  expect(kNames.filter(isThemeName)).toEqual(kNames);
  expect(isThemeName('constructor')).toBe(false);
});
