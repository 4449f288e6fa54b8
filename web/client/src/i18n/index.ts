// Two languages, one table each. A word missing in English does not compile; a reason nobody knows gets a general text.
import { computed, ref } from 'vue';
import { readStored, writeStored } from '@/storage';
import { en } from './en';
import { zh } from './zh';

export type Word = keyof typeof zh;
export type Locale = 'zh' | 'en';
const kTables: Record<Locale, Record<Word, string>> = { zh, en };

function isLocale(value: unknown): value is Locale {
  return value === 'zh' || value === 'en';
}

function deviceLocale(): Locale {
  const language = String(uni.getSystemInfoSync().language ?? '').toLowerCase();
  return language === '' || language.startsWith('zh') ? 'zh' : 'en';
}

const chosen = ref<Locale>(readStored('locale', isLocale) ?? deviceLocale());
export const locale = computed(() => chosen.value);

/** Tells the page itself which language it speaks. */
export function applyLocale(): void {
  // #ifdef H5
  document.documentElement.lang = chosen.value === 'zh' ? 'zh-CN' : 'en';
  // #endif
}

export function toggleLocale(): void {
  chosen.value = chosen.value === 'zh' ? 'en' : 'zh';
  writeStored('locale', chosen.value);
  applyLocale();
}

export function t(word: Word, values: Record<string, string | number> = {}): string {
  return kTables[chosen.value][word].replace(/\{(\w+)\}/g, (_all, name: string) => String(values[name] ?? ''));
}

function isWord(word: string): word is Word {
  return Object.prototype.hasOwnProperty.call(zh, word);
}

/** The text of `<group>.<word>`, or of the group's general word when this one is not known. */
export function wordOf(group: string, word: string, general: Word): Word {
  const full = `${group}.${word}`;
  return isWord(full) ? full : general;
}

export function reasonText(reason: string): string {
  return t(wordOf('reason', reason, 'reason.unknown'));
}
