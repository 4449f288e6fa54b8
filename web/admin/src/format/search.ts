// What the search shows: groups of things that one can go to, in one order, for the keyboard.
import type { SearchAnswer } from '../api/people';
import type { Page } from '../pages';

export interface Hit {
  group: 'pages' | 'orders' | 'customers' | 'products' | 'settings';
  id: string;
  text: string;
  more: string;
  to: { name: string; query?: Record<string, string> };
}
export const kMostPages = 6;

const folded = (text: string) => text.toLocaleLowerCase();

/** Pages of the console whose word or name holds what was typed; an empty text shows the first ones. */
export function pageHits(pages: readonly Page[], q: string, wordOf: (name: string) => string): Hit[] {
  const wanted = folded(q.trim());
  return pages
    .filter(({ group }) => group !== undefined)
    .filter(({ name }) => wanted === '' || folded(wordOf(name)).includes(wanted) || name.includes(wanted))
    .slice(0, kMostPages)
    .map(({ name }) => ({ group: 'pages', id: name, text: wordOf(name), more: '', to: { name } }));
}

/** `has` says whether the console has a page of that name for this person. */
export function answerHits(answer: SearchAnswer, chinese: boolean, has: (page: string) => boolean): Hit[] {
  const orders = answer.orders.map(
    (order): Hit => ({
      group: 'orders',
      id: order.order_id,
      text: order.account_masked,
      more: order.order_id,
      to: { name: 'orders', query: { order: order.order_id } },
    }),
  );
  const customers = answer.customers.map(
    (one): Hit => ({
      group: 'customers',
      id: one.user_id,
      text: one.identities.join(' · ') || one.user_id,
      more: one.user_id,
      to: { name: 'customers', query: { user: one.user_id } },
    }),
  );
  const products = answer.products.map(
    (one): Hit => ({
      group: 'products',
      id: one.product_id,
      text: `${chinese ? one.operator_zh : one.operator_en} ${one.country}`,
      more: one.product_id,
      to: { name: 'products', query: { q: one.product_id } },
    }),
  );
  const settings = answer.settings.map(
    (one): Hit => ({
      group: 'settings',
      id: one.key,
      text: one.key,
      more: one.doc,
      to: { name: 'settings', query: { key: one.key } },
    }),
  );
  return [...orders, ...customers, ...products, ...settings].filter(({ to }) => has(to.name));
}
