-- Data keys: each is held wrapped by a master key that lives outside the database, and seals what its id stands before.

CREATE TABLE data_keys (
  key_id TEXT PRIMARY KEY,
  purpose TEXT NOT NULL,          -- seal, index, audit
  state TEXT NOT NULL,            -- active, kept, retired, forgotten
  seals BIGINT NOT NULL DEFAULT 0,  -- how many were set aside for processes: at least as many as were made
  created_at_ms BIGINT NOT NULL,
  left_at_ms BIGINT NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX data_keys_one_active ON data_keys (purpose) WHERE state = 'active';

CREATE TABLE data_key_wraps (
  key_id TEXT NOT NULL REFERENCES data_keys (key_id),
  master_id TEXT NOT NULL,
  wrapped TEXT NOT NULL,
  PRIMARY KEY (key_id, master_id));

-- How far the sealing anew of each column has come.
CREATE TABLE reseals (
  place TEXT PRIMARY KEY,
  key_id TEXT NOT NULL,
  after_row TEXT NOT NULL,
  sealed_rows BIGINT NOT NULL,
  broken_rows BIGINT NOT NULL,
  is_done BIGINT NOT NULL);

-- Who works on the keys now: one process at a time.
CREATE TABLE key_work (
  id BIGINT PRIMARY KEY CHECK (id = 1),
  holder TEXT NOT NULL,
  until_ms BIGINT NOT NULL);
INSERT INTO key_work (id, holder, until_ms) VALUES (1, '', 0);
