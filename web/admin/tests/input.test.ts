import { describe, expect, it } from 'vitest';

import { basisPointsOf, fieldOf, minorOf, timeOf, yuanOf } from '../src/format/input';

describe('amounts that staff type', () => {
  it('become fen without floating point', () => {
    expect(minorOf('5')).toBe(500);
    expect(minorOf(' 5.5 ')).toBe(550);
    expect(minorOf('0.29')).toBe(29);
    expect(basisPointsOf('12.5')).toBe(1250);
  });
  it('are refused rather than guessed', () => {
    for (const text of ['', '-1', '1.', '1.234', '1e3', '¥5', '5,00', '٥']) expect(minorOf(text)).toBeNull();
  });
  it('come back as they are typed', () => {
    expect(yuanOf(500)).toBe('5');
    expect(yuanOf(29)).toBe('0.29');
    expect(yuanOf(0)).toBe('');
    for (let minor = 1; minor < 20_000; minor += 7) expect(minorOf(yuanOf(minor))).toBe(minor);
  });
});

describe('times that staff type', () => {
  it('come back to the minute, and nothing stays nothing', () => {
    const at = new Date(2026, 10, 22, 9, 5).getTime();
    expect(timeOf(fieldOf(at))).toBe(at);
    expect(fieldOf(0)).toBe('');
    expect(timeOf('')).toBe(0);
  });
});
