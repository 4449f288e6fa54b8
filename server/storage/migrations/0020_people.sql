-- Customers as staff deal with them: freezing, notes, the blacklist; and what finds rows of them and of the audit trail.

-- Frozen since (0: not frozen): may sign in and look, may neither place nor pay.
ALTER TABLE users ADD COLUMN frozen_at_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN frozen_by TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN frozen_why_sealed TEXT NOT NULL DEFAULT '';
CREATE INDEX users_frozen ON users (user_id) WHERE frozen_at_ms > 0;

-- Of the last four digits of a phone number that was bound from now on.
ALTER TABLE identities ADD COLUMN tail_index TEXT NOT NULL DEFAULT '';
CREATE INDEX identities_by_tail ON identities (tail_index, user_id) WHERE tail_index <> '';
CREATE INDEX identities_by_kind ON identities (kind, user_id);

-- A short code of what the client calls its device; '' when it calls it nothing.
ALTER TABLE sessions ADD COLUMN device_code TEXT NOT NULL DEFAULT '';

CREATE TABLE customer_notes (
  note_id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  text_sealed TEXT NOT NULL,
  at_ms BIGINT NOT NULL);
CREATE INDEX customer_notes_by_user ON customer_notes (user_id, note_id);

-- kind: phone, card, user, device, ip. The index is made as that of identities, so that both meet. Ended rows stay.
CREATE TABLE blacklist (
  entry_id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  subject_index TEXT NOT NULL,
  subject_sealed TEXT NOT NULL,
  subject_masked TEXT NOT NULL,
  reason TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  expires_at_ms BIGINT NOT NULL,
  ended_at_ms BIGINT NOT NULL DEFAULT 0,
  ended_by TEXT NOT NULL DEFAULT '',
  ended_why TEXT NOT NULL DEFAULT '');
CREATE UNIQUE INDEX blacklist_live ON blacklist (subject_index) WHERE ended_at_ms = 0;
CREATE INDEX blacklist_by_kind ON blacklist (kind, entry_id);

-- What staff did is little among what buyers and jobs do; these keep it in reach.
CREATE INDEX audit_log_of_staff ON audit_log (seq) WHERE SUBSTR(actor, 1, 6) = 'staff:';
CREATE INDEX audit_log_of_sign_ins ON audit_log (seq)
  WHERE action IN ('staff.signed_in', 'staff.sign_in_refused');

-- Who came by, counted by hour and never by person: place is a page or a route, network a masked address.
CREATE TABLE visits (
  hour_ms BIGINT NOT NULL,
  place TEXT NOT NULL,
  network TEXT NOT NULL,
  device TEXT NOT NULL,
  hits BIGINT NOT NULL,
  last_at_ms BIGINT NOT NULL,
  PRIMARY KEY (hour_ms, place, network, device));
