import { getShop } from '@api/shop';
import type { Service, Shop, ShopOffers } from '@api/types';
import { defineStore } from 'pinia';
import { ref } from 'vue';
import { offerLocale } from '@/i18n';
import { isRecord, readStored, writeStored } from '@/storage';
import { send } from '@/transport';
import { useDecoration } from './decoration';

const kUsual: Service = { level: 'normal', notice: { zh: '', en: '' }, reopens_at_ms: 0, lowest_client: '' };

function isOffers(value: unknown): value is ShopOffers {
  return isRecord(value) && ['coupons', 'levels', 'stations'].every((name) => typeof value[name] === 'boolean');
}

/** The shop's name, how much it serves right now, and which outside parties are played by the rehearsal. */
export const useShop = defineStore('shop', () => {
  const name = ref('');
  const rehearsed = ref<string[]>([]);
  const signIn = ref<string[]>([]);
  const agreements = ref<Shop['agreements']>({ terms: 0, privacy: 0 });
  const service = ref<Service>(kUsual);
  const offers = ref<ShopOffers>(readStored('shop_offers', isOffers) ?? { coupons: false, levels: false, stations: false });

  function takeService(fresh: Service): void {
    const { level, notice, reopens_at_ms, lowest_client = '', not_on_ios } = fresh;
    service.value = { level, notice, reopens_at_ms, lowest_client, not_on_ios };
  }

  function takeOffers(fresh: ShopOffers): void {
    const was = offers.value;
    if (was.coupons === fresh.coupons && was.levels === fresh.levels && was.stations === fresh.stations) return;
    offers.value = fresh;
    writeStored('shop_offers', fresh);
  }

  async function load(): Promise<void> {
    try {
      const shop = await getShop(send);
      name.value = shop.name;
      rehearsed.value = shop.rehearsed;
      signIn.value = shop.sign_in;
      agreements.value = shop.agreements;
      takeService(shop);
      void offerLocale(shop.language ?? 'auto').catch(() => undefined); // without its words the page stays as it is
      if (shop.offers) takeOffers(shop.offers);
      if (shop.decoration) void useDecoration().take(shop.decoration);
    } catch {
      return; // the pages work without it, and the offline bar already says why
    }
  }
  return { name, rehearsed, signIn, agreements, service, offers, takeService, load };
});
