import { request } from '../transport';

export type OfferKind = 'coupon' | 'promotion' | 'level';
export type OfferForm = 'percent' | 'amount' | 'flash_price';
export interface Terms {
  name_zh: string;
  name_en: string;
  kinds: string[];
  country: string;
  operator_id: string;
  product_id: string;
  cap_minor: number;
  form?: OfferForm;
  value?: number;
  least_spend_minor?: number;
  group?: number;
  allows_promotions?: boolean;
  allows_member?: boolean;
  starts_at_ms?: number;
  ends_at_ms?: number;
  least_growth?: number;
  first_order_only?: boolean;
  optional?: boolean;
  allows_coupons?: boolean;
  growth_from?: number;
  discount_bp?: number;
  amount_minor?: number;
}
export interface Offer {
  kind: OfferKind;
  id: string;
  version: number;
  on: boolean;
  terms: Terms;
  issued: boolean;
  changed_by: string;
  changed_at_ms: number;
}
export type Way = 'open' | 'code' | 'codes' | 'staff';
export interface CampaignTerms {
  template_id: string;
  way: Way;
  name: string;
  code: string;
  budget: number;
  per_user: number;
  starts_at_ms: number;
  ends_at_ms: number;
  valid_days: number;
  valid_until_ms: number;
  on: boolean;
}
export interface Campaign extends CampaignTerms {
  campaign_id: string;
  claimed: number;
  codes?: number;
  version: number;
  changed_by: string;
  changed_at_ms: number;
}
export interface OwnedCoupon {
  coupon_id: string;
  state: string;
  expires_at_ms: number;
  order_id?: string;
  terms: Terms | null;
}

const kBase = '/api/admin/marketing';
const pathOf = (campaign: string, what: string): string => `${kBase}/campaigns/${encodeURIComponent(campaign)}/${what}`;

export const listOffers = async () => (await request<{ offers: Offer[] }>('GET', `${kBase}/offers`)).offers;
export const saveOffer = (offer: { kind: OfferKind; id: string; version: number; on: boolean; terms: Terms }) =>
  request<Offer>('POST', `${kBase}/offers`, { body: offer });

export const listCampaigns = async () =>
  (await request<{ campaigns: Campaign[] }>('GET', `${kBase}/campaigns`)).campaigns;
export const saveCampaign = (id: string, version: number, campaign: CampaignTerms) =>
  request<Campaign>('POST', `${kBase}/campaigns`, {
    body: { ...(id === '' ? {} : { campaign_id: id }), version, campaign },
  });
export const makeCodes = async (campaign: string, count: number, key: string) =>
  (await request<{ codes: string[] }>('POST', pathOf(campaign, 'codes'), { body: { count }, key })).codes;
export const grantCoupons = (campaign: string, users: string[], reason: string, key: string) =>
  request<{ granted: number }>('POST', pathOf(campaign, 'grants'), { body: { users, reason }, key });

export const listCoupons = async (user: string) =>
  (await request<{ coupons: OwnedCoupon[] }>('GET', `${kBase}/coupons?user_id=${encodeURIComponent(user)}`)).coupons;
export const revokeCoupon = async (coupon: string, reason: string) =>
  (
    await request<{ coupons: OwnedCoupon[] }>('POST', `${kBase}/coupons/${encodeURIComponent(coupon)}/revoke`, {
      body: { reason },
    })
  ).coupons;
