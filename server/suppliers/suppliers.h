// The suppliers of this shop, by the name that attempts store. Filled while the server starts, only
// read afterwards: find() is then thread-safe, and what it returns lives as long as the registry.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "server/suppliers/supplier.h"

namespace topup::suppliers {

class Suppliers {
 public:
  void add(
      std::unique_ptr<Supplier> supplier);  // a second one of the same name is a broken invariant
  Supplier* find(std::string_view name) const;  // nullptr when the shop has none of that name
  const std::vector<std::unique_ptr<Supplier>>& all() const {
    return suppliers_;
  }  // in the order added

 private:
  std::vector<std::unique_ptr<Supplier>> suppliers_;
};

}  // namespace topup::suppliers
