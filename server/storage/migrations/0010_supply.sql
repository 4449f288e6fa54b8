-- Several suppliers for each product: what each lists, what of it is approved, which way an order went and why, how
-- each line fares, every exchange with them, and the stock of PINs.

-- Amounts are those of the product's own face; 0 of a cost or of what is delivered: the supplier does not say.
ALTER TABLE supplier_products ADD COLUMN sku TEXT NOT NULL DEFAULT '';
ALTER TABLE supplier_products ADD COLUMN kind TEXT NOT NULL DEFAULT 'airtime';
ALTER TABLE supplier_products ADD COLUMN face_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE supplier_products ADD COLUMN face_currency TEXT NOT NULL DEFAULT 'CNY';
ALTER TABLE supplier_products ADD COLUMN most_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE supplier_products ADD COLUMN step_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE supplier_products ADD COLUMN cost_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE supplier_products ADD COLUMN cost_currency TEXT NOT NULL DEFAULT 'CNY';
ALTER TABLE supplier_products ADD COLUMN delivered_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE supplier_products ADD COLUMN delivered_currency TEXT NOT NULL DEFAULT 'CNY';
ALTER TABLE supplier_products ADD COLUMN priority BIGINT NOT NULL DEFAULT 100;
ALTER TABLE supplier_products ADD COLUMN enabled BIGINT NOT NULL DEFAULT 1;

-- `choice` is the JSON text of why this supplier and none of the others.
ALTER TABLE supplier_attempts ADD COLUMN sku TEXT NOT NULL DEFAULT '';
ALTER TABLE supplier_attempts ADD COLUMN kind TEXT NOT NULL DEFAULT 'airtime';
ALTER TABLE supplier_attempts ADD COLUMN most_cost_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE supplier_attempts ADD COLUMN most_cost_currency TEXT NOT NULL DEFAULT 'CNY';
ALTER TABLE supplier_attempts ADD COLUMN choice TEXT NOT NULL DEFAULT '';

-- A line is a supplier ("reloadly") or one operator of it ("reloadly/1161"). A balance stands with suppliers only.
CREATE TABLE supplier_lines (
  line TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  closings BIGINT NOT NULL DEFAULT 0,
  changed_at_ms BIGINT NOT NULL,
  reopen_at_ms BIGINT NOT NULL DEFAULT 0,
  trial_attempt TEXT NOT NULL DEFAULT '',
  balance_minor BIGINT,
  balance_currency TEXT,
  balance_at_ms BIGINT NOT NULL DEFAULT 0,
  is_low BIGINT NOT NULL DEFAULT 0);

-- What a supplier lists (JSON text), and what of it a person or a rule has let onto the shelf ('' none).
CREATE TABLE supplier_listings (
  supplier TEXT NOT NULL,
  listing TEXT NOT NULL,
  country TEXT NOT NULL,
  state TEXT NOT NULL,
  listed TEXT NOT NULL,
  approved TEXT NOT NULL DEFAULT '',
  first_seen_at_ms BIGINT NOT NULL,
  changed_at_ms BIGINT NOT NULL,
  decided_by TEXT NOT NULL DEFAULT '',
  decided_at_ms BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (supplier, listing));
CREATE INDEX supplier_listings_by_state ON supplier_listings (state, supplier, listing);

CREATE TABLE supplier_exchanges (
  exchange_id TEXT PRIMARY KEY,
  order_id TEXT NOT NULL,
  attempt_id TEXT NOT NULL,
  supplier TEXT NOT NULL,
  operation TEXT NOT NULL,
  request TEXT NOT NULL,
  response TEXT NOT NULL,
  code TEXT NOT NULL,
  outcome TEXT NOT NULL,
  latency_ms BIGINT NOT NULL,
  trace_id TEXT NOT NULL,
  at_ms BIGINT NOT NULL);
CREATE INDEX supplier_exchanges_by_order ON supplier_exchanges (order_id, exchange_id);

-- Vouchers that the shop itself has in stock are sold under a name of its own for each kind of them.
CREATE TABLE pin_products (
  sku TEXT PRIMARY KEY,
  country TEXT NOT NULL,
  operator_name TEXT NOT NULL,
  name TEXT NOT NULL,
  face_minor BIGINT NOT NULL CHECK (face_minor > 0),
  face_currency TEXT NOT NULL,
  cost_minor BIGINT NOT NULL DEFAULT 0,
  cost_currency TEXT NOT NULL DEFAULT 'CNY',
  validity_days BIGINT NOT NULL DEFAULT 0,
  added_by TEXT NOT NULL,
  added_at_ms BIGINT NOT NULL);
-- A PIN is available, held for an unpaid order, or delivered; also those that a supplier's answer brought stand here.
CREATE TABLE pin_stock (
  pin_id TEXT PRIMARY KEY,
  sku TEXT NOT NULL,
  state TEXT NOT NULL,
  code_sealed TEXT NOT NULL,
  serial_sealed TEXT NOT NULL,
  code_index TEXT NOT NULL UNIQUE,
  source TEXT NOT NULL,
  order_id TEXT NOT NULL DEFAULT '',
  attempt_id TEXT NOT NULL DEFAULT '',
  held_until_ms BIGINT NOT NULL DEFAULT 0,
  expires_at_ms BIGINT NOT NULL DEFAULT 0,
  added_by TEXT NOT NULL,
  added_at_ms BIGINT NOT NULL,
  delivered_at_ms BIGINT NOT NULL DEFAULT 0,
  revealed_at_ms BIGINT NOT NULL DEFAULT 0);
CREATE INDEX pin_stock_by_sku ON pin_stock (sku, state, expires_at_ms);
CREATE INDEX pin_stock_by_order ON pin_stock (order_id);
CREATE INDEX pin_stock_by_attempt ON pin_stock (attempt_id);
