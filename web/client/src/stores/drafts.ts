import { createQuote } from '@api/quotes';
import { ApiRefused } from '@api/transport';
import type { QuoteRequest } from '@api/types';
import type { DraftState, ItemFields, ProductKind, Quote } from '@topup/core';
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import { draftCore, type DraftCore } from '@/core/draft_core';
import { startCore } from '@/core/topup';
import { removeStored } from '@/storage';
import { send } from '@/transport';
import { useCatalog } from './catalog';
import type { Purchase } from './checkout';
import { kNoNote, readShelf, startOver, writeShelf, type DraftNote, type Shelf } from './draft_shelf';
import { failureOf, type Failure } from './failure';
import { exchange, oneAtATime, type Keeper } from './list_exchange';
import { useNetwork } from './network';
import { useSession } from './session';

const kPriceFreshMs = 60_000;

/** What a draft holds, as texts; the names are those of the core's draft fields. */
export type DraftFields = Record<string, string>;
export interface OpenChoice {
  field: string;
  values: string[];
}
export interface DraftView {
  id: string;
  fields: DraftFields;
  /** What two devices say differently. */
  choices: OpenChoice[];
  state: DraftState;
  note: DraftNote;
  mayOrder: boolean;
  made_at_ms: number;
}

export interface EditedDraft {
  id: string;
  fields: DraftFields;
  purchase: Purchase;
}

function plainFields(fields: ItemFields): DraftFields {
  const texts: DraftFields = {};
  for (const [name, value] of Object.entries(fields)) if (typeof value === 'string') texts[name] = value;
  return texts;
}

function choicesOf(fields: ItemFields): OpenChoice[] {
  return Object.entries(fields).flatMap(([field, value]) => (Array.isArray(value) ? [{ field, values: value }] : []));
}

function contentOf(fields: ItemFields): string {
  return JSON.stringify([fields.product_id, fields.account_number, fields.amount ?? '', fields.coupon ?? '']);
}

/** What the core reads in a draft, as an order needs it. Null while it may not be ordered, unless `anyway`. */
export function purchaseOf(id: string, fields: DraftFields, anyway = false): Purchase | null {
  const check = draftCore.value?.draftCheck({ id, fields });
  if (!check?.ok || !(check.value.may_order || anyway)) return null;
  const { account_number: account, amount } = check.value;
  const { product_id = '', operator_id = '', country = '', kind = 'airtime', account_again = '' } = fields;
  const amount_minor = fields.amount && amount ? amount.minor : 0;
  return { product_id, operator_id, country, kind: kind as ProductKind, account, account_again, amount_minor };
}

// An amount is refused with a product that has no range.
function wishOf({ product_id, account: account_number, amount_minor }: Purchase): QuoteRequest {
  return amount_minor > 0 ? { product_id, account_number, amount_minor } : { product_id, account_number };
}

