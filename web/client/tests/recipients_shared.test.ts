// F080: whom a buyer tops up is the same on all devices of one who has signed in, and nowhere else for one who has not.
import { beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { answer, asked, refusal, reset } from './answers';
import { useWholeCore } from './support/core';
import { storage } from './support/device';
import { Device, online, signIn } from './support/devices';
import { ShopList } from './support/shop_lists';
import { usePrivacy } from '@/stores/privacy';
import { useRecipients, type RecipientFacts } from '@/stores/recipients';
import { useSession } from '@/stores/session';

vi.mock('@/core/topup', async (original) => {
  const real = await original<typeof import('@/core/topup')>();
  return { ...real, startCore: async () => real.core.value };
});
beforeAll(useWholeCore);

let shop: ShopList;
beforeEach(() => {
  reset();
  shop = new ShopList();
  answer('POST /api/v1/sync/recipients', (request) => shop.answer(request));
  answer('POST /api/v1/sync/drafts', () => ({ revision: 0, items: [], refused: [] }));
});

const facts = (number: string, more: Partial<RecipientFacts> = {}): RecipientFacts => (
  { kind: 'airtime', country: 'CN', operator_id: 'cn-mobile', number, product_id: 'cn-mobile-5000', amount_minor: 0, ...more });
const shown = () => useRecipients().list.map((one) => [one.number, one.name]);
const idOf = (number: string) => useRecipients().list.find((one) => one.number === number)!.id;
const sync = () => online(() => useRecipients().sync());

/** Two devices of one buyer that know the same person. */
async function twoDevices(): Promise<[Device, Device]> {
  const [one, two] = [new Device(), new Device()];
  await one.on(async () => {
    signIn('u1');
    useRecipients().remember(facts('13800000001'));
    useRecipients().rename(idOf('13800000001'), '妈妈');
    await sync();
  });
  await two.on(async () => {
    signIn('u1');
    await sync();
    expect(shown()).toEqual([['13800000001', '妈妈']]);
  });
  return [one, two];
}
async function settle(...devices: Device[]): Promise<void> {
  for (let turns = 0; turns < 2; ++turns) for (const device of devices) await device.on(sync);
}

test('a guest\'s numbers stay on the device; after signing in they are on the other one, too', async () => {
  const [one, two] = [new Device(), new Device()];
  await one.on(async () => {
    storage.set('topup.session', JSON.stringify({ token: 'guest', user_id: 'g1', expires_at_ms: 9e15 }));
    storage.set('topup.agreed', JSON.stringify({ terms: 1, privacy: 1, location: false }));
    useRecipients().remember(facts('13800000001'));
    await sync();
    expect(asked).toEqual([]);
    useSession().replace({ token: 't', user_id: 'u1', expires_at_ms: 9e15 }, true);
    await sync();
  });
  await two.on(async () => {
    signIn('u1');
    useRecipients().remember(facts('13800000002'));
    await sync();
    expect(shown()).toEqual([['13800000002', ''], ['13800000001', '']]);
  });
  await one.on(async () => {
    await sync();
    expect(shown()).toEqual([['13800000002', ''], ['13800000001', '']]);
  });
});

test('two devices that met the same number apart show it once, with the later purchase and the name that was given', async () => {
  const [one, two] = [new Device(), new Device()];
  vi.spyOn(Date, 'now').mockReturnValue(1_000);
  await one.on(() => {
    signIn('u1');
    useRecipients().remember(facts('13800000001', { product_id: 'cn-mobile-5000' }));
    useRecipients().rename(idOf('13800000001'), '老王');
  });
  vi.spyOn(Date, 'now').mockReturnValue(2_000);
  await two.on(() => {
    signIn('u1');
    useRecipients().remember(facts('13800000001', { product_id: 'cn-mobile-10000' }));
  });
  await settle(one, two);
  for (const device of [one, two]) {
    await device.on(() => {
      expect(shown()).toEqual([['13800000001', '老王']]);
      expect(useRecipients().list[0]!.product_id).toBe('cn-mobile-10000');
    });
  }
  await one.on(async () => {
    useRecipients().remove(idOf('13800000001'));
    await sync();
  });
  await settle(two, one);
  for (const device of [one, two]) await device.on(() => expect(shown()).toEqual([]));
});

test('two purchases at once: the later one counts on both, without a question', async () => {
  const [one, two] = await twoDevices();
  vi.spyOn(Date, 'now').mockReturnValue(5e12);
  await one.on(() => useRecipients().remember(facts('13800000001', { product_id: 'cn-mobile-3000' })));
  vi.spyOn(Date, 'now').mockReturnValue(6e12);
  await two.on(() => useRecipients().remember(facts('13800000001', { product_id: 'cn-mobile-20000', kind: 'data' })));
  await settle(two, one);
  for (const device of [one, two]) {
    await device.on(() => {
      const [both] = useRecipients().list;
      expect([both!.product_id, both!.kind, both!.name, both!.names]).toEqual(['cn-mobile-20000', 'data', '妈妈', []]);
    });
  }
});

test('two names at once are both shown until somebody chooses, and then the choice is everywhere', async () => {
  const [one, two] = await twoDevices();
  await one.on(() => useRecipients().rename(idOf('13800000001'), 'Mum'));
  await two.on(() => useRecipients().rename(idOf('13800000001'), '老妈'));
  await settle(one, two);
  for (const device of [one, two]) await device.on(() => expect([...useRecipients().list[0]!.names].sort()).toEqual(['Mum', '老妈']));
  await two.on(async () => {
    useRecipients().remember(facts('13800000001')); // a purchase chooses no name
    expect(useRecipients().list[0]!.names).toHaveLength(2);
    useRecipients().rename(idOf('13800000001'), '老妈');
    await sync();
  });
  await settle(one, two);
  for (const device of [one, two]) {
    await device.on(() => {
      expect(useRecipients().list[0]!.names).toEqual([]);
      expect(shown()).toEqual([['13800000001', '老妈']]);
    });
  }
});

test('whoever was deleted stays so, whatever the other device did meanwhile; a later purchase is a new beginning', async () => {
  const [one, two] = await twoDevices();
  await one.on(() => useRecipients().remove(idOf('13800000001')));
  await two.on(() => useRecipients().rename(idOf('13800000001'), 'Mum'));
  await settle(one, two);
  for (const device of [one, two]) await device.on(() => expect(shown()).toEqual([]));
  expect(shop.texts()).not.toContain('13800000001');
  await two.on(async () => {
    useRecipients().remember(facts('13800000001'));
    await sync();
  });
  await settle(one);
  await one.on(() => expect(shown()).toEqual([['13800000001', '']]));
});

test('a deletion that has travelled can still be taken back', async () => {
  const [one, two] = await twoDevices();
  await one.on(async () => {
    useRecipients().remove(idOf('13800000001'));
    await sync();
    useRecipients().undo();
    await sync();
    expect(shown()).toEqual([['13800000001', '妈妈']]);
  });
  await settle(two);
  await two.on(() => expect(shown()).toEqual([['13800000001', '妈妈']]));
});

test('a lost answer is asked for again and changes nothing twice; what comes meanwhile is kept', async () => {
  const one = new Device();
  await one.on(async () => {
    signIn('u1');
    useRecipients().remember(facts('13800000001'));
    answer('POST /api/v1/sync/recipients', (request) => {
      shop.answer(request);
      throw new Error('the answer is lost');
    });
    await sync();
    useRecipients().remember(facts('13800000002'));
    answer('POST /api/v1/sync/recipients', (request) => shop.answer(request));
    await sync();
    await sync();
    expect(shown().map(([number]) => number)).toEqual(['13800000002', '13800000001']);
    expect(shop.items.map((item) => item.fields.number).sort()).toEqual(['13800000001', '13800000002']);
  });
});

test('of the unnamed ones of both devices the latest six stay, here and at the shop', async () => {
  const [one, two] = [new Device(), new Device()];
  for (const [at, device] of [one, two].entries()) {
    await device.on(() => {
      signIn('u1');
      for (let n = 0; n < 5; ++n) {
        vi.spyOn(Date, 'now').mockReturnValue(1_000 * (n + 1) + at);
        useRecipients().remember(facts(`138000000${at}${n}`));
      }
    });
  }
  await settle(one, two);
  const latest = ['13800000014', '13800000004', '13800000013', '13800000003', '13800000012', '13800000002'];
  for (const device of [one, two]) await device.on(() => expect(shown().map(([number]) => number)).toEqual(latest));
  expect(shop.items.filter((item) => item.fields.deleted !== '1')).toHaveLength(6);
});

test('the shop lost its copy: the devices bring theirs again', async () => {
  const [one, two] = await twoDevices();
  shop = new ShopList();
  await settle(one, two);
  expect(shop.texts()).toContain('13800000001');
  for (const device of [one, two]) await device.on(() => expect(shown()).toEqual([['13800000001', '妈妈']]));
});

test('somebody else on this device sees none of them and adds none of them; two accounts of one person bring theirs along', async () => {
  const [one] = await twoDevices();
  const first = shop;
  await one.on(async () => {
    const session = useSession();
    session.forget();
    await sync();
    expect(shown()).toEqual([['13800000001', '妈妈']]); // signed out: still on this device
    shop = new ShopList();
    useRecipients().follow({ token: 't2', user_id: 'u2', expires_at_ms: 9e15 });
    session.replace({ token: 't2', user_id: 'u2', expires_at_ms: 9e15 }, true);
    await sync();
    expect(shop.texts()).toContain('13800000001');
    shop = new ShopList();
    session.replace({ token: 't3', user_id: 'u3', expires_at_ms: 9e15 }, true);
    await sync();
    expect(shown()).toEqual([]);
    expect(shop.items).toEqual([]);
  });
  expect(first.texts()).toContain('13800000001');
});

test('taking the consent back takes the numbers back, from the shop and from the other device; unheard, nothing is done by halves', async () => {
  const [one, two] = await twoDevices();
  await two.on(() => useRecipients().remember(facts('13800000002')));
  await settle(two);
  await one.on(async () => {
    answer('POST /api/v1/sync/recipients', refusal('busy', 503));
    expect(await usePrivacy().withdrawAll()).toBe(false);
    expect(shown()).toEqual([['13800000001', '妈妈']]);
    answer('POST /api/v1/sync/recipients', (request) => shop.answer(request));
    answer('DELETE /api/v1/me/consents/privacy', { user_id: 'u1', level: 'phone', identities: [], consents: [] });
    expect(await usePrivacy().withdrawAll()).toBe(true);
    expect(shown()).toEqual([]);
    expect(storage.has('topup.recipients')).toBe(false);
  });
  for (const number of ['13800000001', '13800000002']) expect(shop.texts()).not.toContain(number);
  await settle(two);
  await two.on(() => expect(shown()).toEqual([]));
});

test('nothing travels before the agreements', async () => {
  const one = new Device();
  await one.on(async () => {
    signIn('u1');
    storage.delete('topup.agreed');
    useRecipients().remember(facts('13800000001'));
    await sync();
    expect(asked).toEqual([]);
    expect(shown()).toEqual([['13800000001', '']]);
  });
});
