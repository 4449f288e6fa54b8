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
  async function signIn(name: string, password: string): Promise<void> {
    who.value = await createSession(name, password);
    asked.value = true;
  }
  async function signOut(): Promise<void> {
    try {
      await endSession();
    } catch (error) {
      if (asProblem(error).status !== 401) throw error;
    }
  }
  return { who, problem, ask, signIn, signOut };
});
