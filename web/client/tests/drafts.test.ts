// Orders that are still being filled in: kept here first, the same on all devices of the buyer after that, and never dearer than
// what was seen.
import { beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { answer, asked, refusal, reset } from './answers';
import { topup, useWholeCore } from './support/core';
import { storage } from './support/device';
import { Device, online, signIn } from './support/devices';
import { ShopList } from './support/shop_lists';
import { purchaseOf, useDrafts, type DraftFields } from '@/stores/drafts';

vi.mock('@/core/topup', async (original) => {
  const real = await original<typeof import('@/core/topup')>();
  return { ...real, startCore: async () => real.core.value };
});
beforeAll(useWholeCore);

const cny = (minor: number) => ({ minor, currency: 'CNY' });
const quoteOf = (minor: number) => ({ payable: cny(minor), lines: [], fingerprint: 'f' }) as never;
const fields = (more: DraftFields = {}): DraftFields => ({
  kind: 'airtime', country: 'CN', operator_id: 'cn-mobile', account_number: '138 0000 1234', product_id: 'cn-mobile-10000', ...more,
});

let shop: ShopList;
let priced: number;
beforeEach(() => {
  reset();
  shop = new ShopList();
  priced = 9950;
  answer('POST /api/v1/sync/drafts', (request) => shop.answer(request));
  answer('POST /api/v1/quotes', () => quoteOf(priced));
});
const sync = () => online(() => useDrafts().sync());
const only = () => useDrafts().views[0]!;
const keep = (more: DraftFields = {}, seen = 9950) => useDrafts().keep('draft-1', fields(more), quoteOf(seen));

async function settle(...devices: Device[]): Promise<void> {
  for (let turns = 0; turns < 2; ++turns) for (const device of devices) await device.on(sync);
}

test('the core these tests use is the compiled one', () => {
  expect(topup().draftCheck({ id: 'draft-1', fields: fields() }).ok).toBe(true);
});

test('kept twice it is one draft; a new visit finds it, only here until the shop has it', async () => {
  const one = new Device();
  await one.on(async () => {
    signIn('u1');
    expect(keep()).toBe(true);
    expect(keep({ note: 'for mum' })).toBe(true);
    expect(useDrafts().count).toBe(1);
    expect([only().state, only().fields.note, only().made_at_ms > 0]).toEqual(['only_here', 'for mum', true]);
    expect(asked).toEqual([]);
  });
  await one.on(async () => {
    expect(only().state).toBe('only_here');
    await sync();
    expect(shop.texts()).toContain('138 0000 1234');
    expect([only().state, only().note.priced?.payable.minor]).toEqual(['confirmed', 9950]);
  });
});

test('what the shop asks now is held against what was seen: changed until it is accepted, and asked for anew when the amount is', async () => {
  await new Device().on(async () => {
    signIn('u1');
    keep();
    priced = 10_100;
    await sync();
    expect([only().state, only().note.seen?.payable.minor, only().note.priced?.payable.minor]).toEqual(['changed', 9950, 10_100]);
    await sync();
    expect(asked.filter((one) => one.path === '/api/v1/quotes')).toHaveLength(1); // fresh enough
    useDrafts().accept('draft-1');
    expect([only().state, only().note.seen?.payable.minor]).toEqual(['confirmed', 10_100]);
    keep({ product_id: 'cn-mobile-5000' }, 4975);
    expect(only().state).toBe('only_here');
    priced = 4975;
    await sync();
    expect([only().state, only().note.priced?.payable.minor]).toEqual(['confirmed', 4975]);
  });
});

test('what the shop will not price is said, and priced again later', async () => {
  vi.spyOn(Date, 'now').mockReturnValue(1_000_000);
  await new Device().on(async () => {
    signIn('u1');
    keep();
    answer('POST /api/v1/quotes', refusal('product_not_found', 404));
    await sync();
    expect([only().note.refused, only().state]).toEqual(['product_not_found', 'sent']);
    vi.spyOn(Date, 'now').mockReturnValue(1_000_000 + 61_000);
    answer('POST /api/v1/quotes', () => quoteOf(priced));
    await sync();
    expect([only().note.refused, only().state]).toEqual(['', 'confirmed']);
  });
});

test('a storage that keeps nothing is told, and does not count as kept', async () => {
  await new Device().on(() => {
    const set = storage.set.bind(storage);
    storage.set = (key, text) => (key.endsWith('.drafts') ? storage : set(key, text));
    try {
      expect(keep()).toBe(false);
    } finally {
      storage.set = set;
    }
    expect(useDrafts().failure?.reason).toBe('draft_not_kept');
  });
});

test('who never kept a draft and has no session is not given one by looking', async () => {
  await new Device().on(async () => {
    await sync();
    expect(asked).toEqual([]);
  });
});

test('off the list at once, back with undo, and gone for good on both devices when it is meant', async () => {
  const [one, two] = [new Device(), new Device()];
  await one.on(() => {
    signIn('u1');
    keep();
  });
  await two.on(() => signIn('u1'));
  await settle(one, two);
  await two.on(() => expect(only().fields.account_number).toBe('138 0000 1234'));
  await one.on(() => {
    useDrafts().remove('draft-1');
    expect(useDrafts().count).toBe(0);
    useDrafts().takeBack();
    expect(useDrafts().count).toBe(1);
    useDrafts().remove('draft-1');
    useDrafts().commitRemoval();
  });
  await settle(one, two);
  for (const device of [one, two]) await device.on(() => expect(useDrafts().count).toBe(0));
  expect(shop.texts()).not.toContain('138 0000 1234');
});

test('different fields changed on two devices meet; the same field asks, and the choice is everywhere', async () => {
  const [one, two] = [new Device(), new Device()];
  await one.on(() => {
    signIn('u1');
    keep();
  });
  await two.on(() => signIn('u1'));
  await settle(one, two);
  await one.on(() => keep({ product_id: 'cn-mobile-5000' }));
  await two.on(() => keep({ note: 'for dad' }));
  await settle(one, two);
  for (const device of [one, two]) {
    await device.on(() => expect([only().fields.product_id, only().fields.note]).toEqual(['cn-mobile-5000', 'for dad']));
  }
  await one.on(() => keep({ product_id: 'cn-mobile-3000', note: 'for dad' }));
  await two.on(() => keep({ product_id: 'cn-mobile-20000', note: 'for dad' }));
  await settle(one, two);
  for (const device of [one, two]) {
    await device.on(() => {
      expect(only().state).toBe('conflict');
      expect(only().mayOrder).toBe(false);
      expect(only().choices.map(({ field, values }) => [field, [...values].sort()])).toEqual([
        ['product_id', ['cn-mobile-20000', 'cn-mobile-3000']],
      ]);
    });
  }
  await two.on(() => useDrafts().choose('draft-1', 'product_id', 'cn-mobile-3000'));
  await settle(two, one);
  for (const device of [one, two]) await device.on(() => expect([only().choices, only().fields.product_id]).toEqual([[], 'cn-mobile-3000']));
});

test('a draft that was deleted elsewhere while it was changed here is asked about, not lost', async () => {
  const [one, two] = [new Device(), new Device()];
  await one.on(() => {
    signIn('u1');
    keep();
  });
  await two.on(() => signIn('u1'));
  await settle(one, two);
  await one.on(() => useDrafts().forget('draft-1'));
  await two.on(() => keep({ note: 'not yet' }));
  await settle(one, two);
  await two.on(() => expect(only().choices.some((choice) => choice.field === 'deleted')).toBe(true));
});

test('a lost answer is repeated as it was and leaves one draft; what the shop refuses is said', async () => {
  await new Device().on(async () => {
    signIn('u1');
    keep();
    answer('POST /api/v1/sync/drafts', (request) => {
      shop.answer(request);
      throw new Error('the answer is lost');
    });
    await sync();
    expect([useDrafts().failure, only().state]).toEqual([null, 'only_here']);
    answer('POST /api/v1/sync/drafts', (request) => shop.answer(request));
    await sync();
    expect(shop.items).toHaveLength(1);
    expect(only().state).toBe('confirmed');
    answer('POST /api/v1/sync/drafts', refusal('sync_list_too_large', 422));
    keep({ note: 'x' });
    await sync();
    expect(useDrafts().failure?.reason).toBe('sync_list_too_large');
  });
});

test('ordered or deleted elsewhere, it is not there any more; another buyer on this device starts with a list of their own', async () => {
  const [one, two] = [new Device(), new Device()];
  await one.on(() => {
    signIn('u1');
    keep();
  });
  await two.on(() => signIn('u1'));
  await settle(one, two);
  await two.on(async () => {
    useDrafts().forget('draft-1');
    await sync();
  });
  await one.on(async () => online(async () => expect(await useDrafts().isStillThere('draft-1')).toBe(false)));
  await one.on(() => {
    useDrafts().forgetAll();
    expect(storage.has('topup.drafts')).toBe(false);
    expect(useDrafts().count).toBe(0);
  });
});

test('without a price book a draft is kept and read, but no order is made of it', () => {
  expect(purchaseOf('draft-1', fields())).toBeNull();
  expect(purchaseOf('draft-1', fields(), true)).toMatchObject({ account: '+8613800001234', product_id: 'cn-mobile-10000', kind: 'airtime' });
});
