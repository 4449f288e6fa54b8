// The shop's own vouchers. Codes go in and never come out to staff.
import { request } from '../transport';
import type { Money } from './types';

export interface PinProduct {
  sku: string;
  country: string;
  operator: string;
  name: string;
  face: Money;
  cost?: Money;
  validity_days: number;
  available: number;
  held: number;
  delivered: number;
}
export interface NewPin {
  code: string;
  serial?: string;
}
export const listPins = async () => (await request<{ products: PinProduct[] }>('GET', '/api/admin/pins')).products;
export const importPins = (
  product: Pick<PinProduct, 'sku' | 'country' | 'operator' | 'name' | 'face' | 'validity_days' | 'cost'>,
  pins: NewPin[],
  once: string,
) => request<{ added: number; known: number }>('POST', '/api/admin/pins', { body: { ...product, pins }, key: once });

// One voucher a line: "code" or "code,serial". Lines that are wrong are named; codes follow the server's rule.
export function readPins(text: string): { pins: NewPin[]; wrong: { line: number; why: 'code' | 'twice' | 'columns' }[] } {
  const pins: NewPin[] = [];
  const wrong: { line: number; why: 'code' | 'twice' | 'columns' }[] = [];
  const seen = new Set<string>();
  text.split(/\r?\n/).forEach((raw, index) => {
    if (raw.trim() === '') return;
    const cells = raw.split(/[,\t]/).map((cell) => cell.trim());
    const [code = '', serial = ''] = cells;
    const line = index + 1;
    if (cells.length > 2) wrong.push({ line, why: 'columns' });
    else if (!/^[!-~]{4,64}$/.test(code)) wrong.push({ line, why: 'code' });
    else if (seen.has(code)) wrong.push({ line, why: 'twice' });
    else pins.push(serial === '' ? { code } : { code, serial });
    seen.add(code);
  });
  return { pins, wrong };
}
