import { claimCoupon, getMember, listCampaigns, listCoupons, type Campaign, type Coupon, type Member } from '@api/offers';
import type { BuyerFacts } from '@topup/core';
import { defineStore } from 'pinia';
import { computed, ref, shallowRef, watch } from 'vue';
import { startCore } from '@/core/topup';
import { setQuoteExtras, type CouponChoice } from '@/core/offers';
import { newIdempotencyKey } from '@/random';
import { isRecord, readStored, writeStored } from '@/storage';
import { send } from '@/transport';
import { failureOf, type Failure } from './failure';
import { useSession } from './session';
import { useShop } from './shop';

function isMember(value: unknown): value is Member {
  return isRecord(value) && isRecord(value.facts) && Array.isArray(value.levels);
}

/** The buyer's coupons and level. What the shop does not offer is neither asked for nor shown. */
export const useOffers = defineStore('offers', () => {
  const shop = useShop();
  const session = useSession();
  const member = shallowRef<Member | null>(readStored('member', isMember));
  const coupons = shallowRef<Coupon[]>([]);
  const campaigns = shallowRef<Campaign[]>([]);
  const status = ref<'idle' | 'loading' | 'ready' | 'error'>('idle');
  const failure = ref<Failure | null>(null);
  /** Of the claim that was just tried. */
  const refusal = ref<Failure | null>(null);
  const claiming = ref('');
  /** For the order on the confirm page. */
  const choice = ref<CouponChoice>('best');

  const degraded = computed(() => shop.service.level !== 'normal');
  const hasCoupons = computed(() => shop.offers.coupons && !degraded.value);
  const hasLevels = computed(() => shop.offers.levels);

  watch([choice, degraded], () => setQuoteExtras(choice.value, degraded.value), { immediate: true, flush: 'sync' });

  // Whoever has no session is nobody the shop knows: the guest who would be made for the order has never ordered before.
  function knownFacts(): BuyerFacts {
    return member.value?.facts ?? (session.exists() ? {} : { first_order: true });
  }
  async function takeFacts(): Promise<void> {
    const pricing = await startCore(send);
    const facts = knownFacts();
    pricing.offers?.setBuyer({ ...facts, coupons: degraded.value ? [] : facts.coupons ?? [] });
  }

  let asking: Promise<boolean> | null = null;
  async function read(): Promise<boolean> {
    const before = JSON.stringify(member.value?.facts ?? {});
    try {
      member.value = await getMember(send);
      writeStored('member', member.value);
    } catch {
      // The facts of last time are priced with; the server's own price decides when the order is placed.
    }
    await takeFacts();
    return JSON.stringify(member.value?.facts ?? {}) !== before;
  }
  /** Asks how this buyer is priced; true when that has changed. Nobody without a session has offers, so none is made for asking. */
  async function refresh(makesSession: boolean): Promise<boolean> {
    if (!makesSession && !session.exists()) {
      await takeFacts();
      return false;
    }
    if (!shop.offers.coupons && !shop.offers.levels) return false;
    asking ??= read().finally(() => (asking = null));
    return asking;
  }

  /** Both lists of the coupons page. */
  async function load(): Promise<void> {
    status.value = 'loading';
    failure.value = null;
    try {
      [coupons.value, campaigns.value] = await Promise.all([listCoupons(send), listCampaigns(send)]);
      status.value = 'ready';
      void refresh(true);
    } catch (failed) {
      failure.value = failureOf(failed);
      status.value = 'error';
    }
  }

  async function claim(what: { campaign_id: string } | { code: string }): Promise<boolean> {
    if (claiming.value !== '') return false;
    claiming.value = 'code' in what ? 'code' : what.campaign_id;
    refusal.value = null;
    try {
      coupons.value = await claimCoupon(send, what, newIdempotencyKey());
      campaigns.value = await listCampaigns(send);
      void refresh(true);
      return true;
    } catch (failed) {
      refusal.value = failureOf(failed);
      return false;
    } finally {
      claiming.value = '';
    }
  }

  /** As the body of an order says it: nothing for the best. */
  function forOrder(): { coupons?: 'none' | string[] } {
    return choice.value === 'best' ? {} : { coupons: choice.value };
  }

  watch([() => shop.offers, degraded], () => void takeFacts().then(() => refresh(false)));
  // Somebody else's coupons are not shown, not even for a moment.
  watch(
    () => session.userId,
    (_now, before) => {
      if (before !== '') member.value = null;
      coupons.value = [];
      void takeFacts().then(() => refresh(false));
    },
  );

  return {
    member, coupons, campaigns, status, failure, refusal, claiming, choice, degraded, hasCoupons, hasLevels,
    refresh, load, claim, forOrder,
  };
});
