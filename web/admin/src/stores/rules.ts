// A draft of the price rules, and what the core makes of it on orders that happened.
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';

import { getRules, previewRules, type PriceRule, type PriceRules, type RulePreview, type SampleOrder } from '../api/catalogue';
import { pricingCore } from '../core/pricing_core';
import { asProblem, type Problem } from '../transport';

export interface SamplePrice {
  order: SampleOrder;
  now: number | null; // by the rules in force; null: not sold
  draft: number | null;
  cost: number | null;
}

const kWaitMs = 150; // after the last key
const kSamples = 50;

export const newRule = (id: string): PriceRule => ({
  id,
  kinds: [],
  country: '',
  operator_id: '',
  product_id: '',
  form: 'of_face',
  price_minor: 0,
  rate_bp: 10_000,
  fee_minor: 0,
  step_minor: 1,
  round: 'half_up',
  least_margin_bp: 0,
  allow_below_cost: false,
  below_cost_reason: '',
});

const copy = (rules: readonly PriceRule[]): PriceRule[] =>
  rules.map((rule) => {
    const { version: _, ...rest } = rule;
    return { ...rest, kinds: [...rule.kinds] };
  });

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}

type Price = (order: SampleOrder) => number | null;

async function pricesOf(preview: RulePreview, samples: readonly SampleOrder[]): Promise<Map<string, number | null>> {
  const core = await pricingCore();
  const loaded = core.loadPriceBook(bytesOf(preview.book_hex));
  if (!loaded.ok) throw new Error(loaded.error.reason);
  const price: Price = ({ product_id, face }) => {
    const priced = core.listPrice({ product_id, amount_minor: face.minor, now_ms: Date.now() });
    return priced.ok ? priced.value.list.minor : null;
  };
  return new Map(samples.map((order) => [order.order_id, price(order)]));
}

// A young shop has no orders yet: its products stand in for them.
async function samplesOf(preview: RulePreview): Promise<SampleOrder[]> {
  if (preview.samples.length > 0) return preview.samples;
  const core = await pricingCore();
  if (!core.loadPriceBook(bytesOf(preview.book_hex)).ok) return [];
  const products = core.listProducts({ now_ms: Date.now() });
  if (!products.ok) return [];
  return products.value.slice(0, kSamples).map(({ id, face }) => ({
    order_id: id,
    product_id: id,
    face,
    paid_minor: 0,
    created_at_ms: 0,
  }));
}

// The cost of a range is told for its least amount, so it is not compared there.
const costOf = (preview: RulePreview, order: SampleOrder): number | null =>
  order.product_id.endsWith('-range') ? null : (preview.costs[order.product_id] ?? null);

export const useRules = defineStore('rules', () => {
  const published = shallowRef<PriceRules | null>(null);
  const draft = ref<PriceRule[]>([]);
  const preview = shallowRef<RulePreview | null>(null);
  const rows = shallowRef<SamplePrice[]>([]);
  const problem = shallowRef<Problem | null>(null); // nothing could be loaded
  const refused = shallowRef<Problem | null>(null); // the draft cannot be priced
  const pricing = ref(false);
  let samples: SampleOrder[] = [];
  let now = new Map<string, number | null>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let turn = 0;

  const dirty = computed(
    () => published.value !== null && JSON.stringify(copy(published.value.rules)) !== JSON.stringify(copy(draft.value)),
  );

  function adopt(rules: PriceRules): void {
    published.value = rules;
    draft.value = copy(rules.rules);
  }

  async function load(): Promise<void> {
    problem.value = null;
    try {
      const rules = await getRules();
      // What is being edited stays, unless another version was published meanwhile.
      if (!dirty.value || rules.version !== published.value?.version) adopt(rules);
      const first = await previewRules(copy(rules.rules));
      samples = await samplesOf(first);
      now = await pricesOf(first, samples);
      await price();
    } catch (error) {
      problem.value = asProblem(error);
    }
  }

  async function price(): Promise<void> {
    const mine = ++turn;
    pricing.value = true;
    try {
      const answer = await previewRules(draft.value);
      const prices = await pricesOf(answer, samples);
      if (mine !== turn) return;
      preview.value = answer;
      refused.value = null;
      rows.value = samples.map((order) => ({
        order,
        now: now.get(order.order_id) ?? null,
        draft: prices.get(order.order_id) ?? null,
        cost: costOf(answer, order),
      }));
    } catch (error) {
      if (mine === turn) refused.value = asProblem(error);
    } finally {
      if (mine === turn) pricing.value = false;
    }
  }

  function changed(): void {
    clearTimeout(timer);
    pricing.value = true;
    timer = setTimeout(() => void price(), kWaitMs);
  }

  return { published, draft, preview, rows, problem, refused, pricing, dirty, adopt, load, changed };
});
