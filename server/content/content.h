// What the shop says in words, and who may still change it: agreements, help, announcements and
// contacts, each in two languages. A text is saved as a version and shown once it is published;
// both are kept for ever, so that a buyer's consent names a text that can still be read, and going
// back is publishing an older version. `{shop}` in a text is the shop's name. What buyers read
// comes from memory that is at most kContentAgeMs old, on every node. Errors:
// not_found/content_not_found, conflict/content_changed (somebody saved or published meanwhile),
// rejected/content_needed (an agreement is replaced, never taken away),
// rejected/content_kind_fixed, rejected/content_full, invalid_argument/out_of_range and
// missing_field. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/clock.h"
#include "server/content/content_store.h"
#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/result.h"

namespace topup::content {

// Stored words; do not rename.
namespace kind {
inline constexpr std::string_view kAgreement = "agreement";
inline constexpr std::string_view kHelp = "help";
inline constexpr std::string_view kAnnouncement = "announcement";
inline constexpr std::string_view kContacts = "contacts";
}  // namespace kind
inline constexpr std::array kKinds = {kind::kAgreement, kind::kHelp, kind::kAnnouncement,
                                      kind::kContacts};
// What a help article is about: a buyer's word for an order's state, or anything.
inline constexpr std::array<std::string_view, 6> kTopics = {
    "general", "awaiting_payment", "paying", "recharging", "succeeded", "failed"};
// Above which pages an announcement stands; without one, above home.
inline constexpr std::array<std::string_view, 3> kAnnouncementPages = {"home", "orders", "me"};

inline constexpr std::int64_t kContentAgeMs = 2'000;
inline constexpr std::int64_t kMaxDocuments = 200;
inline constexpr std::size_t kMaxTitleBytes = 300;
inline constexpr std::size_t kMaxBodyBytes = 24'000;
inline constexpr std::int64_t kMaxPlace = 1'000;
inline constexpr std::int64_t kHistoryListed = 50;

struct Author {
  std::string_view actor;  // as in audit::Entry
  TraceId trace;
};

bool is_document_name(std::string_view text);  // [a-z][a-z0-9_]{0,39}

class Content {
 public:
  Content(storage::Db& db, const base::Clock& clock, std::string shop_name);

  // Publishes what a new shop begins with; harmless again. Called once the schema is there.
  void seed();

  // Shown now: of this kind, by place. Announcements within their time only.
  std::vector<Shown> shown(std::string_view kind) const;
  // The text of a document: the one shown now, or the version asked for if it was ever shown.
  Result<Shown> text(std::string_view document, std::int64_t version) const;
  // The version of an agreement that is shown now; 0 for what is none.
  std::int64_t agreement_version(std::string_view document) const;

  std::vector<Head> list() const;
  struct History {
    std::vector<Version> versions;
    std::vector<Publication> publications;
  };
  Result<History> history(std::string_view document) const;
  // One more version. `based_on`: the newest one the author saw, 0 for a new document.
  Result<Version> save(Version draft, std::int64_t based_on, const Author& author);
  // Shows this version (0: none of them). `seen`: the version that the author saw shown.
  Result<bool> publish(std::string_view document, std::int64_t version, std::int64_t seen,
                       const Author& author);

 private:
  using Snapshot = std::shared_ptr<const std::vector<Shown>>;
  Snapshot current() const;
  Shown named(Shown shown) const;

  storage::Db& db_;
  const base::Clock& clock_;
  const std::string shop_name_;
  mutable std::mutex mutex_;
  mutable Snapshot snapshot_;
  mutable std::int64_t read_at_ms_ = 0;  // by the monotonic clock
};

// What a new shop says (defaults.cpp).
std::span<const Version> default_documents();

}  // namespace topup::content
