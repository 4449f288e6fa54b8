// Rows of content_versions (every text that was ever saved) and content_publications (which of them
// was shown from when; version 0: none). Both only grow; the last publication of a document counts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"

namespace topup::content {

struct Text {
  std::string title_zh, title_en, body_zh, body_en;
};
struct Version {
  std::string document;
  std::int64_t version = 0;
  std::string kind;
  std::string topics;  // of help: words separated by one blank
  std::int64_t place = 0;
  std::int64_t shows_from_ms = 0, shows_until_ms = 0;  // of an announcement; 0: open
  Text text;
  std::string written_by;
  std::int64_t written_at_ms = 0;
};
struct Publication {
  std::string document;
  std::int64_t seq = 0, version = 0;
  std::string published_by;
  std::int64_t published_at_ms = 0;
};
struct Shown {
  Version version;
  std::int64_t published_at_ms = 0;
};
struct Head {  // one document as a list tells it
  Version newest;
  std::int64_t live_version = 0;  // 0: not shown
  std::int64_t published_at_ms = 0;
};

namespace content_store {

void insert(storage::Tx& tx, const Version& version);
void insert(storage::Tx& tx, const Publication& publication);
std::optional<Version> find(storage::Reader& reader, std::string_view document,
                            std::int64_t version);
std::optional<Version> newest(storage::Reader& reader, std::string_view document);
std::optional<Publication> last_publication(storage::Reader& reader, std::string_view document);
std::vector<Shown> shown(storage::Reader& reader);  // by place, then name
std::vector<Head> heads(storage::Reader& reader);
std::int64_t documents(storage::Reader& reader);
// Newest first.
std::vector<Version> versions_of(storage::Reader& reader, std::string_view document,
                                 std::int64_t limit);
std::vector<Publication> publications_of(storage::Reader& reader, std::string_view document,
                                         std::int64_t limit);

}  // namespace content_store
}  // namespace topup::content
