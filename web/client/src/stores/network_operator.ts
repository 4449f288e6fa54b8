// Whose number it is, as the network says: asked once a number, and silent whenever that fails.
import { lookUpOperator } from '@api/operators';
import { defineStore } from 'pinia';
import { shallowRef } from 'vue';
import { send } from '@/transport';

const kSettledMs = 300; // a country may have whole numbers of several lengths: the buyer may still be typing
const kMaxKept = 50;

export const useNetworkOperator = defineStore('network_operator', () => {
  /** '' while it is asked, and where nobody knows. */
  const found = shallowRef<ReadonlyMap<string, string>>(new Map());

  function take(account: string, operatorId: string): void {
    const kept = [...found.value].slice(1 - kMaxKept);
    found.value = new Map([...kept, [account, operatorId]]);
  }
  async function find(account: string): Promise<void> {
    take(account, '');
    try {
      const said = await lookUpOperator(send, account);
      if (said.answer === 'network') take(account, said.operator_id);
    } catch {
      // The list is there as ever: nothing is missing that a buyer would have to hear of.
    }
  }

  let timer: ReturnType<typeof setTimeout> | undefined;
  /** '': about nobody. */
  function ask(account: string): void {
    clearTimeout(timer);
    if (account === '' || found.value.has(account)) return;
    timer = setTimeout(() => void find(account), kSettledMs);
  }
  function operatorOf(account: string): string {
    return found.value.get(account) ?? '';
  }
  return { ask, operatorOf };
});
