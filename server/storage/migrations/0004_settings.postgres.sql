-- What staff may change while the shop runs: one row per key and version that changed it. A value is JSON text; none
-- means the preset. Rows are only ever added: going back to a version is a new version.

CREATE TABLE settings (
  version BIGINT NOT NULL,
  setting TEXT NOT NULL,
  value TEXT,
  previous TEXT,
  changed_by TEXT NOT NULL,
  changed_at_ms BIGINT NOT NULL,
  PRIMARY KEY (version, setting));
CREATE INDEX settings_by_setting ON settings (setting, version);

CREATE TRIGGER settings_keep BEFORE UPDATE ON settings
  FOR EACH ROW EXECUTE FUNCTION topup_refuse('settings are insert-only');
CREATE TRIGGER settings_stay BEFORE DELETE ON settings
  FOR EACH ROW EXECUTE FUNCTION topup_refuse('settings are insert-only');
CREATE TRIGGER settings_whole BEFORE TRUNCATE ON settings
  FOR EACH STATEMENT EXECUTE FUNCTION topup_refuse('settings are insert-only');

-- Stored answers are kept for a bounded time; the oldest go first.
CREATE INDEX idempotency_by_created ON idempotency (created_at_ms);
