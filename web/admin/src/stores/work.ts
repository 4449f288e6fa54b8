// Everything that waits for a person, and what is done about it from the list itself.
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';

import { enterByHand } from '../api/books';
import {
  approveWork,
  claimItem,
  getWork,
  queryRefund,
  refundByHand,
  reissueRefund,
  rejectWork,
  releaseItem,
  resolveItem,
  retryRefund,
  withdrawWork,
} from '../api/desk';
import type { WorkQueue, WorkRow } from '../api/desk_types';
import { retryJob } from '../api/jobs';
import { queryOrder } from '../api/orders';
import { withStepUp } from '../behaviour/step_up';
import { groupOf, type RefundAnswer } from '../format/work';
import { asProblem, newKey, type Problem } from '../transport';

export const useWork = defineStore('work', () => {
  const rows = shallowRef<WorkRow[]>([]);
  const me = ref('');
  const next = shallowRef<Record<string, string>>({}); // by sort: where it goes on
  const beyond = new Map<string, number>(); // by sort: pages that a person has asked for beyond the first
  const loaded = ref(false);
  const busy = ref(false);
  const problem = shallowRef<Problem | null>(null);
  const readAtMs = ref(0);
  const acting = ref(''); // the row that a person is waiting for
  const refused = shallowRef<{ key: string; problem: Problem } | null>(null);
  const told = shallowRef<{ key: string; word: string } | null>(null);
  const keys = new Map<string, string>(); // of deeds that may have arrived
  let turn = 0; // an answer to an older question is dropped

  const counts = computed(() => {
    const found: Record<string, number> = {};
    for (const row of rows.value) found[groupOf(row)] = (found[groupOf(row)] ?? 0) + 1;
    return found;
  });

  async function load(): Promise<void> {
    const mine = ++turn;
    busy.value = true;
    try {
      const answer = await getWork();
      const found = await goOn(answer);
      if (mine !== turn) return;
      rows.value = found.rows;
      me.value = answer.me;
      next.value = found.next;
      readAtMs.value = Date.now();
      loaded.value = true;
      problem.value = null;
    } catch (error) {
      if (mine === turn) problem.value = asProblem(error);
    } finally {
      if (mine === turn) busy.value = false;
    }
  }
  // The first page of each sort, and of some those that follow, as far as a person has gone.
  async function goOn(first: WorkQueue): Promise<{ rows: WorkRow[]; next: Record<string, string> }> {
    const found = { rows: first.work, next: { ...first.next } };
    for (const [sort, pages] of beyond) {
      for (let page = 0; page < pages && found.next[sort] !== undefined; page += 1) {
        const more = await getWork(sort, found.next[sort]);
        const known = new Set(found.rows.map((row) => row.key));
        found.rows = [...found.rows, ...more.work.filter((row) => !known.has(row.key))];
        delete found.next[sort];
        Object.assign(found.next, more.next);
      }
    }
    return found;
  }
  async function more(): Promise<void> {
    for (const sort of Object.keys(next.value)) beyond.set(sort, (beyond.get(sort) ?? 0) + 1);
    await load();
  }
  // Quiet, and never under somebody's hands or in a long list.
  async function refresh(): Promise<void> {
    if (!busy.value && acting.value === '' && beyond.size === 0) await load();
  }

  // One key for one deed on one row until it is answered, however often it is tried.
  function keyOf(row: WorkRow, deed: string, reason: string): string {
    const name = `${row.key}/${deed}/${reason}`;
    const key = keys.get(name) ?? newKey();
    keys.set(name, key);
    return key;
  }
  async function run(row: WorkRow, deed: string, reason: string, said?: RefundAnswer): Promise<string> {
    const refund = row.out_refund_no ?? '';
    switch (deed) {
      case 'claim':
        await claimItem(row.id);
        return '';
      case 'release':
        await releaseItem(row.id);
        return '';
      case 'resolve':
        await resolveItem(row.id, reason, said);
        return 'resolved';
      case 'query':
        return (await queryOrder(row.order_id ?? row.id)).asked.length > 0 ? 'asked' : 'asked_later';
      case 'query_refund':
        return (await queryRefund(refund)).changed ? 'changed' : 'unchanged';
      case 'retry_refund':
        return (await retryRefund(refund)).changed ? 'hurried' : 'unchanged';
      case 'reissue_refund':
        return (await reissueRefund(refund, reason)).approval_id ? 'second' : 'ordered';
      case 'refund_by_hand':
        return (await refundByHand(refund, reason)).approval_id ? 'second' : 'ordered';
      case 'suspense_to_payer': {
        const entry = { kind: deed, work_item_id: row.id, reason };
        return (await enterByHand(entry, keyOf(row, deed, reason))).approval_id ? 'second' : 'ordered';
      }
      case 'retry_job':
        await retryJob(row.id);
        return 'hurried';
      case 'withdraw':
        await withdrawWork(row);
        return 'withdrawn';
      case 'approve':
        return (await withStepUp(() => approveWork(row).then(() => 'approved'))) ?? '';
      default:
        return (await withStepUp(() => rejectWork(row).then(() => 'rejected'))) ?? '';
    }
  }
  // True when it was done.
  async function act(row: WorkRow, deed: string, reason = '', said?: RefundAnswer): Promise<boolean> {
    if (acting.value !== '') return false;
    acting.value = row.key;
    refused.value = null;
    told.value = null;
    try {
      const word = await run(row, deed, reason, said);
      keys.delete(`${row.key}/${deed}/${reason}`);
      if (word !== '') told.value = { key: row.key, word };
      return true;
    } catch (error) {
      refused.value = { key: row.key, problem: asProblem(error) };
      return false;
    } finally {
      acting.value = '';
      await load();
    }
  }

  return { rows, me, next, more, loaded, busy, problem, readAtMs, acting, refused, told, counts, load, refresh, act };
});
