// How the buyer's home page is laid out, in which theme, and the pictures on it (F081, F082). Staff
// saves a page as a version and publishes it; going back is publishing an older one, or 0, the page
// as it comes. What buyers get comes from memory that is at most kDecorationAgeMs old, on every
// node. Errors: those of page_rules.h and picture_kind.h, not_found/page_not_found,
// conflict/page_changed (somebody saved or published meanwhile), rejected/pictures_full,
// rejected/picture_in_use, not_found/picture_not_found. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/clock.h"
#include "server/base/json.h"
#include "server/content/content.h"
#include "server/content/decoration_store.h"
#include "server/content/page_rules.h"

namespace topup::content {

inline constexpr std::int64_t kDecorationAgeMs = 2'000;
inline constexpr std::int64_t kMaxPictures = 100;
inline constexpr std::size_t kMaxNoteBytes = 300;

struct PublishedPage {
  std::int64_t version = 0;  // 0: the page as it comes
  std::string theme{kThemes[0]};
  std::string body;  // the answer to a buyer, as JSON
};

class Decoration {
 public:
  Decoration(storage::Db& db, const base::Clock& clock);

  std::shared_ptr<const PublishedPage> published() const;
  // The theme that was last read: asks no store, for the threads that must not wait.
  std::string theme() const;

  struct Desk {
    std::int64_t newest = 0, shown = 0;
    std::vector<PageVersion> versions;
    std::vector<PagePublication> publications;
  };
  Desk desk() const;
  Result<PageVersion> version(std::int64_t version) const;
  // `based_on`: the newest version that the author saw, 0 for none.
  Result<PageVersion> save(const base::Json& page, std::string_view note, std::int64_t based_on,
                           const Author& author);
  // `seen`: the version that the author saw shown.
  Result<bool> publish(std::int64_t version, std::int64_t seen, const Author& author);

  std::vector<Picture> pictures() const;
  Result<Picture> picture(std::string_view name) const;  // with its bytes
  // The same bytes again are the same picture.
  Result<Picture> add_picture(std::string bytes, std::string_view title, const Author& author);
  Result<bool> remove_picture(std::string_view name, const Author& author);

 private:
  storage::Db& db_;
  const base::Clock& clock_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const PublishedPage> published_;
  mutable std::int64_t read_at_ms_ = 0;  // by the monotonic clock
  mutable bool stale_ = true;
};

}  // namespace topup::content
