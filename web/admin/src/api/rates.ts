import { request } from '../transport';
import type { PriceRule } from './catalogue';

export interface RateEntry {
  currency: string;
  rate: string; // what one unit costs in yuan
  source: string; // "configuration", or what whoever set it wrote
  is_stale: boolean;
  set_at_ms?: number; // absent for those of the configuration
  valid_until_ms?: number;
  reason?: string;
  set_by?: string;
}
export interface RatePage {
  rates: (RateEntry & { history: RateEntry[] })[];
  most_drift_bp: number;
  most_valid_days: number;
  now_ms: number;
}
export interface NewRate {
  currency: string;
  rate: string;
  valid_days: number;
  source: string;
  reason: string;
}
export const listRates = () => request<RatePage>('GET', '/api/admin/rates');
export const setRate = (rate: NewRate, key: string) => request<RatePage>('POST', '/api/admin/rates', { body: rate, key });

export interface ProductNote {
  product_id: string;
  labels: string[];
  place: number; // 0: after those that have one
  aliases: string[];
}
export const kLabels = ['hot', 'new', 'recommended', 'value', 'limited'] as const;
export const kMostLabels = 2;
export const kMostAliases = 8;
export const listNotes = async () => (await request<{ products: ProductNote[] }>('GET', '/api/admin/catalog/notes')).products;
export const saveNote = (note: ProductNote) => request<ProductNote>('POST', '/api/admin/catalog/notes', { body: note });

export interface RuleDraft {
  version: number; // of the published rules that it began from
  rules: PriceRule[];
  saved_at_ms: number;
}
export const getDraft = async () => (await request<{ draft: RuleDraft | null }>('GET', '/api/admin/price-rules/draft')).draft;
export const saveDraft = async (version: number, rules: PriceRule[]) =>
  (await request<{ draft: RuleDraft }>('PUT', '/api/admin/price-rules/draft', { body: { version, rules } })).draft;
export const discardDraft = () => request('DELETE', '/api/admin/price-rules/draft');
