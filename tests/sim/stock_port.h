// The shop's own stock of PINs, the real one, where a process may stand still between the question
// whether it may still go on and the deed.
#pragma once

#include <memory>

#include "server/suppliers/supplier.h"
#include "tests/sim/bugs.h"
#include "tests/sim/world.h"

namespace topup::sim {

std::unique_ptr<suppliers::Supplier> make_stock_port(World& world,
                                                     std::unique_ptr<suppliers::Supplier> stock,
                                                     Bug bug);

}  // namespace topup::sim
