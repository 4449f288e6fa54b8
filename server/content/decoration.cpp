#include "server/content/decoration.h"

#include <utility>

#include "server/audit/audit_log.h"
#include "server/base/crypto.h"
#include "server/base/utf8.h"
#include "server/content/picture_kind.h"

namespace topup::content {
namespace {

using base::Json;
namespace store = decoration_store;

constexpr std::size_t kPictureNameDigits = 32;
constexpr std::size_t kMaxPictureTitle = 120;

tl::unexpected<Error> changed() { return refuse(Code::conflict, "page_changed", "version"); }
tl::unexpected<Error> no_page() { return refuse(Code::not_found, "page_not_found"); }
tl::unexpected<Error> no_picture() { return refuse(Code::not_found, "picture_not_found"); }

bool is_line(std::string_view text, std::size_t most) {
  if (text.size() > most || !base::is_utf8(text)) return false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return false;
  }
  return true;
}

PublishedPage published_page(storage::Reader& reader) {
  PublishedPage found;
  const auto last = store::last_publication(reader);
  const auto live = last ? store::find(reader, last->version) : std::nullopt;
  Json body = {{"schema", kPageSchema}, {"theme", found.theme}, {"blocks", Json::array()}};
  if (live) {
    body = shown_page(Json::parse(live->page));
    found.version = live->version;
    found.theme = body["theme"];
  }
  body["version"] = found.version;
  found.body = body.dump();
  return found;
}

}  // namespace

Decoration::Decoration(storage::Db& db, const base::Clock& clock)
    : db_(db), clock_(clock), published_(std::make_shared<PublishedPage>()) {}

std::shared_ptr<const PublishedPage> Decoration::published() const {
  const std::int64_t now = clock_.mono_ms();
  {
    const std::lock_guard hold(mutex_);
    if (!stale_ && now - read_at_ms_ < kDecorationAgeMs) return published_;
  }
  auto fresh = std::make_shared<PublishedPage>();
  db_.read([&](storage::Reader& reader) { *fresh = published_page(reader); });
  const std::lock_guard hold(mutex_);
  published_ = std::move(fresh);
  read_at_ms_ = now;
  stale_ = false;
  return published_;
}

std::string Decoration::theme() const {
  const std::lock_guard hold(mutex_);
  return published_->theme;
}

Decoration::Desk Decoration::desk() const {
  Desk found;
  db_.read([&](storage::Reader& reader) {
    found.newest = store::newest(reader);
    const auto last = store::last_publication(reader);
    found.shown = last ? last->version : 0;
    found.versions = store::versions(reader, kHistoryListed);
    found.publications = store::publications(reader, kHistoryListed);
  });
  return found;
}

Result<PageVersion> Decoration::version(std::int64_t version) const {
  std::optional<PageVersion> found;
  db_.read([&](storage::Reader& reader) { found = store::find(reader, version); });
  if (!found) return no_page();
  return std::move(*found);
}

Result<PageVersion> Decoration::save(const Json& page, std::string_view note, std::int64_t based_on,
                                     const Author& author) {
  if (!is_line(note, kMaxNoteBytes)) return refuse(Code::invalid_argument, "out_of_range", "note");
  const std::int64_t now = clock_.wall_ms();
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<PageVersion> {
    if (store::newest(tx) != based_on) return changed();
    const auto good =
        checked_page(page, [&tx](std::string_view name) { return store::has_picture(tx, name); });
    if (!good) return tl::unexpected<Error>(good.error());
    const PageVersion saved{based_on + 1, good->dump(), std::string(note),
                            std::string(author.actor), now};
    store::insert(tx, saved);
    audit::append(
        tx, {author.actor, "decoration.saved", "home", "version " + std::to_string(saved.version)},
        author.trace, now);
    return saved;
  });
}

Result<bool> Decoration::publish(std::int64_t version, std::int64_t seen, const Author& author) {
  const std::int64_t now = clock_.wall_ms();
  const auto done = storage::with_tx(db_, [&](storage::Tx& tx) -> Result<bool> {
    if (version != 0 && !store::find(tx, version)) return no_page();
    const auto last = store::last_publication(tx);
    if ((last ? last->version : 0) != seen) return changed();
    if (version == seen) return true;
    store::insert(
        tx, PagePublication{last ? last->seq + 1 : 1, version, std::string(author.actor), now});
    const std::string before = std::to_string(seen), after = std::to_string(version);
    audit::append(
        tx, {author.actor, "decoration.published", "home", before + " to " + after, before, after},
        author.trace, now);
    return true;
  });
  {
    const std::lock_guard hold(mutex_);
    stale_ = true;
  }
  if (done) (void)published();
  return done;
}

std::vector<Picture> Decoration::pictures() const {
  std::vector<Picture> found;
  db_.read([&](storage::Reader& reader) { found = store::pictures(reader); });
  return found;
}

Result<Picture> Decoration::picture(std::string_view name) const {
  std::optional<Picture> found;
  db_.read([&](storage::Reader& reader) { found = store::find_picture(reader, name); });
  if (!found) return no_picture();
  return std::move(*found);
}

Result<Picture> Decoration::add_picture(std::string bytes, std::string_view title,
                                        const Author& author) {
  const auto facts = picture_facts(bytes);
  if (!facts) return tl::unexpected<Error>(facts.error());
  if (!is_line(title, kMaxPictureTitle) || title.empty())
    return refuse(Code::invalid_argument, "out_of_range", "title");
  const std::int64_t now = clock_.wall_ms();
  Picture added;
  added.picture = base::hex(base::sha256(bytes)).substr(0, kPictureNameDigits);
  added.kind = facts->kind;
  added.width = facts->width;
  added.height = facts->height;
  added.title = title;
  added.bytes = std::move(bytes);
  added.added_by = author.actor;
  added.added_at_ms = now;
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<Picture> {
    if (auto known = store::find_picture(tx, added.picture)) return std::move(*known);
    if (store::picture_count(tx) >= kMaxPictures) return refuse(Code::rejected, "pictures_full");
    store::insert(tx, added);
    audit::append(tx,
                  {author.actor, "picture.added", added.picture,
                   added.kind + ", " + std::to_string(added.bytes.size()) + " bytes"},
                  author.trace, now);
    return added;
  });
}

Result<bool> Decoration::remove_picture(std::string_view name, const Author& author) {
  const std::int64_t now = clock_.wall_ms();
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<bool> {
    if (!store::has_picture(tx, name)) return no_picture();
    if (store::is_picture_used(tx, name)) return refuse(Code::rejected, "picture_in_use");
    store::remove_picture(tx, name);
    audit::append(tx, {author.actor, "picture.removed", name, ""}, author.trace, now);
    return true;
  });
}

}  // namespace topup::content
