// The shop's theme: tokens only. What the device remembers is worn before anything is drawn; on the very first visit the page
// itself says which (data-look, scripts/make_pwa.mjs).
import { isThemeName, themeVariables, type ThemeName } from '@api/themes';
// #ifdef MP-WEIXIN
import { miniTheme } from './mini/theme';
// #endif
import { readStored, writeStored } from './storage';

let worn: ThemeName | '' = '';

export function wearTheme(name: string): void {
  if (!isThemeName(name) || name === worn) return;
  worn = name;
  writeStored('theme', name);
  // #ifdef H5
  for (const [token, value] of themeVariables(name)) document.documentElement.style.setProperty(token, value);
  // #endif
  // #ifdef MP-WEIXIN
  miniTheme.value = name;
  // #endif
}

export function wearKnownTheme(): void {
  let told = '';
  // #ifdef H5
  told = document.documentElement.dataset.look ?? '';
  // #endif
  wearTheme(readStored('theme', isThemeName) ?? told);
}
