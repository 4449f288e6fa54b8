// The books: the trial balance, journals page by page, turnover by day, one customer's wallet.
import { defineStore } from 'pinia';
import { ref, shallowRef } from 'vue';

import { getFinance, getTrial, getWallet, listJournals, type JournalFilter } from '../api/books';
import type { BookedJournal, Finance, Wallet } from '../api/desk_types';
import type { AccountBalance } from '../api/types';
import { asProblem, type Problem } from '../transport';

import { makePages } from './pages';

export const useJournals = defineStore('journals', () => {
  const filter = ref<JournalFilter>({ account: '', template: '', from_ms: '', to_ms: '' });
  const pages = makePages<BookedJournal>(
    async (cursor) => {
      const page = await listJournals(filter.value, cursor);
      return { rows: page.journals, next: page.next_cursor ?? '' };
    },
    (row) => row.journal_id,
  );
  async function show(wanted: JournalFilter): Promise<void> {
    filter.value = { ...wanted };
    await pages.show(JSON.stringify(wanted));
  }
  return { filter, ...pages, show };
});

function makeOne<T, Args extends unknown[]>(ask: (...args: Args) => Promise<T>) {
  const data = shallowRef<T | null>(null);
  const busy = ref(false);
  const problem = shallowRef<Problem | null>(null);
  let turn = 0; // an answer to an older question is dropped
  async function load(...args: Args): Promise<void> {
    const mine = ++turn;
    busy.value = true;
    problem.value = null;
    try {
      const answer = await ask(...args);
      if (mine === turn) data.value = answer;
    } catch (error) {
      if (mine === turn) {
        problem.value = asProblem(error);
        data.value = null;
      }
    } finally {
      if (mine === turn) busy.value = false;
    }
  }
  return { data, busy, problem, load };
}

export const useTrial = defineStore('trial', () => makeOne<AccountBalance[], []>(getTrial));
export const useFinance = defineStore('finance', () => makeOne<Finance, [string, string]>(getFinance));
export const useWallet = defineStore('wallet', () => makeOne<Wallet, [string]>(getWallet));
