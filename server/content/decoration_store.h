// Rows of decoration_versions and decoration_publications (both only grow; the last publication
// counts, version 0: the page as it comes) and of pictures (named by their bytes; never changed).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"

namespace topup::content {

struct PageVersion {
  std::int64_t version = 0;
  std::string page;  // JSON, as checked_page() left it
  std::string note, written_by;
  std::int64_t written_at_ms = 0;
};
struct PagePublication {
  std::int64_t seq = 0, version = 0;
  std::string published_by;
  std::int64_t published_at_ms = 0;
};
struct Picture {
  std::string picture, kind;
  std::int64_t width = 0, height = 0;
  std::string title, bytes;  // bytes: of find_picture() only
  std::string added_by;
  std::int64_t added_at_ms = 0;
};

namespace decoration_store {

void insert(storage::Tx& tx, const PageVersion& version);
void insert(storage::Tx& tx, const PagePublication& publication);
void insert(storage::Tx& tx, const Picture& picture);
void remove_picture(storage::Tx& tx, std::string_view picture);

std::optional<PageVersion> find(storage::Reader& reader, std::int64_t version);
std::int64_t newest(storage::Reader& reader);  // 0: none
std::optional<PagePublication> last_publication(storage::Reader& reader);
// Newest first; without their pages.
std::vector<PageVersion> versions(storage::Reader& reader, std::int64_t limit);
std::vector<PagePublication> publications(storage::Reader& reader, std::int64_t limit);

std::optional<Picture> find_picture(storage::Reader& reader, std::string_view picture);
bool has_picture(storage::Reader& reader, std::string_view picture);
// Whether a version that was ever saved stands on it.
bool is_picture_used(storage::Reader& reader, std::string_view picture);
std::vector<Picture> pictures(storage::Reader& reader);  // newest first
std::int64_t picture_count(storage::Reader& reader);

}  // namespace decoration_store
}  // namespace topup::content
