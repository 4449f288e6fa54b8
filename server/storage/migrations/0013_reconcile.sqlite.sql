-- What parties said of each business day, how it compared with our books, and what people decided about the rest.
-- Amounts are signed as they move the party's account: a payment +, a refund, a charge or a fee -.

-- state: waiting (asked for, or the statement is not to be had yet), matched, refused (it cannot be used), not_offered.
CREATE TABLE recon_runs (
  run_id TEXT PRIMARY KEY,
  party TEXT NOT NULL,
  day TEXT NOT NULL,
  state TEXT NOT NULL,
  why TEXT NOT NULL DEFAULT '',
  lines BIGINT NOT NULL DEFAULT 0,
  agreed BIGINT NOT NULL DEFAULT 0,
  asked_by TEXT NOT NULL,
  tries BIGINT NOT NULL DEFAULT 0,
  created_at_ms BIGINT NOT NULL,
  finished_at_ms BIGINT NOT NULL DEFAULT 0,
  UNIQUE (party, day));
CREATE INDEX recon_runs_by_day ON recon_runs (day, run_id);

-- The statement as it came last; a later one of the same day takes its place as a whole.
CREATE TABLE recon_lines (
  run_id TEXT NOT NULL,
  line BIGINT NOT NULL,
  side TEXT NOT NULL,
  number TEXT NOT NULL,
  their_number TEXT NOT NULL,
  payee TEXT NOT NULL,
  word TEXT NOT NULL,
  stand TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  amount_currency TEXT NOT NULL,
  has_amount BIGINT NOT NULL,
  fee_minor BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (run_id, line));

-- Of each merchant of the party: the sums of the day, and what of its fees is booked.
CREATE TABLE recon_totals (
  run_id TEXT NOT NULL,
  payee TEXT NOT NULL,
  currency TEXT NOT NULL,
  lines BIGINT NOT NULL,
  in_minor BIGINT NOT NULL,
  out_minor BIGINT NOT NULL,
  fee_minor BIGINT NOT NULL,
  booked_fee_minor BIGINT NOT NULL DEFAULT 0,
  bookings BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (run_id, payee, currency));

-- state: open, resolved. move: what the account must move by to agree with the party. carried: what was moved for it.
-- waived: what a person moved back, since the party is to correct it. suspense: what of it nobody has explained.
CREATE TABLE recon_differences (
  difference_id TEXT PRIMARY KEY,
  run_id TEXT NOT NULL,
  party TEXT NOT NULL,
  day TEXT NOT NULL,
  kind TEXT NOT NULL,
  side TEXT NOT NULL,
  number TEXT NOT NULL,
  copy BIGINT NOT NULL,
  order_id TEXT NOT NULL,
  payee TEXT NOT NULL,
  ours_minor BIGINT,
  theirs_minor BIGINT,
  ours_word TEXT NOT NULL,
  theirs_word TEXT NOT NULL,
  ours_at_ms BIGINT NOT NULL,
  theirs_at_ms BIGINT NOT NULL,
  currency TEXT NOT NULL,
  move_minor BIGINT NOT NULL,
  carried_minor BIGINT NOT NULL DEFAULT 0,
  waived_minor BIGINT NOT NULL DEFAULT 0,
  suspense_minor BIGINT NOT NULL DEFAULT 0,
  postings BIGINT NOT NULL DEFAULT 0,
  state TEXT NOT NULL,
  resolution TEXT NOT NULL DEFAULT '',
  reason TEXT NOT NULL DEFAULT '',
  resolved_by TEXT NOT NULL DEFAULT '',
  opened_at_ms BIGINT NOT NULL,
  resolved_at_ms BIGINT NOT NULL DEFAULT 0,
  UNIQUE (run_id, side, number, copy, kind));
CREATE INDEX recon_differences_by_state ON recon_differences (state, difference_id);
CREATE TRIGGER recon_differences_stay BEFORE DELETE ON recon_differences
BEGIN SELECT RAISE(ABORT, 'differences are never removed'); END;
CREATE TRIGGER recon_differences_fixed BEFORE UPDATE ON recon_differences
WHEN NEW.run_id <> OLD.run_id OR NEW.side <> OLD.side OR NEW.number <> OLD.number OR NEW.copy <> OLD.copy
  OR NEW.kind <> OLD.kind OR NEW.currency <> OLD.currency OR NEW.postings < OLD.postings
BEGIN SELECT RAISE(ABORT, 'a difference stays what it is of'); END;
