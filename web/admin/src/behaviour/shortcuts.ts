// Keys that work on every page: Ctrl-K or ⌘K searches, G and a letter goes somewhere, ? shows what there is. Silent while
// someone types, but for the search.
import { onBeforeUnmount, onMounted, ref } from 'vue';

export const kGoTo: Readonly<Record<string, string>> = {
  h: 'home',
  o: 'orders',
  w: 'work',
  j: 'jobs',
  c: 'customers',
  b: 'blacklist',
  r: 'records',
  s: 'staff',
  m: 'me',
};
const kChordMs = 1_200;

export const searching = ref(false);
export const helping = ref(false);

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable]') !== null;

// `go` answers whether there is such a page for this person.
export function useShortcuts(go: (page: string) => boolean): void {
  let chordUntil = 0;
  function onKey(event: KeyboardEvent): void {
    if (event.isComposing) return;
    const key = event.key.toLowerCase();
    if ((event.ctrlKey || event.metaKey) && !event.altKey && key === 'k') {
      event.preventDefault();
      searching.value = !searching.value;
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector('dialog[open]') !== null) return;
    if (event.key === '?') {
      event.preventDefault();
      helping.value = true;
    } else if (Date.now() < chordUntil) {
      chordUntil = 0;
      const page = kGoTo[key];
      if (page === undefined || !go(page)) return;
      // The page's own keys must not hear the second letter.
      event.preventDefault();
      event.stopImmediatePropagation();
    } else if (key === 'g') {
      chordUntil = Date.now() + kChordMs;
    }
  }
  onMounted(() => window.addEventListener('keydown', onKey, true));
  onBeforeUnmount(() => window.removeEventListener('keydown', onKey, true));
}
