-- The buyer's home page as staff lays it out, each version kept; and the pictures that stand on it.

CREATE TABLE decoration_versions (
  version BIGINT PRIMARY KEY CHECK (version > 0),
  page TEXT NOT NULL,
  note TEXT NOT NULL,
  written_by TEXT NOT NULL,
  written_at_ms BIGINT NOT NULL);

-- Which version is shown from when; 0: the page as it comes.
CREATE TABLE decoration_publications (
  seq BIGINT PRIMARY KEY,
  version BIGINT NOT NULL,
  published_by TEXT NOT NULL,
  published_at_ms BIGINT NOT NULL);

-- Named by their own bytes, so that what a name means never changes.
CREATE TABLE pictures (
  picture TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  width BIGINT NOT NULL,
  height BIGINT NOT NULL,
  title TEXT NOT NULL,
  bytes BYTEA NOT NULL,
  added_by TEXT NOT NULL,
  added_at_ms BIGINT NOT NULL);

CREATE TRIGGER decoration_versions_keep BEFORE UPDATE ON decoration_versions
  FOR EACH ROW EXECUTE FUNCTION topup_refuse('decoration is insert-only');
CREATE TRIGGER decoration_versions_stay BEFORE DELETE ON decoration_versions
  FOR EACH ROW EXECUTE FUNCTION topup_refuse('decoration is insert-only');
CREATE TRIGGER decoration_versions_whole BEFORE TRUNCATE ON decoration_versions
  FOR EACH STATEMENT EXECUTE FUNCTION topup_refuse('decoration is insert-only');
CREATE TRIGGER decoration_publications_keep BEFORE UPDATE ON decoration_publications
  FOR EACH ROW EXECUTE FUNCTION topup_refuse('decoration is insert-only');
CREATE TRIGGER decoration_publications_stay BEFORE DELETE ON decoration_publications
  FOR EACH ROW EXECUTE FUNCTION topup_refuse('decoration is insert-only');
CREATE TRIGGER decoration_publications_whole BEFORE TRUNCATE ON decoration_publications
  FOR EACH STATEMENT EXECUTE FUNCTION topup_refuse('decoration is insert-only');
CREATE TRIGGER pictures_keep BEFORE UPDATE ON pictures
  FOR EACH ROW EXECUTE FUNCTION topup_refuse('a picture never changes');
