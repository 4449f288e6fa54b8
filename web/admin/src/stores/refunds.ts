// Refunds in one state or all of them, and what is done about one.
import { defineStore } from 'pinia';
import { ref, shallowRef } from 'vue';

import { listErrorAccounts } from '../api/books';
import { listRefunds, queryRefund, refundByHand, reissueRefund, retryRefund } from '../api/desk';
import type { ErrorAccount, RefundRow } from '../api/desk_types';
import { asProblem, type Problem } from '../transport';

import { makePages } from './pages';

export const kRefundStates = ['requested', 'processing', 'refused', 'succeeded', 'reissued', 'paid_by_hand'] as const;

export const useRefunds = defineStore('refunds', () => {
  const state = ref('');
  const pages = makePages<RefundRow>(
    async (cursor) => {
      const page = await listRefunds(state.value, cursor);
      return { rows: page.refunds, next: page.next_cursor ?? '' };
    },
    (row) => row.out_refund_no,
  );
  const acting = ref('');
  const refused = shallowRef<{ key: string; problem: Problem } | null>(null);
  const told = shallowRef<{ key: string; word: string } | null>(null);

  async function show(wanted: string): Promise<void> {
    state.value = wanted;
    await pages.show(wanted);
  }
  async function run(no: string, deed: string, reason: string): Promise<string> {
    if (deed === 'query_refund') return (await queryRefund(no)).changed ? 'changed' : 'unchanged';
    if (deed === 'retry_refund') return (await retryRefund(no)).changed ? 'hurried' : 'unchanged';
    const answer = await (deed === 'reissue_refund' ? reissueRefund(no, reason) : refundByHand(no, reason));
    return answer.approval_id ? 'second' : 'ordered';
  }
  async function act(no: string, deed: string, reason: string): Promise<void> {
    if (acting.value !== '') return;
    acting.value = no;
    refused.value = null;
    told.value = null;
    try {
      told.value = { key: no, word: await run(no, deed, reason) };
    } catch (error) {
      refused.value = { key: no, problem: asProblem(error) };
    } finally {
      acting.value = '';
      await pages.refresh();
    }
  }
  return { state, ...pages, acting, refused, told, show, act };
});

export const useErrorAccounts = defineStore('error_accounts', () => {
  const state = ref('open');
  const pages = makePages<ErrorAccount>(
    async (cursor) => {
      const page = await listErrorAccounts(state.value, cursor);
      return { rows: page.error_accounts, next: page.next_cursor ?? '' };
    },
    (row) => row.order_id,
  );
  async function show(wanted: string): Promise<void> {
    state.value = wanted;
    await pages.show(wanted);
  }
  return { state, ...pages, show };
});
