#include "tests/sim/run.h"

#include <algorithm>

#include "shared/time_point.h"
#include "tests/sim/bills.h"
#include "tests/sim/buyers.h"
#include "tests/sim/invariants.h"
#include "tests/sim/shop.h"
#include "tests/sim/staff.h"
#include "tests/sim/wallets.h"

namespace topup::sim {
namespace {

constexpr std::int64_t kTroubleMs = 2 * 3'600'000;
constexpr std::int64_t kRestMs = 24 * 3'600'000;
constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kStepMs = 60'000;

void plan_clock_jumps(World& world, Shop& shop) {
  const std::int64_t jumps = world.faults.rate(Fault::clock_jump);
  for (std::int64_t i = 0; i < jumps; ++i) {
    world.after(world.chance.below(kTroubleMs), [&world, &shop] {
      const std::int64_t drift = world.clock.wall_ms() - world.clock.mono_ms();
      const std::int64_t wanted = World::kTrueOffsetMs + world.between(-kHourMs, kHourMs);
      world.clock.jump_wall(wanted - drift);
      ++world.counts.faults;
      ++world.counts.fault_kinds["clock_jump"];
      world.note("the clock jumps by " + std::to_string(wanted - drift));
      shop.wake();
    });
  }
}

// Nothing will happen by itself any more, but for what comes round every few hours.
bool is_at_rest(World& world, storage::Db& store) {
  if (world.next_event_ms() != INT64_MAX) return false;
  bool is_idle = true;
  store.read([&](storage::Reader& reader) {
    is_idle = reader.query("SELECT 1 FROM outbox WHERE kind <> $1 LIMIT 1", {kSchedule},
                           [](const storage::Row&) {}) == 0;
  });
  return is_idle;
}

// The nights after: bills are compared while things go wrong again, and once more when they do not.
void go_through_bills(World& world, Shop& shop, const Faults& drawn, std::uint64_t seed) {
  world.has_bills_begun = true;
  Accountant accountant(world, shop, seed);
  const std::int64_t first = start_of_day_ms(world.true_ms(), kShanghaiOffsetMs);
  const std::int64_t healed = first + kBillNights * kDayMs;
  for (const Fault fault :
       {Fault::crash, Fault::request_loss, Fault::reply_loss, Fault::late_arrival, Fault::preempt})
    world.faults.set(fault, drawn.rate(fault));
  for (std::int64_t hour = 1; hour <= (kBillNights + 1) * 24 && !world.has_failed(); ++hour) {
    shop.pump(world.now() + kHourMs);
    if (world.true_ms() >= healed) world.faults.heal();
    if (hour % 5 == 0) accountant.look();
  }
  shop.wake();
  shop.pump(world.now() + 8 * kHourMs);
}

}  // namespace

RunResult run_seed(Stores& stores, const RunOptions& options) {
  testing::SeededRandom chance(options.seed);
  Faults faults = Faults::draw(chance, options.profile);
  for (const Fault fault : options.without) faults.set(fault, 0);
  const std::unique_ptr<storage::Db> store = stores.fresh();
  World world(options.seed, faults, options.prints_trace);
  const Faults drawn = world.faults;
  if (drawn.has_midnight) world.clock.advance(14 * kHourMs + world.chance.below(90 * 60'000));
  Bills bills(world, options.seed);
  world.bills = &bills;
  WatchedDb db(*store, world, options.bug);
  Parties parties;
  for (const char* name : {"wechat", "alipay"})
    parties.channels.push_back(std::make_unique<ChannelModel>(world, name, options.bug));
  for (const char* name : {"reloadly", "dtone"})
    parties.suppliers.push_back(std::make_unique<SupplierModel>(world, name, options.bug));
  Shop shop(world, db, parties, options.seed, options.bug);
  for (const auto& channel : parties.channels) {
    channel->on_notice([&, name = channel->name()](const payments::NotifyRequest& request) {
      bool acknowledged = false;
      const bool answered =
          shop.serve([&](Node& node) { acknowledged = node.hear_notice(name, request); });
      if (options.bug == Bug::ack_before_commit) return true;
      return answered && acknowledged;
    });
  }
  for (const auto& supplier : parties.suppliers) {
    supplier->on_hint(
        [&, name = supplier->name()](const suppliers::CallbackRequest& request, bool says_failed) {
          shop.serve([&](Node& node) { node.hear_hint(name, request, says_failed); });
        });
  }
  Buyers buyers(world, shop, parties, options.bug);
  buyers.come(options.seed, options.first_order, options.orders);
  Staff staff(world, shop, buyers, options.bug);
  staff.come(options.seed, options.first_order, options.orders);
  Treasury treasury(world, shop);
  treasury.come(options.seed, buyers.wishes());
  plan_clock_jumps(world, shop);

  shop.pump(world.now() + kTroubleMs);
  world.faults.heal();
  world.note("healed");
  shop.wake();
  const std::int64_t end = world.now() + kRestMs;
  while (!world.has_failed() && world.now() < end) {
    if (is_at_rest(world, *store)) break;
    shop.pump(std::min(end, world.now() + kStepMs));
  }
  if (!world.has_failed())
    judge_the_end(world, *store, parties, buyers.wishes(), staff.given_back(), treasury.granted());
  if (!world.has_failed() && drawn.has_bills) {
    go_through_bills(world, shop, drawn, options.seed);
    if (!world.has_failed()) judge_bills(world, *store, shop, bills, parties);
    if (!world.has_failed()) judge_the_books(world, *store);
  }
  return {world.violation, world.counts, world.trace_hash()};
}

}  // namespace topup::sim
