import type { Session } from '@api/types';
import type { DeviceList } from '@topup/core';
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import { hostAsksForPrivacy } from '@/browser';
import { draftCore } from '@/core/draft_core';
import { core, startCore } from '@/core/topup';
import { newIdempotencyKey } from '@/random';
import { isRecord, readStored } from '@/storage';
import { send } from '@/transport';
import { failureOf, type Failure } from './failure';
import { edited, exchange, oneAtATime, unseen, type Keeper, type Shared } from './list_exchange';
import { useNetwork } from './network';
import {
  everybody, fieldsOf, handOver, kMostNameCharacters, readRecipients, removeRecipients, settled, without, worthAPlace, writeRecipients,
  type Recipient, type RecipientFacts,
} from './recipient_shelf';
import { useSession } from './session';

export { kindOf, kMostNameCharacters, type Recipient, type RecipientFacts } from './recipient_shelf';

/** Whom the buyer tops up, the latest first: on this device only, until somebody signs in; then on all devices of the buyer. */
export const useRecipients = defineStore('recipients', () => {
  const session = useSession();
  const shelf = shallowRef<Shared>(readRecipients());
  const failure = ref<Failure | null>(null);
  /** The one deleted last, for "undo". */
  const deleted = ref<{ recipient: Recipient } | null>(null);
  const list = computed(() => worthAPlace(everybody(shelf.value.list)));
  const named = computed(() => list.value.filter((one) => one.name !== ''));
  /** Whether other devices of the buyer have them, too. */
  const shared = computed(() => session.known && draftCore.value !== null);

  /** The only way the list changes. */
  function save(next: Shared): void {
    shelf.value = next;
    writeRecipients(next);
  }
  function look(): void {
    shelf.value = readRecipients();
  }
  // #ifdef H5
  window.addEventListener('storage', (event) => event.key?.endsWith('.recipients') && look());
  // #endif
  function change(edit: (now: DeviceList) => DeviceList): void {
    const now = readRecipients();
    save({ ...now, list: edit(now.list) });
  }
  function find(id: string): Recipient | null {
    return list.value.find((one) => one.id === id) ?? null;
  }
  // A name stays as it is, also one that is still to be chosen.
  function put(one: Recipient): void {
    change((now) => {
      const others = now.items.filter((item) => item.id !== one.id);
      const before = now.items.find((item) => item.id === one.id) ?? { id: one.id, revision: 0, client_revision: 0, mine: {} };
      return { ...now, items: [...others, edited(before, { ...fieldsOf(one), ...before.mine, last: fieldsOf(one).last ?? '' })] };
    });
  }

  /** After an order: to the front, with what was bought. A name stays. */
  function remember(facts: RecipientFacts): void {
    look();
    const before = everybody(shelf.value.list).find((one) => one.number === facts.number);
    const used_at_ms = Math.max(Date.now(), (list.value[0]?.used_at_ms ?? 0) + 1); // two of one moment keep their order
    put({ id: before?.id ?? newIdempotencyKey(), name: '', names: [], ...facts, used_at_ms });
    // What another device did meanwhile is not known before the next exchange; it trims then.
    if (!shared.value) trim();
    void sync();
  }
  /** Also chooses between what two devices call somebody. */
  function rename(id: string, name: string): void {
    const number = find(id)?.number;
    const clean = name.trim().slice(0, kMostNameCharacters);
    change((now) => ({
      ...now,
      items: now.items.map((item) => {
        if (number === undefined || item.mine.number !== number) return item;
        const { name: _old, ...rest } = item.mine;
        return edited(item, clean === '' ? rest : { ...rest, name: clean });
      }),
    }));
    void sync();
  }
  function drop(gone: Recipient[]): void {
    if (gone.length > 0) change((now) => without(now, new Set(gone.map((one) => one.number))));
  }
  function remove(id: string): void {
    const recipient = find(id);
    if (recipient === null) return;
    deleted.value = { recipient };
    drop([recipient]);
    void sync();
  }
  function undo(): void {
    if (deleted.value === null) return;
    // Other devices may have heard of the deletion, which is final: this is a new entry for the same person.
    put({ ...deleted.value.recipient, id: newIdempotencyKey() });
    deleted.value = null;
    void sync();
  }
  function forgetDeleted(): void {
    deleted.value = null;
  }
  /** Takes out those without a name: what the home page calls recent. */
  function forgetRecent(): void {
    drop(everybody(shelf.value.list).filter((one) => one.name === ''));
    void sync();
  }
  function trim(): void {
    const places = new Set(list.value.map((one) => one.number));
    drop(everybody(shelf.value.list).filter((one) => !places.has(one.number)));
  }
  /** For the moment when this device shall know nobody any more; the shop's copy stays. */
  function forgetAll(): void {
    removeRecipients();
    deleted.value = null;
    failure.value = null;
    look();
  }

  const keeper: Keeper<Shared> = { read: readRecipients, save, handOver, startOver: (now) => ({ ...now, list: unseen(now.list) }) };
  function settle(): boolean {
    const before = JSON.stringify(shelf.value.list);
    change(settled);
    trim();
    return JSON.stringify(shelf.value.list) !== before;
  }
  // A number leaves this device for one who has signed in and agreed only.
  function mayTravel(): boolean {
    return session.known && (hostAsksForPrivacy() || readStored('agreed', isRecord) !== null);
  }
  async function meet(): Promise<void> {
    if (!mayTravel()) return;
    await startCore(send);
    if (draftCore.value === null || !mayTravel()) return;
    const reason = await exchange(draftCore.value, 'recipients', keeper, settle);
    failure.value = reason === '' ? null : { reason, trace: '' };
  }
  const meeting = oneAtATime(async () => {
    if (!useNetwork().online) return;
    await meet().catch((failed: unknown) => (failure.value = failureOf(failed)));
  });
  /** Brings this device and the shop to the same list. */
  function sync(): Promise<void> {
    return meeting.run();
  }
  /** Takes all of them back, also from the shop and so from the other devices. Throws when the shop cannot be told. */
  async function withdraw(): Promise<void> {
    await meeting.idle();
    await meet();
    drop(everybody(shelf.value.list));
    await meet();
    forgetAll();
  }
  /** Two accounts of one person became one, whose session this is: the numbers go along. */
  function follow(made: Session): Session {
    const now = readRecipients();
    if (now.user_id !== '') save({ user_id: made.user_id, list: unseen(now.list) });
    return made;
  }

  function masked(one: Pick<Recipient, 'kind' | 'number'>): string {
    if (one.kind === 'fuel_card') return core.value?.checkCard(one.number, 'none')?.masked || '****';
    return core.value?.maskPhone(one.number) ?? '****';
  }
  function labelOf(one: Recipient): string {
    return one.name || masked(one);
  }

  return {
    list, named, shared, failure, deleted, find, remember, rename, remove, undo, forgetDeleted, forgetRecent, forgetAll, sync, withdraw, follow,
    masked, labelOf,
  };
});
