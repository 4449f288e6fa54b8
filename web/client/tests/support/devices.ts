// Two devices of one buyer in one process: each has a storage and stores of its own, one of them is awake at a time, and its
// network is away but within online().
import { createPinia, setActivePinia } from 'pinia';
import { storage } from './device';
import { useNetwork } from '@/stores/network';

export class Device {
  private readonly kept = new Map<string, string>();
  private readonly pinia = createPinia();

  /** What is done on this device. */
  async on<T>(deed: () => Promise<T> | T): Promise<T> {
    storage.clear();
    for (const [key, text] of this.kept) storage.set(key, text);
    setActivePinia(this.pinia);
    useNetwork().reached(false, Date.now());
    const gives = await deed();
    this.kept.clear();
    for (const [key, text] of storage) this.kept.set(key, text);
    storage.clear();
    return gives;
  }
}

/** As somebody who has signed in and agreed finds it. */
export function signIn(userId: string): void {
  storage.set('topup.session', JSON.stringify({ token: `token of ${userId}`, user_id: userId, expires_at_ms: 9e15, known: true }));
  storage.set('topup.agreed', JSON.stringify({ terms: 1, privacy: 1, location: false }));
}

export async function online(deed: () => Promise<void>): Promise<void> {
  useNetwork().reached(true, Date.now());
  await deed();
  useNetwork().reached(false, Date.now());
}
