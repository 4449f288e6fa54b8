// A full explained quote on a campaign day, from the page's request to a plain object, against json-rules-engine and
// dinero.js doing the same.
import { isDeepStrictEqual } from 'node:util';
import { figure, median } from '../figures.mjs';
import { bookBytes, nativeQuotes } from './native.mjs';
import { inTurns, ratioOf, sink } from './rounds.mjs';
import { peerQuote } from './rules_peer.mjs';
import { kOwned, kRequests, kBuyer } from './scenario.mjs';

/** Gives a module the campaign's book and buyer. */
export function prepareCampaign(core) {
  const loaded = core.loadPriceBook(bookBytes('scenario'));
  if (!loaded.ok) throw new Error(`The campaign's book is refused: ${loaded.error.reason}.`);
  const set = core.setBuyer({ level_id: kBuyer.level_id, growth: kBuyer.growth, first_order: kBuyer.first_order, coupons: kOwned });
  if (!set.ok) throw new Error(`The campaign's buyer is refused: ${set.error.reason}.`);
}

const taken = ({ payable, lines }) => ({ payable, lines: lines.map(({ word, effect }) => [word, effect.minor]) });

// Through the border exactly what the native build says, and for the peer the same price by the same lines.
async function agree(core) {
  const native = nativeQuotes();
  for (const [i, request] of kRequests.entries()) {
    const ours = core.quote(request);
    if (!ours.ok) throw new Error(`The quote for ${request.product_id} is refused: ${ours.error.reason}.`);
    if (!isDeepStrictEqual(ours.value, native[i])) {
      throw new Error(`Through the border ${JSON.stringify(ours.value)}, natively ${JSON.stringify(native[i])}.`);
    }
    const theirs = await peerQuote(request);
    if (!isDeepStrictEqual(taken(theirs), taken(native[i])) || theirs.not_applied.length !== native[i].not_applied.length) {
      throw new Error(`The peer says ${JSON.stringify(theirs)}, the core ${JSON.stringify(native[i])}.`);
    }
  }
}

function ours(core) {
  return { name: 'ours', turn() {
    for (const request of kRequests) sink.value = core.quote(request);
    return kRequests.length;
  } };
}

const peer = { name: 'rules', async turn() {
  for (const request of kRequests) sink.value = await peerQuote(request);
  return kRequests.length;
} };

export async function quoteFigures(core) {
  prepareCampaign(core);
  await agree(core);
  const rates = await inTurns([ours(core), peer]);
  const against = { atMost: false, peer: 'json-rules-engine 7.3.1 with dinero.js 2.0.2', peerValue: median(rates.rules),
    ratio: ratioOf(rates.ours, rates.rules) };
  return [figure('core.quote_wasm', rates.ours, 'per s', 150_000, { ...against, goalForRatio: false }),
    figure('core.quote_wasm_ratio', rates.ours, 'per s', 15, against)];
}
