// Ours and its peers in turns, in one process: whatever else the machine does, it does to all of them.
import { median } from '../figures.mjs';
import { isQuick } from '../form.mjs';

export const kRounds = isQuick ? 1 : 7;
const kRoundMs = isQuick ? 30 : 150;
const kWarmUpMs = 250;

/** What a contender gives back is kept here, so that no engine may leave the work out. */
export const sink = { value: null };

// A contender's `turn()` goes once through all its inputs and says how many answers that were.
async function timed(contender, milliseconds) {
  const began = performance.now();
  let answers = 0;
  let now = began;
  do {
    const made = contender.turn();
    answers += typeof made === 'number' ? made : await made;
    now = performance.now();
  } while (now - began < milliseconds);
  return (answers * 1000) / (now - began);
}

/** { name: [answers per second in each round] } */
export async function inTurns(contenders, rounds = kRounds) {
  const rates = Object.fromEntries(contenders.map(({ name }) => [name, []]));
  for (const contender of contenders) await timed(contender, kWarmUpMs);
  for (let round = 0; round < rounds; ++round) {
    for (const contender of contenders) rates[contender.name].push(await timed(contender, kRoundMs));
  }
  return rates;
}

/** Of each round's own pair: a machine that slows down does not favour either. */
export function ratioOf(ours, theirs) {
  return median(ours.map((rate, round) => rate / theirs[round]));
}
