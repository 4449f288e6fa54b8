import { expect, test } from 'vitest';
import { useProductNotes } from '@/stores/product_notes';

function notes(...rows: { product_id: string; labels?: string[]; place?: number; aliases?: string[] }[]) {
  const store = useProductNotes();
  store.notes = new Map(rows.map((row) => [row.product_id, { labels: [], place: 0, aliases: [], ...row }]));
  return store;
}

test('what has a place comes first, the rest after it', () => {
  const store = notes({ product_id: 'b', place: 1 }, { product_id: 'a', place: 2 }, { product_id: 'c', labels: ['hot'] });
  expect(['c', 'a', 'x', 'b'].sort((one, other) => store.placeOf(one) - store.placeOf(other))).toEqual(['b', 'a', 'c', 'x']);
});

test('a label that this page has no word for is left out', () => {
  expect(notes({ product_id: 'a', labels: ['invented', 'hot'] }).labelsOf('a')).toEqual(['热门']);
  expect(notes().labelsOf('a')).toEqual([]);
});

test('a product is found by its other names, however they are typed', () => {
  const store = notes({ product_id: 'a', aliases: ['月 包', 'Travel pass'] });
  for (const typed of ['', '月包', 'travel', 'TRAVEL PASS', 'ｔｒａｖｅｌ', '10GB']) expect(store.isCalled('a', ['Data 10 GB'], typed)).toBe(true);
  for (const typed of ['year', '年包']) expect(store.isCalled('a', ['Data 10 GB'], typed)).toBe(false);
  expect(store.isCalled('b', ['Data'], 'travel')).toBe(false);
});
