// Verdicts on telephone numbers while they are typed and when they are complete, against libphonenumber-js.
import { createRequire } from 'node:module';
import { parsePhoneNumberFromString as parseMax } from 'libphonenumber-js/max';
import { getExampleNumber, parsePhoneNumberFromString as parseMin } from 'libphonenumber-js/min';
import { parsePhoneNumberFromString as parseMobile } from 'libphonenumber-js/mobile';
import { figure, median } from '../figures.mjs';
import { inTurns, ratioOf, sink } from './rounds.mjs';

const kCountries = ['CN', 'TH', 'IN', 'PH', 'ID', 'NG', 'US', 'GB', 'DE', 'BR', 'MX', 'JP'];
const kFirstKey = 3;  // shorter beginnings cost the peer nothing: it does not parse them

/** { text, country, complete }: each country's sample number in three spellings and key by key. */
export function typedNumbers() {
  const examples = createRequire(import.meta.url)('libphonenumber-js/examples.mobile.json');
  return kCountries.flatMap((country) => {
    const number = getExampleNumber(country, examples);
    const spelled = [number.number, number.formatInternational(), number.formatNational()];
    const keys = [];
    const national = String(number.nationalNumber);
    for (let length = kFirstKey; length < national.length; ++length) keys.push(national.slice(0, length));
    return [...spelled.map((text) => ({ text, country, complete: true })),
      ...keys.map((text) => ({ text, country, complete: false }))];
  });
}

// As a page with nothing else would ask: no scan of a longer text for a number, the options made once for a country.
function peer(name, parse, inputs) {
  const options = Object.fromEntries(kCountries.map((country) => [country, { defaultCountry: country, extract: false }]));
  const verdict = (text, country) => {
    const number = parse(text, options[country]);
    return number !== undefined && number.isValid() ? (number.getType() ?? 'valid') : 'invalid';
  };
  return { name, verdict, turn() {
    for (const { text, country } of inputs) sink.value = verdict(text, country);
    return inputs.length;
  } };
}

function ours(core, inputs) {
  return { name: 'ours', turn() {
    for (const { text, country } of inputs) sink.value = core.checkPhone(text, country);
    return inputs.length;
  } };
}

// A rate for wrong answers is worth nothing: complete numbers must be taken by both.
function agree(core, peers, inputs) {
  for (const { text, country } of inputs.filter((input) => input.complete)) {
    const { verdict } = core.checkPhone(text, country);
    if (verdict !== 'valid' && verdict !== 'possible') throw new Error(`The core says ${verdict} of ${text} in ${country}.`);
    for (const { name, verdict: say } of peers) {
      if (say(text, country) === 'invalid') throw new Error(`${name} refuses ${text} in ${country}.`);
    }
  }
}

export async function phoneFigures(core) {
  const inputs = typedNumbers();
  const peers = [peer('min', parseMin, inputs), peer('mobile', parseMobile, inputs), peer('max', parseMax, inputs)];
  agree(core, peers, inputs);
  const rates = await inTurns([ours(core, inputs), ...peers]);
  return peers.map(({ name }) => figure(name === 'min' ? 'core.phone_verdict_wasm' : `core.phone_verdict_wasm_${name}`,
    rates.ours, 'per s', 20, { atMost: false, peer: `libphonenumber-js 1.13.16 with ${name} metadata`,
      peerValue: median(rates[name]), ratio: ratioOf(rates.ours, rates[name]) }));
}
