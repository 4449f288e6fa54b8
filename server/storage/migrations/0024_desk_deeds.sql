-- What one unit of a currency costs in the shop's, as staff set it: each row is a change, the newest of a currency holds.
CREATE TABLE exchange_rates (
  currency TEXT NOT NULL,
  set_at_ms BIGINT NOT NULL,
  scaled BIGINT NOT NULL CHECK (scaled > 0),
  valid_until_ms BIGINT NOT NULL,
  source TEXT NOT NULL,
  reason TEXT NOT NULL,
  set_by TEXT NOT NULL,
  PRIMARY KEY (currency, set_at_ms));

-- How a product is shown and found: words of a fixed list, its place among others, other names. JSON texts.
CREATE TABLE product_notes (
  product_id TEXT PRIMARY KEY,
  labels TEXT NOT NULL,
  place BIGINT NOT NULL,
  aliases TEXT NOT NULL,
  edited_by TEXT NOT NULL,
  edited_at_ms BIGINT NOT NULL);

-- Price rules that somebody works on and has not published, one draft for each person.
CREATE TABLE price_rule_drafts (
  staff_id TEXT PRIMARY KEY REFERENCES staff (staff_id),
  seen_version BIGINT NOT NULL,
  rules TEXT NOT NULL,
  saved_at_ms BIGINT NOT NULL);
