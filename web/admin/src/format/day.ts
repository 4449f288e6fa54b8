// Days of a filter as a page's address keeps them: the milliseconds at which they begin, in the browser's zone.
export const kDayMs = 86_400_000;

// "2026-11-23" of milliseconds in text, `less` earlier; "" of "".
export function dayOf(ms: string, less = 0): string {
  if (ms === '') return '';
  const at = new Date(Number(ms) - less);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}

// When the day begins, or `later` after that; "" of no day.
export function beginOf(day: string, later = 0): string {
  return day === '' ? '' : String(new Date(`${day}T00:00:00`).getTime() + later);
}
