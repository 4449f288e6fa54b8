// Theme and language of this browser. Without a choice: the system's theme, and Chinese.
import { defineStore } from 'pinia';
import { ref } from 'vue';

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

  async function start(): Promise<void> {
    followSystem();
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
  return { theme, language, start, toggleTheme, toggleLanguage };
});
