// Keys that rotate while everybody reads and writes what they seal.
#include <string>

#include "tests/races/race.h"
#include "tests/support/key_shop.h"

namespace topup::races {

namespace {

using testing::KeyShop;
using testing::kThings;

constexpr int kRows = 64;   // that are there before
constexpr int kWrites = 8;  // by each writer in a round
constexpr std::string_view kColumn = "first_sealed";

struct Beside {
  std::atomic<int> closed{0};  // values that did not open, or to something else
  std::atomic<bool> is_rotating{true};
};

void expect_open(const testing::OpenKeys& keys, const std::string& id, const std::string& sealed,
                 const std::string& plain, Beside* beside) {
  const auto text = keys.pii->open("things", kColumn, id, sealed);
  if (!text || *text != plain) ++beside->closed;
}

void write_and_read(KeyShop& shop, const testing::OpenKeys& keys, const std::string& name,
                    Beside* beside) {
  const std::string plain = "new " + name;
  const std::string sealed = keys.pii->seal("things", kColumn, name, plain);
  shop.shop.db().write([&](storage::Tx& tx) {
    tx.exec("INSERT INTO things (thing_id, first_sealed) VALUES ($1, $2)", {name, sealed});
    return true;
  });
  const std::string stored = shop.shop.text("SELECT first_sealed FROM things WHERE thing_id = $1",
                                            {std::string_view(name)});
  expect_open(keys, name, stored, plain, beside);
}

void read(KeyShop& shop, const testing::OpenKeys& keys, int row, Beside* beside) {
  const std::string id = "thing-" + std::to_string(row);
  const std::string stored =
      shop.shop.text("SELECT first_sealed FROM things WHERE thing_id = $1", {std::string_view(id)});
  expect_open(keys, id, stored, KeyShop::plain(row, kColumn), beside);
  if (keys.pii->blind_index("test", id).size() != 64) ++beside->closed;
}

// As `topup key rotate --master` on a running shop.
bool rotate(KeyShop& shop, const testing::OpenKeys& keys, std::int64_t now) {
  privacy::ResealSettings settings;
  settings.batch = 50;
  // A writer's value may still be on its way with the key that was active a moment ago.
  settings.retire_after_ms = 1;
  bool done = keys.provider->add(now).has_value();
  done = keys.ring->rewrap().has_value() && done;
  done = keys.ring->drop_old_masters().has_value() && done;
  done = keys.ring->renew(privacy::purpose::kSeal, now).has_value() && done;
  privacy::Reseal reseal(shop.shop.db(), *keys.ring, *keys.pii, kThings, settings);
  do {
    while (!reseal.step().place.empty()) {
    }
  } while (reseal.settle(now + 10));
  return done;
}

}  // namespace

void rotation_beside_reads(const Effort& effort, Tally& tally) {
  KeyShop shop;
  const testing::OpenKeys keys = shop.open();
  const testing::OpenKeys other = shop.open();  // a second node, which follows
  shop.add_rows(*keys.pii, kRows);
  Beside beside;
  bool rotated = true;
  for (; tally.time_left(); ++tally.rounds) {
    beside.is_rotating = true;
    std::atomic<int> ran_away{0};
    crowd(effort.threads, [&](int t) {
      if (t == 0) {
        rotated = rotate(shop, keys, 10'000 + tally.rounds * 1'000) && rotated;
        beside.is_rotating = false;
        return;
      }
      for (int i = 0; i < kWrites || (beside.is_rotating && i < 1'000); ++i) {
        if (t == 1) {
          ran_away += keys.ring->refresh().has_value() ? 0 : 1;
        } else if (t % 2 == 0 && i < kWrites) {
          write_and_read(
              shop, keys,
              std::to_string(tally.rounds) + "-" + std::to_string(t) + "-" + std::to_string(i),
              &beside);
        } else {
          read(shop, t % 4 == 3 ? other : keys, (t * 7 + i) % kRows, &beside);
        }
        ++tally.acts;
      }
    });
    tally.expect(rotated, "a rotation failed");
    tally.same(ran_away.load(), 0, "looks for other nodes' keys that failed");
    tally.same(beside.closed.load(), 0, "values that did not open");
  }
  rotated = rotate(shop, keys, 10'000 + tally.rounds * 1'000);
  tally.expect(rotated, "the last rotation failed");
  tally.same(shop.closed_values(*keys.pii), 0, "values that do not open at the end");
  tally.same(shop.closed_values(*other.pii), 0, "values that another node does not open");
  tally.same(shop.closed_values(*shop.open().pii), 0, "values that do not open after a start");
  const std::string prefix = "v1." + keys.pii->key_id() + ".%";
  tally.same(shop.shop.integer("SELECT COUNT(*) FROM things WHERE first_sealed NOT LIKE $1",
                               {std::string_view(prefix)}),
             0, "values that the newest key has not sealed");
}

}  // namespace topup::races
