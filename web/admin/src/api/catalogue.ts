// Price rules, products, what suppliers list, and the lines to them.
import { request } from '../transport';
import type { Money } from './types';

export type RuleForm = 'fixed_price' | 'of_face' | 'of_cost';
export type Rounding = 'down' | 'up' | 'half_up';
export const kKinds = ['airtime', 'data', 'fuel_card', 'pin'] as const;

export interface PriceRule {
  id: string;
  version?: number;
  kinds: string[];
  country: string;
  operator_id: string;
  product_id: string;
  form: RuleForm;
  price_minor: number;
  rate_bp: number;
  fee_minor: number;
  step_minor: number;
  round: Rounding;
  least_margin_bp: number;
  allow_below_cost: boolean;
  below_cost_reason: string;
}
export interface PriceRules {
  version: number;
  rules: PriceRule[];
}
export interface PriceChange {
  product_id: string;
  rule_id: string;
  before_minor: number;
  after_minor: number;
  cost_minor: number;
}
export interface SampleOrder {
  order_id: string;
  product_id: string;
  face: Money;
  paid_minor: number;
  created_at_ms: number;
}
export interface RulePreview {
  book_hex: string;
  changed: number;
  changes: PriceChange[];
  below_cost: string[];
  costs: Record<string, number>;
  samples: SampleOrder[];
}
export interface RuleSet extends PriceRules {
  reason: string;
  back_to: number;
  book_version: number;
  published_by: string;
  published_at_ms: number;
}

const query = (values: Record<string, string>) => {
  const given = Object.entries(values).filter(([, value]) => value !== '');
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
};
const post = <T>(path: string, body: unknown, once?: string) => request<T>('POST', path, { body, key: once });

export const getRules = () => request<PriceRules>('GET', '/api/admin/price-rules');
export const previewRules = (rules: PriceRule[]) => post<RulePreview>('/api/admin/price-rules/preview', { rules });
export const publishRules = (set: PriceRules, reason: string, once: string) =>
  post<PriceRules>('/api/admin/price-rules/publish', { ...set, reason }, once);
export const rollBackRules = (version: number, to: number, reason: string, once: string) =>
  post<PriceRules>('/api/admin/price-rules/rollback', { version, to, reason }, once);
export const ruleHistory = (cursor: string) =>
  request<{ versions: RuleSet[]; next_cursor?: string }>('GET', `/api/admin/price-rules/history${query({ cursor })}`);

export interface ShopProduct {
  product_id: string;
  operator_id: string;
  operator_zh: string;
  operator_en: string;
  country: string;
  kind: string;
  face: Money;
  delivered: Money;
  most_minor: number;
  step_minor: number;
  validity_days: number;
  supplier_name: string;
  on_sale: boolean;
  name_zh: string;
  name_en: string;
  list_minor?: number;
  cost_minor?: number;
  guarded?: boolean;
}
export interface CountryRow {
  country: string;
  name_zh: string;
  name_en: string;
  operators: { id: string; name_zh: string; name_en: string; products: number }[];
}
export interface ProductPage {
  products: ShopProduct[];
  total: number;
  next_cursor?: string;
  countries?: CountryRow[];
}
export interface ProductFilter {
  country: string;
  operator_id: string;
  kind: string;
  on_sale: string;
  q: string;
}
export interface ProductEdit {
  product_id: string;
  on_sale?: boolean;
  name_zh?: string;
  name_en?: string;
}
export interface EditAnswer {
  changed: number;
  changes: { product_id: string; fields: { field: string; before: unknown; now: unknown }[] }[];
  errors: { row: number; reason: string }[];
}
export const listProducts = (filter: ProductFilter, cursor: string) =>
  request<ProductPage>('GET', `/api/admin/catalog/products${query({ ...filter, cursor })}`);
export const editProducts = (edits: ProductEdit[], dryRun: boolean, once: string) =>
  post<EditAnswer>('/api/admin/catalog/products', { edits, dry_run: dryRun }, once);

export interface Listing {
  supplier: string;
  listing: string;
  country: string;
  state: string;
  listed: Record<string, unknown> | null;
  approved: Record<string, unknown> | null;
  changes: { field: string; before: unknown; now: unknown }[];
  changed_at_ms: number;
  decided_by: string;
}
export interface ListingPage {
  listings: Listing[];
  counts: { supplier: string; state: string; rows: number }[];
  next_cursor?: string;
}
export const listListings = (filter: { state: string; supplier: string }, cursor: string) =>
  request<ListingPage>('GET', `/api/admin/catalog/listings${query({ ...filter, cursor })}`);
export const decideListings = (
  supplier: string,
  decision: 'approve' | 'decline',
  listings: string[],
  once: string,
) => post<{ changed: number }>('/api/admin/catalog/decisions', { supplier, decision, listings }, once);
export const syncCatalog = (supplier: string, once: string) =>
  post<{ started: boolean }>('/api/admin/catalog/sync', { supplier }, once);

export interface SupplierLine {
  line: string;
  state: string;
  reason: string;
  closings: number;
  changed_at_ms: number;
  reopen_at_ms: number;
  low_balance: boolean;
  balance?: Money;
  balance_at_ms?: number;
}
export const getSuppliers = () =>
  request<{ suppliers: string[]; lines: SupplierLine[]; listings: ListingPage['counts'] }>('GET', '/api/admin/suppliers');
export const setLine = (line: string, open: boolean, reason: string, once: string) =>
  post<SupplierLine>('/api/admin/suppliers/lines', { line, open, reason }, once);
export const testParty = (party: string) =>
  request<{ party: string; kind: string; ok: boolean; said: string; took_ms: number }>(
    'POST',
    `/api/admin/parties/${encodeURIComponent(party)}/test`,
  );

// One supplier that can deliver a product. The lowest priority is first among those of the same cost.
export interface Way {
  product_id: string;
  supplier: string;
  supplier_operator_id: string;
  sku: string;
  cost?: Money;
  priority: number;
  enabled: boolean;
}
export const listWays = async (productId: string) =>
  (await request<{ ways: Way[] }>('GET', `/api/admin/catalog/ways?${new URLSearchParams({ product_id: productId })}`)).ways;
export const setWay = async (way: Pick<Way, 'product_id' | 'supplier' | 'priority' | 'enabled'>, once: string) =>
  (await post<{ ways: Way[] }>('/api/admin/catalog/ways', way, once)).ways;
