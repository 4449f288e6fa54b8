import { request } from '../transport';
import type { StaffSession } from './types';

export const getSession = () => request<StaffSession>('GET', '/api/admin/session', { keepPageOn401: true });

export const createSession = (name: string, password: string) =>
  request<StaffSession>('POST', '/api/admin/session', { body: { name, password }, keepPageOn401: true });

export const endSession = () => request<void>('DELETE', '/api/admin/session', { keepPageOn401: true });
