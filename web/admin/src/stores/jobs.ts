// The list of jobs in one state, page by page, and what may be done with one that was given up.
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';

import { discardJob, listJobs, retryJob } from '../api/jobs';
import type { Job } from '../api/types';
import { asProblem, type Problem } from '../transport';

export const kJobStates = ['dead', 'waiting', 'running'] as const;

export const useJobs = defineStore('jobs', () => {
  const state = ref<string>('dead');
  const rows = shallowRef<Job[]>([]);
  const cursor = ref('');
  const pages = ref(0);
  const busy = ref(false);
  const problem = shallowRef<Problem | null>(null);
  const acting = ref(''); // the job that a person is waiting for
  const refused = shallowRef<{ jobId: string; problem: Problem } | null>(null);
  let turn = 0; // an answer to an older question is dropped

  const loaded = computed(() => pages.value > 0);

  async function ask(wanted: string, from: string): Promise<void> {
    const mine = ++turn;
    busy.value = true;
    try {
      const page = await listJobs(wanted, from);
      if (mine !== turn) return;
      const known = new Set(from === '' ? [] : rows.value.map((row) => row.job_id));
      const kept = from === '' ? [] : rows.value;
      rows.value = [...kept, ...page.jobs.filter((row) => !known.has(row.job_id))];
      pages.value = from === '' ? 1 : pages.value + 1;
      cursor.value = page.next_cursor ?? '';
      problem.value = null;
    } catch (error) {
      if (mine === turn) problem.value = asProblem(error);
    } finally {
      if (mine === turn) busy.value = false;
    }
  }

  async function show(wanted: string): Promise<void> {
    if (wanted !== state.value) {
      rows.value = [];
      pages.value = 0;
      cursor.value = '';
      refused.value = null;
    }
    state.value = wanted;
    await ask(wanted, '');
  }
  async function more(): Promise<void> {
    if (cursor.value !== '' && !busy.value) await ask(state.value, cursor.value);
  }
  // Quiet; only while one page is shown, so that nobody's place in a long list moves.
  async function refresh(): Promise<void> {
    if (pages.value === 1 && !busy.value && acting.value === '') await ask(state.value, '');
  }

  // True when it was done: the job is then no longer among the dead.
  async function act(jobId: string, deed: () => Promise<Job>): Promise<boolean> {
    if (acting.value !== '') return false;
    acting.value = jobId;
    refused.value = null;
    try {
      await deed();
      rows.value = rows.value.filter((row) => row.job_id !== jobId);
      return true;
    } catch (error) {
      refused.value = { jobId, problem: asProblem(error) };
      return false;
    } finally {
      acting.value = '';
    }
  }
  const retry = (jobId: string) => act(jobId, () => retryJob(jobId));
  const discard = (jobId: string, reason: string) => act(jobId, () => discardJob(jobId, reason));

  return {
    state,
    rows,
    cursor,
    loaded,
    busy,
    problem,
    acting,
    refused,
    show,
    more,
    refresh,
    retry,
    discard,
  };
});
