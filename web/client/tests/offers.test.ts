// Who is priced for: nobody in particular has never ordered before, and what a buyer sees follows who they are.
import { beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { answer, asked, reset } from './answers';
import { buyerTurn } from '@/core/offers';
import { core } from '@/core/topup';
import { useOffers } from '@/stores/offers';
import { useSession } from '@/stores/session';
import { useShop } from '@/stores/shop';
import { useRealCore } from './support/core';

vi.mock('@/core/topup', async (original) => {
  const real = await original<typeof import('@/core/topup')>();
  return { ...real, startCore: async () => real.core.value };
});
beforeAll(useRealCore);
beforeEach(reset);

const kMember = { facts: { first_order: false, level_id: 'gold' }, levels: [] };

test('without a session the first order is still to come, and nobody is asked', async () => {
  const told = vi.spyOn(core.value!.offers!, 'setBuyer');
  const before = buyerTurn.value;
  await useOffers().refresh(false);
  expect(told).toHaveBeenCalledWith({ first_order: true, coupons: [] });
  expect(buyerTurn.value).toBe(before + 1);
  expect(asked).toEqual([]);
  await useOffers().refresh(false);
  expect(buyerTurn.value).toBe(before + 1); // nothing new, nothing is priced again
});

test('who has a session is what the shop says, and until it has said so no first order is promised', async () => {
  const told = vi.spyOn(core.value!.offers!, 'setBuyer');
  useSession().replace({ token: 't', user_id: 'u1', expires_at_ms: 9e15 });
  useShop().offers = { coupons: true, levels: true, stations: false };
  answer('GET /api/v1/member', () => {
    throw new Error('out of reach');
  });
  await useOffers().refresh(false);
  expect(told).toHaveBeenLastCalledWith({ coupons: [] });
  answer(`${asked[0]!.method} ${asked[0]!.path}`, kMember);
  expect(await useOffers().refresh(false)).toBe(true);
  expect(told).toHaveBeenLastCalledWith({ ...kMember.facts, coupons: [] });
});
