// Chinese first: it ships with the first load; English arrives when it is chosen.
import { createI18n } from 'vue-i18n';

import zh from './zh';

export type Language = 'zh' | 'en';

export const i18n = createI18n({
  legacy: false,
  locale: 'zh',
  fallbackLocale: 'zh',
  messages: { zh } as Record<string, typeof zh>,
});

export async function useLanguage(language: Language): Promise<void> {
  if (language === 'en' && !i18n.global.availableLocales.includes('en')) {
    i18n.global.setLocaleMessage('en', (await import('./en')).default);
  }
  i18n.global.locale.value = language;
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
}
