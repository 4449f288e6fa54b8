import { listPaymentChannels } from '@api/payments';
import type { PayChannel, PayScene } from '@api/types';
import { defineStore } from 'pinia';
import { computed, ref } from 'vue';
import { isInWechat } from '@/browser';
import { send } from '@/transport';
import { scenesHere } from '@/where';

interface Way {
  channel: PayChannel;
  scene: PayScene;
  unwell: boolean;
}

function usual(): Way[] {
  return [{ channel: 'wechat', scene: scenesHere()[0] ?? 'h5', unwell: false }];
}

/** The ways to pay that the shop offers here and now, and the one the buyer has picked. */
export const useChannels = defineStore('channels', () => {
  const ways = ref<Way[]>(usual());
  const picked = ref<PayChannel | null>(null);
  const offered = computed(() => ways.value.map((one) => one.channel));
  const unwell = computed(() => ways.value.filter((one) => one.unwell).map((one) => one.channel));
  /** The buyer's own choice while it is well, else what the shop would take. */
  const chosen = computed<PayChannel>(() => {
    const own = picked.value;
    if (own !== null && offered.value.includes(own) && !unwell.value.includes(own)) return own;
    return offered.value[0] ?? 'wechat';
  });
  const scene = computed<PayScene>(() => ways.value.find((one) => one.channel === chosen.value)?.scene ?? 'h5');

  /** Each channel in the best scene that it is offered in: on a desktop one draws a code, another opens its own page. */
  async function load(): Promise<void> {
    try {
      const found: Way[] = [];
      const lists = await Promise.all(scenesHere().map((one) => listPaymentChannels(send, one)));
      for (const [at, word] of scenesHere().entries()) {
        for (const { channel, health } of lists[at]?.channels ?? []) {
          const isPossible = !isInWechat() || channel === 'wechat';
          if (isPossible && !found.some((one) => one.channel === channel)) found.push({ channel, scene: word, unwell: health === 'red' });
        }
      }
      if (found.length > 0) ways.value = found.sort((a, b) => Number(a.unwell) - Number(b.unwell));
    } catch {
      return; // paying still works with what was known, and the server has the last word
    }
  }

  function pick(channel: PayChannel): void {
    picked.value = channel;
  }

  return { offered, unwell, chosen, scene, load, pick };
});
