// How a list that the buyer's devices share meets the shop's copy: one push and its answer at a time, merged by the core.
import { syncList, type SyncedList } from '@api/sync';
import type { DeviceItem, DeviceList, ItemFields, SyncAnswer } from '@topup/core';
import type { DraftCore } from '@/core/draft_core';
import { newIdempotencyKey } from '@/random';
import { isRecord } from '@/storage';
import { send } from '@/transport';
import { useSession } from './session';

const kMaxRounds = 4; // of one exchange: a change of buyer, a lost list or what a merge left to settle costs one more each

export interface Shared {
  /** Whose list it is; '' before anybody was asked. */
  user_id: string;
  list: DeviceList;
}
export interface Keeper<S extends Shared> {
  /** Reads anew each time: another tab may have written. */
  read(): S;
  save(shelf: S): void;
  /** The shelf of somebody else than it was. */
  handOver(shelf: S, userId: string): S;
  /** The shop has lost its copy: the same shelf as no shop has seen it. */
  startOver(shelf: S): S;
}

export function newList(): DeviceList {
  return { device: newIdempotencyKey(), client_revision: 0, revision: 0, items: [] };
}
export function isDeviceList(value: unknown): value is DeviceList {
  return isRecord(value) && typeof value.device === 'string' && typeof value.revision === 'number' && Array.isArray(value.items);
}
/** An item with other fields here. What the shop said last stays beside them; it is left out while both are the same. */
export function edited(item: DeviceItem, mine: ItemFields): DeviceItem {
  return { ...item, base: item.base ?? item.mine, mine };
}
/** The same items as a list that no shop has seen. */
export function unseen(list: DeviceList): DeviceList {
  const items = list.items
    .filter((item) => item.mine.deleted !== '1')
    .map(({ id, mine }) => ({ id, revision: 0, client_revision: 0, mine, base: {} }));
  return { ...newList(), items };
}

// One push and its answer. Null when it has to be done once more.
async function round<S extends Shared>(core: DraftCore, name: SyncedList, keeper: Keeper<S>): Promise<SyncAnswer | null> {
  const session = useSession();
  await session.token();
  const user = session.userId;
  let now = keeper.read();
  if (now.user_id !== user) keeper.save((now = keeper.handOver(now, user)));
  const started = core.syncPush({ list: now.list });
  if (!started.ok) throw new Error(started.error.reason);
  keeper.save({ ...now, list: started.value.list });
  const answer = await syncList(send, name, started.value.push);
  if (session.userId !== user) return null;
  now = keeper.read();
  if (answer.revision < started.value.push.since) {
    keeper.save(keeper.startOver(now));
    return null;
  }
  const taken = core.syncAnswer({ list: now.list, answer });
  if (!taken.ok) throw new Error(taken.error.reason);
  keeper.save({ ...now, list: taken.value.list });
  return answer;
}

/** Gives why the shop refused an item; '' when it took all. `settle`: what is left to do here after an answer; true: that has
 *  to travel as well. */
export async function exchange<S extends Shared>(
  core: DraftCore, name: SyncedList, keeper: Keeper<S>, settle: () => boolean = () => false,
): Promise<string> {
  let refused = '';
  for (let rounds = 0; rounds < kMaxRounds; ++rounds) {
    const answer = await round(core, name, keeper);
    if (answer === null) continue;
    refused = answer.refused[0]?.reason ?? '';
    if (!settle() || refused !== '') break;
  }
  return refused;
}

/** Calls during a run are answered by one more run after it, which has seen what they changed. `work` must not throw. */
export function oneAtATime(work: () => Promise<void>): { run: () => Promise<void>; idle: () => Promise<void> } {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  function run(): Promise<void> {
    if (running === null) return (running = work().finally(() => (running = null)));
    next ??= running.then(() => {
      next = null;
      return run();
    });
    return next;
  }
  return { run, idle: () => next ?? running ?? Promise.resolve() };
}
