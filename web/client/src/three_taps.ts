// A returning buyer pays in three taps: the number of before, the amount, and pay. So a tap on an amount for a number that was
// picked and not typed opens what is to be confirmed, as soon as its price is known.
import { nextTick, ref, watch, type Ref } from 'vue';
import { useBasket } from '@/stores/basket';
import type { NextStep } from '@/stores/next_step';
import type { RecipientFacts } from '@/stores/recipients';

export function useThreeTaps(next: Ref<NextStep>, go: () => Promise<void>): { again: (one: RecipientFacts) => void; picked: () => Promise<void> } {
  const basket = useBasket();
  const account = ref('');
  const opening = ref(false);

  function again(one: RecipientFacts): void {
    basket.pickRecipient(one);
    account.value = basket.account;
  }
  async function picked(): Promise<void> {
    await nextTick(); // the price of the amount before goes first
    opening.value = account.value !== '' && account.value === basket.account;
  }
  watch([opening, next], () => {
    if (!opening.value || !next.value.enabled) return;
    opening.value = false;
    void go();
  });
  watch([() => basket.account, () => basket.productId], () => (opening.value = false), { flush: 'sync' });
  return { again, picked };
}
