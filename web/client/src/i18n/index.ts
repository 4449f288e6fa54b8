// Two languages, one table each. A word missing in English does not compile; a reason nobody knows gets a general text.
import { computed, ref, shallowReactive } from 'vue';
import { isPreview } from '@/browser';
import { readStored, removeStored, writeStored } from '@/storage';
import { accountZh } from './account.zh';
import { buyingZh } from './buying.zh';
// #ifndef H5
import { english } from './english';
// #endif
import { miniZh } from './mini.zh';
import { offersZh } from './offers.zh';
import { offlineZh } from './offline.zh';
import { zh } from './zh';

let mini = {} as typeof miniZh;
// #ifdef MP-WEIXIN
mini = miniZh;
// #endif
const kChinese = { ...zh, ...accountZh, ...buyingZh, ...offersZh, ...offlineZh, ...mini };
export type Word = keyof typeof kChinese;
export type Locale = 'zh' | 'en';
type Table = Record<Word, string>;
/** English is fetched when it is first spoken; until then there are no words, for a moment. */
const tables = shallowReactive<Record<Locale, Table | null>>({ zh: kChinese, en: null });
// #ifndef H5
tables.en = english;
// #endif

async function fetchWords(wanted: Locale): Promise<void> {
  // #ifdef H5
  if (wanted === 'en' && tables.en === null) tables.en = (await import('./english')).english;
  // #endif
}

function isLocale(value: unknown): value is Locale {
  return value === 'zh' || value === 'en';
}

function deviceLocale(): Locale {
  const language = String(uni.getSystemInfoSync().language ?? '').toLowerCase();
  return language === '' || language.startsWith('zh') ? 'zh' : 'en';
}

const chosen = ref<Locale>(readStored('locale', isLocale) ?? readStored('shop_locale', isLocale) ?? deviceLocale());
export const locale = computed(() => chosen.value);
void fetchWords(chosen.value).catch(speakChinese);

// A page without a word of its language still has to be used.
function speakChinese(): void {
  chosen.value = 'zh';
  applyLocale();
}

/** Tells the page itself which language it speaks. */
export function applyLocale(): void {
  // #ifdef H5
  document.documentElement.lang = chosen.value === 'zh' ? 'zh-CN' : 'en';
  // #endif
}

export async function toggleLocale(): Promise<void> {
  const wanted = chosen.value === 'zh' ? 'en' : 'zh';
  writeStored('locale', wanted); // at once: a reload may come before the words
  await fetchWords(wanted);
  chosen.value = wanted;
  applyLocale();
}

/** The shop's own language, for whoever has not chosen one; kept, so that the next visit begins in it. */
export async function offerLocale(language: string): Promise<void> {
  if (isPreview) return;
  if (isLocale(language)) writeStored('shop_locale', language);
  else removeStored('shop_locale');
  const wanted = isLocale(language) ? language : deviceLocale();
  if (readStored('locale', isLocale) !== null || wanted === chosen.value) return;
  await fetchWords(wanted);
  chosen.value = wanted;
  applyLocale();
}

export function t(word: Word, values: Record<string, string | number> = {}): string {
  return (tables[chosen.value]?.[word] ?? '').replace(/\{(\w+)\}/g, (_all, name: string) => String(values[name] ?? ''));
}

function isWord(word: string): word is Word {
  return Object.prototype.hasOwnProperty.call(kChinese, word);
}

/** The text of `<group>.<word>`, or of the group's general word when this one is not known. */
export function wordOf(group: string, word: string, general: Word): Word {
  const full = `${group}.${word}`;
  return isWord(full) ? full : general;
}

export function reasonText(reason: string): string {
  return t(wordOf('reason', reason, 'reason.unknown'));
}
