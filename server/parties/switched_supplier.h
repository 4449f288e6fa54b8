// One supplier in both worlds behind the ordinary port: an attempt is submitted and asked about in
// the world that its number belongs to; lists, balances and statements are those of now. Money of
// one world never buys in the other: right before an attempt would leave it is asked whether it
// may, and one that may not is rejected/OTHER_WORLD, so that the order goes elsewhere or its money
// back. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/base/clock.h"
#include "server/parties/worlds.h"
#include "server/suppliers/supplier.h"

namespace topup::parties {

class SwitchedSupplier final : public suppliers::Supplier {
 public:
  using MayDeliver = std::function<bool(std::string_view supplier, const AttemptId&)>;
  SwitchedSupplier(std::unique_ptr<suppliers::Supplier> rehearsed, const Worlds& worlds,
                   const base::Clock& clock, MayDeliver may_deliver)
      : rehearsed_(std::move(rehearsed)),
        worlds_(worlds),
        clock_(clock),
        may_deliver_(std::move(may_deliver)) {}
  // As SwitchedChannel::set_live().
  void set_live(std::shared_ptr<suppliers::Supplier> live) {
    const std::lock_guard hold(mutex_);
    live_.swap(live);
  }

  std::string_view name() const override { return rehearsed_->name(); }
  Result<std::vector<suppliers::ListedProduct>> products(const std::string& country) override {
    return now()->products(country);
  }
  suppliers::SupplyOutcome submit(const suppliers::SubmitRequest& request) override {
    if (may_deliver_ && !may_deliver_(name(), request.attempt_id)) {
      suppliers::SupplyOutcome refused;
      refused.state = suppliers::SupplyState::rejected;
      refused.code = "OTHER_WORLD";
      return refused;
    }
    return of(request.attempt_id)->submit(request);
  }
  suppliers::SupplyOutcome query(const AttemptId& attempt, const std::string& theirs) override {
    return of(attempt)->query(attempt, theirs);
  }
  Result<Money> balance() override { return now()->balance(); }
  Result<suppliers::LookedUp> look_up(const std::string& account) override {
    return now()->look_up(account);
  }
  Result<std::vector<suppliers::StatementLine>> statement(std::int64_t from_ms,
                                                          std::int64_t until_ms) override {
    return now()->statement(from_ms, until_ms);
  }
  bool deduplicates() const override { return rehearsed_->deduplicates(); }
  // Only a hint: query() asks the world of the attempt.
  Result<AttemptId> parse_callback(const suppliers::CallbackRequest& request) const override {
    const Held live = in(World::live);
    auto heard = live->parse_callback(request);
    if (heard || live == rehearsed_) return heard;
    auto played = rehearsed_->parse_callback(request);
    return played ? played : heard;
  }

 private:
  using Held = std::shared_ptr<suppliers::Supplier>;
  Held in(World world) const {
    const std::lock_guard hold(mutex_);
    return world == World::live && live_ ? live_ : rehearsed_;
  }
  Held now() const { return in(worlds_.at(name(), clock_.wall_ms())); }
  Held of(const AttemptId& attempt) const { return in(worlds_.of(name(), attempt.text)); }

  const Held rehearsed_;
  const Worlds& worlds_;
  const base::Clock& clock_;
  const MayDeliver may_deliver_;
  mutable std::mutex mutex_;  // held for a pointer copy only
  Held live_;
};

}  // namespace topup::parties
