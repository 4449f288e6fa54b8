-- The books in full: a chart of accounts, an order of the journals, customer wallets with holds, a record for each
-- failed order, and work items that a person takes, works off and closes.

ALTER TABLE work_items ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE work_items ADD COLUMN claimed_at_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE work_items ADD COLUMN resolved_by TEXT NOT NULL DEFAULT '';
ALTER TABLE work_items ADD COLUMN resolved_at_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE work_items ADD COLUMN resolution TEXT NOT NULL DEFAULT '';
ALTER TABLE work_items ADD COLUMN held_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE work_items ADD COLUMN held_currency TEXT NOT NULL DEFAULT '';
ALTER TABLE work_items ADD COLUMN times BIGINT NOT NULL DEFAULT 1;
CREATE INDEX work_items_by_age ON work_items (state, created_at_ms, work_item_id);
CREATE INDEX work_items_by_order ON work_items (order_id);
-- What is held for an order in review stands under its payment from now on.
UPDATE work_items SET subject = (
         SELECT MIN(a.out_trade_no) FROM payment_attempts a
          WHERE a.order_id = work_items.subject AND a.state = 'mismatch')
 WHERE kind = 'payment_mismatch' AND EXISTS (
         SELECT 1 FROM payment_attempts a WHERE a.order_id = work_items.subject AND a.state = 'mismatch');
UPDATE work_items SET
       held_minor = COALESCE((SELECT a.paid_minor FROM payment_attempts a WHERE a.out_trade_no = work_items.subject), 0),
       held_currency = COALESCE((SELECT a.amount_currency FROM payment_attempts a WHERE a.out_trade_no = work_items.subject), '')
 WHERE kind = 'payment_mismatch' AND state = 'open'
   AND EXISTS (SELECT 1 FROM journals j WHERE j.template = 'suspense' AND j.subject = work_items.subject)
   AND NOT EXISTS (SELECT 1 FROM journals j WHERE j.template = 'suspense_settled' AND j.subject = work_items.subject);

-- The channel's own word for a refusal, who asked for the refund, and the refused one whose place it takes.
ALTER TABLE refunds ADD COLUMN code TEXT NOT NULL DEFAULT '';
ALTER TABLE refunds ADD COLUMN asked_by TEXT NOT NULL DEFAULT '';
ALTER TABLE refunds ADD COLUMN replaces TEXT NOT NULL DEFAULT '';

-- One record for each order that failed after it was paid: why, how much, at whom; closed when the money is back.
CREATE TABLE error_accounts (
  order_id TEXT PRIMARY KEY,
  cause TEXT NOT NULL,
  party TEXT NOT NULL,
  amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
  amount_currency TEXT NOT NULL,
  state TEXT NOT NULL,
  opened_at_ms BIGINT NOT NULL,
  closed_at_ms BIGINT NOT NULL DEFAULT 0,
  closed_by TEXT NOT NULL DEFAULT '');
CREATE INDEX error_accounts_by_state ON error_accounts (state, opened_at_ms);
INSERT INTO error_accounts (order_id, cause, party, amount_minor, amount_currency, state, opened_at_ms)
  SELECT order_id, 'not_delivered', 'system', payable_minor, payable_currency, 'open', updated_at_ms
    FROM orders WHERE state = 'refunding';

-- The families of accounts that a posting may name; server/ledger/chart.h holds the same table.
CREATE TABLE accounts (
  family TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  normal_side TEXT NOT NULL,
  parts TEXT NOT NULL);
INSERT INTO accounts (family, kind, normal_side, parts) VALUES
  ('asset.bank', 'asset', 'debit', '1'),
  ('asset.channel_clearing', 'asset', 'debit', '2'),
  ('asset.supplier_prepaid', 'asset', 'debit', '1'),
  ('liability.customer_orders', 'liability', 'credit', '0'),
  ('liability.refunds_payable', 'liability', 'credit', '0'),
  ('liability.suspense', 'liability', 'credit', '0'),
  ('liability.wallet_available', 'liability', 'credit', '0'),
  ('liability.wallet_held', 'liability', 'credit', '0'),
  ('equity.capital', 'equity', 'credit', '0'),
  ('equity.currency_exchange', 'equity', 'either', '0'),
  ('revenue.sales', 'revenue', 'credit', '0'),
  ('cost.sales', 'cost', 'debit', '0'),
  ('cost.channel_fees', 'cost', 'debit', '1'),
  ('cost.adjustments', 'cost', 'either', '0'),
  ('cost.currency_difference', 'cost', 'either', '0');

