import { request, requestFile } from '../transport';
import type { BookedJournal, Deed, ErrorAccount, Finance, Wallet } from './desk_types';
import type { AccountBalance } from './types';

// Every member that is "" leaves the list as wide as it is.
export interface JournalFilter {
  account: string;
  template: string;
  from_ms: string;
  to_ms: string;
}

function queryOf(fields: object): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if (value !== '') query.set(name, value);
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

export const getTrial = async () =>
  (await request<{ trial_balance: AccountBalance[] }>('GET', '/api/admin/ledger')).trial_balance;

export const listJournals = (filter: JournalFilter, cursor: string) =>
  request<{ journals: BookedJournal[]; next_cursor?: string }>(
    'GET',
    `/api/admin/ledger/journals${queryOf({ ...filter, cursor })}`,
  );

export const getJournal = (id: string) =>
  request<BookedJournal>('GET', `/api/admin/ledger/journals/${encodeURIComponent(id)}`);

export const exportJournals = (filter: JournalFilter, cursor: string) =>
  requestFile('/api/admin/ledger/export', { ...filter, cursor });

export const getFinance = (from: string, to: string) =>
  request<Finance>('GET', `/api/admin/finance${queryOf({ from, to })}`);

export const getWallet = (user: string) =>
  request<Wallet>('GET', `/api/admin/wallets/${encodeURIComponent(user)}`);

export const enterByHand = (entry: Record<string, unknown>, key: string) =>
  request<Deed>('POST', '/api/admin/ledger/entries', { body: entry, key });

export const listErrorAccounts = (state: string, cursor: string) =>
  request<{ error_accounts: ErrorAccount[]; next_cursor?: string }>(
    'GET',
    `/api/admin/error-accounts${queryOf({ state, cursor })}`,
  );
