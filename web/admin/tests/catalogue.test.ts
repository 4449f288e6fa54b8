import { describe, expect, it } from 'vitest';

import { readPins } from '../src/api/pins';
import { fromCsv, toCsv } from '../src/format/csv';
import { decimalOf, msOf, parseDecimal, spanOf } from '../src/format/input';
import { clockOf, editorOf, groupOf, minuteOf, valueText } from '../src/format/setting';
import { csvOf, CsvError, editsFromCsv } from '../src/stores/products';

describe('what people type', () => {
  it('reads amounts as integers and refuses what is none', () => {
    expect(parseDecimal('98.5', 2)).toBe(9_850);
    expect(parseDecimal(' 1,234 ', 2)).toBe(123_400);
    expect(parseDecimal('99.50', 2)).toBe(9_950);
    for (const bad of ['', '-1', '1.234', '1e3', '٣', 'abc', '1.2.3', '99999999999999']) expect(parseDecimal(bad, 2)).toBeNull();
    expect(decimalOf(5, 2)).toBe('0.05');
    expect(decimalOf(12, 0)).toBe('12');
  });
  it('shows a time in the largest unit in which it is whole', () => {
    expect(spanOf(5_400_000)).toEqual({ value: 90, unit: 'minute' });
    expect(spanOf(86_400_000)).toEqual({ value: 1, unit: 'day' });
    expect(spanOf(0)).toEqual({ value: 0, unit: 'minute' });
    for (const ms of [1, 1_500, 60_000, 7_200_000]) {
      const { value, unit } = spanOf(ms);
      expect(msOf(value, unit)).toBe(ms);
    }
  });
});

describe('CSV', () => {
  it('never gives a spreadsheet a formula, and reads back what it wrote', () => {
    const rows = [['a', '=1+1', '@SUM(A1)', '+1', '-1', '\tx'], ['"quoted"', 'two\nlines', 'comma,', '', "'kept", '中文']];
    const text = toCsv(rows);
    for (const cell of ['=1+1', '@SUM', '+1', '-1']) expect(text).toContain(`"'${cell}`);
    expect(text).not.toMatch(/(^|,)[=+@-]/m);
    expect(fromCsv(text)).toEqual(rows);
  });
  it('takes the export back as edits, and says when the columns are wrong', () => {
    const product = {
      product_id: 'cn-mobile-5000', operator_id: 'cn-mobile', operator_zh: '', operator_en: '', country: 'CN', kind: 'airtime',
      face: { minor: 5_000, currency: 'CNY' }, delivered: { minor: 5_000, currency: 'CNY' }, most_minor: 0, step_minor: 0,
      validity_days: 0, supplier_name: '', on_sale: false, name_zh: '五十元', name_en: '=fifty', list_minor: 4_975,
    };
    expect(editsFromCsv(csvOf([product]))).toEqual([
      { product_id: 'cn-mobile-5000', on_sale: false, name_zh: '五十元', name_en: '=fifty' },
    ]);
    expect(editsFromCsv('product_id,on_sale\nx,maybe\n')).toEqual([{ product_id: 'x', on_sale: 'maybe' }]);
    expect(() => editsFromCsv('id,price\n1,2\n')).toThrow(CsvError);
    expect(() => editsFromCsv('product_id,price\n1,2\n')).toThrow(CsvError);
  });
});

describe('settings', () => {
  it('are edited by their type and unit', () => {
    const editor = (key: string, type: 'integer' | 'boolean' | 'list' | 'text' | 'word' = 'integer') => editorOf({ key, type });
    expect(editor('orders.pay_within_ms')).toBe('span');
    expect(editor('service.reopens_at_ms')).toBe('moment');
    expect(editor('refunds.second_person_above_minor')).toBe('amount');
    expect(editor('reconcile.channel_fee_bp')).toBe('percent');
    expect(editor('orders.opens_at_minute')).toBe('clock');
    expect(editor('orders.max_unpaid_per_user')).toBe('number');
    expect(editor('x', 'boolean')).toBe('switch');
    expect(editor('x', 'list')).toBe('list');
  });
  it('read as a person says them', () => {
    expect(minuteOf('08:30')).toBe(510);
    expect(minuteOf('24:00')).toBe(1_440);
    for (const bad of ['8', '24:01', '12:60', 'x']) expect(minuteOf(bad)).toBeNull();
    expect(clockOf(510)).toBe('08:30');
    expect(valueText({ key: 'a_minor', type: 'integer' }, 20_000, (unit) => unit)).toBe('¥200.00');
    expect(valueText({ key: 'a_ms', type: 'integer' }, 7_200_000, (unit) => unit)).toBe('2 hour');
    expect(groupOf('orders.pay_within_ms')).toBe('orders');
    expect(groupOf('log.level')).toBe('other');
  });
});

describe('vouchers', () => {
  it('names each line that is wrong', () => {
    const read = readPins('GOOD-1234,S1\n\nno\nGOOD-1234\nA,B,C\n中文中文\nGOOD-5678');
    expect(read.pins).toEqual([{ code: 'GOOD-1234', serial: 'S1' }, { code: 'GOOD-5678' }]);
    expect(read.wrong).toEqual([
      { line: 3, why: 'code' },
      { line: 4, why: 'twice' },
      { line: 5, why: 'columns' },
      { line: 6, why: 'code' },
    ]);
  });
});
