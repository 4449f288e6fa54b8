import { getShop } from '@api/shop';
import { defineStore } from 'pinia';
import { ref } from 'vue';
import { send } from '@/transport';

/** The shop's name and which outside parties are played by the rehearsal. */
export const useShop = defineStore('shop', () => {
  const name = ref('');
  const rehearsed = ref<string[]>([]);

  async function load(): Promise<void> {
    try {
      const shop = await getShop(send);
      name.value = shop.name;
      rehearsed.value = shop.rehearsed;
    } catch {
      return; // the pages work without it, and the offline bar already says why
    }
  }
  return { name, rehearsed, load };
});
