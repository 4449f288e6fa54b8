-- Whom an order is for, so that it can be found and counted without opening it: keyed hashes of the whole number and
-- of its last four digits. Orders of before are found by everything else.
ALTER TABLE orders ADD COLUMN account_index TEXT NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN tail_index TEXT NOT NULL DEFAULT '';
CREATE INDEX orders_by_account ON orders (account_index, order_id);
CREATE INDEX orders_by_tail ON orders (tail_index, order_id);
CREATE INDEX supplier_attempts_by_reference ON supplier_attempts (supplier_order_id, attempt_id)
  WHERE supplier_order_id <> '';

-- What staff write beside an order; nothing is ever altered.
CREATE TABLE order_notes (
  note_id TEXT PRIMARY KEY,
  order_id TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  text_sealed TEXT NOT NULL,
  at_ms BIGINT NOT NULL);
CREATE INDEX order_notes_by_order ON order_notes (order_id, note_id);

-- What an order keeps from others while it lives: a coupon (subject: its id), a piece of a stock (subject: the
-- stock), until it is released; a delivery keeps it. A coupon is one thing, so that one live order has it.
CREATE TABLE order_holds (
  order_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  state TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (order_id, kind, subject));
CREATE UNIQUE INDEX order_holds_live ON order_holds (kind, subject)
  WHERE kind = 'coupon' AND state = 'held';
CREATE TABLE stocks (
  stock_id TEXT PRIMARY KEY,
  amount BIGINT NOT NULL CHECK (amount >= 0),
  taken BIGINT NOT NULL DEFAULT 0 CHECK (taken >= 0 AND taken <= amount));

-- Which messages a buyer has agreed to get: each "accept" of a subscribe template is worth one.
CREATE TABLE message_quotas (
  user_id TEXT NOT NULL,
  template_id TEXT NOT NULL,
  accepted BIGINT NOT NULL CHECK (accepted >= 0),
  updated_at_ms BIGINT NOT NULL,
  PRIMARY KEY (user_id, template_id));

-- One row for each thing that a buyer is told, by whichever way it went in the end.
CREATE TABLE messages (
  message_id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  topic TEXT NOT NULL,
  way TEXT NOT NULL,
  state TEXT NOT NULL,
  template_id TEXT NOT NULL,
  party_id TEXT NOT NULL,
  code TEXT NOT NULL,
  tries BIGINT NOT NULL DEFAULT 0,
  read_at_ms BIGINT NOT NULL DEFAULT 0,
  created_at_ms BIGINT NOT NULL,
  updated_at_ms BIGINT NOT NULL,
  UNIQUE (order_id, topic));
CREATE INDEX messages_by_user ON messages (user_id, message_id);
CREATE INDEX messages_by_sms ON messages (message_id) WHERE way = 'sms';

-- What was said to a platform about a delivery, once for each payment.
CREATE TABLE shipping_reports (
  out_trade_no TEXT PRIMARY KEY,
  order_id TEXT NOT NULL,
  state TEXT NOT NULL,
  code TEXT NOT NULL,
  tries BIGINT NOT NULL DEFAULT 0,
  created_at_ms BIGINT NOT NULL,
  updated_at_ms BIGINT NOT NULL);
CREATE INDEX shipping_reports_by_order ON shipping_reports (order_id);
