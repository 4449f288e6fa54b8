-- Staff with several roles, a second factor, sessions with a name, guessing that is counted, and deeds that two people agree to.
-- *_index columns are blind indexes (keyed hashes), *_hash those of random secrets, *_sealed holds ciphertext.

-- state: enabled, disabled. totp_next_sealed: shown and not yet confirmed.
ALTER TABLE staff ADD COLUMN state TEXT NOT NULL DEFAULT 'enabled';
ALTER TABLE staff ADD COLUMN must_change_password BIGINT NOT NULL DEFAULT 0;
ALTER TABLE staff ADD COLUMN totp_sealed TEXT NOT NULL DEFAULT '';
ALTER TABLE staff ADD COLUMN totp_next_sealed TEXT NOT NULL DEFAULT '';
ALTER TABLE staff ADD COLUMN totp_last_step BIGINT NOT NULL DEFAULT 0;

CREATE TABLE staff_roles (
  staff_id TEXT NOT NULL REFERENCES staff (staff_id),
  role TEXT NOT NULL,
  given_at_ms BIGINT NOT NULL,
  PRIMARY KEY (staff_id, role));
CREATE INDEX staff_roles_by_role ON staff_roles (role, staff_id);
INSERT INTO staff_roles (staff_id, role, given_at_ms) SELECT staff_id, role, created_at_ms FROM staff;
ALTER TABLE staff DROP COLUMN role;
ALTER TABLE staff DROP COLUMN failures;
ALTER TABLE staff DROP COLUMN locked_until_ms;

ALTER TABLE staff_sessions ADD COLUMN session_id TEXT NOT NULL DEFAULT '';
ALTER TABLE staff_sessions ADD COLUMN device TEXT NOT NULL DEFAULT '';
ALTER TABLE staff_sessions ADD COLUMN address_masked TEXT NOT NULL DEFAULT '';
ALTER TABLE staff_sessions ADD COLUMN seen_at_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE staff_sessions ADD COLUMN stepped_up_at_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE staff_sessions ADD COLUMN ended_why TEXT NOT NULL DEFAULT '';
UPDATE staff_sessions SET session_id = SUBSTR(token_hash, 1, 26), seen_at_ms = created_at_ms;
CREATE INDEX staff_sessions_by_staff ON staff_sessions (staff_id, session_id);

CREATE TABLE staff_recovery_codes (
  staff_id TEXT NOT NULL REFERENCES staff (staff_id),
  code_hash TEXT NOT NULL,
  used_at_ms BIGINT,
  PRIMARY KEY (staff_id, code_hash));

-- kind: name (a member of staff's id, or the index of a name that nobody has), address, step_up.
CREATE TABLE staff_failures (
  kind TEXT NOT NULL,
  subject_index TEXT NOT NULL,
  failures BIGINT NOT NULL,
  last_at_ms BIGINT NOT NULL,
  locked_until_ms BIGINT NOT NULL,
  PRIMARY KEY (kind, subject_index));
CREATE INDEX staff_failures_by_time ON staff_failures (last_at_ms);

-- state: waiting, approved, rejected. One that waits past its time counts as expired.
CREATE TABLE approvals (
  approval_id TEXT PRIMARY KEY,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  body_hash TEXT NOT NULL,
  state TEXT NOT NULL,
  requested_by TEXT NOT NULL REFERENCES staff (staff_id),
  requested_in TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  expires_at_ms BIGINT NOT NULL,
  decided_by TEXT,
  decided_in TEXT,
  decided_at_ms BIGINT);
CREATE INDEX approvals_by_state ON approvals (state, approval_id);