/** Orders that are still being filled in: kept on the device first, equal on all devices of the buyer after that. */
export const useDrafts = defineStore('drafts', () => {
  const shelf = shallowRef<Shelf>(readShelf());
  const waiting = ref(false);
  const failure = ref<Failure | null>(null);
  /** The draft whose content stands on the home page. */
  const edited = ref<EditedDraft | null>(null);
  /** Deleted on the screen only, while it can be taken back. */
  const leaving = ref('');

  const views = computed<DraftView[]>(() => {
    const core = draftCore.value;
    if (core === null) return [];
    const { list, notes } = shelf.value;
    const prices: Record<string, { seen?: Quote['payable']; priced?: Quote['payable'] }> = {};
    for (const item of list.items) {
      const note = notes[item.id] ?? kNoNote;
      const content = contentOf(item.mine);
      const isPriced = note.priced !== null && note.priced_of === content;
      prices[item.id] = {
        ...(note.seen && note.seen_of === content ? { seen: note.seen.payable } : {}),
        ...(isPriced && note.priced ? { priced: note.priced.payable } : {}),
      };
    }
    const states = core.draftStates({ list, is_waiting: waiting.value, prices });
    const stateOf = new Map(states.ok ? states.value.items.map((one) => [one.id, one.state]) : []);
    return list.items
      .filter((item) => item.mine.deleted !== '1' && item.id !== leaving.value)
      .map((item) => {
        const fields = plainFields(item.mine);
        const check = core.draftCheck({ id: item.id, fields: item.mine });
        return {
          id: item.id,
          fields,
          choices: choicesOf(item.mine),
          state: stateOf.get(item.id) ?? 'only_here',
          note: notes[item.id] ?? kNoNote,
          mayOrder: check.ok && check.value.may_order,
          made_at_ms: Number(fields.made_at_ms ?? 0),
        };
      })
      .sort((a, b) => b.made_at_ms - a.made_at_ms);
  });
  const count = computed(() => views.value.length);

  function look(): void {
    shelf.value = readShelf();
  }
  // #ifdef H5
  window.addEventListener('storage', (event) => event.key?.endsWith('.drafts') && look());
  // #endif

  function save(next: Shelf): boolean {
    const kept = writeShelf(next);
    shelf.value = next;
    return kept;
  }

  function note(id: string, news: Partial<DraftNote>): void {
    const now = readShelf();
    save({ ...now, notes: { ...now.notes, [id]: { ...(now.notes[id] ?? kNoNote), ...news } } });
  }

  function withFields(core: DraftCore, now: Shelf, id: string, fields: DraftFields): Shelf | null {
    let { list } = now;
    for (const [field, value] of Object.entries(fields)) {
      const outcome = core.syncEdit({ list, id, field, value });
      if (!outcome.ok) {
        failure.value = { reason: outcome.error.reason, trace: '' };
        return null;
      }
      list = outcome.value.list;
    }
    return { ...now, list };
  }

  /** Keeps what was filled in, with the price that was shown. The same id again is the same draft. False: it was not kept. */
  function keep(id: string, fields: DraftFields, seen: Quote): boolean {
    const core = draftCore.value;
    if (core === null) return false;
    failure.value = null;
    const before = readShelf();
    const isNew = !before.list.items.some((item) => item.id === id);
    const next = withFields(core, before, id, isNew ? { made_at_ms: String(Date.now()), ...fields } : fields);
    if (next === null) return false;
    const content = contentOf(next.list.items.find((item) => item.id === id)?.mine ?? {});
    const fresh = { ...kNoNote, seen, seen_at_ms: useCatalog().readAtMs, seen_of: content };
    const kept = save({ ...next, notes: { ...next.notes, [id]: fresh } });
    if (!kept) failure.value = { reason: 'draft_not_kept', trace: '' };
    return kept;
  }

  function choose(id: string, field: string, value: string): void {
    const core = draftCore.value;
    const next = core && withFields(core, readShelf(), id, { [field]: value });
    if (next) save(next);
    void sync();
  }

  /** Gives what the home page shall show. The next purchase that is opened there is this draft's. */
  function edit({ id, fields }: DraftView): Purchase | null {
    const purchase = purchaseOf(id, fields, true);
    if (purchase !== null) edited.value = { id, fields, purchase };
    return purchase;
  }
  function takeEdited(): EditedDraft | null {
    const taken = edited.value;
    edited.value = null;
    return taken;
  }

  /** The buyer has seen the moved price and takes it. */
  function accept(id: string): void {
    const { priced, priced_at_ms, priced_of } = shelf.value.notes[id] ?? kNoNote;
    if (priced !== null) note(id, { seen: priced, seen_at_ms: priced_at_ms, seen_of: priced_of });
  }

  /** Off the list at once; on the device until commitRemoval(), so that it can be taken back. */
  function remove(id: string): void {
    commitRemoval();
    leaving.value = id;
  }
  function takeBack(): void {
    leaving.value = '';
  }
  function commitRemoval(): void {
    const id = leaving.value;
    leaving.value = '';
    if (id !== '') forget(id);
  }

  function forget(id: string): void {
    const core = draftCore.value;
    const now = readShelf();
    if (core === null || !now.list.items.some((item) => item.id === id)) return;
    const next = withFields(core, now, id, { deleted: '1' });
    if (next) save(next);
    void sync();
  }

  /** For the moment when the buyer of this device leaves it to somebody else. */
  function forgetAll(): void {
    removeStored('drafts');
    look();
  }

  const keeper: Keeper<Shelf> = { read: readShelf, save, handOver: startOver, startOver: (now) => startOver(now, now.user_id) };
  async function meet(): Promise<void> {
    await startCore(send);
    const core = draftCore.value;
    const isStranger = useSession().userId === '' && readShelf().list.items.length === 0;
    if (core === null || isStranger || !useNetwork().online) return;
    waiting.value = true;
    try {
      const reason = await exchange(core, 'drafts', keeper);
      failure.value = reason === '' ? null : { reason, trace: '' };
    } catch (failed) {
      failure.value = failed instanceof ApiRefused ? failureOf(failed) : null; // without network the states say it
    } finally {
      waiting.value = false;
    }
    await price(core);
  }

  // What came from another device or was just chosen has not been shown here yet: this device's own price is seen first.
  function showFirst(core: DraftCore, view: DraftView): void {
    const quote = quoteHere(core, view);
    if (quote !== null) note(view.id, { seen: quote, seen_at_ms: useCatalog().readAtMs, seen_of: contentOf(view.fields) });
  }
  function quoteHere(core: DraftCore, { id, fields }: DraftView): Quote | null {
    const purchase = purchaseOf(id, fields);
    const outcome = purchase && core.quote({ ...wishOf(purchase), now_ms: Date.now() });
    return outcome?.ok ? outcome.value : null;
  }

  /** Asks the shop what each draft costs now. */
  async function price(core: DraftCore): Promise<void> {
    for (const view of views.value) {
      const content = contentOf(view.fields);
      const isFresh = view.note.priced_of === content && Date.now() - view.note.priced_at_ms < kPriceFreshMs;
      if (view.choices.length > 0 || isFresh) continue;
      if (view.note.seen_of !== content) showFirst(core, view);
      const purchase = purchaseOf(view.id, view.fields, true);
      if (purchase === null) continue;
      const known = { priced_of: content, priced_at_ms: Date.now() };
      try {
        const priced = await createQuote(send, wishOf(purchase));
        note(view.id, { ...known, priced, refused: '' });
      } catch (failed) {
        if (!(failed instanceof ApiRefused)) return;
        note(view.id, { ...known, priced: null, refused: failed.problem.reason });
      }
    }
  }

  const meeting = oneAtATime(meet);
  /** Brings this device and the shop to the same drafts and prices. */
  function sync(): Promise<void> {
    return meeting.run();
  }

  /** False when it was ordered or deleted elsewhere in the meantime. */
  async function isStillThere(id: string): Promise<boolean> {
    await sync();
    return readShelf().list.items.some((item) => item.id === id && item.mine.deleted !== '1');
  }

  return {
    views, count, waiting, failure, leaving, keep, choose, edit, takeEdited, accept, remove, takeBack, commitRemoval, forget, forgetAll, look, sync,
    isStillThere,
  };
});
