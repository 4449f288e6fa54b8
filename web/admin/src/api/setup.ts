// Setting the shop up: outside parties, going live, the self-test of the notification addresses.
import { request } from '../transport';

export type StepState = 'open' | 'done' | 'skipped';
export interface SetupField {
  name: string;
  kind: 'text' | 'origin' | 'private_key' | 'certificate' | 'public_key';
  secret: boolean;
  needed: boolean;
  preset: string;
  account: boolean;
  most: number;
}
export interface Missing {
  what: string;
  done: boolean;
  detail: string;
}
export interface PartySetup {
  party: string;
  kind: 'channel' | 'supplier' | 'messages' | 'platform';
  notify_path: string;
  state: 'live' | 'rehearsed' | 'absent';
  after_restart: '' | 'live' | 'rehearsed' | 'absent';
  switches_now: boolean;
  played: boolean;
  in_file: boolean;
  from_ms: number;
  version: number;
  live_version: number;
  fields: SetupField[];
  values: Record<string, string>;
  secrets: string[];
  tested: { at_ms: number; ok: boolean; said: string };
  certificate?: { serial: string; subject: string; begin_ms: number; end_ms: number };
  checklist: Missing[];
  may_go_live: boolean;
  may_go_back: boolean;
}
export interface ProbedPath {
  path: string;
  ok: boolean;
  step: string;
  reason: string;
  detail: string;
}
export interface NotifyReport {
  ok: boolean;
  reach: 'outside' | 'this_machine' | 'nobody';
  at_ms: number;
  origin: string;
  paths: ProbedPath[];
}
export interface Setup {
  public_origin: string;
  rehearsal: boolean;
  shop: { name: string; time_zone: string; language: string; time_zones: string[]; languages: string[] };
  owner: { own_password: boolean; has_totp: boolean };
  steps: { step: string; state: StepState; at_ms?: number }[];
  parties: PartySetup[];
  notify?: NotifyReport;
}

const at = (party: string) => `/api/admin/parties/${encodeURIComponent(party)}`;

export const getSetup = () => request<Setup>('GET', '/api/admin/setup');
export const setStep = (step: string, state: StepState) =>
  request<Setup>('PUT', `/api/admin/setup/steps/${encodeURIComponent(step)}`, { body: { mark: state } });
export const setShop = (name: string, time_zone: string, language: string) =>
  request<Setup>('PUT', '/api/admin/setup/shop', { body: { name, time_zone, language } });
export const testNotify = () => request<NotifyReport>('POST', '/api/admin/setup/notify-test');
export const saveKeys = (party: string, version: number, fields: Record<string, string | null>) =>
  request<PartySetup>('PUT', `${at(party)}/keys`, { body: { version, fields } });
export const testKeys = (party: string) => request<PartySetup>('POST', `${at(party)}/keys/test`);
export const setWorld = (party: string, world: 'live' | 'rehearsed', reason: string, once: string) =>
  request<PartySetup>('POST', `${at(party)}/world`, { body: { world, reason, confirm: party }, key: once });
