// Light or dark, theme and language of this browser. Without a choice: the system's light, the shop's theme, and Chinese.
import { defineStore } from 'pinia';
import { computed, ref } from 'vue';

import { isThemeName, kThemes, themeVariables, type ThemeName } from '../../../api/themes';
import { getShop } from '../api/shop';
import { useLanguage, type Language } from '../i18n';

type Theme = 'light' | 'dark';

function kept(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // storage is switched off: the choice lasts as long as the page
  }
}
function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    return;
  }
}

export const usePrefs = defineStore('prefs', () => {
  const system = window.matchMedia('(prefers-color-scheme: dark)');
  const theme = ref<Theme>('light');
  const language = ref<Language>('zh');

  function paint(value: Theme): void {
    theme.value = value;
    document.documentElement.dataset.theme = value;
  }
  function followSystem(): void {
    const chosen = kept('topup.theme');
    paint(chosen === 'light' || chosen === 'dark' ? chosen : system.matches ? 'dark' : 'light');
  }
  async function speak(value: Language): Promise<void> {
    await useLanguage(value);
    language.value = value;
  }

  const ownTheme = ref(''); // '': as the shop
  const shopTheme = ref<ThemeName>('ink');
  const worn = computed<ThemeName>(() => (isThemeName(ownTheme.value) ? ownTheme.value : shopTheme.value));
  const tokens = computed(() => kThemes[worn.value]);
  const isPlain = computed(() => worn.value === 'ink');

  function dress(): void {
    for (const [token, value] of themeVariables(worn.value)) document.documentElement.style.setProperty(token, value);
  }
  function wear(name: string): void {
    ownTheme.value = isThemeName(name) ? name : '';
    keep('topup.own_theme', ownTheme.value);
    dress();
  }
  function wearShop(name: string): void {
    if (!isThemeName(name)) return;
    shopTheme.value = name;
    keep('topup.shop_theme', name);
    dress();
  }
  // Before anything is drawn: what this browser remembers, and on its first visit what the shop says.
  async function dressFirst(): Promise<void> {
    ownTheme.value = kept('topup.own_theme') ?? '';
    const known = kept('topup.shop_theme');
    if (isThemeName(known)) shopTheme.value = known;
    dress();
    if (known !== null || isThemeName(ownTheme.value)) return;
    try {
      wearShop((await getShop()).decoration?.theme ?? '');
    } catch {
      return; // the page says for itself that nobody answers
    }
  }

  async function start(): Promise<void> {
    followSystem();
    await dressFirst();
    system.addEventListener('change', followSystem);
    await speak(kept('topup.language') === 'en' ? 'en' : 'zh');
  }
  function toggleTheme(): void {
    paint(theme.value === 'dark' ? 'light' : 'dark');
    keep('topup.theme', theme.value);
  }
  async function toggleLanguage(): Promise<void> {
    await speak(language.value === 'zh' ? 'en' : 'zh');
    keep('topup.language', language.value);
  }
  // The shop's language, for whoever has not chosen one here.
  async function offer(value: string): Promise<void> {
    if (kept('topup.language') !== null || (value !== 'zh' && value !== 'en')) return;
    if (value !== language.value) await speak(value);
  }
  return { theme, language, ownTheme, tokens, isPlain, wear, wearShop, start, offer, toggleTheme, toggleLanguage };
});
