#include "server/content/decoration_store.h"

namespace topup::content::decoration_store {
namespace {

PagePublication read_publication(const storage::Row& row) {
  return {row.integer(0), row.integer(1), row.text(2), row.integer(3)};
}

std::int64_t count_of(storage::Reader& reader, std::string_view sql,
                      std::initializer_list<storage::Value> values) {
  std::int64_t count = 0;
  reader.query(sql, values, [&count](const storage::Row& row) { count = row.integer(0); });
  return count;
}

}  // namespace

void insert(storage::Tx& tx, const PageVersion& version) {
  tx.exec(R"sql(
    INSERT INTO decoration_versions (version, page, note, written_by, written_at_ms)
    VALUES ($1, $2, $3, $4, $5))sql",
          {version.version, version.page, version.note, version.written_by, version.written_at_ms});
}

void insert(storage::Tx& tx, const PagePublication& publication) {
  tx.exec(R"sql(
    INSERT INTO decoration_publications (seq, version, published_by, published_at_ms)
    VALUES ($1, $2, $3, $4))sql",
          {publication.seq, publication.version, publication.published_by,
           publication.published_at_ms});
}

void insert(storage::Tx& tx, const Picture& picture) {
  tx.exec(R"sql(
    INSERT INTO pictures (picture, kind, width, height, title, bytes, added_by, added_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8))sql",
          {picture.picture, picture.kind, picture.width, picture.height, picture.title,
           storage::Blob{picture.bytes}, picture.added_by, picture.added_at_ms});
}

void remove_picture(storage::Tx& tx, std::string_view picture) {
  tx.exec("DELETE FROM pictures WHERE picture = $1", {picture});
}

std::optional<PageVersion> find(storage::Reader& reader, std::int64_t version) {
  std::optional<PageVersion> found;
  reader.query(
      R"sql(
    SELECT version, page, note, written_by, written_at_ms FROM decoration_versions
     WHERE version = $1)sql",
      {version}, [&found](const storage::Row& row) {
        found = PageVersion{row.integer(0), row.text(1), row.text(2), row.text(3), row.integer(4)};
      });
  return found;
}

std::int64_t newest(storage::Reader& reader) {
  return count_of(reader, "SELECT COALESCE(MAX(version), 0) FROM decoration_versions", {});
}

std::optional<PagePublication> last_publication(storage::Reader& reader) {
  auto found = publications(reader, 1);
  if (found.empty()) return std::nullopt;
  return found.front();
}

std::vector<PageVersion> versions(storage::Reader& reader, std::int64_t limit) {
  std::vector<PageVersion> found;
  reader.query(R"sql(
    SELECT version, note, written_by, written_at_ms FROM decoration_versions
     ORDER BY version DESC LIMIT $1)sql",
               {limit}, [&found](const storage::Row& row) {
                 found.push_back({row.integer(0), "", row.text(1), row.text(2), row.integer(3)});
               });
  return found;
}

std::vector<PagePublication> publications(storage::Reader& reader, std::int64_t limit) {
  std::vector<PagePublication> found;
  reader.query(R"sql(
    SELECT seq, version, published_by, published_at_ms FROM decoration_publications
     ORDER BY seq DESC LIMIT $1)sql",
               {limit},
               [&found](const storage::Row& row) { found.push_back(read_publication(row)); });
  return found;
}

std::optional<Picture> find_picture(storage::Reader& reader, std::string_view picture) {
  std::optional<Picture> found;
  reader.query(R"sql(
    SELECT picture, kind, width, height, title, bytes, added_by, added_at_ms FROM pictures
     WHERE picture = $1)sql",
               {picture}, [&found](const storage::Row& row) {
                 found = Picture{row.text(0), row.text(1), row.integer(2), row.integer(3),
                                 row.text(4), row.text(5), row.text(6),    row.integer(7)};
               });
  return found;
}

bool has_picture(storage::Reader& reader, std::string_view picture) {
  return count_of(reader, "SELECT COUNT(*) FROM pictures WHERE picture = $1", {picture}) > 0;
}

bool is_picture_used(storage::Reader& reader, std::string_view picture) {
  const std::string part = "%\"" + std::string(picture) + "\"%";
  return count_of(reader, "SELECT COUNT(*) FROM decoration_versions WHERE page LIKE $1", {part}) >
         0;
}

std::vector<Picture> pictures(storage::Reader& reader) {
  std::vector<Picture> found;
  reader.query(R"sql(
    SELECT picture, kind, width, height, title, added_by, added_at_ms FROM pictures
     ORDER BY added_at_ms DESC, picture)sql",
               {}, [&found](const storage::Row& row) {
                 found.push_back({row.text(0), row.text(1), row.integer(2), row.integer(3),
                                  row.text(4), "", row.text(5), row.integer(6)});
               });
  return found;
}

std::int64_t picture_count(storage::Reader& reader) {
  return count_of(reader, "SELECT COUNT(*) FROM pictures", {});
}

}  // namespace topup::content::decoration_store
