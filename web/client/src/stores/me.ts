import { endOtherSessions, endSession, getMe, listSessions, listSignIns, unbind as unbindIdentity } from '@api/me';
import { ApiRefused } from '@api/transport';
import type { Me, MySession, MySignIn } from '@api/types';
import { defineStore } from 'pinia';
import { computed, ref } from 'vue';
import { send } from '@/transport';
import { useDrafts } from './drafts';
import { failureOf, type Failure } from './failure';
import { useNotice } from './notice';
import { useSession } from './session';

/** Who the buyer is, as the server says. A guest who never asked for anything is not given a session for looking. */
export const useMe = defineStore('me', () => {
  const session = useSession();
  const me = ref<Me | null>(null);
  const sessions = ref<MySession[]>([]);
  const signIns = ref<MySignIn[]>([]);
  const failure = ref<Failure | null>(null);
  const loading = ref(false);

  const signedIn = computed(() => me.value !== null && me.value.level !== 'guest');
  const phone = computed(() => me.value?.identities.find((one) => one.kind === 'phone')?.masked ?? '');
  const others = computed(() => sessions.value.filter((one) => !one.is_current).length);

  function take(fresh: Me): void {
    me.value = fresh;
  }
  function forget(): void {
    me.value = null;
    sessions.value = [];
    signIns.value = [];
  }

  async function trying(deed: () => Promise<void>): Promise<boolean> {
    failure.value = null;
    loading.value = true;
    try {
      await deed();
      return true;
    } catch (failed) {
      if (failed instanceof ApiRefused && failed.problem.status === 401) forget(); // the notice has said so already
      else failure.value = failureOf(failed);
      return false;
    } finally {
      loading.value = false;
    }
  }

  async function load(): Promise<void> {
    if (!session.exists()) return forget();
    await trying(async () => take(await getMe(send)));
  }
  /** Identities, sessions and the trail of sign-ins. */
  async function loadAll(): Promise<void> {
    await load();
    if (!signedIn.value) return;
    await trying(async () => {
      [sessions.value, signIns.value] = await Promise.all([listSessions(send), listSignIns(send)]);
    });
  }
  async function endOne(sessionId: string): Promise<void> {
    await trying(() => endSession(send, sessionId));
    await loadAll();
  }
  async function endOthers(): Promise<void> {
    await trying(async () => void (await endOtherSessions(send)));
    await loadAll();
  }
  async function unbind(identityId: string): Promise<void> {
    const done = await trying(() => unbindIdentity(send, identityId));
    if (done) await loadAll();
  }

  /** Ends this device's session. Offline it is forgotten here and ends by itself at the shop. */
  async function signOut(): Promise<void> {
    try {
      const own = (await listSessions(send)).find((one) => one.is_current);
      if (own) await endSession(send, own.session_id);
    } catch {
      failure.value = null;
    }
    session.forget();
    useDrafts().forgetAll();
    forget();
    useNotice().say('notice.signed_out_here');
  }

  return { me, sessions, signIns, failure, loading, signedIn, phone, others, take, load, loadAll, endOne, endOthers, unbind, signOut };
});
