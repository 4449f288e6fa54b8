// Live settings: typed, versioned.
import { request } from '../transport';

export type SettingValue = boolean | number | string | string[];
export interface Setting {
  key: string;
  type: 'boolean' | 'integer' | 'text' | 'word' | 'list';
  value: SettingValue;
  preset: SettingValue;
  permission: string;
  doc: string;
  min?: number;
  max?: number;
  words?: string;
}
export interface Settings {
  version: number;
  settings: Setting[];
}
export interface SettingChange {
  version: number;
  key: string;
  value: SettingValue | null;
  previous: SettingValue | null;
  changed_by: string;
  changed_at_ms: number;
}
export const getSettings = () => request<Settings>('GET', '/api/admin/settings');
export const changeSettings = (version: number, changes: Record<string, SettingValue | null>, once: string) =>
  request<Settings>('PUT', '/api/admin/settings', { body: { version, changes }, key: once });
export const rollBackSettings = (version: number, to: number, once: string) =>
  request<Settings>('POST', '/api/admin/settings/rollback', { body: { version, to }, key: once });
export const settingHistory = (cursor: string) =>
  request<{ changes: SettingChange[]; next_cursor?: string }>(
    'GET',
    cursor === '' ? '/api/admin/settings/history' : `/api/admin/settings/history?${new URLSearchParams({ cursor })}`,
  );
