import { createPinia, setActivePinia } from 'pinia';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { WorkRow } from '../src/api/desk_types';
import { kMostAtOnce, useBulkRun } from '../src/behaviour/bulk_run';
import { useWork } from '../src/stores/work';
import { Problem } from '../src/transport';

const refusal = (reason: string, retryAfterS: number | null = null) => new Problem({ status: 409, reason, retryAfterS });
const ids = (n: number) => Array.from({ length: n }, (_, i) => `order-${i}`);

describe('a deed on several rows', () => {
  it('has a result for each row, and one refusal stops nothing', async () => {
    const bulk = useBulkRun();
    const asked: string[] = [];
    await bulk.run(['a', 'b', 'c', 'd'], 'claim', async (id) => {
      asked.push(id);
      if (id === 'b') throw refusal('work_item_taken');
      if (id === 'c') throw refusal('nothing_to_claim');
      return id !== 'd';
    });
    expect(asked).toEqual(['a', 'b', 'c', 'd']);
    expect(bulk.results.value.map((one) => [one.id, one.outcome])).toEqual([['a', 'done'], ['b', 'refused'], ['c', 'nothing'], ['d', 'nothing']]);
    expect(bulk.busy.value).toBe(false);
  });
  it('takes no more than the maximum of its name', async () => {
    for (const [deed, most] of Object.entries(kMostAtOnce)) {
      const bulk = useBulkRun();
      let asked = 0;
      await bulk.run(ids(most + 7), deed as keyof typeof kMostAtOnce, async () => (asked++, true));
      expect([deed, asked, bulk.total.value]).toEqual([deed, most, most]);
    }
  });
  it('waits as long as the server asks, then goes on with the same row', async () => {
    const slept: number[] = [];
    const bulk = useBulkRun(async (ms) => void slept.push(ms));
    let calls = 0;
    await bulk.run(['a', 'b'], 'note', async () => {
      calls += 1;
      if (calls === 1) throw refusal('rate_limited', 3);
      return true;
    });
    expect(slept).toEqual([3_000]);
    expect(bulk.count('done')).toBe(2);
  });
  it('does not wait for ever', async () => {
    const bulk = useBulkRun(async () => undefined);
    let calls = 0;
    await bulk.run(['a'], 'note', async () => {
      calls += 1;
      throw refusal('rate_limited', 1);
    });
    expect([calls, bulk.count('refused')]).toEqual([7, 1]);
  });
  it('stops when it is told to, and says which rows it has not reached', async () => {
    const bulk = useBulkRun();
    await bulk.run(['a', 'b', 'c'], 'query', async () => (bulk.stop(), true));
    expect(bulk.results.value.map((one) => one.outcome)).toEqual(['done', 'left', 'left']);
  });
});

describe('the queue beyond its first page', () => {
  beforeEach(() => setActivePinia(createPinia()));
  const row = (key: string, sort: WorkRow['sort'] = 'job'): WorkRow => ({ key, sort, id: key, kind: 'job_dead', why: '', since_ms: 1, deeds: [] });

  it('goes on where each sort ended, shows no row twice, and keeps its place after a deed', async () => {
    const asked: string[] = [];
    vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
      if (init.method !== 'GET') return Response.json({});
      asked.push(path);
      const page = new URL(path, 'http://shop').searchParams.get('cursor') ?? '';
      const pages: Record<string, unknown> = {
        '': { work: [row('1'), row('2', 'order')], next: { job: 'one' } },
        one: { work: [row('2', 'order'), row('3')], next: { job: 'two' } },
        two: { work: [row('4')], next: {} },
      };
      return Response.json({ me: 'S', now_ms: 1, ...(pages[page] as object) });
    });
    const work = useWork();
    await work.load();
    expect(work.rows.map((one) => one.key)).toEqual(['1', '2']);
    await work.more();
    expect(work.rows.map((one) => one.key)).toEqual(['1', '2', '3']);
    expect(asked.at(-1)).toBe('/api/admin/work?sort=job&cursor=one');
    await work.more();
    expect(work.rows.map((one) => one.key)).toEqual(['1', '2', '3', '4']);
    expect(work.next).toEqual({});
    const before = asked.length;
    await work.refresh(); // nobody's place in a long list moves
    expect(asked.length).toBe(before);
    await work.act(row('4'), 'retry_job');
    expect(work.rows.map((one) => one.key)).toEqual(['1', '2', '3', '4']);
  });
});
