import { createSession } from '@api/sessions';
// #ifdef MP-WEIXIN
import { ApiUnreachable } from '@api/transport';
// #endif
import type { Session } from '@api/types';
import { defineStore } from 'pinia';
import { computed, ref } from 'vue';
import { isRecord, readStored, removeStored, writeStored } from '@/storage';
import { send } from '@/transport';
import { useNotice } from './notice';
// #ifdef MP-WEIXIN
import { silentSession } from '@/mini/sign_in';
// #endif

/** `known`: somebody signed in with it, so that its end must be told and not papered over with a guest's. */
type KeptSession = Session & { known?: boolean };

function isSession(value: unknown): value is KeptSession {
  return isRecord(value) && typeof value.token === 'string' && value.token !== '' && typeof value.expires_at_ms === 'number';
}

/** The session: a guest's, made when first needed, until somebody signs in; in a mini-program that of WeChat's user. Kept
 *  on the device. */
export const useSession = defineStore('session', () => {
  const session = ref<KeptSession | null>(readStored('session', isSession));
  /** '' until there is a session. */
  const userId = computed(() => session.value?.user_id ?? '');
  /** Somebody has signed in here, or WeChat vouches for one; not a guest. */
  const known = computed(() => session.value?.known === true);
  let making: Promise<Session> | null = null;
  let becoming: Promise<unknown> | null = null;

  /** Another session takes the place of this one. */
  function replace(made: Session, isKnown = false): Session {
    const kept = { ...made, known: isKnown };
    session.value = kept;
    writeStored('session', kept);
    return made;
  }
  /** Another session takes the place of this one as soon as the shop has given it. What the old one is refused for in the
   *  meantime waits, because it may be refused for just that. */
  async function become(given: Promise<Session>, isKnown = false): Promise<Session> {
    const mine = given.then((made) => replace(made, isKnown));
    becoming = mine;
    try {
      return await mine;
    } finally {
      if (becoming === mine) becoming = null;
    }
  }
  function forget(): void {
    session.value = null;
    removeStored('session');
  }

  async function make(): Promise<Session> {
    // #ifdef MP-WEIXIN
    try {
      return replace(await silentSession(), true);
    } catch (failed) {
      if (failed instanceof ApiUnreachable) throw failed;
      // The shop has no mini-program of its own, or WeChat does not vouch right now: a guest can buy as well.
    }
    // #endif
    return replace(await createSession(send));
  }

  async function token(): Promise<string> {
    if (session.value !== null) return session.value.token;
    making ??= make().finally(() => (making = null));
    return (await making).token;
  }

  /** Whether the request may go on with the session of now. Nothing that was typed is lost either way: pages keep it.
   *  `isChange`: the request was to give another session itself. */
  async function refused(refusedToken: string, isChange: boolean): Promise<boolean> {
    if (!isChange) await becoming?.catch(() => undefined);
    if (session.value?.token !== refusedToken) return true; // another request has already replaced it
    const wasKnown = known.value;
    forget();
    // #ifndef MP-WEIXIN
    useNotice().say(wasKnown ? 'notice.signed_out' : 'notice.session_renewed');
    // #endif
    // #ifdef MP-WEIXIN
    return true; // WeChat vouches for the same person again, and nobody notices
    // #endif
    // #ifndef MP-WEIXIN
    return !wasKnown;
    // #endif
  }

  /** Whether there is one already, without making it. */
  function exists(): boolean {
    return session.value !== null;
  }

  return { userId, known, exists, token, refused, replace, become, forget };
});
