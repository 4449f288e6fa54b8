import { request } from '../transport';
import type { ApprovalRow, EffectivePermission, RoleTable, StaffAccount } from './types';

const at = (id: string, rest: string) => `/api/admin/staff/${encodeURIComponent(id)}/${rest}`;

// cursor "" means the first page.
export const listStaff = (cursor: string) =>
  request<{ staff: StaffAccount[]; next_cursor?: string }>(
    'GET',
    cursor === '' ? '/api/admin/staff' : `/api/admin/staff?${new URLSearchParams({ cursor })}`,
  );

export const getRoles = () => request<RoleTable>('GET', '/api/admin/roles');

export const addStaff = (name: string, roles: string[]) =>
  request<StaffAccount & { password: string }>('POST', '/api/admin/staff', { body: { name, roles } });

// An approval_id instead of an account: it waits for a second person.
export const setRoles = (id: string, roles: string[]) =>
  request<Partial<StaffAccount> & { approval_id?: string }>('PUT', at(id, 'roles'), { body: { roles } });

export const changeStaff = (id: string, what: 'disable' | 'enable' | 'reset-totp') =>
  request<StaffAccount>('POST', at(id, what));

export const resetPassword = (id: string) =>
  request<StaffAccount & { password: string }>('POST', at(id, 'reset-password'));

export const endStaffSessions = (id: string) =>
  request<{ ended: number }>('DELETE', at(id, 'sessions'));

export const getPermissions = async (id: string) =>
  (await request<{ permissions: EffectivePermission[] }>('GET', at(id, 'permissions'))).permissions;

export const listApprovals = async () =>
  (await request<{ approvals: ApprovalRow[] }>('GET', '/api/admin/approvals')).approvals;

export const approve = (one: ApprovalRow) =>
  request<ApprovalRow>('POST', `/api/admin/approvals/${encodeURIComponent(one.approval_id)}/approve`, {
    body: { body_hash: one.body_hash },
  });

export const reject = (one: ApprovalRow) =>
  request<ApprovalRow>('POST', `/api/admin/approvals/${encodeURIComponent(one.approval_id)}/reject`);
