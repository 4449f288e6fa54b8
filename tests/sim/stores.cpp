#include <filesystem>
#include <optional>

#include "server/catalog/catalog_service.h"
#include "server/marketing/coupon_store.h"
#include "server/orders/order_holds_store.h"
#include "server/storage/migrate.h"
#include "shared/check.h"
#include "tests/sim/buyers.h"
#include "tests/sim/memory_store.h"
#include "tests/sim/pins.h"
#include "tests/sim/run.h"
#include "tests/sim/wallets.h"
#include "tests/support/manual_clock.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/scratch_shop.h"

namespace topup::sim {
namespace {

constexpr int kUsers = 400;

// What every run begins with.
void furnish(storage::Db& db) {
  const testing::ManualClock clock;
  const std::int64_t now = clock.wall_ms();
  storage::migrate(db, now);
  db.write([now](storage::Tx& tx) {
    for (int i = 0; i < kUsers; ++i) {
      tx.exec("INSERT INTO users (user_id, created_at_ms) VALUES ($1, $2)",
              {Buyers::user_of(3 * i).text, now});
    }
    return true;
  });
  catalog::Catalog catalog(db, clock);
  catalog.add_offers([](PriceBook* book) {
    CouponTemplate off;
    off.id = "off";
    off.value = kCouponMinor;
    book->coupons.push_back(off);
  });
  std::vector<catalog::OnSale> on_sale;
  for (const char* supplier : {"reloadly", "dtone"}) {
    for (const std::int64_t face : {2'000, 5'000, 10'000}) {
      const catalog::Listed listed{"1", "China Mobile", "CN", fen(face)};
      on_sale.push_back({supplier, listed, listed});
    }
  }
  list_vouchers(on_sale);
  catalog.publish("", catalog::assemble(on_sale, {}, Currency::cny),
                  {{.id = "default", .rate_bp = kListBp}, {.id = "service"}}, "system");
  db.write([now](storage::Tx& tx) {
    marketing::Campaign campaign;
    campaign.id = "c";
    campaign.template_id = "off";
    campaign.name = "c";
    campaign.budget = kUsers;
    campaign.per_user = 1;
    marketing::coupon_store::save_campaign(tx, campaign);
    for (int i = 0; i < kUsers; ++i) {
      const std::string& user = Buyers::user_of(3 * i).text;
      marketing::coupon_store::insert_coupon(
          tx, {"coupon-of-" + user, user, "off", "c", now, 0, 0, "staff:desk", now});
      check(marketing::coupon_store::take_from_budget(tx, "c"), "the budget is for all");
    }
    orders::order_holds::set_stock(tx, kScarce, kScarcePieces);
    fill_stock(tx, now);
    hire_bookkeepers(tx, now);
    return true;
  });
}

class MemoryStores final : public Stores {
 public:
  MemoryStores() : store_(open_in_memory()) { furnish(*store_); }
  std::unique_ptr<storage::Db> fresh() override { return std::make_unique<OneRun>(*store_); }

 private:
  class OneRun final : public storage::Db {
   public:
    explicit OneRun(MemoryStore& store) : store_(store) { store_.begin_run(); }
    ~OneRun() override { store_.end_run(); }
    void read(const std::function<void(storage::Reader&)>& body) override { store_.read(body); }
    void write(const std::function<bool(storage::Tx&)>& body) override { store_.write(body); }
    std::string engine() const override { return store_.engine(); }
    void on_group(std::function<void(std::size_t)>) override {}

   private:
    MemoryStore& store_;
  };
  std::unique_ptr<MemoryStore> store_;
};

// The store as the shop opens it: a file, copied from one that was made once.
class FileStores final : public Stores {
 public:
  FileStores() { furnish(*storage::open_sqlite(folder_.file("shop.db"))); }
  std::unique_ptr<storage::Db> fresh() override {
    const std::string path = folder_.file("run.db");
    for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path + end);
    std::filesystem::copy_file(folder_.file("shop.db"), path);
    return storage::open_sqlite(path);
  }

 private:
  testing::ScratchFolder folder_;
};

// A database of its own on a PostgreSQL that this program starts.
class PostgresStores final : public Stores {
 public:
  std::unique_ptr<storage::Db> fresh() override {
    database_.emplace(true);
    storage::PostgresTarget target;
    target.url = database_->url();
    auto db = storage::open_postgres(target, storage::kDefaultConnections, clock_);
    furnish(*db);
    return db;
  }

 private:
  base::SystemClock clock_;
  std::optional<testing::ScratchDatabase> database_;
};

}  // namespace

std::unique_ptr<Stores> memory_stores() { return std::make_unique<MemoryStores>(); }
std::unique_ptr<Stores> file_stores() { return std::make_unique<FileStores>(); }
std::unique_ptr<Stores> postgres_stores() { return std::make_unique<PostgresStores>(); }

}  // namespace topup::sim
