#include "tests/sim/pins.h"

#include "server/privacy/pii.h"
#include "server/suppliers/pin_stock.h"
#include "server/suppliers/pin_store.h"
#include "tests/support/seeded_random.h"

namespace topup::sim {
namespace {

namespace pin_store = suppliers::pin_store;

constexpr int kPinsOfEach = 3;
constexpr std::int64_t kShortLifeMs = 40 * 60'000;

catalog::Listed voucher(const char* sku, const char* theirs) {
  catalog::Listed listed{theirs, "Gift", "CN", fen(kVoucherFace)};
  listed.kind = ProductKind::pin;
  listed.sku = sku;
  listed.name = sku;
  return listed;
}
catalog::OnSale from_stock(const char* sku) {
  const catalog::Listed listed = voucher(sku, "stock");
  return {std::string(suppliers::kStock), listed, listed};
}
ProductId id_of(const char* sku) {
  return catalog::assemble({from_stock(sku)}, {}, Currency::cny).products.front().id;
}

}  // namespace

const ProductId& own_voucher() {
  static const ProductId id = id_of("own gift");
  return id;
}
const ProductId& shared_voucher() {
  static const ProductId id = id_of("any gift");
  return id;
}

void list_vouchers(std::vector<catalog::OnSale>& on_sale) {
  on_sale.push_back(from_stock("own gift"));
  on_sale.push_back(from_stock("any gift"));
  const catalog::Listed theirs = voucher("any gift", "9");
  on_sale.push_back({"reloadly", theirs, theirs});
}

void fill_stock(storage::Tx& tx, std::int64_t now_ms) {
  testing::SeededRandom random(1);
  const privacy::Pii pii(std::string(privacy::kMasterKeyBytes, 'k'), random);
  for (const std::string sku : {"own gift", "any gift"}) {
    pin_store::save_product(tx, {sku, "CN", "Gift", sku, fen(kVoucherFace), fen(kVoucherCost), 0},
                            "staff:desk", now_ms);
    for (int i = 0; i < kPinsOfEach; ++i) {
      const std::string id = sku + " " + std::to_string(i);
      const std::int64_t expires_at_ms = i == 0 ? now_ms + kShortLifeMs : 0;
      (void)pin_store::add(tx, pii,
                           {id,
                            {"code-of-" + id, "", expires_at_ms},
                            sku,
                            std::string(suppliers::kStock),
                            "staff:desk"},
                           now_ms);
    }
  }
}

void PinWatch::judge(World& world, storage::Reader& reader) {
  now_.clear();
  reader.query("SELECT pin_id, order_id FROM pin_stock WHERE state = 'delivered'", {},
               [this](const storage::Row& row) { now_[row.text(0)] = row.text(1); });
  for (const auto& [pin, owner] : owner_of_) {
    const auto found = now_.find(pin);
    if (found == now_.end())
      world.fail("I5", "PIN " + pin + ", delivered to " + owner + ", is in the stock again");
    else if (found->second != owner)
      world.fail("I5", "PIN " + pin + " of " + owner + " is given to " + found->second);
  }
}

std::vector<PinFacts> pins_of(storage::Reader& reader) {
  std::vector<PinFacts> found;
  reader.query(
      "SELECT pin_id, state, source, order_id, revealed_at_ms, delivered_at_ms, expires_at_ms"
      " FROM pin_stock ORDER BY pin_id",
      {}, [&found](const storage::Row& row) {
        found.push_back({row.text(0), row.text(1), row.text(2), row.text(3), row.integer(4) > 0,
                         row.integer(5), row.integer(6)});
      });
  return found;
}

}  // namespace topup::sim
