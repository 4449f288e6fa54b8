#include "tests/sim/supplier_model.h"

#include <utility>

#include "tests/sim/supplier_port.h"

namespace topup::sim {

using suppliers::SupplyOutcome;
using suppliers::SupplyState;

SupplierModel::SupplierModel(World& world, std::string name, Bug bug)
    : world_(world), name_(std::move(name)), bug_(bug), wire_(world) {}

std::unique_ptr<suppliers::Supplier> SupplierModel::adapter() {
  return make_supplier_port(world_, *this, wire_, bug_);
}

SupplyOutcome SupplierModel::take(const suppliers::SubmitRequest& request) {
  const std::string& reference = request.attempt_id.text;
  const bool is_known = bookings_.count(reference) != 0;
  if (is_known && deduplicates()) return said(reference);
  if (!is_known && world_.strikes(Fault::supplier_held)) {
    SupplyOutcome held;
    held.state = SupplyState::held;
    held.code = "INSUFFICIENT_BALANCE";
    return held;
  }
  Booking& booking = bookings_[reference];
  booking.state = SupplyState::accepted;
  booking.account = request.account_number;
  booking.face = request.face;
  booking.is_pin = request.kind == ProductKind::pin;
  booking.cost = Money{request.face.minor * 14 / 100, Currency::usd};
  world_.note(name_ + " takes " + reference);
  const bool is_rejected = world_.strikes(Fault::supplier_reject);
  if (world_.strikes(Fault::supplier_slow)) {
    world_.after(world_.between(1'000, 1'800'000),
                 [this, reference, is_rejected] { decide(reference, is_rejected); });
  } else {
    decide(reference, is_rejected);
  }
  return said(reference);
}

void SupplierModel::decide(const std::string& reference, bool is_rejected) {
  Booking& booking = bookings_.at(reference);
  booking.state = is_rejected ? SupplyState::rejected : SupplyState::succeeded;
  world_.note(name_ + (is_rejected ? " rejects " : " delivers ") + reference);
  if (!is_rejected) {
    ++booking.charged;
    booking.at_ms = world_.now();
    deliveries_.push_back({booking.account, reference, booking.face, world_.now()});
    if (world_.strikes(Fault::supplier_turncoat)) {
      world_.after(world_.between(60'000, 3'600'000), [this, reference] {
        const std::string order = reference.substr(1, reference.size() - 2);
        if (world_.heard_deliveries.count(order) == 0) return;
        bookings_.at(reference).is_turncoat = true;
        send_hint(reference, true);
      });
    }
  }
  send_hint(reference, is_rejected);
}

void SupplierModel::send_hint(const std::string& reference, bool says_failed) {
  const int copies = world_.strikes(Fault::notice_duplicate) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    if (world_.strikes(Fault::notice_loss)) continue;
    world_.after(world_.between(50, 30'000), [this, reference, says_failed] {
      hint_({{{"x-from", name_}}, reference}, says_failed);
    });
  }
}

SupplyOutcome SupplierModel::look(const AttemptId& attempt) {
  if (bookings_.count(attempt.text) != 0) return said(attempt.text);
  SupplyOutcome absent;
  absent.state = SupplyState::not_found;
  return absent;
}

SupplyOutcome SupplierModel::said(const std::string& reference) const {
  const Booking& booking = bookings_.at(reference);
  SupplyOutcome outcome;
  outcome.state = booking.is_turncoat ? SupplyState::rejected : booking.state;
  outcome.supplier_order_id = name_ + "-" + reference;
  if (outcome.state == SupplyState::succeeded) outcome.cost = booking.cost;
  if (outcome.state == SupplyState::rejected) outcome.code = "REFUSED";
  if (outcome.state == SupplyState::succeeded && booking.is_pin)
    outcome.pins.push_back({"code-of-" + reference, "", 0});
  return outcome;
}

}  // namespace topup::sim
