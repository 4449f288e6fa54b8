// Times in the browser's zone, to the second.

const two = (value: number) => String(value).padStart(2, '0');

// "11-21 22:03:09", with the year in front when it is not this year.
export function timeText(atMs: number, nowMs: number = Date.now()): string {
  const at = new Date(atMs);
  const year = at.getFullYear() === new Date(nowMs).getFullYear() ? '' : `${at.getFullYear()}-`;
  return `${year}${two(at.getMonth() + 1)}-${two(at.getDate())} ${clockText(atMs)}`;
}

export function clockText(atMs: number): string {
  const at = new Date(atMs);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

// The whole truth for a tooltip: milliseconds, offset and zone name.
export function fullTimeText(atMs: number): string {
  const at = new Date(atMs);
  const offset = -at.getTimezoneOffset();
  const sign = offset < 0 ? '-' : '+';
  const hours = two(Math.trunc(Math.abs(offset) / 60));
  const minutes = two(Math.abs(offset) % 60);
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const ms = String(at.getMilliseconds()).padStart(3, '0');
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return `${date} ${clockText(atMs)}.${ms} ${sign}${hours}:${minutes} ${zone}`;
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
