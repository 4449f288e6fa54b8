// The shop's sign that index.html shows until the first page stands, with its prices or after a moment without them: so what
// arrives meanwhile moves nothing that a buyer already reads. H5 only; a mini-program's host has a sign of its own.
import { nextTick } from 'vue';
import { isPreview } from './browser';

const kLongestMs = 1_500;

let until: Promise<unknown> = Promise.resolve();
let isOpen = false;
const waiting: (() => void)[] = [];

/** What the first page shall not be seen without. */
export function opensWith(what: Promise<unknown>): void {
  until = what;
}

/** A page stands. The first one takes the sign away. */
export async function opened(): Promise<void> {
  if (isOpen) return;
  isOpen = true;
  await Promise.race([until, new Promise((resolve) => setTimeout(resolve, kLongestMs))]);
  await nextTick();
  document.getElementById('opening')?.remove();
  for (const deed of waiting.splice(0)) deed();
}

/** Puts the caret into a field as soon as the page can be seen; what is not seen cannot be given it. Never in the console's
 *  frame: it would take the focus, and what is being typed, away from the desk. */
export function focusWhenSeen(field: () => HTMLElement | null): void {
  if (isPreview) return;
  const focus = () => field()?.focus({ preventScroll: true });
  if (document.getElementById('opening') === null) void nextTick(focus);
  else waiting.push(focus);
}
