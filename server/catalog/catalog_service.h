// What is on sale. The current price book is held in memory as one immutable snapshot that readers
// share without a lock; publishing swaps it. What stands in it is put together in assortment.h.
// Errors: unavailable/price_book_not_ready. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/base/clock.h"
#include "server/catalog/assortment.h"
#include "server/catalog/catalog_store.h"
#include "server/storage/db.h"
#include "shared/price_book.h"
#include "shared/result.h"

namespace topup::catalog {

// How products are priced: the configuration's rules, or those that staff published.
struct Tariff {
  PriceRule rule;
  Fee fee;  // left out of the book while it charges nothing
  std::vector<PriceRule> more_rules = {};
  std::vector<Rate> rates = {};  // into the shop's currency
};

struct CurrentBook {
  PriceBook book;  // the shop's own, with costs and margins: never leaves the shop
  std::string bytes;
  std::string fingerprint;
  // What buyers are priced by, here and in pages; decoded from the very bytes that pages get.
  struct ForBuyers {
    PriceBook book;
    std::string bytes;
    std::string fingerprint;
  } buyers;
};

class Catalog {
 public:
  Catalog(storage::Db& db, const base::Clock& clock);
  Result<std::shared_ptr<const CurrentBook>> current() const;
  // Publishes a new version when the assortment or the tariff differs from the current one; returns
  // whether it did. A book above kMaxPriceBookBytes is not published and told in the log. The ways
  // to deliver are kept up to date in any case: those of one supplier, or with "" of all of them.
  // `also` is written in the same transaction, told the version that is then the newest; when it
  // says false nothing is written.
  using Also = std::function<bool(storage::Tx& tx, std::int64_t book_version)>;
  bool publish(std::string_view supplier, const Assortment& assortment, const Tariff& tariff,
               std::string_view actor, const Also& also = {});
  // Adds to each book before it is published: promotions, coupons, member levels. Set before the
  // first publish().
  void add_offers(std::function<void(PriceBook*)> add) { add_offers_ = std::move(add); }
  // What would be published, without a version.
  static PriceBook put_together(const Assortment& assortment, const Tariff& tariff);
  // Takes over a newer book that another node has published; cheap when there is none.
  void refresh();

 private:
  bool keep_ways(storage::Tx& tx, std::string_view supplier, const Assortment& assortment);
  void load();
  storage::Db& db_;
  const base::Clock& clock_;
  std::function<void(PriceBook*)> add_offers_;
  mutable std::mutex mutex_;  // held for a pointer copy only
  std::shared_ptr<const CurrentBook> current_;
  std::atomic<std::uint64_t> last_version_ = 0;  // stored, readable or not
};

}  // namespace topup::catalog
