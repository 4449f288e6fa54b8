// Customers, the blacklist, operation records, sign-ins of staff, visitor records, and the search over all of it.
import { request } from '../transport';
import type { AdminOrderRow, Money } from './types';

export interface CustomerIdentity {
  identity_id: string;
  kind: string;
  app: string;
  subject: string; // masked
  bound_at_ms: number;
}
export interface CustomerRow {
  user_id: string;
  level: string;
  created_at_ms: number;
  frozen_at_ms: number; // 0: not frozen
  merged_into: string; // "": a customer of their own
  identities: CustomerIdentity[];
  order_count: number;
  order_count_is_least: boolean;
  last_order_id: string;
}
export interface CustomerSession {
  session_id: string;
  proof: string;
  device: string;
  device_code: string;
  address: string;
  created_at_ms: number;
  seen_at_ms: number;
}
export interface Customer extends CustomerRow {
  frozen_by: string;
  frozen_reason: string;
  consents: { document: string; version: string; given_at_ms: number }[];
  wallet: { available: Money; held: Money };
  sessions: CustomerSession[];
  sign_ins: {
    kind: string;
    outcome: string;
    reason: string;
    subject: string;
    address: string;
    device: string;
    at_ms: number;
  }[];
  messages: {
    message_id: string;
    order_id: string;
    topic: string;
    way: string;
    state: string;
    created_at_ms: number;
  }[];
  orders?: AdminOrderRow[]; // only for who may read orders
  notes: { note_id: string; staff_id: string; text: string; at_ms: number }[];
}
export interface BlacklistEntry {
  entry_id: string;
  kind: string;
  subject: string; // masked
  reason: string;
  state: 'live' | 'expired' | 'ended';
  created_by: string;
  created_at_ms: number;
  expires_at_ms: number;
  ended_at_ms: number;
  ended_by: string;
  ended_why: string;
}
export interface ImportReport {
  added: number;
  known: number;
  mistakes: { line: number; reason: string }[];
  trial: boolean;
}
export interface RecordRow {
  seq: number;
  at_ms: number;
  actor: string;
  actor_name?: string;
  action: string;
  subject: string;
  subject_name?: string;
  detail: string;
  before: string;
  after: string;
  address: string;
  device: string;
  session: string;
  trace_id: string;
  hash: string;
}
export interface RecordPage {
  rows: RecordRow[];
  reached_ms: number; // how far back this answer looked
  next_cursor?: string;
}
export interface ChainStatus {
  state: string;
  rows: number;
  of: number;
  last_seq: number;
  first_bad_seq: number;
  why: string;
  signed_heads: number;
  started_at_ms: number;
  finished_at_ms: number;
  head_seq: number;
  head_hash: string;
}
export interface LiveSession {
  session_id: string;
  staff_id: string;
  name: string;
  device: string;
  address: string;
  created_at_ms: number;
  seen_at_ms: number;
}
export interface PermissionFact {
  permission: string;
  writes: boolean;
  step_up: boolean;
  guarded: boolean;
  for_everybody: boolean;
  roles: string[];
  routes: string[];
}
export interface VisitCount {
  name: string;
  hits: number;
  last_at_ms: number;
}
export interface VisitsReport {
  hours: VisitCount[];
  places: VisitCount[];
  networks: VisitCount[];
  devices: VisitCount[];
  kept_ms: number;
}
export interface SearchAnswer {
  orders: AdminOrderRow[];
  customers: { user_id: string; frozen: boolean; identities: string[] }[];
  products: { product_id: string; operator_zh: string; operator_en: string; country: string }[];
  settings: { key: string; doc: string }[];
}

// Empty values are left out.
function withQuery(path: string, values: Record<string, string>): string {
  const given = Object.entries(values).filter(([, value]) => value !== '');
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}
const customer = (id: string, rest = '') => `/api/admin/customers/${encodeURIComponent(id)}${rest}`;
const entry = (id: string, rest: string) => `/api/admin/blacklist/${encodeURIComponent(id)}/${rest}`;

export const listCustomers = (kind: string, q: string, cursor: string) =>
  request<{ customers: CustomerRow[]; next_cursor?: string }>(
    'GET',
    withQuery('/api/admin/customers', { kind, q, cursor }),
  );
export const getCustomer = (id: string) => request<Customer>('GET', customer(id));
export const setFrozen = (id: string, frozen: boolean, reason: string) =>
  request<Customer>('POST', customer(id, frozen ? '/freeze' : '/unfreeze'), { body: { reason } });
export const endCustomerSessions = (id: string, reason: string) =>
  request<{ ended: number }>('POST', customer(id, '/end-sessions'), { body: { reason } });
export const addCustomerNote = (id: string, text: string) =>
  request<{ note_id: string }>('POST', customer(id, '/notes'), { body: { text } });
export const reveal = (id: string, what: { identity_id: string } | { order_id: string }, reason: string) =>
  request<{ text: string }>('POST', customer(id, '/reveal'), { body: { ...what, reason } });

export const listBlacklist = (filter: { kind: string; q: string; ended: string }, cursor: string) =>
  request<{ entries: BlacklistEntry[]; next_cursor?: string }>(
    'GET',
    withQuery('/api/admin/blacklist', { ...filter, cursor }),
  );
export const addToBlacklist = (given: { kind: string; subject: string; reason: string; expires_at_ms: number }) =>
  request<BlacklistEntry>('POST', '/api/admin/blacklist', { body: given });
export const endEntry = (id: string, reason: string) =>
  request<BlacklistEntry>('POST', entry(id, 'end'), { body: { reason } });
export const revealEntry = (id: string, reason: string) =>
  request<{ text: string }>('POST', entry(id, 'reveal'), { body: { reason } });
export const importBlacklist = (csv: string, reason: string, trial: boolean) =>
  request<ImportReport>('POST', '/api/admin/blacklist/import', { body: { csv, reason, trial } });
export const exportBlacklist = (reason: string) =>
  request<{ csv: string }>('POST', '/api/admin/blacklist/export', { body: { reason } });

export type RecordFilter = {
  scope: string;
  actor: string;
  action: string;
  subject: string;
  from_ms: string;
  to_ms: string;
};
export const listRecords = (filter: RecordFilter, cursor: string) =>
  request<RecordPage>('GET', withQuery('/api/admin/audit', { ...filter, cursor }));
export const recordsFile = (filter: RecordFilter) => withQuery('/api/admin/audit/export', { ...filter });
export const getChain = () => request<ChainStatus>('GET', '/api/admin/audit/chain');
export const verifyChain = () => request<ChainStatus>('POST', '/api/admin/audit/chain/verify');

export const listSignIns = (outcome: string, cursor: string) =>
  request<RecordPage>('GET', withQuery('/api/admin/staff/sign-ins', { outcome, cursor }));
export const listLiveSessions = async () =>
  (await request<{ sessions: LiveSession[] }>('GET', '/api/admin/staff/sessions')).sessions;
export const getPermissionFacts = () =>
  request<{ permissions: PermissionFact[]; givers: string[] }>('GET', '/api/admin/permissions');
export const getVisits = (hours: number) =>
  request<VisitsReport>('GET', withQuery('/api/admin/visits', { hours: String(hours) }));
export const searchAll = (q: string) => request<SearchAnswer>('GET', withQuery('/api/admin/search', { q }));

