// Vouchers: what the shop's stock of PINs holds, and what must be true of it. A PIN is delivered to
// one order and stays its; what an order held comes back when the order ends without it; what a
// buyer was shown is spent.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "server/catalog/assortment.h"
#include "server/storage/db.h"
#include "shared/ids.h"
#include "tests/sim/world.h"

namespace topup::sim {

inline constexpr std::int64_t kVoucherFace = 3'000;
inline constexpr std::int64_t kVoucherCost = 2'000;  // of one from the stock, CNY

const ProductId& own_voucher();     // from the shop's own stock alone
const ProductId& shared_voucher();  // a supplier has it as well
void list_vouchers(std::vector<catalog::OnSale>& on_sale);
void fill_stock(storage::Tx& tx, std::int64_t now_ms);

// What was delivered to whom, as committed: looked at before each commit that touches the stock.
class PinWatch {
 public:
  void judge(World& world, storage::Reader& reader);
  void keep() { owner_of_ = now_; }  // it was committed

 private:
  std::map<std::string, std::string> owner_of_, now_;
};

struct PinFacts {
  std::string id, state, source, order;
  bool is_revealed = false;
  std::int64_t delivered_at_ms = 0, expires_at_ms = 0;
};
std::vector<PinFacts> pins_of(storage::Reader& reader);

}  // namespace topup::sim
