// What this device keeps of the people a buyer tops up, as the core's list: one item a number, with its name and, in one
// field, what was bought for it last, so that two devices never mix two purchases into one.
import type { DeviceItem, DeviceList, ItemFields, ProductKind } from '@topup/core';
import { newIdempotencyKey } from '@/random';
import { isRecord, readStored, removeStored, writeStored } from '@/storage';
import { edited, isDeviceList, newList, unseen, type Shared } from './list_exchange';

/** A recipient of before, or one that was given a name; shown masked. */
export interface Recipient {
  id: string;
  /** '' until somebody gives one. */
  name: string;
  /** What two devices call it; empty when they agree. */
  names: string[];
  kind: ProductKind;
  country: string;
  operator_id: string;
  /** As an order names it: 13800001234, +66812345678, or a card's digits. */
  number: string;
  product_id: string;
  /** Of a range; else 0. */
  amount_minor: number;
  used_at_ms: number;
}
export type RecipientFacts = Omit<Recipient, 'id' | 'name' | 'names' | 'used_at_ms'>;

const kMostUnnamed = 6;
const kMostKept = 60;
export const kMostNameCharacters = 20;
const kKinds: ProductKind[] = ['airtime', 'data', 'fuel_card', 'pin'];

export function kindOf(value: unknown): ProductKind {
  return kKinds.find((kind) => kind === value) ?? 'airtime';
}
function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
function whole(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : 0;
}
function parsed(value: string | string[] | undefined): Record<string, unknown> {
  try {
    const found: unknown = JSON.parse(text(value));
    return isRecord(found) ? found : {};
  } catch {
    return {};
  }
}

/** As a shared item's fields. */
export function fieldsOf({ name, number, kind, country, operator_id, product_id, amount_minor, used_at_ms }: Recipient): ItemFields {
  const last = JSON.stringify({ used_at_ms, kind, country, operator_id, product_id, amount_minor });
  return name === '' ? { number, last } : { name, number, last };
}

function namesOf(value: string | string[] | undefined): string[] {
  return (Array.isArray(value) ? value : [text(value)]).map((one) => one.slice(0, kMostNameCharacters));
}
function recipientOf(id: string, { name, number, last, deleted }: ItemFields): Recipient | null {
  const facts = parsed(last);
  if (deleted !== undefined || text(number) === '' || text(facts.operator_id) === '') return null;
  return {
    id,
    name: namesOf(name).find((one) => one !== '') ?? '',
    names: Array.isArray(name) ? namesOf(name) : [],
    kind: kindOf(facts.kind),
    country: text(facts.country) || 'CN',
    operator_id: text(facts.operator_id),
    number: text(number),
    product_id: text(facts.product_id),
    amount_minor: whole(facts.amount_minor),
    used_at_ms: whole(facts.used_at_ms),
  };
}

// Two devices that met the same person before they met each other: one row, and neither name is lost.
function joined(one: Recipient, other: Recipient): Recipient {
  const latest = other.used_at_ms > one.used_at_ms ? other : one;
  const given = [one, other].flatMap((each) => (each.names.length > 0 ? each.names : each.name === '' ? [] : [each.name]));
  const names = [...new Set(given)];
  return { ...latest, id: one.id, name: names.find((name) => name !== '') ?? '', names: names.length > 1 ? names : [] };
}

/** All of them, the latest first, a number once. */
export function everybody(list: DeviceList): Recipient[] {
  const found = new Map<string, Recipient>();
  for (const { id, mine } of [...list.items].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const one = recipientOf(id, mine);
    if (one === null) continue;
    const before = found.get(one.number);
    found.set(one.number, before === undefined ? one : joined(before, one));
  }
  return [...found.values()].sort((a, b) => b.used_at_ms - a.used_at_ms);
}
/** Named ones are the buyer's to delete; of the others only the latest are worth a place. */
export function worthAPlace(all: Recipient[]): Recipient[] {
  let unnamed = 0;
  return all.filter((one) => one.name !== '' || ++unnamed <= kMostUnnamed).slice(0, kMostKept);
}

/** What two devices did at once, without asking: the later purchase counts, and whoever was deleted stays so. */
export function settled(list: DeviceList): DeviceList {
  const items = list.items.map((item): DeviceItem => {
    const { last, deleted } = item.mine;
    if (Array.isArray(deleted)) return edited(item, { deleted: '1' });
    if (!Array.isArray(last)) return item;
    const [latest = ''] = [...last].sort((a, b) => whole(parsed(b).used_at_ms) - whole(parsed(a).used_at_ms));
    return edited(item, { ...item.mine, last: latest });
  });
  return { ...list, items };
}
/** Without these numbers. What no shop was told of goes without a trace. */
export function without(list: DeviceList, numbers: Set<string>): DeviceList {
  const items = list.items.flatMap((item): DeviceItem[] => {
    if (!numbers.has(text(item.mine.number))) return [item];
    return item.client_revision === 0 && item.revision === 0 ? [] : [edited(item, { deleted: '1' })];
  });
  return { ...list, items };
}

function isShelf(value: unknown): value is Shared {
  return isRecord(value) && typeof value.user_id === 'string' && isDeviceList(value.list);
}
function isOldList(value: unknown): value is unknown[] {
  return Array.isArray(value);
}
// Earlier versions kept a plain list: a mainland number with its operator and product at least.
function ofOldList(rows: unknown[]): DeviceList {
  const items = rows.flatMap((row, at): DeviceItem[] => {
    if (!isRecord(row)) return [];
    const { name, number, used_at_ms, ...facts } = row;
    const last = JSON.stringify({ ...facts, used_at_ms: whole(used_at_ms) || rows.length - at });
    const one = recipientOf(newIdempotencyKey(), { name: text(name), number: text(number), last });
    return one === null ? [] : [{ id: one.id, revision: 0, client_revision: 0, base: {}, mine: fieldsOf(one) }];
  });
  return { ...newList(), items };
}

export function readRecipients(): Shared {
  const old = readStored('recipients', isOldList);
  if (old !== null) writeRecipients({ user_id: '', list: ofOldList(old) });
  return readStored('recipients', isShelf) ?? { user_id: '', list: newList() };
}
export function writeRecipients(shelf: Shared): void {
  writeStored('recipients', shelf);
}
export function removeRecipients(): void {
  removeStored('recipients');
}
/** Somebody else's numbers are none of this buyer's; those of nobody in particular are. */
export function handOver(shelf: Shared, userId: string): Shared {
  return { user_id: userId, list: shelf.user_id === '' ? unseen(shelf.list) : newList() };
}
