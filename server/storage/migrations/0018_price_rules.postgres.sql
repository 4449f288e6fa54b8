-- The price rules as staff published them: each row is a whole set, and going back to one is a new row.
CREATE TABLE price_rule_sets (
  version BIGINT PRIMARY KEY,
  rules TEXT NOT NULL,
  reason TEXT NOT NULL,
  back_to BIGINT NOT NULL DEFAULT 0,
  book_version BIGINT NOT NULL,
  published_by TEXT NOT NULL,
  published_at_ms BIGINT NOT NULL);
CREATE TRIGGER price_rule_sets_keep BEFORE UPDATE ON price_rule_sets
  FOR EACH ROW EXECUTE FUNCTION topup_refuse('price_rule_sets are insert-only');
CREATE TRIGGER price_rule_sets_stay BEFORE DELETE ON price_rule_sets
  FOR EACH ROW EXECUTE FUNCTION topup_refuse('price_rule_sets are insert-only');
CREATE TRIGGER price_rule_sets_whole BEFORE TRUNCATE ON price_rule_sets
  FOR EACH STATEMENT EXECUTE FUNCTION topup_refuse('price_rule_sets are insert-only');

-- What staff say of a product of ours, over what suppliers list. The history is in the audit trail.
CREATE TABLE product_edits (
  product_id TEXT PRIMARY KEY,
  on_sale BIGINT NOT NULL,
  name_zh TEXT NOT NULL,
  name_en TEXT NOT NULL,
  edited_by TEXT NOT NULL,
  edited_at_ms BIGINT NOT NULL);
