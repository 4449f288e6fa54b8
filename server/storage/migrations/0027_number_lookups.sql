-- Whose number it was when a supplier was asked last, by the number's keyed hash alone; operator_id '' where nobody knew.
CREATE TABLE number_lookups (
  number_index TEXT PRIMARY KEY,
  country TEXT NOT NULL,
  operator_id TEXT NOT NULL,
  expires_at_ms BIGINT NOT NULL);
CREATE INDEX number_lookups_by_expiry ON number_lookups (expires_at_ms);
