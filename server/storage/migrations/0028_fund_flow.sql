-- The fund-flow bill of a channel is a statement as well: a run of its own (its party's name ends in _funds), with the
-- account's balance before and after the day; null for every other statement.
ALTER TABLE recon_runs ADD COLUMN opening_minor BIGINT;
ALTER TABLE recon_runs ADD COLUMN closing_minor BIGINT;

-- Movements that carry no reference of ours are paired with what people booked, across days.
CREATE INDEX recon_lines_unnamed ON recon_lines (run_id) WHERE side IN ('withdrawal', 'movement');
