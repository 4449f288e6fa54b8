import { createSession } from '@api/sessions';
import type { Session } from '@api/types';
import { defineStore } from 'pinia';
import { ref } from 'vue';
import { isRecord, readStored, removeStored, writeStored } from '@/storage';
import { send } from '@/transport';
import { useNotice } from './notice';

function isSession(value: unknown): value is Session {
  return isRecord(value) && typeof value.token === 'string' && value.token !== '' && typeof value.expires_at_ms === 'number';
}

/** The guest's session: made when first needed, kept on the device, replaced when the server ends it. */
export const useSession = defineStore('session', () => {
  const session = ref<Session | null>(readStored('session', isSession));
  let making: Promise<Session> | null = null;

  async function make(): Promise<Session> {
    const made = await createSession(send);
    session.value = made;
    writeStored('session', made);
    return made;
  }

  async function token(): Promise<string> {
    if (session.value !== null) return session.value.token;
    making ??= make().finally(() => (making = null));
    return (await making).token;
  }

  function refused(refusedToken: string): void {
    if (session.value?.token !== refusedToken) return; // another request has already replaced it
    session.value = null;
    removeStored('session');
    useNotice().say('notice.session_renewed');
  }

  return { token, refused };
});
