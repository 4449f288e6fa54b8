// "12.34", "12" or "0.5" as fen; nothing for what is no amount. Digits only: no floating point touches it.
export function fenOf(typed: string): number | null {
  const parts = /^(\d{1,12})(?:\.(\d{1,2}))?$/.exec(typed.trim());
  if (parts === null) return null;
  const fen = Number(parts[1] ?? '0') * 100 + Number((parts[2] ?? '').padEnd(2, '0'));
  return Number.isSafeInteger(fen) && fen > 0 ? fen : null;
}
