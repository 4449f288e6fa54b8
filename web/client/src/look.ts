// How the pages look on this device: light or dark, usual or large text. The system's wish holds until the buyer says more.
import { computed, ref } from 'vue';
import { wearKnownTheme } from './theme';
import { isRecord, readStored, writeStored } from './storage';

export type Theme = 'auto' | 'light' | 'dark';
interface Look {
  theme: Theme;
  large: boolean;
}

function isLook(value: unknown): value is Look {
  return isRecord(value) && ['auto', 'light', 'dark'].includes(String(value.theme)) && typeof value.large === 'boolean';
}

const chosen = ref<Look>(readStored('look', isLook) ?? { theme: 'auto', large: false });
export const look = computed(() => chosen.value);

/** Tells the page itself; tokens.css reads it from there. */
export function applyLook(): void {
  wearKnownTheme();
  // #ifdef H5
  const { dataset } = document.documentElement;
  if (chosen.value.theme === 'auto') delete dataset.theme;
  else dataset.theme = chosen.value.theme;
  if (chosen.value.large) dataset.text = 'large';
  else delete dataset.text;
  // #endif
}

export function changeLook(change: Partial<Look>): void {
  chosen.value = { ...chosen.value, ...change };
  writeStored('look', chosen.value);
  applyLook();
}