-- A customer's own balance. What is held is still the customer's, and cannot be spent twice.
CREATE TABLE wallets (
  user_id TEXT NOT NULL,
  currency TEXT NOT NULL,
  available_minor BIGINT NOT NULL DEFAULT 0 CHECK (available_minor >= 0),
  held_minor BIGINT NOT NULL DEFAULT 0 CHECK (held_minor >= 0),
  version BIGINT NOT NULL DEFAULT 0,
  updated_at_ms BIGINT NOT NULL,
  PRIMARY KEY (user_id, currency));
CREATE TABLE wallet_holds (
  hold_id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL,
  amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
  amount_currency TEXT NOT NULL,
  captured_minor BIGINT NOT NULL DEFAULT 0 CHECK (captured_minor >= 0 AND captured_minor <= amount_minor),
  refunded_minor BIGINT NOT NULL DEFAULT 0 CHECK (refunded_minor >= 0 AND refunded_minor <= captured_minor),
  state TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  updated_at_ms BIGINT NOT NULL);
CREATE INDEX wallet_holds_by_user ON wallet_holds (user_id, state);
CREATE TABLE wallet_entries (
  user_id TEXT NOT NULL,
  currency TEXT NOT NULL,
  version BIGINT NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  available_minor BIGINT NOT NULL,
  held_minor BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (user_id, currency, version),
  UNIQUE (kind, subject));

-- The finance view: turnover of each account and business day, brought forward journal by journal in their order.
CREATE TABLE finance_days (
  day TEXT NOT NULL,
  account TEXT NOT NULL,
  currency TEXT NOT NULL,
  debit_minor BIGINT NOT NULL,
  credit_minor BIGINT NOT NULL,
  postings BIGINT NOT NULL,
  PRIMARY KEY (day, account, currency));
CREATE TABLE finance_cursor (
  id BIGINT PRIMARY KEY CHECK (id = 1),
  seq BIGINT NOT NULL);
INSERT INTO finance_cursor (id, seq) VALUES (1, 0);

-- Journals have an order of their own, without gaps: whoever follows them needs to know only how far it came.
ALTER TABLE journals ADD COLUMN seq BIGINT NOT NULL DEFAULT 0;
DROP TRIGGER journals_keep;
UPDATE journals SET seq = ranked.place
  FROM (SELECT journal_id, ROW_NUMBER() OVER (ORDER BY at_ms, journal_id) AS place FROM journals) AS ranked
 WHERE ranked.journal_id = journals.journal_id;
CREATE TRIGGER journals_keep BEFORE UPDATE ON journals BEGIN SELECT RAISE(ABORT, 'journals are insert-only'); END;
CREATE UNIQUE INDEX journals_by_seq ON journals (seq);
CREATE TABLE ledger_head (
  id BIGINT PRIMARY KEY CHECK (id = 1),
  seq BIGINT NOT NULL);
INSERT INTO ledger_head (id, seq) SELECT 1, COALESCE(MAX(seq), 0) FROM journals;

-- No line of nothing, and none that JavaScript could not hold.
CREATE TRIGGER postings_in_range BEFORE INSERT ON postings
WHEN NEW.amount_minor = 0 OR NEW.amount_minor > 9007199254740991 OR NEW.amount_minor < -9007199254740991
BEGIN SELECT RAISE(ABORT, 'a posting is of nothing or too large'); END;
CREATE TRIGGER journals_in_order BEFORE INSERT ON journals
WHEN NEW.seq <> (SELECT seq FROM ledger_head)
BEGIN SELECT RAISE(ABORT, 'a journal is out of its order'); END;
CREATE TRIGGER ledger_head_forward BEFORE UPDATE ON ledger_head
WHEN NEW.seq <> OLD.seq + 1
BEGIN SELECT RAISE(ABORT, 'journals are numbered one by one'); END;

-- What a refund is of never changes, and one that the buyer has is never taken back.
CREATE TRIGGER refunds_fixed BEFORE UPDATE ON refunds
WHEN NEW.out_refund_no <> OLD.out_refund_no OR NEW.order_id <> OLD.order_id OR NEW.out_trade_no <> OLD.out_trade_no
  OR NEW.amount_minor <> OLD.amount_minor OR NEW.amount_currency <> OLD.amount_currency
  OR (OLD.state IN ('succeeded', 'paid_by_hand', 'reissued') AND NEW.state <> OLD.state)
BEGIN SELECT RAISE(ABORT, 'a refund keeps its amount and its end'); END;
CREATE TRIGGER refunds_stay BEFORE DELETE ON refunds BEGIN SELECT RAISE(ABORT, 'refunds are never removed'); END;

CREATE TRIGGER wallet_entries_keep BEFORE UPDATE ON wallet_entries BEGIN SELECT RAISE(ABORT, 'wallet entries are insert-only'); END;
CREATE TRIGGER wallet_entries_stay BEFORE DELETE ON wallet_entries BEGIN SELECT RAISE(ABORT, 'wallet entries are insert-only'); END;
