-- What the shop offers beside its prices: coupon templates, promotions and member levels (terms as canonical JSON, they
-- go into the price book), the ways coupons are handed out, who owns which, and filling stations.
CREATE TABLE offers (
  kind TEXT NOT NULL,
  offer_id TEXT NOT NULL,
  version BIGINT NOT NULL,
  is_on BIGINT NOT NULL,
  terms TEXT NOT NULL,
  changed_by TEXT NOT NULL,
  changed_at_ms BIGINT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  PRIMARY KEY (kind, offer_id));

-- `claimed` never passes the budget, whoever claims at once: the database keeps that.
CREATE TABLE campaigns (
  campaign_id TEXT PRIMARY KEY,
  template_id TEXT NOT NULL,
  way TEXT NOT NULL,
  name TEXT NOT NULL,
  code TEXT,
  budget BIGINT NOT NULL,
  per_user BIGINT NOT NULL CHECK (per_user > 0),
  claimed BIGINT NOT NULL DEFAULT 0 CHECK (claimed >= 0 AND claimed <= budget),
  starts_at_ms BIGINT NOT NULL,
  ends_at_ms BIGINT NOT NULL,
  valid_days BIGINT NOT NULL,
  valid_until_ms BIGINT NOT NULL,
  is_on BIGINT NOT NULL,
  version BIGINT NOT NULL,
  changed_by TEXT NOT NULL,
  changed_at_ms BIGINT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  UNIQUE (code));

-- Codes that one person uses once; what is kept is their hash.
CREATE TABLE coupon_codes (
  code_hash TEXT PRIMARY KEY,
  campaign_id TEXT NOT NULL REFERENCES campaigns (campaign_id),
  coupon_id TEXT,
  created_at_ms BIGINT NOT NULL);
CREATE INDEX coupon_codes_by_campaign ON coupon_codes (campaign_id);

-- Whether a coupon is held or used says the order that has it (order_holds), so that it cannot say two things.
CREATE TABLE owned_coupons (
  coupon_id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (user_id),
  template_id TEXT NOT NULL,
  campaign_id TEXT NOT NULL REFERENCES campaigns (campaign_id),
  valid_from_ms BIGINT NOT NULL,
  expires_at_ms BIGINT NOT NULL,
  revoked_at_ms BIGINT NOT NULL DEFAULT 0,
  given_by TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL);
CREATE INDEX owned_coupons_by_user ON owned_coupons (user_id, coupon_id);
CREATE INDEX owned_coupons_by_campaign ON owned_coupons (campaign_id, user_id);
CREATE INDEX owned_coupons_by_template ON owned_coupons (template_id);

-- Places are WGS-84 in units of 1e-7 degree; prices fen per litre, 0 not sold or not known.
CREATE TABLE stations (
  station_id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  brand TEXT NOT NULL,
  issuer TEXT NOT NULL,
  city TEXT NOT NULL,
  address TEXT NOT NULL,
  lat_e7 BIGINT NOT NULL,
  lng_e7 BIGINT NOT NULL,
  gasoline_92 BIGINT NOT NULL,
  gasoline_95 BIGINT NOT NULL,
  gasoline_98 BIGINT NOT NULL,
  diesel_0 BIGINT NOT NULL,
  open_minute BIGINT NOT NULL,
  close_minute BIGINT NOT NULL,
  flags BIGINT NOT NULL,
  changed_at_ms BIGINT NOT NULL);
CREATE INDEX stations_by_city ON stations (city, station_id);
CREATE TABLE station_sets (
  version BIGINT PRIMARY KEY,
  stations BIGINT NOT NULL,
  fingerprint TEXT NOT NULL,
  as_of_ms BIGINT NOT NULL,
  bytes BYTEA NOT NULL);
