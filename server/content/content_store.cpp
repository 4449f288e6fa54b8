#include "server/content/content_store.h"

namespace topup::content::content_store {
namespace {

constexpr std::string_view kColumns =
    "v.document, v.version, v.kind, v.topics, v.place, v.shows_from_ms, v.shows_until_ms, "
    "v.title_zh, v.title_en, v.body_zh, v.body_en, v.written_by, v.written_at_ms";
constexpr int kColumnCount = 13;

Version read_version(const storage::Row& row) {
  Version version;
  version.document = row.text(0);
  version.version = row.integer(1);
  version.kind = row.text(2);
  version.topics = row.text(3);
  version.place = row.integer(4);
  version.shows_from_ms = row.integer(5);
  version.shows_until_ms = row.integer(6);
  version.text = {row.text(7), row.text(8), row.text(9), row.text(10)};
  version.written_by = row.text(11);
  version.written_at_ms = row.integer(12);
  return version;
}

std::string select(std::string_view rest) {
  return "SELECT " + std::string(kColumns) + std::string(rest);
}
const std::string kFind =
    select(" FROM content_versions v WHERE v.document = $1 AND v.version = $2");
const std::string kVersions =
    select(" FROM content_versions v WHERE v.document = $1 ORDER BY v.version DESC LIMIT $2");
const std::string kShown = select(
    ", p.published_at_ms FROM content_versions v JOIN content_publications p"
    " ON p.document = v.document AND p.version = v.version"
    " WHERE p.seq = (SELECT MAX(q.seq) FROM content_publications q"
    "                WHERE q.document = v.document)"
    " ORDER BY v.place, v.document");
const std::string kHeads = select(
    ", COALESCE(p.version, 0), COALESCE(p.published_at_ms, 0) FROM content_versions v"
    " LEFT JOIN content_publications p ON p.document = v.document"
    "  AND p.seq = (SELECT MAX(q.seq) FROM content_publications q"
    "               WHERE q.document = v.document)"
    " WHERE v.version = (SELECT MAX(w.version) FROM content_versions w"
    "                    WHERE w.document = v.document)"
    " ORDER BY v.kind, v.place, v.document");

Publication read_publication(const storage::Row& row) {
  return {row.text(0), row.integer(1), row.integer(2), row.text(3), row.integer(4)};
}

}  // namespace

void insert(storage::Tx& tx, const Version& version) {
  tx.exec(
      R"sql(
    INSERT INTO content_versions (document, version, kind, topics, place, shows_from_ms,
      shows_until_ms, title_zh, title_en, body_zh, body_en, written_by, written_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13))sql",
      {version.document, version.version, version.kind, version.topics, version.place,
       version.shows_from_ms, version.shows_until_ms, version.text.title_zh, version.text.title_en,
       version.text.body_zh, version.text.body_en, version.written_by, version.written_at_ms});
}

void insert(storage::Tx& tx, const Publication& publication) {
  tx.exec(R"sql(
    INSERT INTO content_publications (document, seq, version, published_by, published_at_ms)
    VALUES ($1, $2, $3, $4, $5))sql",
          {publication.document, publication.seq, publication.version, publication.published_by,
           publication.published_at_ms});
}

std::optional<Version> find(storage::Reader& reader, std::string_view document,
                            std::int64_t version) {
  std::optional<Version> found;
  reader.query(kFind, {document, version},
               [&found](const storage::Row& row) { found = read_version(row); });
  return found;
}

std::optional<Version> newest(storage::Reader& reader, std::string_view document) {
  auto found = versions_of(reader, document, 1);
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::optional<Publication> last_publication(storage::Reader& reader, std::string_view document) {
  auto found = publications_of(reader, document, 1);
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::vector<Shown> shown(storage::Reader& reader) {
  std::vector<Shown> found;
  reader.query(kShown, {}, [&found](const storage::Row& row) {
    found.push_back({read_version(row), row.integer(kColumnCount)});
  });
  return found;
}

std::vector<Head> heads(storage::Reader& reader) {
  std::vector<Head> found;
  reader.query(kHeads, {}, [&found](const storage::Row& row) {
    found.push_back({read_version(row), row.integer(kColumnCount), row.integer(kColumnCount + 1)});
  });
  return found;
}

std::int64_t documents(storage::Reader& reader) {
  std::int64_t count = 0;
  reader.query("SELECT COUNT(DISTINCT document) FROM content_versions", {},
               [&count](const storage::Row& row) { count = row.integer(0); });
  return count;
}

std::vector<Version> versions_of(storage::Reader& reader, std::string_view document,
                                 std::int64_t limit) {
  std::vector<Version> found;
  reader.query(kVersions, {document, limit},
               [&found](const storage::Row& row) { found.push_back(read_version(row)); });
  return found;
}

std::vector<Publication> publications_of(storage::Reader& reader, std::string_view document,
                                         std::int64_t limit) {
  std::vector<Publication> found;
  reader.query(R"sql(
    SELECT document, seq, version, published_by, published_at_ms FROM content_publications
     WHERE document = $1 ORDER BY seq DESC LIMIT $2)sql",
               {document, limit},
               [&found](const storage::Row& row) { found.push_back(read_publication(row)); });
  return found;
}

}  // namespace topup::content::content_store
