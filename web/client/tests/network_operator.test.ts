// Whose number it is, as the network says: asked once, and silent when that fails.
import { createPinia, setActivePinia } from 'pinia';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { answer, asked, refusal, reset } from './answers';
import { useNetworkOperator } from '@/stores/network_operator';

const kPath = '/api/v1/operators/lookup';
const kNumber = '+66812345678';

beforeEach(() => {
  setActivePinia(createPinia());
  reset();
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

test('a number is asked about once, when the buyer has stopped typing', async () => {
  answer(`POST ${kPath}`, { answer: 'network', country: 'TH', operator_id: 'th-ais' });
  const hints = useNetworkOperator();
  hints.ask('+6681234567');
  await vi.advanceTimersByTimeAsync(100);
  hints.ask(kNumber);
  await vi.advanceTimersByTimeAsync(1_000);
  hints.ask('');
  hints.ask(kNumber);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asked.map((one) => [one.path, one.body])).toEqual([[kPath, { account_number: kNumber }]]);
  expect(hints.operatorOf(kNumber)).toBe('th-ais');
  expect(hints.operatorOf('+66812345679')).toBe('');
});

test('what nobody knows, and a refusal, are nothing: not an operator, not an error, not a second question', async () => {
  answer(`POST ${kPath}`, { answer: 'unknown', country: 'TH', operator_id: '' });
  const hints = useNetworkOperator();
  hints.ask(kNumber);
  await vi.advanceTimersByTimeAsync(1_000);
  answer(`POST ${kPath}`, refusal('too_many_requests', 429));
  hints.ask('+66812345679');
  await vi.advanceTimersByTimeAsync(1_000);
  hints.ask('+66812345679');
  await vi.advanceTimersByTimeAsync(1_000);
  expect(hints.operatorOf(kNumber)).toBe('');
  expect(hints.operatorOf('+66812345679')).toBe('');
  expect(asked).toHaveLength(2);
});
