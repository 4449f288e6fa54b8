import { createPinia, setActivePinia } from 'pinia';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { OrderTable, WorkRow } from '../src/api/desk_types';
import { filterOf, queryOf, shopDay, viewOf } from '../src/behaviour/order_query';
import { fenOf } from '../src/format/amount_typed';
import { mapOf } from '../src/format/state_map';
import { asksForReason, groupOf, movesMoney } from '../src/format/work';
import { makePages } from '../src/stores/pages';
import { useWork } from '../src/stores/work';

const row = (change: Partial<WorkRow>): WorkRow => ({
  key: 'work_item:1', sort: 'work_item', id: '1', kind: 'refund_refused', why: '', since_ms: 1, deeds: [], ...change,
});

describe('typed amounts', () => {
  it('are read by their digits, never by a float', () => {
    expect(['12.34', '0.5', '7', '1000000.01'].map(fenOf)).toEqual([1234, 50, 700, 100_000_001]);
    expect(['', '0', '0.00', '-1', '1.234', '1e3', '1,000', '.5', '9'.repeat(13)].map(fenOf)).toEqual(Array(9).fill(null));
  });
});

describe('the address of the orders', () => {
  it('holds the exact view, there and back', () => {
    const view = viewOf({ state: 'paid', from: '2026-11-01', to: '2026-11-02', channel: 'wechat', other: 'x', q: ['a', 'b'] });
    expect(queryOf(view, '01JD')).toEqual({ state: 'paid', from: '2026-11-01', to: '2026-11-02', channel: 'wechat', order: '01JD' });
  });
  it('takes days as the shop counts them, the last one whole', () => {
    const { from_ms, to_ms } = filterOf(viewOf({ from: '2026-11-01', to: '2026-11-01' }));
    expect(Number(to_ms) - Number(from_ms)).toBe(86_400_000);
    expect(new Date(Number(from_ms)).toISOString()).toBe('2026-10-31T16:00:00.000Z');
    expect(filterOf(viewOf({ from: 'yesterday' })).from_ms).toBe('');
    expect(shopDay(Number(from_ms))).toBe('2026-11-01');
  });
});

describe('the drawing of the states', () => {
  const table: OrderTable = {
    states: ['a', 'b', 'c', 'd'].map((state) => ({ state, word: 'paying', final: state === 'd' })),
    steps: [{ from: 'a', event: 'go', to: 'b' }, { from: 'a', event: 'run', to: 'b' }, { from: 'b', event: 'end', to: 'd' },
      { from: 'a', event: 'turn', to: 'c' }, { from: 'd', event: 'back', to: 'a' }],
  };
  it('places each state by its distance from the first, and none on another', () => {
    const map = mapOf(table, []);
    expect(map.places.map(({ state, column }) => [state, column])).toEqual([['a', 0], ['b', 1], ['c', 1], ['d', 2]]);
    expect(new Set(map.places.map(({ column, row: at }) => `${column}/${at}`)).size).toBe(4);
  });
  it('joins the events of one way and marks what was gone', () => {
    const map = mapOf(table, [{ from: 'a', to: 'b' }]);
    expect(map.ways.find((way) => way.from === 'a' && way.to === 'b')).toEqual({ from: 'a', to: 'b', events: ['go', 'run'], taken: true });
    expect(map.ways.filter((way) => way.taken)).toHaveLength(1);
  });
});

describe('the queue', () => {
  it('groups each kind, and an unknown one is not lost', () => {
    expect(groupOf(row({ kind: 'outcome_unknown' }))).toBe('unknown');
    expect(groupOf(row({ kind: 'approval' }))).toBe('second');
    expect(groupOf(row({ kind: 'invented' }))).toBe('other');
  });
  it('asks for a reason wherever money moves by one hand', () => {
    for (const deed of ['refund', 'reissue_refund', 'refund_by_hand', 'suspense_to_payer']) {
      expect([deed, asksForReason(deed), movesMoney(deed)]).toEqual([deed, true, true]);
    }
    expect(asksForReason('query')).toBe(false);
  });

  const said: { path: string; key: string | null; body: string }[] = [];
  beforeEach(() => {
    setActivePinia(createPinia());
    said.length = 0;
  });
  function answer(...statuses: number[]): void {
    vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
      if (init.method === 'GET') return Response.json({ work: [row({ sort: 'work_item' })], me: 'S1', more: [], now_ms: 1 });
      said.push({ path, key: new Headers(init.headers).get('Idempotency-Key'), body: String(init.body) });
      const status = statuses.shift() ?? 200;
      if (status === 0) throw new TypeError('network');
      return Response.json(status === 200 ? { state: 'posted' } : { reason: 'work_item_taken', status }, { status });
    });
  }
  it('repeats what may have arrived under the same key, and a new wish under another', async () => {
    answer(0, 200, 200);
    const work = useWork();
    expect(await work.act(row({}), 'suspense_to_payer', 'why')).toBe(false);
    expect(work.refused?.problem.reason).toBe('network_unreachable');
    expect(await work.act(row({}), 'suspense_to_payer', 'why')).toBe(true);
    expect(await work.act(row({}), 'suspense_to_payer', 'why')).toBe(true);
    expect(said.map((one) => one.key)).toEqual([said[0]?.key, said[0]?.key, said[2]?.key]);
    expect(said[2]?.key).not.toBe(said[0]?.key);
    expect(said[0]?.key).toMatch(/^[0-9a-f]{32}$/);
  });
  it('says on which row it was refused and why, and keeps the others', async () => {
    answer(409);
    const work = useWork();
    expect(await work.act(row({}), 'resolve', 'done')).toBe(false);
    expect(work.refused).toMatchObject({ key: 'work_item:1', problem: { reason: 'work_item_taken' } });
    expect(said[0]).toMatchObject({ path: '/api/admin/work-items/1/resolve', body: '{"reason":"done"}' });
  });
});

describe('a list by pages', () => {
  it('never shows a row twice, and an answer to an older question is dropped', async () => {
    const asked: string[] = [];
    let late: (value: { rows: string[]; next: string }) => void = () => undefined;
    const pages = makePages<string>(
      (cursor) => {
        asked.push(cursor);
        if (asked.length === 2) return new Promise((done) => (late = done));
        return Promise.resolve(cursor === '' ? { rows: ['a', 'b'], next: 'n' } : { rows: ['b', 'c'], next: '' });
      },
      (one) => one,
    );
    await pages.show('first');
    const slow = pages.show('second');
    await pages.show('third');
    late({ rows: ['old'], next: '' });
    await slow;
    expect(pages.rows.value).toEqual(['a', 'b']);
    await pages.more();
    expect(pages.rows.value).toEqual(['a', 'b', 'c']);
    expect(pages.cursor.value).toBe('');
  });
});
