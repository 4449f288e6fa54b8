// What this device keeps of drafts: the core's list with its three copies of each item, and what was shown here. Read anew
// before every change, because another tab of the same shop may have written.
import type { Quote } from '@topup/core';
import { isRecord, readStored, writeStored } from '@/storage';
import { isDeviceList, newList, unseen, type Shared } from './list_exchange';

/** Of one draft; stays on this device. */
export interface DraftNote {
  /** The price the buyer was shown, with its explanation. */
  seen: Quote | null;
  seen_at_ms: number;
  /** For which content. */
  seen_of: string;
  /** What the shop answered last, and for which content. */
  priced: Quote | null;
  priced_at_ms: number;
  priced_of: string;
  /** Why the shop would not price it; '' when it did. */
  refused: string;
}

export interface Shelf extends Shared {
  notes: Record<string, DraftNote>;
}

export const kNoNote: DraftNote = { seen: null, seen_at_ms: 0, seen_of: '', priced: null, priced_at_ms: 0, priced_of: '', refused: '' };

function isShelf(value: unknown): value is Shelf {
  return isRecord(value) && typeof value.user_id === 'string' && isRecord(value.notes) && isDeviceList(value.list);
}

export function readShelf(): Shelf {
  return readStored('drafts', isShelf) ?? { user_id: '', list: newList(), notes: {} };
}

/** False when the device did not keep it: a full or forbidden storage. Notes of drafts that are gone go with them. */
export function writeShelf(shelf: Shelf): boolean {
  const ids = new Set(shelf.list.items.map((item) => item.id));
  const notes = Object.fromEntries(Object.entries(shelf.notes).filter(([id]) => ids.has(id)));
  const kept = { ...shelf, notes };
  writeStored('drafts', kept);
  return JSON.stringify(readStored('drafts', isShelf)) === JSON.stringify(kept);
}

/** The same drafts as a list of `userId` that no server has seen: after a change of buyer, or when the server lost its copy. */
export function startOver(shelf: Shelf, userId: string): Shelf {
  return { ...shelf, user_id: userId, list: unseen(shelf.list) };
}
