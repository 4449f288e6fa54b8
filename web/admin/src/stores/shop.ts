import { defineStore } from 'pinia';
import { ref } from 'vue';

import { getShop } from '../api/shop';
import { useTimeZone } from '../format/time';

import { usePrefs } from './prefs';

export const useShop = defineStore('shop', () => {
  const name = ref('');
  const rehearsed = ref<string[]>([]);

  // The header does without it when the shop does not answer; the pages say so themselves.
  async function load(): Promise<void> {
    try {
      const shop = await getShop();
      name.value = shop.name;
      rehearsed.value = shop.rehearsed;
      if (shop.decoration) usePrefs().wearShop(shop.decoration.theme);
      useTimeZone(shop.time_zone ?? 'browser');
      await usePrefs().offer(shop.language ?? 'auto');
    } catch {
      rehearsed.value = [];
    }
  }
  return { name, rehearsed, load };
});
