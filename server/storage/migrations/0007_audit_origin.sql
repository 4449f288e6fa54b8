-- Where a change came from and what it changed. Rows of before have version 1: their hash does not cover these columns,
-- which must then be empty.

ALTER TABLE audit_log ADD COLUMN chain_version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE audit_log ADD COLUMN before_text TEXT NOT NULL DEFAULT '';
ALTER TABLE audit_log ADD COLUMN after_text TEXT NOT NULL DEFAULT '';
ALTER TABLE audit_log ADD COLUMN address_masked TEXT NOT NULL DEFAULT '';
ALTER TABLE audit_log ADD COLUMN device TEXT NOT NULL DEFAULT '';
ALTER TABLE audit_log ADD COLUMN session_prefix TEXT NOT NULL DEFAULT '';
