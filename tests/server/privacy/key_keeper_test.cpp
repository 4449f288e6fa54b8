#include "server/privacy/key_keeper.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "server/privacy/key_file.h"
#include "tests/support/key_shop.h"
#include "tests/support/manual_clock.h"

namespace topup::privacy {
namespace {

constexpr std::int64_t kDay = 86'400'000;

class Kept {
 public:
  explicit Kept(std::int64_t rotate_days = 90)
      : keys(shop.open()),
        keeper(shop.shop.db(), *keys.provider, keys.ring, *keys.pii, clock,
               {shop.data_dir(), "node-1", rotate_days * kDay, 0, {}},
               [this](storage::Tx&, std::string_view action, std::string_view, std::string_view) {
                 told.emplace_back(action);
               }) {
    // The keys of the test are as old as its clock.
    shop.shop.tamper("UPDATE data_keys SET created_at_ms = " + std::to_string(clock.wall_ms()));
    CHECK(keys.ring->refresh());
  }
  std::string state_of(const std::string& key) {
    return shop.shop.text("SELECT state FROM data_keys WHERE key_id = $1", {std::string_view(key)});
  }
  std::vector<std::string> answer() {
    std::ifstream file(answer_file(shop.data_dir()));
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }

  testing::QuietLog quiet;
  testing::KeyShop shop;
  testing::ManualClock clock;
  testing::OpenKeys keys;
  std::vector<std::string> told;
  KeyKeeper keeper;
};

TEST_CASE("K-01: a data key is replaced by itself long before 2^32 values") {
  Kept kept;
  const std::string first = kept.keys.pii->key_id();
  (void)kept.keeper.turn();
  CHECK(kept.keys.pii->key_id() == first);
  kept.shop.shop.tamper("UPDATE data_keys SET seals = " + std::to_string(kRenewAtSeals) +
                        " WHERE purpose = 'seal'");
  (void)kept.keeper.turn();
  CHECK(kept.keys.pii->key_id() != first);
  CHECK(kept.state_of(first) == "kept");
  kept.clock.advance(ResealSettings{}.retire_after_ms + kDay);
  for (int turns = 0; turns < 100 && kept.keeper.turn();) ++turns;  // one sealed column a turn
  CHECK(kept.state_of(first) == "retired");
}

TEST_CASE("F116: a data key is replaced when it is as old as was set, or never") {
  Kept kept(90);
  const std::string first = kept.keys.pii->key_id();
  kept.clock.advance(90 * kDay - 1);
  (void)kept.keeper.turn();
  CHECK(kept.keys.pii->key_id() == first);
  kept.clock.advance(1);
  (void)kept.keeper.turn();
  CHECK(kept.keys.pii->key_id() != first);
  Kept forever(0);
  const std::string only = forever.keys.pii->key_id();
  forever.clock.advance(4'000 * kDay);
  (void)forever.keeper.turn();
  CHECK(forever.keys.pii->key_id() == only);
}

TEST_CASE("keys: an order that is left in the data folder is carried out once and answered") {
  Kept kept;
  const std::string first = kept.keys.pii->key_id();
  const std::string master = kept.keys.provider->active_id();
  KeyOrder order;
  order.data = order.master = order.finish = true;
  REQUIRE(create_private_file(order_file(kept.shop.data_dir()), order_text(order, "number-1")));
  (void)kept.keeper.turn();
  CHECK(kept.keys.pii->key_id() != first);
  CHECK(kept.keys.provider->active_id() != master);
  CHECK_FALSE(std::filesystem::exists(order_file(kept.shop.data_dir())));
  const std::vector<std::string> lines = kept.answer();
  REQUIRE(lines.size() > 4);
  CHECK(lines.front() == "number-1");
  CHECK(lines.back() == ".");
  CHECK(kept.told == std::vector<std::string>{});  // the ring tells of its own: it has no listener
  const std::string second = kept.keys.pii->key_id();
  (void)kept.keeper.turn();
  CHECK(kept.keys.pii->key_id() == second);
}

TEST_CASE("keys: an order that is no order changes nothing") {
  const testing::QuietLog quiet;
  Kept kept;
  const std::string first = kept.keys.pii->key_id();
  for (const char* text : {"", "{", "[]", "{\"data\":1}", "{\"data\":\"true\"}", "\x01\x02"}) {
    REQUIRE(replace_private_file(order_file(kept.shop.data_dir()), text));
    (void)kept.keeper.turn();
    CHECK(kept.keys.pii->key_id() == first);
    CHECK_FALSE(std::filesystem::exists(order_file(kept.shop.data_dir())));
  }
  // Whoever is not the shop's user cannot have written it.
  std::ofstream(order_file(kept.shop.data_dir())) << order_text({false, true}, "x");
  std::filesystem::permissions(order_file(kept.shop.data_dir()), std::filesystem::perms(0666));
  (void)kept.keeper.turn();
  CHECK(kept.keys.pii->key_id() == first);
}

TEST_CASE("F115: an index key is renewed with every index, and sealing keys stay") {
  testing::KeyShop shop;
  const testing::OpenKeys keys = shop.open();
  const std::string before = keys.pii->blind_index("user.phone", "+8613800138000");
  const std::string sealing = keys.pii->key_id();
  const auto made = renew_indexes(*keys.ring, *keys.pii, 5);
  REQUIRE(made);
  CHECK(keys.pii->blind_index("user.phone", "+8613800138000") != before);
  CHECK(keys.pii->key_id() == sealing);
  CHECK(shop.open().pii->blind_index("user.phone", "+8613800138000") ==
        keys.pii->blind_index("user.phone", "+8613800138000"));
}

}  // namespace
}  // namespace topup::privacy
