// The buyer's coupons and level, the ways to get coupons, and filling stations.
import type { BuyerFacts, Money, Place } from '../../wasm/topup';
import type { Send } from './transport';

export interface Level {
  level_id: string;
  name_zh: string;
  name_en: string;
  growth_from: number;
  discount_bp: number;
  amount_minor: number;
  cap_minor: number;
}
/** What the shop prices this buyer with; the page prices with the same. */
export interface Member {
  facts: BuyerFacts;
  degraded: boolean;
  level: Level | null;
  next_level: Level | null;
  levels: Level[];
}
export interface CouponTerms {
  template_id: string;
  name_zh: string;
  name_en: string;
  form: 'percent' | 'amount';
  value: number;
  least_spend_minor: number;
  cap_minor: number;
  kinds: string[];
  country: string;
  operator_id: string;
  product_id: string;
  on: boolean;
}
export type CouponState = 'available' | 'held' | 'used' | 'revoked' | 'expired';
export interface Coupon {
  coupon_id: string;
  state: CouponState;
  valid_from_ms: number;
  /** 0: never. */
  expires_at_ms: number;
  order_id?: string;
  terms: CouponTerms | null;
}
export interface Campaign {
  campaign_id: string;
  terms: CouponTerms;
  ends_at_ms: number;
  valid_days: number;
  valid_until_ms: number;
  left: number;
  mine: number;
  per_user: number;
}
export interface City extends Place {
  city: string;
  stations: number;
}
export interface StationDetail extends Place {
  station_id: string;
  name: string;
  brand: string;
  city: string;
  address: string;
  prices: Record<string, Money>;
  open_minute: number;
  close_minute: number;
  flags: string[];
}

export async function getMember(send: Send): Promise<Member> {
  return (await send<Member>({ method: 'GET', path: '/api/v1/member', session: true })).body;
}
export async function listCoupons(send: Send): Promise<Coupon[]> {
  return (await send<{ coupons: Coupon[] }>({ method: 'GET', path: '/api/v1/coupons', session: true })).body.coupons;
}
export async function listCampaigns(send: Send): Promise<Campaign[]> {
  return (await send<{ campaigns: Campaign[] }>({ method: 'GET', path: '/api/v1/campaigns', session: true })).body.campaigns;
}
/** Repeat-safe by key. Answers all of the buyer's coupons. */
export async function claimCoupon(
  send: Send,
  body: { campaign_id: string } | { code: string },
  idempotencyKey: string,
): Promise<Coupon[]> {
  const answer = await send<{ coupons: Coupon[] }>({
    method: 'POST', path: '/api/v1/coupons', body, session: true, idempotencyKey,
  });
  return answer.body.coupons;
}
/** All stations as the core loads them; null when `fingerprint` is still the current one. */
export async function getStations(send: Send, fingerprint: string): Promise<Uint8Array | null> {
  const ifNoneMatch = fingerprint === '' ? undefined : fingerprint;
  const answer = await send<ArrayBuffer>({ method: 'GET', path: '/api/v1/stations', binary: true, ifNoneMatch });
  return answer.status === 304 ? null : new Uint8Array(answer.body);
}
export async function listCities(send: Send): Promise<City[]> {
  return (await send<{ cities: City[] }>({ method: 'GET', path: '/api/v1/stations/cities' })).body.cities;
}
export async function getStation(send: Send, id: string): Promise<StationDetail> {
  return (await send<StationDetail>({ method: 'GET', path: `/api/v1/stations/${encodeURIComponent(id)}` })).body;
}
