#include "server/content/content.h"

#include <algorithm>
#include <utility>

#include "server/audit/audit_log.h"
#include "server/base/utf8.h"

namespace topup::content {
namespace {

constexpr std::string_view kShopMark = "{shop}";
constexpr std::string_view kSeeder = "shop";

tl::unexpected<Error> not_found() { return refuse(Code::not_found, "content_not_found"); }
tl::unexpected<Error> changed() { return refuse(Code::conflict, "content_changed", "version"); }

std::string with_name(std::string text, const std::string& shop) {
  for (std::size_t at = text.find(kShopMark); at != std::string::npos;
       at = text.find(kShopMark, at + shop.size()))
    text.replace(at, kShopMark.size(), shop);
  return text;
}

bool is_plain(std::string_view text, bool lines) {
  return base::is_utf8(text) && std::all_of(text.begin(), text.end(), [lines](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return (byte >= 0x20 && byte != 0x7f) || (lines && c == '\n');
         });
}

Result<bool> fits(std::string_view text, std::size_t most, bool lines, std::string_view field) {
  if (text.size() > most) return refuse(Code::invalid_argument, "out_of_range", field, "too long");
  if (!is_plain(text, lines))
    return refuse(Code::invalid_argument, "out_of_range", field, "no control characters");
  return true;
}

Result<bool> good_topics(std::string_view kind, std::string_view topics) {
  const std::span<const std::string_view> known =
      kind == kind::kAnnouncement ? std::span<const std::string_view>(kAnnouncementPages)
                                  : std::span<const std::string_view>(kTopics);
  for (std::string_view rest = topics; !rest.empty();) {
    const std::size_t end = rest.find(' ');
    if (std::find(known.begin(), known.end(), rest.substr(0, end)) == known.end())
      return refuse(Code::invalid_argument, "out_of_range", "topics");
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  return true;
}

// Chinese is there always; English may be missing, and buyers then read the Chinese text.
Result<bool> good(const Version& draft) {
  if (!is_document_name(draft.document))
    return refuse(Code::invalid_argument, "out_of_range", "document", "letters, digits, _");
  if (std::find(kKinds.begin(), kKinds.end(), draft.kind) == kKinds.end())
    return refuse(Code::invalid_argument, "out_of_range", "kind");
  const Text& text = draft.text;
  if (text.title_zh.empty()) return refuse(Code::invalid_argument, "missing_field", "title_zh");
  if (text.body_zh.empty() && draft.kind != kind::kAnnouncement)
    return refuse(Code::invalid_argument, "missing_field", "body_zh");
  for (const auto& checked : {fits(text.title_zh, kMaxTitleBytes, false, "title_zh"),
                              fits(text.title_en, kMaxTitleBytes, false, "title_en"),
                              fits(text.body_zh, kMaxBodyBytes, true, "body_zh"),
                              fits(text.body_en, kMaxBodyBytes, true, "body_en"),
                              good_topics(draft.kind, draft.topics)}) {
    if (!checked) return checked;
  }
  if (draft.place < 0 || draft.place > kMaxPlace)
    return refuse(Code::invalid_argument, "out_of_range", "place");
  if (draft.shows_until_ms != 0 && draft.shows_until_ms <= draft.shows_from_ms)
    return refuse(Code::invalid_argument, "out_of_range", "shows_until_ms");
  return true;
}

}  // namespace

bool is_document_name(std::string_view text) {
  if (text.empty() || text.size() > 40 || text[0] < 'a' || text[0] > 'z') return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

Content::Content(storage::Db& db, const base::Clock& clock, std::string shop_name)
    : db_(db), clock_(clock), shop_name_(std::move(shop_name)) {}

void Content::seed() {
  const std::int64_t now = clock_.wall_ms();
  db_.write([&](storage::Tx& tx) {
    for (Version one : default_documents()) {
      if (content_store::newest(tx, one.document)) continue;
      one.version = 1;
      one.written_by = kSeeder;
      one.written_at_ms = now;
      content_store::insert(tx, one);
      content_store::insert(tx, Publication{one.document, 1, 1, std::string(kSeeder), now});
    }
    return true;
  });
}

Content::Snapshot Content::current() const {
  const std::int64_t now = clock_.mono_ms();
  {
    const std::lock_guard hold(mutex_);
    if (snapshot_ && now - read_at_ms_ < kContentAgeMs) return snapshot_;
  }
  auto fresh = std::make_shared<std::vector<Shown>>();
  db_.read([&](storage::Reader& reader) {
    fresh->clear();
    for (Shown& one : content_store::shown(reader)) fresh->push_back(named(std::move(one)));
  });
  const std::lock_guard hold(mutex_);
  snapshot_ = std::move(fresh);
  read_at_ms_ = now;
  return snapshot_;
}

Shown Content::named(Shown shown) const {
  Text& text = shown.version.text;
  for (std::string* one : {&text.title_zh, &text.title_en, &text.body_zh, &text.body_en})
    *one = with_name(std::move(*one), shop_name_);
  return shown;
}

std::vector<Shown> Content::shown(std::string_view kind) const {
  const std::int64_t now = clock_.wall_ms();
  const Snapshot snapshot = current();
  std::vector<Shown> found;
  for (const Shown& one : *snapshot) {
    if (one.version.kind != kind || one.version.shows_from_ms > now) continue;
    if (one.version.shows_until_ms != 0 && one.version.shows_until_ms <= now) continue;
    found.push_back(one);
  }
  return found;
}

Result<Shown> Content::text(std::string_view document, std::int64_t version) const {
  const Snapshot snapshot = current();
  const auto live = std::find_if(snapshot->begin(), snapshot->end(), [&](const Shown& one) {
    return one.version.document == document;
  });
  if (live == snapshot->end() && version == 0) return not_found();
  if (version == 0 || (live != snapshot->end() && live->version.version == version)) return *live;
  // Somebody may have agreed to it while it was shown; a draft is nobody's business.
  std::optional<Shown> older;
  db_.read([&](storage::Reader& reader) {
    older.reset();
    for (const Publication& one :
         content_store::publications_of(reader, document, kHistoryListed)) {
      if (one.version != version) continue;
      if (auto found = content_store::find(reader, document, version))
        older = Shown{std::move(*found), one.published_at_ms};
    }
  });
  if (!older) return not_found();
  return named(std::move(*older));
}

std::int64_t Content::agreement_version(std::string_view document) const {
  const Snapshot snapshot = current();
  for (const Shown& one : *snapshot) {
    if (one.version.document == document && one.version.kind == kind::kAgreement)
      return one.version.version;
  }
  return 0;
}

std::vector<Head> Content::list() const {
  std::vector<Head> found;
  db_.read([&](storage::Reader& reader) { found = content_store::heads(reader); });
  return found;
}

Result<Content::History> Content::history(std::string_view document) const {
  History found;
  db_.read([&](storage::Reader& reader) {
    found.versions = content_store::versions_of(reader, document, kHistoryListed);
    found.publications = content_store::publications_of(reader, document, kHistoryListed);
  });
  if (found.versions.empty()) return not_found();
  return found;
}

Result<Version> Content::save(Version draft, std::int64_t based_on, const Author& author) {
  if (const auto checked = good(draft); !checked) return tl::unexpected<Error>(checked.error());
  const std::int64_t now = clock_.wall_ms();
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<Version> {
    const auto newest = content_store::newest(tx, draft.document);
    if ((newest ? newest->version : 0) != based_on) return changed();
    if (newest && newest->kind != draft.kind)
      return refuse(Code::rejected, "content_kind_fixed", "kind");
    if (!newest && content_store::documents(tx) >= kMaxDocuments)
      return refuse(Code::rejected, "content_full");
    Version saved = draft;
    saved.version = based_on + 1;
    saved.written_by = author.actor;
    saved.written_at_ms = now;
    content_store::insert(tx, saved);
    audit::append(tx,
                  {author.actor, "content.saved", saved.document,
                   saved.kind + " version " + std::to_string(saved.version)},
                  author.trace, now);
    return saved;
  });
}

Result<bool> Content::publish(std::string_view document, std::int64_t version, std::int64_t seen,
                              const Author& author) {
  const std::int64_t now = clock_.wall_ms();
  const auto done = storage::with_tx(db_, [&](storage::Tx& tx) -> Result<bool> {
    const auto newest = content_store::newest(tx, document);
    if (!newest || (version != 0 && !content_store::find(tx, document, version)))
      return not_found();
    const auto last = content_store::last_publication(tx, document);
    if ((last ? last->version : 0) != seen) return changed();
    if (version == 0 && newest->kind == kind::kAgreement)
      return refuse(Code::rejected, "content_needed", "version");
    if (version == seen) return true;
    content_store::insert(tx, Publication{std::string(document), last ? last->seq + 1 : 1, version,
                                          std::string(author.actor), now});
    const std::string detail = std::to_string(seen) + " to " + std::to_string(version);
    audit::append(tx, {author.actor, "content.published", document, detail}, author.trace, now);
    return true;
  });
  const std::lock_guard hold(mutex_);
  snapshot_.reset();
  return done;
}

}  // namespace topup::content
