// Compared days, the differences of one of them, and what may be done about each.
import { defineStore } from 'pinia';
import { ref, shallowRef } from 'vue';

import { askRun, getRun, listDifferences, listRuns, resolveDifference } from '../api/reconcile';
import type { Difference, Run, RunDetail } from '../api/types';
import { asProblem, type Problem } from '../transport';

export const kDifferenceStates = ['open', 'resolved'] as const;

export const useRuns = defineStore('reconcile_runs', () => {
  const rows = shallowRef<Run[]>([]);
  const parties = shallowRef<string[]>([]);
  const cursor = ref('');
  const loaded = ref(false);
  const pages = ref(0);
  const busy = ref(false);
  const problem = shallowRef<Problem | null>(null);
  const refused = shallowRef<Problem | null>(null);
  const asked = ref(false);

  async function load(from = ''): Promise<void> {
    busy.value = true;
    try {
      const page = await listRuns(from);
      const kept = from === '' ? [] : rows.value;
      const known = new Set(kept.map((row) => row.run_id));
      rows.value = [...kept, ...page.runs.filter((row) => !known.has(row.run_id))];
      parties.value = page.parties;
      cursor.value = page.next_cursor ?? '';
      pages.value = from === '' ? 1 : pages.value + 1;
      loaded.value = true;
      problem.value = null;
    } catch (error) {
      problem.value = asProblem(error);
    } finally {
      busy.value = false;
    }
  }
  async function more(): Promise<void> {
    if (cursor.value !== '' && !busy.value) await load(cursor.value);
  }
  // Only while one page is shown, so that nobody's place in a long list moves.
  async function refresh(): Promise<void> {
    if (pages.value === 1 && !busy.value) await load();
  }
  async function ask(party: string, day: string): Promise<void> {
    refused.value = null;
    asked.value = false;
    try {
      await askRun(party, day);
      asked.value = true;
      await load();
    } catch (error) {
      refused.value = asProblem(error);
    }
  }

  return { rows, parties, cursor, loaded, busy, problem, refused, asked, load, more, refresh, ask };
});

export const useRun = defineStore('reconcile_run', () => {
  const runId = ref('');
  const state = ref('open');
  const run = shallowRef<RunDetail | null>(null);
  const rows = shallowRef<Difference[]>([]);
  const cursor = ref('');
  const loaded = ref(false);
  const pages = ref(0);
  const busy = ref(false);
  const problem = shallowRef<Problem | null>(null);
  const acting = ref('');
  const refused = shallowRef<{ id: string; problem: Problem } | null>(null);
  const waiting = shallowRef<Set<string>>(new Set()); // those that a second person was asked about
  let turn = 0; // an answer to an older question is dropped

  async function load(from = ''): Promise<void> {
    const mine = ++turn;
    busy.value = true;
    try {
      const [head, page] = await Promise.all([
        getRun(runId.value),
        listDifferences(runId.value, state.value, from),
      ]);
      if (mine !== turn) return;
      run.value = head;
      const kept = from === '' ? [] : rows.value;
      rows.value = [...kept, ...page.differences];
      cursor.value = page.next_cursor ?? '';
      pages.value = from === '' ? 1 : pages.value + 1;
      loaded.value = true;
      problem.value = null;
    } catch (error) {
      if (mine === turn) problem.value = asProblem(error);
    } finally {
      if (mine === turn) busy.value = false;
    }
  }
  async function show(wantedRun: string, wantedState: string): Promise<void> {
    if (wantedRun !== runId.value) run.value = null;
    if (wantedRun !== runId.value || wantedState !== state.value) {
      rows.value = [];
      loaded.value = false;
      refused.value = null;
    }
    runId.value = wantedRun;
    state.value = wantedState;
    await load();
  }
  async function more(): Promise<void> {
    if (cursor.value !== '' && !busy.value) await load(cursor.value);
  }
  async function refresh(): Promise<void> {
    if (pages.value === 1 && !busy.value && acting.value === '') await load();
  }
  async function again(): Promise<void> {
    if (run.value === null) return;
    try {
      await askRun(run.value.party, run.value.day);
    } catch (error) {
      problem.value = asProblem(error);
    }
  }
  // True when nothing more is to be said here.
  async function resolve(id: string, resolution: string, reason: string): Promise<boolean> {
    if (acting.value !== '') return false;
    acting.value = id;
    refused.value = null;
    try {
      const answer = await resolveDifference(id, resolution, reason);
      if ('approval_id' in answer) {
        waiting.value = new Set([...waiting.value, id]);
        return true;
      }
      const leaves = state.value !== '' && answer.state !== state.value;
      rows.value = leaves
        ? rows.value.filter((row) => row.difference_id !== id)
        : rows.value.map((row) => (row.difference_id === id ? answer : row));
      return true;
    } catch (error) {
      refused.value = { id, problem: asProblem(error) };
      return false;
    } finally {
      acting.value = '';
    }
  }

  return {
    run,
    state,
    rows,
    cursor,
    loaded,
    busy,
    problem,
    acting,
    refused,
    waiting,
    show,
    load,
    more,
    refresh,
    again,
    resolve,
  };
});
