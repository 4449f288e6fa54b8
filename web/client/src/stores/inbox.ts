import { listMessages, markRead } from '@api/messages';
import type { Message } from '@api/types';
import { defineStore } from 'pinia';
import { computed, ref } from 'vue';
import { send } from '@/transport';
import { failureOf, type Failure } from './failure';
import { useSession } from './session';

/** What the shop told the buyer about orders, newest first. */
export const useInbox = defineStore('inbox', () => {
  const session = useSession();
  const list = ref<Message[]>([]);
  const next = ref('');
  const loading = ref(false);
  const loaded = ref(false);
  const failure = ref<Failure | null>(null);
  const unread = computed(() => list.value.filter((one) => one.read_at_ms === 0).length);

  async function load(cursor: string): Promise<void> {
    if (loading.value) return;
    loading.value = true;
    failure.value = null;
    try {
      const page = session.exists() ? await listMessages(send, cursor) : { messages: [] };
      list.value = cursor === '' ? page.messages : [...list.value, ...page.messages];
      next.value = page.next_cursor ?? '';
      loaded.value = true;
    } catch (failed) {
      failure.value = failureOf(failed);
    } finally {
      loading.value = false;
    }
  }
  function refresh(): Promise<void> {
    return load('');
  }
  async function more(): Promise<void> {
    if (next.value !== '') await load(next.value);
  }
  /** Shown as read at once; if the shop does not hear of it, it is unread again the next time. */
  function read(message: Message): void {
    if (message.read_at_ms !== 0) return;
    list.value = list.value.map((one) => (one === message ? { ...one, read_at_ms: Date.now() } : one));
    void markRead(send, message.message_id).catch(() => undefined);
  }
  return { list, next, loading, loaded, failure, unread, refresh, more, read };
});
