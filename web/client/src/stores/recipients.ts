import { defineStore } from 'pinia';
import { ref } from 'vue';
import { isRecord, readStored, removeStored, writeStored } from '@/storage';

/** A recipient of before. The number stays on this device; it is shown masked. */
export interface Recipient {
  number: string;
  operator_id: string;
  product_id: string;
}

const kMaxRecipients = 6;

function isRecipient(value: unknown): value is Recipient {
  return (
    isRecord(value) &&
    typeof value.number === 'string' &&
    typeof value.operator_id === 'string' &&
    typeof value.product_id === 'string'
  );
}

function isRecipients(value: unknown): value is Recipient[] {
  return Array.isArray(value) && value.every(isRecipient);
}

export const useRecipients = defineStore('recipients', () => {
  const list = ref<Recipient[]>((readStored('recipients', isRecipients) ?? []).slice(0, kMaxRecipients));

  function remember(recipient: Recipient): void {
    const others = list.value.filter((one) => one.number !== recipient.number);
    list.value = [recipient, ...others].slice(0, kMaxRecipients);
    writeStored('recipients', list.value);
  }
  function forgetAll(): void {
    list.value = [];
    removeStored('recipients');
  }
  return { list, remember, forgetAll };
});
