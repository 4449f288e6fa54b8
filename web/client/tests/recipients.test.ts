import { createPinia, setActivePinia } from 'pinia';
import { beforeAll, expect, test } from 'vitest';
import { useRecipients, type RecipientFacts } from '@/stores/recipients';
import { useRealCore } from './support/core';
import { storage } from './support/device';

beforeAll(useRealCore);

function facts(number: string, more: Partial<RecipientFacts> = {}): RecipientFacts {
  return { kind: 'airtime', country: 'CN', operator_id: 'cn-mobile', number, product_id: 'cn-mobile-5000', amount_minor: 0, ...more };
}

test('the latest comes first, once; a name survives the next order', () => {
  const recipients = useRecipients();
  recipients.remember(facts('13800000001'));
  recipients.rename(recipients.list[0]!.id, '  妈妈 ');
  recipients.remember(facts('13800000002'));
  recipients.remember(facts('13800000001', { product_id: 'cn-mobile-10000' }));
  expect(recipients.list.map((one) => [one.number, one.name])).toEqual([['13800000001', '妈妈'], ['13800000002', '']]);
  expect(recipients.list[0]!.product_id).toBe('cn-mobile-10000');
});

test('of those without a name the latest six are kept; named ones stay', () => {
  const recipients = useRecipients();
  recipients.remember(facts('13800000000'));
  recipients.rename(recipients.list[0]!.id, '老王');
  for (let at = 1; at <= 9; ++at) recipients.remember(facts(`1380000000${at}`));
  expect(recipients.list).toHaveLength(7);
  expect(recipients.list.at(-1)!.name).toBe('老王');
  recipients.forgetRecent();
  expect(recipients.list.map((one) => one.name)).toEqual(['老王']);
});

test('undo puts one back where it was; a new visit finds what was kept', () => {
  const recipients = useRecipients();
  for (const number of ['13800000001', '13800000002', '13800000003']) recipients.remember(facts(number));
  const before = recipients.list.map((one) => one.number);
  recipients.remove(recipients.list[1]!.id);
  expect(recipients.list).toHaveLength(2);
  recipients.undo();
  expect(recipients.list.map((one) => one.number)).toEqual(before);
  setActivePinia(createPinia());
  expect(useRecipients().list.map((one) => one.number)).toEqual(before);
});

test('what an earlier version kept is read; what is broken is left out', () => {
  storage.set('topup.recipients', JSON.stringify([
    { number: '13800000001', operator_id: 'cn-mobile', product_id: 'cn-mobile-5000' }, null, { number: 7 }, 'x',
    { number: '+66812345678', operator_id: 'th-ais', kind: 'rocket', country: 'TH', amount_minor: 1.5 },
  ]));
  const recipients = useRecipients();
  expect(recipients.list.map(({ number, kind, country, amount_minor }) => [number, kind, country, amount_minor])).toEqual([
    ['13800000001', 'airtime', 'CN', 0], ['+66812345678', 'airtime', 'TH', 0],
  ]);
  storage.set('topup.recipients', '{"not":"a list"}');
});

test('numbers are shown masked, cards too', () => {
  const recipients = useRecipients();
  expect(recipients.masked({ kind: 'airtime', number: '+66812345678' })).toBe('+66 81****678');
  expect(recipients.masked({ kind: 'airtime', number: '13800001234' })).toBe('138****1234');
  expect(recipients.masked({ kind: 'fuel_card', number: '1000113200000012345' })).toBe('1000****2345');
});
