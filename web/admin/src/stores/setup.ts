// The wizard: what the server knows of the set-up, and what is done about it. What the server says after a deed
// replaces what was shown; nothing is worked out here.
import { defineStore } from 'pinia';
import { computed, ref } from 'vue';

import { getSetup, saveKeys, setShop, setStep, setWorld, testKeys, testNotify } from '../api/setup';
import type { PartySetup, Setup, StepState } from '../api/setup';
import { withStepUp } from '../behaviour/step_up';
import { asProblem, newKey, type Problem } from '../transport';
import { useShop } from './shop';

export const useSetup = defineStore('setup', () => {
  const seen = ref<Setup | null>(null);
  const problem = ref<Problem | null>(null); // why it could not be read
  const busy = ref(''); // what is under way: "save alipay"

  const party = (word: string) => seen.value?.parties.find((one) => one.party === word);
  const openSteps = computed(() => seen.value?.steps.filter((one) => one.state === 'open').map((one) => one.step) ?? []);

  async function load(): Promise<void> {
    problem.value = null;
    try {
      seen.value = await getSetup();
    } catch (error) {
      problem.value = asProblem(error);
    }
  }
  // One deed at a time. False when the person did not prove who they are; what is refused is thrown.
  async function act<T>(what: string, deed: () => Promise<T>, keep: (answer: T) => void): Promise<boolean> {
    if (busy.value !== '') return false;
    busy.value = what;
    try {
      const answer = await withStepUp(deed);
      if (answer === undefined) return false;
      keep(answer);
      return true;
    } finally {
      busy.value = '';
    }
  }
  function keepParty(now: PartySetup): void {
    if (seen.value === null) return;
    seen.value.parties = seen.value.parties.map((one) => (one.party === now.party ? now : one));
  }
  const mark = (step: string, state: StepState) =>
    act(`step ${step}`, () => setStep(step, state), (now) => (seen.value = now));
  async function saveShop(name: string, zone: string, language: string): Promise<boolean> {
    const done = await act('shop', () => setShop(name, zone, language), (now) => (seen.value = now));
    if (done) await useShop().load();
    return done;
  }
  const save = (word: string, fields: Record<string, string | null>) =>
    act(`save ${word}`, () => saveKeys(word, party(word)?.version ?? 0, fields), keepParty);
  const test = (word: string) => act(`test ${word}`, () => testKeys(word), keepParty);
  async function probe(): Promise<boolean> {
    const done = await act('notify', testNotify, (report) => seen.value && (seen.value.notify = report));
    if (done) await load();
    return done;
  }
  async function go(word: string, world: 'live' | 'rehearsed', reason: string): Promise<boolean> {
    const once = newKey();
    const done = await act(`world ${word}`, () => setWorld(word, world, reason, once), keepParty);
    // Another party's checklist and the banner may follow.
    if (done) await Promise.all([load(), useShop().load()]);
    return done;
  }
  return { seen, problem, busy, openSteps, party, load, mark, saveShop, save, test, probe, go };
});
