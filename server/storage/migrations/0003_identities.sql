-- Buyers who can be recognised again: ways to sign in, sessions with a name, codes by message, WeChat's redirects, the
-- trail of sign-ins. *_index columns are blind indexes (keyed hashes) of personal data, *_hash those of secrets.

ALTER TABLE sessions ADD COLUMN session_id TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN proof TEXT NOT NULL DEFAULT 'guest';
ALTER TABLE sessions ADD COLUMN device TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN address_masked TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN seen_at_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN ends_by_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN ended_why TEXT NOT NULL DEFAULT '';
UPDATE sessions SET session_id = SUBSTR(token_hash, 1, 26), seen_at_ms = created_at_ms, ends_by_ms = expires_at_ms;
CREATE INDEX sessions_by_user ON sessions (user_id, session_id);

-- kind: wechat_mini, wechat_oa, unionid, phone. app: the appid an openid belongs to; '' for the others.
CREATE TABLE identities (
  identity_id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (user_id),
  kind TEXT NOT NULL,
  app TEXT NOT NULL,
  subject_index TEXT NOT NULL,
  subject_sealed TEXT NOT NULL,
  subject_masked TEXT NOT NULL,
  bound_at_ms BIGINT NOT NULL,
  UNIQUE (kind, app, subject_index),
  UNIQUE (user_id, kind, app));

-- A user that became part of another one. Its row stays: orders of long ago and the audit trail name it.
CREATE TABLE merged_users (
  user_id TEXT PRIMARY KEY REFERENCES users (user_id),
  into_user_id TEXT NOT NULL REFERENCES users (user_id),
  merged_at_ms BIGINT NOT NULL);

-- The right to merge, once, after the owner of both has been asked.
CREATE TABLE merge_tickets (
  ticket_hash TEXT PRIMARY KEY,
  from_user_id TEXT NOT NULL REFERENCES users (user_id),
  into_user_id TEXT NOT NULL REFERENCES users (user_id),
  proof TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  expires_at_ms BIGINT NOT NULL,
  used_at_ms BIGINT);

-- state: sending, sent, refused, unknown. A code that may have left is never sent a second time.
CREATE TABLE sms_codes (
  code_id TEXT PRIMARY KEY,
  phone_index TEXT NOT NULL,
  purpose TEXT NOT NULL,
  code_hash TEXT NOT NULL,
  state TEXT NOT NULL,
  tries BIGINT NOT NULL DEFAULT 0,
  address_index TEXT NOT NULL,
  device_index TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  expires_at_ms BIGINT NOT NULL,
  used_at_ms BIGINT);
CREATE INDEX sms_codes_by_phone ON sms_codes (phone_index, created_at_ms);
CREATE INDEX sms_codes_by_address ON sms_codes (address_index, created_at_ms);
CREATE INDEX sms_codes_by_device ON sms_codes (device_index, created_at_ms);
CREATE INDEX sms_codes_by_time ON sms_codes (created_at_ms);

-- One journey of a browser to WeChat and back. state: started, proven, claimed, spent.
CREATE TABLE wechat_journeys (
  state_hash TEXT PRIMARY KEY,
  browser_hash TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL,
  return_path TEXT NOT NULL,
  proof_sealed TEXT NOT NULL DEFAULT '',
  created_at_ms BIGINT NOT NULL,
  expires_at_ms BIGINT NOT NULL);
CREATE INDEX wechat_journeys_by_time ON wechat_journeys (created_at_ms);

-- The access token of one WeChat app, shared by all nodes.
CREATE TABLE wechat_tokens (
  app TEXT PRIMARY KEY,
  token_sealed TEXT NOT NULL,
  expires_at_ms BIGINT NOT NULL);

-- Every attempt to sign in. user_id '' when nobody is known to be meant.
CREATE TABLE sign_ins (
  sign_in_id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  outcome TEXT NOT NULL,
  reason TEXT NOT NULL,
  subject_index TEXT NOT NULL,
  subject_masked TEXT NOT NULL,
  address_index TEXT NOT NULL,
  address_masked TEXT NOT NULL,
  device TEXT NOT NULL,
  trace_id TEXT NOT NULL,
  at_ms BIGINT NOT NULL);
CREATE INDEX sign_ins_by_user ON sign_ins (user_id, sign_in_id);
CREATE INDEX sign_ins_by_subject ON sign_ins (subject_index, at_ms);
CREATE INDEX sign_ins_by_address ON sign_ins (address_index, at_ms);
CREATE INDEX sign_ins_by_time ON sign_ins (at_ms);

-- What a buyer agreed to: which text, which version, when.
CREATE TABLE consents (
  user_id TEXT NOT NULL REFERENCES users (user_id),
  document TEXT NOT NULL,
  version TEXT NOT NULL,
  given_at_ms BIGINT NOT NULL,
  PRIMARY KEY (user_id, document, version));
