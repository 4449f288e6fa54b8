import { describe, expect, it } from 'vitest';

import type { SearchAnswer } from '../src/api/people';
import { changesOf } from '../src/format/changes';
import { answerHits, kMostPages, pageHits } from '../src/format/search';
import { kPages } from '../src/pages';
import { usePagedList, type ListPage } from '../src/stores/people';
import { Problem } from '../src/transport';

describe('what a record says that changed', () => {
  it('is told field by field, sorted, with what was not there before', () => {
    expect(changesOf('{"b":1,"a":"x"}', '{"a":"y","c":true}')).toEqual([
      { field: 'a', before: 'x', after: 'y' },
      { field: 'b', before: '1', after: null },
      { field: 'c', before: null, after: 'true' },
    ]);
  });
  it('is a plain text where it is no object, and nothing where there is none', () => {
    expect(changesOf('support', 'support risk')).toEqual([{ field: '', before: 'support', after: 'support risk' }]);
    expect(changesOf('', '')).toEqual([]);
    expect(changesOf('{"cut":"of', '')).toEqual([{ field: '', before: '{"cut":"of', after: null }]);
  });
});

describe('the search', () => {
  const word = (name: string) => ({ customers: '客户', orders: '订单' })[name] ?? name;
  it('finds pages by their word and their name, never one that stands in no menu', () => {
    expect(pageHits(kPages, '客', word).map(({ id }) => id)).toEqual(['customers']);
    expect(pageHits(kPages, 'ORD', word).map(({ id }) => id)).toContain('orders');
    expect(pageHits(kPages, 'forbidden', word)).toEqual([]);
    expect(pageHits(kPages, '', word).length).toBe(kMostPages);
  });
  it('shows only what has a page for this person', () => {
    const answer: SearchAnswer = {
      orders: [],
      customers: [{ user_id: 'u1', frozen: false, identities: ['138****8000'] }],
      products: [],
      settings: [{ key: 'orders.pay_within_ms', doc: '' }],
    };
    const hits = answerHits(answer, true, (page) => page === 'customers');
    expect(hits.map(({ group, text }) => [group, text])).toEqual([['customers', '138****8000']]);
  });
});

describe('a paged list', () => {
  it('drops the answer to an older question, doubles, and keeps its rows when the next page fails', async () => {
    const waiting: ((page: ListPage<string>) => void)[] = [];
    let failing = false;
    const list = usePagedList<string>(
      () =>
        failing
          ? Promise.reject(new Problem({ status: 503, reason: 'store_unavailable' }))
          : new Promise((answer) => waiting.push(answer)),
      (row) => row,
    );
    const old = list.restart();
    const fresh = list.restart();
    waiting[1]!({ rows: ['a', 'b'], next: 'more' });
    await fresh;
    waiting[0]!({ rows: ['stale'], next: '' });
    await old;
    expect(list.rows.value).toEqual(['a', 'b']);
    const more = list.more();
    waiting[2]!({ rows: ['b', 'c'], next: 'on' });
    await more;
    expect(list.rows.value).toEqual(['a', 'b', 'c']);
    failing = true;
    await list.more();
    expect(list.rows.value).toEqual(['a', 'b', 'c']);
    expect(list.problem.value?.reason).toBe('store_unavailable');
    expect(list.neighbour('a', 1)).toBe('b');
    expect(list.neighbour('c', 1)).toBeNull();
  });
});
