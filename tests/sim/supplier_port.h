// The supplier's adapter in the shop: each call goes over the wire to the model. Bugs that live in
// an adapter are planted here.
#pragma once

#include <memory>

#include "tests/sim/supplier_model.h"

namespace topup::sim {

std::unique_ptr<suppliers::Supplier> make_supplier_port(World& world, SupplierModel& model,
                                                        Wire& wire, Bug bug);

}  // namespace topup::sim
