-- The first schema: buyers, staff, catalogue, orders, payments, supply, ledger, jobs, audit.
-- Times are milliseconds since 1970-01-01 UTC. Money stands in pairs x_minor, x_currency. State words are those of
-- shared/order_state.h. Columns named *_sealed hold ciphertext; no other column may hold personal data in the clear.

CREATE TABLE users (
  user_id TEXT PRIMARY KEY,
  created_at_ms BIGINT NOT NULL);

CREATE TABLE sessions (
  token_hash TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (user_id),
  created_at_ms BIGINT NOT NULL,
  expires_at_ms BIGINT NOT NULL,
  ended_at_ms BIGINT);

CREATE TABLE staff (
  staff_id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  role TEXT NOT NULL,
  password TEXT NOT NULL,
  failures BIGINT NOT NULL DEFAULT 0,
  locked_until_ms BIGINT NOT NULL DEFAULT 0,
  created_at_ms BIGINT NOT NULL);

CREATE TABLE staff_sessions (
  token_hash TEXT PRIMARY KEY,
  staff_id TEXT NOT NULL REFERENCES staff (staff_id),
  created_at_ms BIGINT NOT NULL,
  expires_at_ms BIGINT NOT NULL,
  ended_at_ms BIGINT);

CREATE TABLE price_books (
  version BIGINT PRIMARY KEY,
  bytes BYTEA NOT NULL,
  fingerprint TEXT NOT NULL,
  published_at_ms BIGINT NOT NULL);

-- What a product of ours is called by the supplier that delivers it.
CREATE TABLE supplier_products (
  product_id TEXT NOT NULL,
  supplier TEXT NOT NULL,
  supplier_operator_id TEXT NOT NULL,
  country TEXT NOT NULL,
  PRIMARY KEY (product_id, supplier));

CREATE TABLE orders (
  order_id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (user_id),
  client_key TEXT NOT NULL,
  client_fingerprint TEXT NOT NULL,
  state TEXT NOT NULL,
  version BIGINT NOT NULL,
  product_id TEXT NOT NULL,
  operator_id TEXT NOT NULL,
  operator_name_zh TEXT NOT NULL,
  operator_name_en TEXT NOT NULL,
  account_sealed TEXT NOT NULL,
  account_masked TEXT NOT NULL,
  face_minor BIGINT NOT NULL CHECK (face_minor > 0),
  face_currency TEXT NOT NULL,
  payable_minor BIGINT NOT NULL CHECK (payable_minor > 0),
  payable_currency TEXT NOT NULL,
  delivered_minor BIGINT NOT NULL,
  delivered_currency TEXT NOT NULL,
  quote TEXT NOT NULL,
  event_seq BIGINT NOT NULL,
  trace_id TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  updated_at_ms BIGINT NOT NULL,
  pay_by_ms BIGINT NOT NULL,
  UNIQUE (user_id, client_key));
CREATE INDEX orders_by_user ON orders (user_id, order_id);
CREATE INDEX orders_by_state ON orders (state, order_id);
CREATE INDEX orders_by_created ON orders (created_at_ms);

CREATE TABLE order_events (
  order_id TEXT NOT NULL REFERENCES orders (order_id),
  seq BIGINT NOT NULL,
  event TEXT NOT NULL,
  from_state TEXT NOT NULL,
  to_state TEXT NOT NULL,
  actor TEXT NOT NULL,
  reason TEXT NOT NULL,
  trace_id TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (order_id, seq));

CREATE TABLE payment_attempts (
  out_trade_no TEXT PRIMARY KEY,
  order_id TEXT NOT NULL REFERENCES orders (order_id),
  channel TEXT NOT NULL,
  scene TEXT NOT NULL,
  state TEXT NOT NULL,
  amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
  amount_currency TEXT NOT NULL,
  paid_minor BIGINT NOT NULL DEFAULT 0,
  refunded_minor BIGINT NOT NULL DEFAULT 0 CHECK (refunded_minor >= 0 AND refunded_minor <= paid_minor),
  transaction_id TEXT,
  h5_url TEXT,
  ticket_good_until_ms BIGINT NOT NULL DEFAULT 0,
  expires_at_ms BIGINT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  updated_at_ms BIGINT NOT NULL,
  UNIQUE (channel, transaction_id));
