#include "server/suppliers/suppliers.h"

#include <utility>

#include "shared/check.h"

namespace topup::suppliers {

void Suppliers::add(std::unique_ptr<Supplier> supplier) {
  check(supplier != nullptr && find(supplier->name()) == nullptr, "suppliers: two of one name");
  suppliers_.push_back(std::move(supplier));
}

Supplier* Suppliers::find(std::string_view name) const {
  for (const auto& supplier : suppliers_)
    if (supplier->name() == name) return supplier.get();
  return nullptr;
}

}  // namespace topup::suppliers
