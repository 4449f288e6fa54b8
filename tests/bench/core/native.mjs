// The native program (../core_native.cpp): its own rounds, and the bytes of the books that all measurements share.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { figure } from '../figures.mjs';
import { made, root } from './module.mjs';

const program = process.env.TOPUP_BENCH ?? join(root, 'build/release/topup_bench');

const kGoals = {
  'core.quote_native': { goal: 1_000_000, atMost: false },
  'core.quote_plain_native': { goal: 1_000_000, atMost: false },
  'core.nearest_native': { goal: 100, atMost: true },
};

/** The bytes of a book: "scenario" (10 promotions, 10 coupons) or "large" (thousands of products). */
export function bookBytes(name) {
  const file = join(made, `${name}.book`);
  execFileSync(program, ['--write-book', name, file]);
  return new Uint8Array(readFileSync(file));
}

const asked = (what) => JSON.parse(execFileSync(program, [what], { encoding: 'utf8' }));

/** What the native build answers to the scenario's requests. */
export const nativeQuotes = () => asked('--quotes');

/** The table of orders: { from, on, to, effects }. */
export const orderSteps = () => asked('--steps');

export function nativeFigures() {
  return asked('--measure').map(({ id, unit, rounds }) => {
    const { goal, atMost } = kGoals[id] ?? { goal: null, atMost: false };
    return figure(id, rounds, unit, goal, { atMost });
  });
}
