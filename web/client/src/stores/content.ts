import { getContent, listContent } from '@api/content';
import type { ContentDocument } from '@api/types';
import { defineStore } from 'pinia';
import { ref } from 'vue';
import { locale } from '@/i18n';
import type { Tab } from '@/navigate';
import { isRecord, readStored, writeStored } from '@/storage';
import { send } from '@/transport';
import { failureOf, type Failure } from './failure';

const kMaxDismissed = 50;

type Dismissed = Record<string, number>;
function isDismissed(value: unknown): value is Dismissed {
  return isRecord(value) && Object.values(value).every((one) => typeof one === 'number');
}

/** In the buyer's language; a text that has no English is shown in Chinese. */
export function said(text: { zh: string; en: string }): string {
  return locale.value === 'zh' ? text.zh : text.en || text.zh;
}

/** What the shop says in words: agreements, help, announcements, contacts. */
export const useContent = defineStore('content', () => {
  const announcements = ref<ContentDocument[]>([]);
  const help = ref<ContentDocument[]>([]);
  const contacts = ref<ContentDocument[]>([]);
  const text = ref<ContentDocument | null>(null);
  const failure = ref<Failure | null>(null);
  const loading = ref(false);
  const dismissed = ref<Dismissed>(readStored('dismissed', isDismissed) ?? {});

  /** The first one for this page that was not put away in this version. One that names no page stands above home. */
  function announcementFor(page: Tab): ContentDocument | null {
    const isHere = ({ topics }: ContentDocument): boolean => (topics.length === 0 ? page === 'home' : topics.includes(page));
    return announcements.value.find((one) => isHere(one) && dismissed.value[one.document] !== one.version) ?? null;
  }

  async function trying(deed: () => Promise<void>): Promise<void> {
    failure.value = null;
    loading.value = true;
    try {
      await deed();
    } catch (failed) {
      failure.value = failureOf(failed);
    } finally {
      loading.value = false;
    }
  }

  /** Home works without them. */
  async function loadAnnouncements(): Promise<void> {
    try {
      announcements.value = await listContent(send, 'announcement');
    } catch {
      return;
    }
  }
  function dismiss(one: ContentDocument): void {
    const kept = Object.entries({ ...dismissed.value, [one.document]: one.version }).slice(-kMaxDismissed);
    dismissed.value = Object.fromEntries(kept);
    writeStored('dismissed', dismissed.value);
  }
  function loadHelp(): Promise<void> {
    return trying(async () => {
      [help.value, contacts.value] = await Promise.all([listContent(send, 'help'), listContent(send, 'contacts')]);
    });
  }
  async function open(document: string, version: number): Promise<void> {
    text.value = null;
    await trying(async () => {
      text.value = await getContent(send, document, version);
    });
  }
  return { announcements, announcementFor, help, contacts, text, failure, loading, loadAnnouncements, dismiss, loadHelp, open };
});
