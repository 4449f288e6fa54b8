// What staff type in fields, as integers and back; no floating point touches a digit.

/** "5", "5.5" and "5.50" yuan as fen; null for anything else. */
export function minorOf(text: string): number | null {
  const found = /^(\d{1,7})(?:\.(\d{1,2}))?$/.exec(text.trim());
  return found === null ? null : Number(found[1]) * 100 + Number((found[2] ?? '').padEnd(2, '0'));
}
export function yuanOf(minor: number | undefined): string {
  if (!minor) return '';
  const text = String(minor).padStart(3, '0');
  return `${text.slice(0, -2)}.${text.slice(-2)}`.replace(/\.00$/, '');
}
/** "12.5" per cent as basis points. */
export const basisPointsOf = minorOf;
export const percentOf = yuanOf;

/** A local date and time as its field has it ("2026-11-22T10:00"), and back; 0 is the empty field. */
export function fieldOf(atMs: number | undefined): string {
  if (!atMs) return '';
  const at = new Date(atMs - new Date(atMs).getTimezoneOffset() * 60_000);
  return at.toISOString().slice(0, 16);
}
export function timeOf(field: string): number {
  return field === '' ? 0 : new Date(field).getTime();
}
// What people type into fields of amounts, rates and durations, and the integers it means. null: not such a number.

// "12.5" with two digits -> 1250.
export function parseDecimal(text: string, digits: number): number | null {
  const found = /^(\d{1,12})(?:\.(\d*))?$/.exec(text.trim().replace(/,/g, ''));
  if (found === null) return null;
  const fraction = found[2] ?? '';
  if (fraction.length > digits) return null;
  const value = Number(`${found[1]}${fraction.padEnd(digits, '0')}`);
  return Number.isSafeInteger(value) ? value : null;
}

// 1250 with two digits -> "12.50"; trailing zeros stay, so that amounts look like amounts.
export function decimalOf(value: number, digits: number): string {
  if (digits === 0) return String(value);
  const text = String(value).padStart(digits + 1, '0');
  return `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

export const kSpans = [
  { unit: 'day', ms: 86_400_000 },
  { unit: 'hour', ms: 3_600_000 },
  { unit: 'minute', ms: 60_000 },
  { unit: 'second', ms: 1_000 },
  { unit: 'ms', ms: 1 },
] as const;
export type SpanUnit = (typeof kSpans)[number]['unit'];

// 5400000 -> 90 minutes: the largest unit in which it is whole.
export function spanOf(ms: number): { value: number; unit: SpanUnit } {
  const span = kSpans.find((one) => ms >= one.ms && ms % one.ms === 0);
  return span === undefined ? { value: 0, unit: 'minute' } : { value: ms / span.ms, unit: span.unit };
}
export const msOf = (value: number, unit: SpanUnit): number => value * (kSpans.find((one) => one.unit === unit)?.ms ?? 1);
