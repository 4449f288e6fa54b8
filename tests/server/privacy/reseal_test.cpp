#include "server/privacy/reseal.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <string>

#include "server/base/clock.h"
#include "tests/support/key_shop.h"
#include "tests/support/manual_clock.h"
#include "tests/support/mortal_db.h"
#include "tests/support/seeded_random.h"

namespace topup::privacy {
namespace {

using testing::KeyShop;
using testing::kThings;
using testing::OpenKeys;

ResealSettings settings(std::int64_t batch) {
  ResealSettings chosen;
  chosen.batch = batch;
  chosen.retire_after_ms = 0;
  return chosen;
}

// A whole rotation as `topup key rotate` makes it: a new data key, on some turns a new master key,
// every value sealed anew, the old key retired.
void rotate(storage::Db& db, OpenKeys& keys, bool master, std::int64_t now) {
  if (master) {
    if (!keys.provider->add(now)) throw std::runtime_error("the key file cannot be written");
    (void)keys.ring->rewrap();
    (void)keys.ring->drop_old_masters();
  }
  (void)keys.ring->renew(purpose::kSeal, now);
  Reseal reseal(db, *keys.ring, *keys.pii, kThings, settings(7));
  do {
    while (!reseal.step().place.empty()) {
    }
  } while (reseal.settle(now + 1));
}

TEST_CASE("K-03: values are sealed anew batch by batch, and the old key is retired at the end") {
  KeyShop shop;
  const OpenKeys keys = shop.open();
  shop.add_rows(*keys.pii, 25);
  const std::string old = keys.pii->key_id();
  REQUIRE(keys.ring->renew(purpose::kSeal, 10));
  Reseal reseal(shop.shop.db(), *keys.ring, *keys.pii, kThings, settings(10));
  CHECK(reseal.old_keys() == Reseal::Old::kept);
  CHECK(reseal.step().sealed == 10);
  CHECK(shop.sealed_with(old) == 35);
  CHECK(shop.closed_values(*keys.pii) == 0);
  CHECK(reseal.settle(11));  // values are left: it begins another round, and no key is retired
  while (!reseal.step().place.empty()) {
  }
  CHECK_FALSE(reseal.settle(12));
  CHECK(shop.sealed_with(old) == 0);
  CHECK(shop.shop.text("SELECT state FROM data_keys WHERE key_id = $1", {std::string_view(old)}) ==
        "retired");
  CHECK(shop.closed_values(*shop.open().pii) == 0);
  for (const KeyUse& use : reseal.uses()) CHECK(use.values == (use.id == old ? 0 : 45));
}

TEST_CASE("K-03: a value written with the old key meanwhile is found before the key is retired") {
  KeyShop shop;
  const OpenKeys keys = shop.open();
  const OpenKeys late = shop.open();  // another node that has not looked yet
  shop.add_rows(*keys.pii, 5);
  const std::string old = keys.pii->key_id();
  REQUIRE(keys.ring->renew(purpose::kSeal, 10));
  Reseal reseal(shop.shop.db(), *keys.ring, *keys.pii, kThings, settings(10));
  while (!reseal.step().place.empty()) {
  }
  shop.add_rows(*late.pii, 1);
  CHECK(reseal.settle(11));
  while (!reseal.step().place.empty()) {
  }
  CHECK_FALSE(reseal.settle(12));
  CHECK(shop.sealed_with(old) == 0);
  CHECK(shop.closed_values(*keys.pii) == 0);
  // And one that comes even later: the retired key still opens it, and is kept again.
  shop.add_rows(*late.pii, 1);
  CHECK(shop.closed_values(*shop.open().pii) == 0);
  CHECK(reseal.settle(13));
  CHECK(shop.shop.text("SELECT state FROM data_keys WHERE key_id = $1", {std::string_view(old)}) ==
        "kept");
}

TEST_CASE("K-03: a row that changes while its batch is on the way keeps the change") {
  KeyShop shop;
  const OpenKeys keys = shop.open();
  shop.add_rows(*keys.pii, 1);
  const key_store::Sealed read{"thing-0", shop.shop.text("SELECT first_sealed FROM things")};
  const std::string changed = keys.pii->seal("things", "first_sealed", "thing-0", "changed");
  shop.shop.tamper("UPDATE things SET first_sealed = '" + changed + "'");
  bool replaced = true;
  shop.shop.db().write([&](storage::Tx& tx) {
    replaced = key_store::replace(tx, kThings[0], read, "v1.lost");
    return true;
  });
  CHECK_FALSE(replaced);
  CHECK(shop.shop.text("SELECT first_sealed FROM things") == changed);
}

TEST_CASE("K-03: killed at 250 random points of its rotations, every value opens at all times") {
  const testing::QuietLog quiet;
  KeyShop shop;
  testing::SeededRandom random(7);
  {
    OpenKeys keys = shop.open();
    shop.add_rows(*keys.pii, 40);
  }
  std::int64_t steps = 0;
  {
    testing::MortalDb counted(shop.shop.db());
    OpenKeys keys = shop.open(counted);
    rotate(counted, keys, true, 50);
    steps = counted.steps();
  }
  REQUIRE(steps > 100);
  int killed = 0;
  for (int round = 0; killed < 250 && round < 600; ++round) {
    CAPTURE(round);
    testing::MortalDb mortal(shop.shop.db(), 1 + random.below(steps));
    try {
      OpenKeys keys = shop.open(mortal);
      rotate(mortal, keys, round % 3 == 0, 100 + round);
    } catch (const testing::Killed&) {
      ++killed;
    }
    const OpenKeys next = shop.open();
    REQUIRE(shop.closed_values(*next.pii) == 0);
  }
  CHECK(killed == 250);
  MESSAGE("figure K-03: " << killed << " kills over " << steps
                          << " steps of a rotation, 0 values unreadable");
  OpenKeys keys = shop.open();
  rotate(shop.shop.db(), keys, true, 10'000);
  CHECK(shop.closed_values(*keys.pii) == 0);
  CHECK(shop.sealed_with(keys.pii->key_id()) == 72);
  CHECK(keys.provider->list().size() == 1);
  CHECK(shop.shop.integer("SELECT COUNT(*) FROM data_keys WHERE state = 'kept'") == 0);
}

TEST_CASE("keys: a retired key is forgotten after a month, and never while a value names it") {
  KeyShop shop;
  const OpenKeys keys = shop.open();
  shop.add_rows(*keys.pii, 2);
  const std::string old = keys.pii->key_id();
  REQUIRE(keys.ring->renew(purpose::kSeal, 10));
  Reseal reseal(shop.shop.db(), *keys.ring, *keys.pii, kThings, settings(10));
  const std::int64_t month = ResealSettings{}.forget_after_ms;
  CHECK(reseal.settle(10 + 2 * month));  // still named: nothing happens to it
  while (!reseal.step().place.empty()) {
  }
  CHECK_FALSE(reseal.settle(11));
  CHECK_FALSE(reseal.settle(9 + month));
  CHECK(shop.shop.integer("SELECT COUNT(*) FROM data_key_wraps") == 4);
  CHECK_FALSE(reseal.settle(10 + month));
  CHECK(shop.shop.integer("SELECT COUNT(*) FROM data_key_wraps") == 3);
  CHECK(shop.closed_values(*shop.open().pii) == 0);
}

TEST_CASE("keys: a row that no key opens is told of, and does not stop the others") {
  const testing::QuietLog quiet;
  KeyShop shop;
  const OpenKeys keys = shop.open();
  shop.add_rows(*keys.pii, 9);
  const std::string old = keys.pii->key_id();
  shop.shop.tamper(
      "UPDATE things SET first_sealed = (SELECT second_sealed FROM things WHERE "
      "thing_id = 'thing-1') WHERE thing_id = 'thing-3'");
  REQUIRE(keys.ring->renew(purpose::kSeal, 10));
  Reseal reseal(shop.shop.db(), *keys.ring, *keys.pii, kThings, settings(4));
  std::int64_t broken = 0;
  for (Reseal::Step step = reseal.step(); !step.place.empty(); step = reseal.step())
    broken += step.broken;
  CHECK(broken == 1);
  CHECK(shop.sealed_with(old) == 1);
  CHECK_FALSE(reseal.settle(12));  // it would otherwise begin for ever
  CHECK(shop.shop.text("SELECT state FROM data_keys WHERE key_id = $1", {std::string_view(old)}) ==
        "kept");
}

// skip: keys: sealing anew is quick # a figure, not a test; for by hand
TEST_CASE("keys: sealing anew is quick" * doctest::skip()) {
  KeyShop shop;
  const OpenKeys keys = shop.open();
  for (int i = 0; i < 20; ++i) shop.add_rows(*keys.pii, 5'000);
  REQUIRE(keys.ring->renew(purpose::kSeal, 10));
  Reseal reseal(shop.shop.db(), *keys.ring, *keys.pii, kThings, settings(500));
  const base::SystemClock clock;
  const std::int64_t began = clock.mono_ms();
  std::int64_t sealed = 0;
  for (Reseal::Step step = reseal.step(); !step.place.empty(); step = reseal.step())
    sealed += step.sealed;
  const std::int64_t took = clock.mono_ms() - began;
  std::printf("%lld values in %lld ms\n", static_cast<long long>(sealed),
              static_cast<long long>(took));
  CHECK(sealed == 180'000);
}

}  // namespace
}  // namespace topup::privacy
