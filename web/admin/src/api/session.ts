import { request } from '../transport';
import type { StaffSession, StaffSessionRow } from './types';

export const getSession = () => request<StaffSession>('GET', '/api/admin/session', { keepPageOn401: true });

// code "": none is asked for yet.
export const createSession = (name: string, password: string, code: string) =>
  request<StaffSession>('POST', '/api/admin/session', {
    body: code === '' ? { name, password } : { name, password, code },
    keepPageOn401: true,
  });

export const endSession = () => request<void>('DELETE', '/api/admin/session', { keepPageOn401: true });

export const stepUp = (proof: { password: string } | { code: string }) =>
  request<{ step_up_until_ms: number }>('POST', '/api/admin/session/step-up', { body: proof });

export const changePassword = (old_password: string, new_password: string) =>
  request<StaffSession>('POST', '/api/admin/session/password', { body: { old_password, new_password } });

export const offerTotp = () =>
  request<{ secret: string; uri: string }>('POST', '/api/admin/session/totp');

export const confirmTotp = (code: string) =>
  request<StaffSession & { recovery_codes: string[] }>('POST', '/api/admin/session/totp/confirm', {
    body: { code },
  });

export const renewRecoveryCodes = () =>
  request<{ recovery_codes: string[] }>('POST', '/api/admin/session/recovery-codes');

export const listSessions = async () =>
  (await request<{ sessions: StaffSessionRow[] }>('GET', '/api/admin/sessions')).sessions;

export const endOneSession = (id: string) =>
  request<void>('DELETE', `/api/admin/sessions/${encodeURIComponent(id)}`);
