#include "server/base/zip.h"

#include <zip.h>

#include <algorithm>
#include <memory>

#include "shared/check.h"

namespace topup::base {
namespace {

constexpr std::size_t kChunkBytes = 64 * 1024;

struct Discard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};
using Archive = std::unique_ptr<zip_t, Discard>;
using File = std::unique_ptr<zip_file_t, Discard>;

tl::unexpected<Error> malformed() { return refuse(Code::rejected, "zip_malformed"); }
tl::unexpected<Error> too_large() { return refuse(Code::rejected, "zip_too_large"); }

Archive open_archive(std::string_view bytes) {
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, nullptr);
  if (source == nullptr) return nullptr;
  zip_t* archive = zip_open_from_source(source, ZIP_RDONLY, nullptr);
  if (archive == nullptr) zip_source_free(source);
  return Archive(archive);
}

// At most `most` bytes of it; nothing when it cannot be read to its end.
Result<std::string> content_of(zip_t* archive, zip_uint64_t index, std::size_t most) {
  const File file(zip_fopen_index(archive, index, 0));
  if (!file) return malformed();
  std::string content, chunk(kChunkBytes, '\0');
  for (;;) {
    const zip_int64_t got = zip_fread(file.get(), chunk.data(), chunk.size());
    if (got < 0) return malformed();
    if (got == 0) return content;
    if (static_cast<std::size_t>(got) > most - content.size()) return too_large();
    content.append(chunk, 0, static_cast<std::size_t>(got));
  }
}

}  // namespace

Result<std::vector<ZipEntry>> unzip(std::string_view archive_bytes, const ZipBounds& bounds) {
  // The library takes no bytes for an archive of nothing.
  const Archive archive = archive_bytes.empty() ? nullptr : open_archive(archive_bytes);
  if (!archive) return malformed();
  const zip_int64_t count = zip_get_num_entries(archive.get(), 0);
  if (count < 0) return malformed();
  if (static_cast<std::size_t>(count) > bounds.most_entries) return too_large();
  std::vector<ZipEntry> entries;
  std::size_t left = bounds.most_bytes;
  for (zip_uint64_t at = 0; at < static_cast<zip_uint64_t>(count); ++at) {
    const char* name = zip_get_name(archive.get(), at, ZIP_FL_ENC_RAW);
    if (name == nullptr) return malformed();
    const std::string_view known = name;
    if (known.ends_with('/')) continue;
    auto content = content_of(archive.get(), at, left);
    if (!content) return tl::unexpected<Error>(content.error());
    left -= content->size();
    entries.push_back({std::string(known), std::move(*content)});
  }
  return entries;
}

std::string zip(const std::vector<ZipEntry>& entries) {
  zip_source_t* target = zip_source_buffer_create(nullptr, 0, 0, nullptr);
  check(target != nullptr, "zip: no memory");
  zip_source_keep(target);
  zip_t* archive = zip_open_from_source(target, ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  check(archive != nullptr, "zip: cannot begin");
  for (const ZipEntry& entry : entries) {
    zip_source_t* source =
        zip_source_buffer(archive, entry.content.data(), entry.content.size(), 0);
    check(source != nullptr, "zip: no memory");
    // The bytes of the name go out as they are, without the mark of UTF-8.
    check(zip_file_add(archive, entry.name.c_str(), source, ZIP_FL_ENC_CP437) >= 0,
          "zip: an entry is not taken");
  }
  check(zip_close(archive) == 0, "zip: cannot end");
  std::string bytes;
  check(zip_source_open(target) == 0, "zip: nothing was written");
  std::string chunk(kChunkBytes, '\0');
  for (;;) {
    const zip_int64_t got = zip_source_read(target, chunk.data(), chunk.size());
    check(got >= 0, "zip: what was written cannot be read");
    if (got == 0) break;
    bytes.append(chunk, 0, static_cast<std::size_t>(got));
  }
  zip_source_close(target);
  zip_source_free(target);
  return bytes;
}

}  // namespace topup::base
