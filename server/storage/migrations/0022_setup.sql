-- What the console's first-run wizard keeps: keys of outside parties in versions, which world each
-- party is in since when, notes of the wizard, and probes of the shop's own public address.

-- plain and what secrets_sealed opens to are JSON objects of texts. A version never changes but for its test.
CREATE TABLE party_keys (
  party TEXT NOT NULL,
  version BIGINT NOT NULL,
  plain TEXT NOT NULL,
  secrets_sealed TEXT NOT NULL,
  secret_names TEXT NOT NULL,
  facts TEXT NOT NULL,
  tested_at_ms BIGINT NOT NULL DEFAULT 0,
  tested_well BIGINT NOT NULL DEFAULT 0,
  tested_said TEXT NOT NULL DEFAULT '',
  saved_by TEXT NOT NULL,
  saved_at_ms BIGINT NOT NULL,
  PRIMARY KEY (party, version));

-- Append-only. version: whose keys; 0 in the rehearsed world.
CREATE TABLE party_worlds (
  party TEXT NOT NULL,
  from_ms BIGINT NOT NULL,
  world TEXT NOT NULL,
  version BIGINT NOT NULL,
  reason TEXT NOT NULL,
  set_by TEXT NOT NULL,
  PRIMARY KEY (party, from_ms));

CREATE TABLE setup_notes (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  set_by TEXT NOT NULL,
  set_at_ms BIGINT NOT NULL);

CREATE TABLE notify_probes (
  nonce_hash TEXT PRIMARY KEY,
  path TEXT NOT NULL,
  made_at_ms BIGINT NOT NULL,
  heard_at_ms BIGINT NOT NULL DEFAULT 0);
