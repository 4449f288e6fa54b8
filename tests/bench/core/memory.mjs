// The module's linear memory: what it takes at the start, and after a million mixed calls.
import { figure } from '../figures.mjs';
import { loadCore } from './module.mjs';
import { bookBytes, orderSteps } from './native.mjs';
import { typedNumbers } from './phone.mjs';
import { prepareCampaign } from './quote.mjs';
import { kRequests } from './scenario.mjs';

const kCalls = 1_000_000;
const kMebibyte = 2 ** 20;
const kReloads = 100;  // a page that stays open sees new books, too

function mixedCalls(core, book) {
  const inputs = typedNumbers();
  const steps = orderSteps();
  for (let i = 0; i < kCalls; ++i) {
    const { text, country } = inputs[i % inputs.length];
    const { from, on } = steps[i % steps.length];
    switch (i % 4) {
      case 0: core.quote(kRequests[(i >> 2) % kRequests.length]); break;
      case 1: core.orderNext(from, on); break;
      default: core.checkPhone(text, country);
    }
    if (i % (kCalls / kReloads) === 0) core.loadPriceBook(book);
  }
}

export async function memoryFigures() {
  const { core, memoryBytes } = await loadCore();
  const atStart = memoryBytes() / kMebibyte;
  prepareCampaign(core);
  mixedCalls(core, bookBytes('scenario'));
  if (!core.quote(kRequests[0]).ok) throw new Error('The core no longer prices after a million calls.');
  return [figure('core.memory_start_mib', [atStart], 'MiB', 1),
    figure('core.memory_after_million_calls_mib', [memoryBytes() / kMebibyte], 'MiB', 16)];
}
