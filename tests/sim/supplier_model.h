// A supplier as it is outside: what it was asked, what it delivered and to whom, what it charged.
// Two kinds: one refuses to do the same reference twice, the other does it again.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "server/suppliers/supplier.h"
#include "tests/sim/bugs.h"
#include "tests/sim/wire.h"
#include "tests/sim/world.h"

namespace topup::sim {

struct Delivery {
  std::string account, attempt;
  Money face;
  std::int64_t at_ms = 0;  // steady
};
struct Booking {
  suppliers::SupplyState state = suppliers::SupplyState::accepted;
  std::string account;
  Money face, cost;
  std::int64_t charged = 0;  // how many times its cost was taken from our balance
  bool is_turncoat = false;
  bool is_pin = false;
  std::int64_t at_ms = 0;  // steady: delivered
};

class SupplierModel {
 public:
  using Hint = std::function<void(const suppliers::CallbackRequest&, bool says_failed)>;
  SupplierModel(World& world, std::string name, Bug bug);
  void on_hint(Hint hint) { hint_ = std::move(hint); }

  // What the shop's adapter asks for.
  suppliers::SupplyOutcome take(const suppliers::SubmitRequest& request);
  suppliers::SupplyOutcome look(const AttemptId& attempt);

  const std::string& name() const { return name_; }
  bool deduplicates() const { return world_.faults.supplier_deduplicates; }
  const std::vector<Delivery>& deliveries() const { return deliveries_; }
  const std::map<std::string, Booking>& bookings() const { return bookings_; }
  std::unique_ptr<suppliers::Supplier> adapter();

 private:
  suppliers::SupplyOutcome said(const std::string& reference) const;
  void decide(const std::string& reference, bool is_rejected);
  void send_hint(const std::string& reference, bool says_failed);

  World& world_;
  std::string name_;
  Bug bug_;
  Wire wire_;
  Hint hint_;
  std::map<std::string, Booking> bookings_;
  std::vector<Delivery> deliveries_;
};

}  // namespace topup::sim
