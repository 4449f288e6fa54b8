// Times in the zone that the shop has chosen, else in the browser's, to the second.
import { ref } from 'vue';

const two = (value: number) => String(value).padStart(2, '0');

// An IANA name; "browser" for that of whoever looks. One that this browser does not know is not taken.
const zone = ref('browser');
let writer: Intl.DateTimeFormat | null = null;

export function useTimeZone(name: string): void {
  try {
    writer =
      name === 'browser'
        ? null
        : new Intl.DateTimeFormat('en-CA', {
            timeZone: name,
            hourCycle: 'h23',
            year: 'numeric',
            month: '2-digit',
            day: '2-digit',
            hour: '2-digit',
            minute: '2-digit',
            second: '2-digit',
          });
    zone.value = name;
  } catch {
    return;
  }
}

// The same moment as a date whose local fields read as the chosen zone's.
function placed(atMs: number): Date {
  if (zone.value === 'browser' || writer === null) return new Date(atMs);
  const parts = new Map(writer.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
  return new Date(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
}

// "11-21 22:03:09", with the year in front when it is not this year.
export function timeText(atMs: number, nowMs: number = Date.now()): string {
  const at = placed(atMs);
  const year = at.getFullYear() === placed(nowMs).getFullYear() ? '' : `${at.getFullYear()}-`;
  return `${year}${two(at.getMonth() + 1)}-${two(at.getDate())} ${clockText(atMs)}`;
}

export function clockText(atMs: number): string {
  const at = placed(atMs);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

// The whole truth for a tooltip: milliseconds, offset and zone name.
export function fullTimeText(atMs: number): string {
  const at = placed(atMs);
  const offset = Math.round((Date.UTC(at.getFullYear(), at.getMonth(), at.getDate(), at.getHours(), at.getMinutes(), at.getSeconds()) - atMs) / 60_000);
  const sign = offset < 0 ? '-' : '+';
  const hours = two(Math.trunc(Math.abs(offset) / 60));
  const minutes = two(Math.abs(offset) % 60);
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const ms = String(((atMs % 1_000) + 1_000) % 1_000).padStart(3, '0');
  const name = zone.value === 'browser' ? Intl.DateTimeFormat().resolvedOptions().timeZone : zone.value;
  return `${date} ${clockText(atMs)}.${ms} ${sign}${hours}:${minutes} ${name}`;
}

// A span as its two largest units, for i18n: {unit: "minutes", a: 4, b: 12} is 4 minutes 12 seconds.
export interface Span {
  unit: 'ms' | 'seconds' | 'minutes' | 'hours' | 'days';
  a: number;
  b: number;
}

export function spanOf(ms: number): Span {
  const total = Math.max(0, Math.trunc(ms));
  if (total < 1_000) return { unit: 'ms', a: total, b: 0 };
  const seconds = Math.trunc(total / 1_000);
  if (seconds < 60) return { unit: 'seconds', a: seconds, b: Math.trunc((total % 1_000) / 100) };
  if (seconds < 3_600) return { unit: 'minutes', a: Math.trunc(seconds / 60), b: seconds % 60 };
  if (seconds < 86_400)
    return { unit: 'hours', a: Math.trunc(seconds / 3_600), b: Math.trunc((seconds % 3_600) / 60) };
  return { unit: 'days', a: Math.trunc(seconds / 86_400), b: Math.trunc((seconds % 86_400) / 3_600) };
}
