// One look at everything that decides who delivers an order: the ways to its product, joined with
// how the lines to those suppliers stand.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "server/catalog/catalog_store.h"
#include "server/storage/db.h"
#include "server/suppliers/supplier_line_store.h"
#include "shared/ids.h"

namespace topup::orders {

struct Way {
  catalog::catalog_store::SupplierProduct product;
  suppliers::LineState supplier_state = suppliers::LineState::open;
  suppliers::LineState operator_state = suppliers::LineState::open;
  std::int64_t supplier_reopen_at_ms = 0, operator_reopen_at_ms = 0;
  std::optional<Money> balance;
};

namespace supply_choice_store {

std::vector<Way> ways_of(storage::Reader& reader, const ProductId& product);  // by supplier
// When the order was first paid; 0 when it never was.
std::int64_t paid_at_ms(storage::Reader& reader, const OrderId& order);

}  // namespace supply_choice_store
}  // namespace topup::orders
