import { createPinia, setActivePinia } from 'pinia';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { lineDiff } from '../src/format/line_diff';
import zh from '../src/i18n/zh';
import { kBlockKinds, kNeeded, newBlock, plainPage, useDecoration } from '../src/stores/decoration';
import { newDraft, useTexts } from '../src/stores/texts';

interface Asked {
  method: string;
  path: string;
  key: string | undefined;
  body: unknown;
}
const asked: Asked[] = [];
let answer: (path: string, body: unknown) => { status: number; body: unknown } | null = () => ({ status: 200, body: {} });
const desk = (newest: number, shown: number) => ({ newest_version: newest, shown_version: shown, themes: [], places: [], bundled_pictures: [], versions: [], publications: [] });

beforeEach(() => {
  setActivePinia(createPinia());
  asked.length = 0;
  vi.stubGlobal('fetch', async (path: string, init: { method: string; headers: Record<string, string>; body?: string }) => {
    const body: unknown = init.body === undefined ? undefined : JSON.parse(init.body);
    asked.push({ method: init.method, path, key: init.headers['Idempotency-Key'], body });
    const said = answer(path, body);
    if (said === null) throw new TypeError('network');
    return new Response(JSON.stringify(said.body), { status: said.status });
  });
});

describe('the page on the desk', () => {
  const kinds = () => useDecoration().page.blocks.map((one) => one.kind);

  it('begins as home comes, and every kind of block has its words', () => {
    expect(kinds()).toEqual(['recipient', 'recents', 'amounts', 'promise']);
    for (const kind of kBlockKinds) {
      expect(zh.block).toHaveProperty(kind);
      expect(zh.block_note).toHaveProperty(kind);
      expect(newBlock(kind, 'x')).toMatchObject({ id: 'x', kind, hidden: false, from_ms: 0, until_ms: 0 });
    }
    expect(plainPage().blocks.map((one) => one.id)).toEqual(['recipient', 'recents', 'amounts', 'promise']);
  });
  it('adds behind the chosen block, gives each its own id, and takes the page\'s own parts once', () => {
    const store = useDecoration();
    store.chosen = 'recents';
    store.add('text');
    store.add('text');
    expect(kinds()).toEqual(['recipient', 'recents', 'text', 'text', 'amounts', 'promise']);
    expect(new Set(store.page.blocks.map((one) => one.id)).size).toBe(6);
    store.add('contact');
    expect(store.mayAdd('contact')).toBe(false);
    store.add('contact');
    expect(kinds().filter((kind) => kind === 'contact')).toHaveLength(1);
  });
  it('moves within its ends only', () => {
    const store = useDecoration();
    store.move('recipient', -1);
    store.move('promise', 1);
    store.moveTo('nothing', 0);
    expect(kinds()).toEqual(['recipient', 'recents', 'amounts', 'promise']);
    store.moveTo('promise', 0);
    store.move('recipient', 1);
    expect(kinds()).toEqual(['promise', 'recents', 'recipient', 'amounts']);
  });
  it('neither hides nor removes what nobody can buy without', () => {
    const store = useDecoration();
    for (const kind of kNeeded) {
      store.hide(kind, true);
      store.remove(kind);
    }
    expect(store.page.blocks.filter((one) => kNeeded.includes(one.kind) && !one.hidden)).toHaveLength(2);
    store.remove('recents');
    expect(kinds()).not.toContain('recents');
  });
  it('repeats what may have arrived under the same key, and keeps the draft when it is refused', async () => {
    const store = useDecoration();
    answer = () => null;
    expect(await store.save('spring')).toBe(false);
    expect(await store.save('spring')).toBe(false);
    answer = () => ({ status: 409, body: { reason: 'page_changed' } });
    store.page.theme = 'plum';
    expect(await store.save('spring')).toBe(false);
    expect(store.problem?.reason).toBe('page_changed');
    expect(store.page.theme).toBe('plum');
    answer = (path, body) =>
      path.endsWith('/versions') ? { status: 201, body: { version: 4, page: (body as { page: unknown }).page } } : { status: 200, body: desk(4, 2) };
    expect(await store.save('spring')).toBe(true);
    const keys = asked.filter((one) => one.method === 'POST').map((one) => one.key);
    expect(keys[0]).toBe(keys[1]);
    expect(keys[2]).toBe(keys[0]);
    expect(keys[3]).not.toBe(keys[2]);
    expect([store.isChanged, store.shownNow, store.desk?.newest_version]).toEqual([false, 4, 4]);
    await store.publish(4);
    expect(asked.at(-1)).toMatchObject({ path: '/api/admin/decoration/publication', body: { version: 4, seen: 2 } });
  });
});

describe('a text on the desk', () => {
  it('gets a name that is not taken', () => {
    expect(newDraft('help', ['help_1', 'help_2']).document).toBe('help_3');
  });
  it('is saved on top of what was seen, and published over what is shown', async () => {
    const store = useTexts();
    const version = (number: number) => ({
      document: 'storm', version: number, kind: 'announcement', topics: ['home'], title: { zh: '台风', en: '' }, body: { zh: '', en: '' },
      place: 1, shows_from_ms: 0, shows_until_ms: 0, written_by: 'staff:1', written_at_ms: 1,
    });
    answer = (path) => (path === '/api/admin/content' ? { status: 200, body: { documents: [] } } : { status: 200, body: { document: 'storm', shown_version: 2, versions: [version(3), version(2)], publications: [] } });
    await store.open('storm');
    expect(store.isChanged).toBe(false);
    store.draft!.topics = ['home', 'me'];
    expect(store.isChanged).toBe(true);
    await store.save();
    expect(asked.find((one) => one.path.endsWith('/versions'))?.body).toMatchObject({ based_on: 3, topics: 'home me', title_zh: '台风' });
    await store.publish(3);
    expect(asked.find((one) => one.path.endsWith('/publication'))?.body).toEqual({ version: 3, seen: 2 });
  });
});

describe('what changed between two texts', () => {
  const told = (before: string, after: string) => lineDiff(before, after).map(({ how, text }) => `${how[0]} ${text}`);

  it('is told line by line', () => {
    expect(told('a\nb\nc', 'a\nx\nc\nd')).toEqual(['s a', 'g b', 'n x', 's c', 'n d']);
    expect(told('', 'a')).toEqual(['n a']);
    expect(told('a', '')).toEqual(['g a']);
    expect(told('a\nb', 'a\nb')).toEqual(['s a', 's b']);
  });
  it('of texts too long to compare is the one for the other', () => {
    const long = Array.from({ length: 1_100 }, (_, at) => `line ${at}`).join('\n');
    expect(lineDiff(long, `${long}\nmore`).filter((one) => one.how === 'same')).toEqual([]);
  });
});
