// Compares the core's verdicts with those of libphonenumber-js, whose numbering plans the core is compiled from:
//   node tests/long/phone.mjs BINARY [SEED]
// Half of the numbers are samples of the country's own patterns (some with one digit changed, dropped or added), so that
// valid ones occur; the others are random digits of about the right length. Mainland China has a table of its own in the
// core: its differences are counted, but are no failure.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const kPerCountry = 4_200; // times 245 is more than a million
const kMostShown = 20;
const kMainland = 'CN';

const [binary, seedText] = process.argv.slice(2);
const require = createRequire(fileURLToPath(new URL('../../scripts/phonegen/package.json', import.meta.url)));
const { PhoneNumber } = require('libphonenumber-js/core');
const metadata = require('libphonenumber-js/metadata.max.json');

let state = Number(seedText ?? 20261122) >>> 0;
console.log(`seed ${state}`);
function random(end) { // mulberry32
  state = (state + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * end);
}
const digits = (count) => Array.from({ length: count }, () => random(10)).join('');

// A random text that the pattern matches; the patterns have digits, \d, classes, (?:…), |, ?, {n} and {n,m} only.
function sample(pattern) {
  let at = 0;
  function alternatives() {
    const found = [sequence()];
    while (pattern[at] === '|') {
      at += 1;
      found.push(sequence());
    }
    return () => found[random(found.length)]();
  }
  function sequence() {
    const parts = [];
    while (at < pattern.length && pattern[at] !== '|' && pattern[at] !== ')') parts.push(repeated());
    return () => parts.map((part) => part()).join('');
  }
  function repeated() {
    const one = atom();
    const found = /^(?:\?|\{(\d+)(?:,(\d+))?\})/.exec(pattern.slice(at));
    if (!found) return one;
    at += found[0].length;
    const least = Number(found[1] ?? 0);
    const most = Number(found[2] ?? found[1] ?? 1);
    return () => Array.from({ length: least + random(most - least + 1) }, one).join('');
  }
  function atom() {
    if (pattern.startsWith('(?:', at)) {
      at += 3;
      const inner = alternatives();
      at += 1;
      return inner;
    }
    const found = /^(?:\\d|\[[^\]]*\]|\d)/.exec(pattern.slice(at))[0];
    at += found.length;
    const fitting = [...'0123456789'].filter((digit) => new RegExp(`^${found}$`).test(digit));
    return () => fitting[random(fitting.length)];
  }
  return alternatives();
}

function changed(number) {
  const at = random(number.length);
  switch (random(6)) {
    case 0: return number.slice(0, at) + random(10) + number.slice(at + 1);
    case 1: return number.slice(0, at) + number.slice(at + 1);
    case 2: return number.slice(0, at) + random(10) + number.slice(at);
    default: return number;
  }
}

function numbersOf(row) {
  const [fixed, mobile] = row[11] ?? [];
  const patterns = [mobile?.[0] || fixed?.[0] || row[2], row[2], ...(fixed ? [fixed[0]] : [])].map(sample);
  const lengths = row[3];
  return Array.from({ length: kPerCountry }, (_, index) => {
    if (index % 2 === 0) return changed(patterns[index % 8 === 0 ? random(patterns.length) : 0]());
    return digits(Math.max(1, lengths[random(lengths.length)] + random(3) - 1));
  }).map((number) => number || '0');
}

const isMobile = (country, national) =>
  ['MOBILE', 'FIXED_LINE_OR_MOBILE'].includes(new PhoneNumber(country, national, metadata).getType());

const cases = Object.entries(metadata.countries).flatMap(([country, row]) =>
  numbersOf(row).map((national) => ({ country, national, wanted: isMobile(country, national) })));
const ran = spawnSync(binary, {
  input: cases.map(({ country, national }) => `${country} ${national}\n`).join(''),
  encoding: 'utf8',
  maxBuffer: 64 * 2 ** 20,
});
if (ran.status !== 0) throw new Error(`${binary} ended with ${ran.status ?? ran.error}: ${ran.stderr}`);
const answers = ran.stdout.trimEnd().split('\n');
if (answers.length !== cases.length) throw new Error(`${answers.length} answers to ${cases.length} numbers`);

const differing = cases.filter(({ wanted }, index) => (answers[index] === '1') !== wanted);
const mainland = differing.filter(({ country }) => country === kMainland);
const wrong = differing.filter(({ country }) => country !== kMainland);
for (const { country, national, wanted } of wrong.slice(0, kMostShown)) {
  console.log(`${country} ${national}: libphonenumber-js says ${wanted ? 'mobile' : 'no mobile'}, the core does not`);
}
console.log(`${cases.length} numbers of ${Object.keys(metadata.countries).length} countries,`,
  `${cases.filter(({ wanted }) => wanted).length} of them mobile; ${wrong.length} differences`);
console.log(`${kMainland}, which has a table of its own: ${mainland.length} differences`);
const countries = new Set(wrong.map(({ country }) => country));
console.log(`${Object.keys(metadata.countries).length - 1 - countries.size} passed, ${countries.size} failed`);
process.exitCode = wrong.length === 0 ? 0 : 1;
