import { defineStore } from 'pinia';
import { ref } from 'vue';
import type { Word } from '@/i18n';

/** One quiet line at the top of every page, for what changed without the buyer's doing. */
export const useNotice = defineStore('notice', () => {
  const word = ref<Word | null>(null);
  function say(given: Word): void {
    word.value = given;
  }
  function dismiss(): void {
    word.value = null;
  }
  return { word, say, dismiss };
});
