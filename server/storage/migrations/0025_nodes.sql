-- The processes that serve one shop on one database: each counts up its row while it lives. Rows of those that were killed
-- stay for a day: what they had begun is known to have ended.
CREATE TABLE shop_nodes (
  process TEXT PRIMARY KEY,
  node TEXT NOT NULL,
  beats BIGINT NOT NULL,
  seen_at_ms BIGINT NOT NULL);