CREATE INDEX payment_attempts_by_order ON payment_attempts (order_id);

-- Each verified notification once, as a record of what was heard and what it changed.
CREATE TABLE notifications (
  channel TEXT NOT NULL,
  notify_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  outcome TEXT NOT NULL,
  received_at_ms BIGINT NOT NULL,
  PRIMARY KEY (channel, notify_id));

CREATE TABLE refunds (
  out_refund_no TEXT PRIMARY KEY,
  order_id TEXT NOT NULL REFERENCES orders (order_id),
  out_trade_no TEXT NOT NULL REFERENCES payment_attempts (out_trade_no),
  state TEXT NOT NULL,
  amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
  amount_currency TEXT NOT NULL,
  reason TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  updated_at_ms BIGINT NOT NULL);
CREATE INDEX refunds_by_order ON refunds (order_id);

CREATE TABLE supplier_attempts (
  attempt_id TEXT PRIMARY KEY,
  order_id TEXT NOT NULL REFERENCES orders (order_id),
  attempt_no BIGINT NOT NULL,
  supplier TEXT NOT NULL,
  supplier_operator_id TEXT NOT NULL,
  country TEXT NOT NULL,
  state TEXT NOT NULL,
  supplier_order_id TEXT NOT NULL DEFAULT '',
  code TEXT NOT NULL DEFAULT '',
  queries BIGINT NOT NULL DEFAULT 0,
  not_found_count BIGINT NOT NULL DEFAULT 0,
  cost_minor BIGINT,
  cost_currency TEXT,
  created_at_ms BIGINT NOT NULL,
  updated_at_ms BIGINT NOT NULL,
  UNIQUE (order_id, attempt_no));

-- Double entry: postings are written first, the journal row seals them. Amounts are signed, a debit is positive.
CREATE TABLE postings (
  journal_id TEXT NOT NULL,
  line BIGINT NOT NULL,
  account TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  amount_currency TEXT NOT NULL,
  PRIMARY KEY (journal_id, line));
CREATE TABLE journals (
  journal_id TEXT PRIMARY KEY,
  template TEXT NOT NULL,
  subject TEXT NOT NULL,
  order_id TEXT NOT NULL,
  trace_id TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  UNIQUE (template, subject));
CREATE INDEX journals_by_order ON journals (order_id);
CREATE TABLE account_balances (
  account TEXT NOT NULL,
  currency TEXT NOT NULL,
  balance_minor BIGINT NOT NULL,
  PRIMARY KEY (account, currency));

CREATE TABLE outbox (
  job_id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  state TEXT NOT NULL,
  priority BIGINT NOT NULL,
  run_at_ms BIGINT NOT NULL,
  attempts BIGINT NOT NULL DEFAULT 0,
  lease_until_ms BIGINT NOT NULL DEFAULT 0,
  fence BIGINT NOT NULL DEFAULT 0,
  leased_by TEXT NOT NULL DEFAULT '',
  trace_id TEXT NOT NULL,
  last_error TEXT NOT NULL DEFAULT '',
  created_at_ms BIGINT NOT NULL,
  UNIQUE (kind, subject));
CREATE INDEX outbox_due ON outbox (state, run_at_ms);

CREATE TABLE idempotency (
  owner TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  claimed_by TEXT NOT NULL,
  status BIGINT NOT NULL DEFAULT 0,
  content_type TEXT NOT NULL DEFAULT '',
  body TEXT NOT NULL DEFAULT '',
  created_at_ms BIGINT NOT NULL,
  PRIMARY KEY (owner, idempotency_key));

CREATE TABLE work_items (
  work_item_id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  order_id TEXT NOT NULL,
  detail TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  UNIQUE (kind, subject));

CREATE TABLE audit_log (
  seq BIGINT PRIMARY KEY,
  at_ms BIGINT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL,
  trace_id TEXT NOT NULL,
  previous_hash TEXT NOT NULL,
  hash TEXT NOT NULL);
CREATE INDEX audit_log_by_subject ON audit_log (subject, seq);
CREATE TABLE audit_head (
  id BIGINT PRIMARY KEY CHECK (id = 1),
  seq BIGINT NOT NULL,
  hash TEXT NOT NULL);
INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '');
