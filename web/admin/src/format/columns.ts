// Debit and credit columns, per currency, with their sums.
import type { Money } from '../api/types';

export interface ColumnRow {
  account: string;
  debit: number | null; // null: an empty cell
  credit: number | null; // written without a sign
}

export interface CurrencyColumns {
  currency: string;
  rows: ColumnRow[];
  debit: bigint;
  credit: bigint;
  difference: bigint; // debit - credit; 0n when the entry balances
}

export function columnsOf(entries: { account: string; amount: Money }[]): CurrencyColumns[] {
  const groups = new Map<string, CurrencyColumns>();
  for (const { account, amount } of entries) {
    let into = groups.get(amount.currency);
    if (into === undefined) {
      into = { currency: amount.currency, rows: [], debit: 0n, credit: 0n, difference: 0n };
      groups.set(amount.currency, into);
    }
    add(into, account, amount.minor);
  }
  return [...groups.values()];
}

function add(into: CurrencyColumns, account: string, minor: number): void {
  const value = BigInt(minor);
  into.rows.push({ account, debit: minor > 0 ? minor : null, credit: minor < 0 ? -minor : null });
  if (value > 0n) into.debit += value;
  else into.credit -= value;
  into.difference += value;
}
