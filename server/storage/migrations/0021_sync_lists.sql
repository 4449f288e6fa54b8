-- What one buyer's devices share: one row a list (drafts, recipients), all items of it sealed as one text.
CREATE TABLE sync_lists (
  list_key TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (user_id),
  list TEXT NOT NULL,
  revision BIGINT NOT NULL,
  items_sealed TEXT NOT NULL,
  changed_at_ms BIGINT NOT NULL);
CREATE INDEX sync_lists_by_user ON sync_lists (user_id);
CREATE INDEX sync_lists_by_time ON sync_lists (changed_at_ms);
