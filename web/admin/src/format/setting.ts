// How a setting is edited and shown follows from its type and the unit at the end of its key.
import type { Setting, SettingValue } from '../api/settings';

import { decimalOf, spanOf } from './input';

export type Editor = 'switch' | 'words' | 'list' | 'text' | 'amount' | 'percent' | 'span' | 'clock' | 'moment' | 'number';

export function editorOf(setting: Pick<Setting, 'key' | 'type'>): Editor {
  if (setting.type === 'boolean') return 'switch';
  if (setting.type === 'word') return 'words';
  if (setting.type === 'list') return 'list';
  if (setting.type === 'text') return 'text';
  if (setting.key.endsWith('_at_ms')) return 'moment';
  if (setting.key.endsWith('_ms')) return 'span';
  if (setting.key.endsWith('_minor')) return 'amount';
  if (setting.key.endsWith('_bp')) return 'percent';
  return setting.key.endsWith('_at_minute') ? 'clock' : 'number';
}

const two = (value: number) => String(value).padStart(2, '0');
export const clockOf = (minute: number) => `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
export function minuteOf(text: string): number | null {
  const found = /^(\d{1,2}):(\d{2})$/.exec(text.trim());
  const minute = found === null ? -1 : Number(found[1]) * 60 + Number(found[2]);
  return found === null || Number(found[2]) > 59 || minute > 1_440 ? null : minute;
}

// As a person reads it; `unit` names a unit of time.
export function valueText(setting: Pick<Setting, 'key' | 'type'>, value: SettingValue | null, unit: (name: string) => string): string {
  if (value === null) return '–';
  if (Array.isArray(value)) return value.join(' ') || '–';
  if (typeof value !== 'number') return String(value) || '–';
  switch (editorOf(setting)) {
    case 'amount':
      return `¥${decimalOf(value, 2)}`;
    case 'percent':
      return `${decimalOf(value, 2)} %`;
    case 'clock':
      return clockOf(value);
    case 'span': {
      const span = spanOf(value);
      return `${span.value} ${unit(span.unit)}`;
    }
    default:
      return String(value);
  }
}

// The groups of the page, in its order; a setting belongs to the one that its key begins with.
export const kGroups = ['orders', 'payments', 'refunds', 'messages', 'service', 'reconcile', 'ledger', 'other'] as const;
export function groupOf(key: string): (typeof kGroups)[number] {
  const head = key.split('.')[0] ?? '';
  return kGroups.find((group) => group === head) ?? 'other';
}
