import { getDecoration, type HomePage, type PageBlock } from '@api/decoration';
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import { isRecord, readStored, writeStored } from '@/storage';
import { wearTheme } from '@/theme';
import { send } from '@/transport';
import { useShop } from './shop';

const kSchema = 1;
const kPlain = (['recipient', 'recents', 'amounts', 'promise'] as const).map((kind): PageBlock => ({ id: kind, kind, from_ms: 0, until_ms: 0 }));
/** Without these nobody can buy. */
const kNeeded = ['recipient', 'amounts'];
/** Marketing: the first to go when the shop is under load. */
const kAds = ['banner', 'notice', 'coupons', 'products'];

function isPage(value: unknown): value is HomePage {
  return (
    isRecord(value) && value.schema === kSchema && typeof value.version === 'number' && typeof value.theme === 'string' &&
    Array.isArray(value.blocks) && value.blocks.every((one) => isRecord(one) && typeof one.id === 'string' && typeof one.kind === 'string')
  );
}

/** How the home page is laid out: as staff published it, last known without a network, as it comes when nothing was. */
export const useDecoration = defineStore('decoration', () => {
  const page = shallowRef<HomePage | null>(readStored('decoration', isPage));
  const now = ref(Date.now());
  let asking = false;
  let drafting = false;

  const blocks = computed<PageBlock[]>(() => {
    const { level } = useShop().service;
    const found = page.value?.blocks ?? [];
    if (level === 'simple_pages' || level === 'maintenance' || !kNeeded.every((kind) => found.some((one) => one.kind === kind))) return kPlain;
    const isOn = ({ from_ms: from, until_ms: until }: PageBlock): boolean => !(from > now.value) && !(until > 0 && until <= now.value);
    return found.filter((one) => isOn(one) && !(level === 'no_marketing' && kAds.includes(one.kind)));
  });

  function show(fresh: unknown): boolean {
    if (!isPage(fresh)) return false;
    page.value = fresh;
    return true;
  }
  /** What the console is drawing; nothing from the shop takes its place. */
  function draft(fresh: unknown): void {
    drafting = true;
    if (show(fresh)) wearTheme((fresh as HomePage).theme);
  }

  /** The shop says which page and theme it wears; a page that is not known yet is fetched. */
  async function take(facts: { version: number; theme: string }): Promise<void> {
    if (drafting) return;
    now.value = Date.now();
    wearTheme(facts.theme);
    if (asking || (page.value?.version ?? 0) === facts.version) return;
    asking = true;
    try {
      const fresh = await getDecoration(send);
      if (!drafting && show(fresh)) writeStored('decoration', fresh);
    } catch {
      return; // the page that is known stays
    } finally {
      asking = false;
    }
  }
  return { page, blocks, take, draft };
});
