-- What the shop says in words, each version kept; consents that can be taken back; accounts that were deleted.

CREATE TABLE content_versions (
  document TEXT NOT NULL,
  version BIGINT NOT NULL CHECK (version > 0),
  kind TEXT NOT NULL,
  topics TEXT NOT NULL,
  place BIGINT NOT NULL,
  shows_from_ms BIGINT NOT NULL,
  shows_until_ms BIGINT NOT NULL,
  title_zh TEXT NOT NULL,
  title_en TEXT NOT NULL,
  body_zh TEXT NOT NULL,
  body_en TEXT NOT NULL,
  written_by TEXT NOT NULL,
  written_at_ms BIGINT NOT NULL,
  PRIMARY KEY (document, version));

-- Which version is shown from when; 0: none.
CREATE TABLE content_publications (
  document TEXT NOT NULL,
  seq BIGINT NOT NULL,
  version BIGINT NOT NULL,
  published_by TEXT NOT NULL,
  published_at_ms BIGINT NOT NULL,
  PRIMARY KEY (document, seq));

CREATE TRIGGER content_versions_keep BEFORE UPDATE ON content_versions
BEGIN SELECT RAISE(ABORT, 'content is insert-only'); END;
CREATE TRIGGER content_versions_stay BEFORE DELETE ON content_versions
BEGIN SELECT RAISE(ABORT, 'content is insert-only'); END;
CREATE TRIGGER content_publications_keep BEFORE UPDATE ON content_publications
BEGIN SELECT RAISE(ABORT, 'content is insert-only'); END;
CREATE TRIGGER content_publications_stay BEFORE DELETE ON content_publications
BEGIN SELECT RAISE(ABORT, 'content is insert-only'); END;

ALTER TABLE consents ADD COLUMN withdrawn_at_ms BIGINT NOT NULL DEFAULT 0;

-- Whose personal data was removed, and when. The row of the user stays: the books name it.
CREATE TABLE erased_users (
  user_id TEXT PRIMARY KEY REFERENCES users (user_id),
  erased_at_ms BIGINT NOT NULL,
  removed BIGINT NOT NULL);
