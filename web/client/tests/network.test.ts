// Whether the shop can be reached, as the device and its answers tell.
import { afterEach, expect, test, vi } from 'vitest';
import './answers';
import { useNetwork } from '@/stores/network';

afterEach(() => vi.unstubAllGlobals());

test('an answer to what was asked before the network went away does not bring it back', () => {
  const listeners = new Map<string, () => void>();
  const navigator = { onLine: true };
  vi.stubGlobal('navigator', navigator);
  vi.stubGlobal('window', { addEventListener: (name: string, hear: () => void) => listeners.set(name, hear) });
  const clock = vi.spyOn(Date, 'now').mockReturnValue(1_000);
  const network = useNetwork();
  network.watchDevice();
  expect(network.online).toBe(true);

  clock.mockReturnValue(2_000);
  navigator.onLine = false;
  listeners.get('offline')?.();
  expect(network.online).toBe(false);
  network.reached(true, 1_500);
  expect(network.online).toBe(false);
  network.reached(false, 2_100);
  network.reached(true, 2_200); // some browsers do not notice that it is back
  expect(network.online).toBe(true);
});
