import { eraseAccount, exportData, giveConsent, lookBeforeErasure, withdrawConsent } from '@api/me';
import type { Obstacle, Purpose } from '@api/types';
import { defineStore } from 'pinia';
import { computed, ref } from 'vue';
import { hostAsksForPrivacy } from '@/browser';
import { isRecord, readStored, removeStored, writeStored } from '@/storage';
import { send } from '@/transport';
import { useDrafts } from './drafts';
import { failureOf, type Failure } from './failure';
import { useMe } from './me';
import { useNotice } from './notice';
import { useRecipients } from './recipients';
import { useSession } from './session';
import { useShop } from './shop';

/** The versions that were agreed to on this device, and whether places may be used. */
interface Agreed {
  terms: number;
  privacy: number;
  location: boolean;
}
function isAgreed(value: unknown): value is Agreed {
  return isRecord(value) && typeof value.terms === 'number' && typeof value.privacy === 'number';
}

/** Nothing personal leaves this device before the buyer has read what for, and agreed. A new version asks again. */
export const usePrivacy = defineStore('privacy', () => {
  const shop = useShop();
  const session = useSession();
  const agreed = ref<Agreed | null>(readStored('agreed', isAgreed));
  /** What is being asked about; '' when nothing is. */
  const asking = ref<'' | 'agreements' | 'location'>('');
  const obstacles = ref<Obstacle[] | null>(null);
  const failure = ref<Failure | null>(null);
  const busy = ref(false);
  let answer: ((yes: boolean) => void) | null = null;

  // 0: the shop has not been reached yet, so that there is no version to compare with.
  const holds = computed(() => {
    const given = agreed.value;
    if (given === null) return false;
    const now = shop.agreements;
    return (now.terms === 0 || given.terms === now.terms) && (now.privacy === 0 || given.privacy === now.privacy);
  });
  const renewed = computed(() => agreed.value !== null && !holds.value);

  function keep(next: Agreed): void {
    agreed.value = next;
    writeStored('agreed', next);
  }
  function ask(what: 'agreements' | 'location'): Promise<boolean> {
    if (hostAsksForPrivacy()) return Promise.resolve(true);
    answer?.(false);
    asking.value = what;
    return new Promise((resolve) => (answer = resolve));
  }
  function close(yes: boolean): void {
    asking.value = '';
    answer?.(yes);
    answer = null;
  }

  /** Before a number or anything else personal leaves the device. False: the buyer does not want that. */
  async function allows(): Promise<boolean> {
    return holds.value || ask('agreements');
  }
  /** Before asking the device where it is. */
  async function allowsLocation(): Promise<boolean> {
    if (!(await allows())) return false;
    return agreed.value?.location === true || ask('location');
  }

  // The shop's own record follows when there is a session to write it to; agreeing must not wait for the network.
  function record(document: Purpose): void {
    const version = document === 'terms' ? shop.agreements.terms : shop.agreements.privacy;
    if (version > 0) void giveConsent(send, document, version).catch(() => undefined);
  }
  function agree(): void {
    const location = asking.value === 'location' || agreed.value?.location === true;
    keep({ ...shop.agreements, location });
    if (asking.value === 'location') record('location');
    else {
      record('terms');
      record('privacy');
    }
    close(true);
  }
  function decline(): void {
    close(false);
  }

  /** What this device itself remembers of the buyer's dealings. */
  function forgetDevice(): void {
    agreed.value = null;
    removeStored('agreed');
    removeStored('checkout');
    useRecipients().forgetAll();
    useDrafts().forgetAll();
  }

  async function trying(deed: () => Promise<void>): Promise<boolean> {
    if (busy.value) return false;
    busy.value = true;
    failure.value = null;
    try {
      await deed();
      return true;
    } catch (failed) {
      failure.value = failureOf(failed);
      return false;
    } finally {
      busy.value = false;
    }
  }

  /** One tap: nothing is used any more that was agreed to, here and at the shop. */
  function withdrawAll(): Promise<boolean> {
    return trying(async () => {
      await useRecipients().withdraw();
      if (session.exists()) await withdrawConsent(send, 'privacy');
      forgetDevice();
      session.forget();
      await useMe().load();
      useNotice().say('notice.withdrawn');
    });
  }
  function withdraw(document: Purpose): Promise<boolean> {
    return trying(async () => {
      if (document === 'location' && agreed.value) keep({ ...agreed.value, location: false });
      if (session.exists()) useMe().take(await withdrawConsent(send, document));
    });
  }
  /** The buyer's data as text; '' when it could not be had. */
  async function takeOut(): Promise<string> {
    let text = '';
    await trying(async () => {
      text = `${JSON.stringify(await exportData(send), null, 2)}\n`;
    });
    return text;
  }
  function lookAtErasure(): Promise<boolean> {
    return trying(async () => {
      obstacles.value = session.exists() ? await lookBeforeErasure(send) : [];
    });
  }
  function erase(): Promise<boolean> {
    return trying(async () => {
      await eraseAccount(send);
      forgetDevice();
      session.forget();
      await useMe().load();
      useNotice().say('notice.erased');
    });
  }

  return {
    agreed, asking, holds, renewed, obstacles, failure, busy,
    allows, allowsLocation, agree, decline, withdrawAll, withdraw, takeOut, lookAtErasure, erase,
  };
});
