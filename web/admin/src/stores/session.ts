import { defineStore } from 'pinia';
import { ref } from 'vue';

import { createSession, endSession, getSession } from '../api/session';
import type { StaffSession } from '../api/types';
import { asProblem, type Problem } from '../transport';

export const useSession = defineStore('session', () => {
  const who = ref<StaffSession | null>(null);
  const problem = ref<Problem | null>(null); // why it is not known who is signed in
  const asked = ref(false);

  // Asks once who is signed in; again only after ask() failed.
  async function ask(): Promise<void> {
    if (asked.value) return;
    problem.value = null;
    try {
      who.value = await getSession();
      asked.value = true;
    } catch (error) {
      const refused = asProblem(error);
      if (refused.status === 401) asked.value = true;
      else problem.value = refused;
    }
  }
  async function signIn(name: string, password: string, code: string): Promise<void> {
    who.value = await createSession(name, password, code);
    asked.value = true;
  }
  // After something about this account has changed.
  async function reload(): Promise<void> {
    who.value = await getSession();
  }
  const may = (permission: string): boolean => who.value?.permissions.includes(permission) ?? false;
  // Nothing else is served before these are done.
  const isHeld = (): boolean =>
    who.value !== null && (who.value.must_change_password || who.value.must_enrol);
  async function signOut(): Promise<void> {
    try {
      await endSession();
    } catch (error) {
      if (asProblem(error).status !== 401) throw error;
    }
  }
  return { who, problem, ask, signIn, reload, may, isHeld, signOut };
});
