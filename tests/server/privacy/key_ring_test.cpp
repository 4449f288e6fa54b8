#include "server/privacy/key_ring.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "server/base/crypto.h"
#include "tests/support/key_shop.h"
#include "tests/support/together.h"

namespace topup::privacy {
namespace {

using testing::KeyShop;
using testing::OpenKeys;

constexpr std::string_view kPhone = "+8613800138000";

TEST_CASE("keys: what one start sealed the next one opens, and indexes stay the same") {
  KeyShop shop;
  const OpenKeys first = shop.open();
  shop.add_rows(*first.pii, 3);
  const std::string index = first.pii->blind_index("user.phone", kPhone);
  const OpenKeys second = shop.open();
  CHECK(shop.closed_values(*second.pii) == 0);
  CHECK(second.pii->blind_index("user.phone", kPhone) == index);
  CHECK(second.pii->key_id() == first.pii->key_id());
}

TEST_CASE("K-06: neither keys nor a number stand in the database or beside it") {
  KeyShop shop;
  const OpenKeys keys = shop.open();
  shop.shop.db().write([&](storage::Tx& tx) {
    const std::string sealed = keys.pii->seal("things", "first_sealed", "one", kPhone);
    const std::string index = keys.pii->blind_index("user.phone", kPhone);
    tx.exec("INSERT INTO things (thing_id, first_sealed, second_sealed) VALUES ('one', $1, $2)",
            {sealed, index});
    return true;
  });
  const std::string key(keys.ring->named(purpose::kIndex)->view());
  for (const std::string& table : shop.shop.tables()) {
    for (const std::string& column : shop.shop.columns(table)) {
      for (const std::string& value :
           shop.shop.texts("SELECT CAST(" + column + " AS TEXT) FROM " + table)) {
        CHECK(value.find("13800138000") == std::string::npos);
        CHECK(value.find(base::hex(key)) == std::string::npos);
        CHECK(value.find(base::base64(key)) == std::string::npos);
        // A dictionary of all numbers needs the key: an unkeyed hash would be here.
        CHECK(value != base::hex(base::sha256(kPhone)));
      }
    }
  }
}

TEST_CASE("keys: a shop of before keeps its values, its indexes and its one key file") {
  KeyShop shop;
  const std::string digits(64, 'b');
  std::ofstream(shop.folder.file("topup.key")) << digits << "\n";
  std::filesystem::permissions(
      shop.folder.file("topup.key"),
      std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const Pii before(*base::from_hex(digits), shop.random);
  shop.add_rows(before, 4);
  const OpenKeys keys = shop.open();
  CHECK(shop.closed_values(*keys.pii) == 0);
  CHECK(keys.pii->blind_index("user.phone", kPhone) == before.blind_index("user.phone", kPhone));
  CHECK(keys.pii->key_id() != before.key_id());
  Reseal reseal(shop.shop.db(), *keys.ring, *keys.pii, testing::kThings, {});
  while (!reseal.step().place.empty()) {
  }
  CHECK(shop.sealed_with(before.key_id()) == 0);
  CHECK(shop.closed_values(*keys.pii) == 0);
}

TEST_CASE("K-04: a shop with another shop's key file is refused, and nothing is written") {
  KeyShop shop;
  {
    const OpenKeys keys = shop.open();
    shop.add_rows(*keys.pii, 1);
  }
  const std::string path = shop.folder.file("topup.keys");
  const auto stored = [&shop] {
    return shop.shop.texts("SELECT key_id || state || seals FROM data_keys ORDER BY key_id");
  };
  const auto before = stored();
  std::filesystem::rename(path, path + ".right");
  const auto lost = shop.try_open(shop.shop.db(), KeyFile::must_exist);
  CHECK(lost.error().reason == "key_file_missing");
  CHECK_FALSE(std::filesystem::exists(path));
  // Another shop's file, made where the right one was.
  const auto other = shop.try_open(shop.shop.db(), KeyFile::create_if_absent);
  REQUIRE_FALSE(other);
  CHECK(other.error().reason == "key_wrong");
  CHECK(stored() == before);
  std::filesystem::rename(path + ".right", path);
  const OpenKeys keys = shop.open();
  CHECK(shop.closed_values(*keys.pii) == 0);
}

TEST_CASE("K-04: data keys that were lost, changed or exchanged are refused") {
  KeyShop shop;
  {
    const OpenKeys keys = shop.open();
    shop.add_rows(*keys.pii, 1);
    REQUIRE(keys.ring->renew(purpose::kSeal, 9));
  }
  const auto refused_after = [&](const std::string& damage) {
    const auto saved = shop.shop.texts("SELECT key_id || ' ' || wrapped FROM data_key_wraps");
    shop.shop.tamper(damage);
    const auto keys = shop.try_open(shop.shop.db(), KeyFile::must_exist);
    for (const std::string& row : saved) {
      const std::string id = row.substr(0, 8), wrapped = row.substr(9);
      shop.shop.tamper("UPDATE data_key_wraps SET wrapped = '" + wrapped + "' WHERE key_id = '" +
                       id + "'");
    }
    return keys ? std::string_view("") : keys.error().reason;
  };
  CHECK(refused_after("UPDATE data_key_wraps SET wrapped = 'AAAA'") == "key_wrong");
  // A key in another key's place: bound to its id and purpose.
  CHECK(refused_after("UPDATE data_key_wraps SET wrapped = (SELECT MIN(wrapped) FROM "
                      "data_key_wraps)") == "key_wrong");
  CHECK(refused_after("UPDATE data_keys SET purpose = 'other' WHERE purpose = 'index'") ==
        "key_wrong");
}

TEST_CASE(
    "K-01: seals are counted, the count survives a kill upwards, and none is made beyond it") {
  KeyShop shop;
  const auto counted = [&shop] {
    return shop.shop.integer("SELECT MAX(seals) FROM data_keys WHERE purpose = 'seal'");
  };
  const OpenKeys first = shop.open();
  CHECK(counted() == kSealsAside);
  for (int i = 0; i < 100; ++i) (void)first.pii->seal("t", "c", "r", "x");
  const OpenKeys second = shop.open();  // as after kill -9: what was set aside is gone
  CHECK(counted() == 2 * kSealsAside);
  const auto active = second.ring->take();
  active->left = 3;
  for (int i = 0; i < 3; ++i) (void)second.pii->seal("t", "c", "r", "x");
  CHECK_THROWS_AS((void)second.pii->seal("t", "c", "r", "x"), std::runtime_error);
  REQUIRE(second.ring->refresh());
  (void)second.pii->seal("t", "c", "r", "x");
  CHECK(counted() == 3 * kSealsAside);
  static_assert(kRenewAtSeals * 4 == static_cast<std::int64_t>(kMaxSealsPerKey));
}

std::vector<std::string> draws(std::size_t count) {
  base::SystemRandom random;
  std::vector<std::string> nonces(count);
  for (std::string& nonce : nonces) nonce = random.bytes(12);
  return nonces;
}

bool repeats(std::vector<std::string> nonces) {
  std::sort(nonces.begin(), nonces.end());
  return std::adjacent_find(nonces.begin(), nonces.end()) != nonces.end();
}

TEST_CASE("K-01: no nonce repeats, nor in a process that was forked from this one") {
  std::vector<std::string> all = draws(200'000);
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    std::string text;
    for (const std::string& nonce : draws(100)) text += nonce;
    const bool written = write(ends[1], text.data(), text.size()) == 1'200;
    _exit(written ? 0 : 1);
  }
  const std::vector<std::string> ours = draws(100);
  all.insert(all.end(), ours.begin(), ours.end());
  std::string theirs(1'200, '\0');
  std::size_t got = 0;
  while (got < theirs.size()) {
    const ssize_t more = read(ends[0], theirs.data() + got, theirs.size() - got);
    REQUIRE(more > 0);
    got += static_cast<std::size_t>(more);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  close(ends[0]);
  close(ends[1]);
  for (std::size_t at = 0; at < theirs.size(); at += 12) all.push_back(theirs.substr(at, 12));
  CHECK(all.size() == 200'200);
  MESSAGE("figure K-01: " << all.size() << " nonces");
  CHECK_FALSE(repeats(std::move(all)));
}

// skip: K-01, long: ten million nonces # minutes; 200,000 are drawn each time
TEST_CASE("K-01, long: ten million nonces without a repeat" * doctest::skip()) {
  CHECK_FALSE(repeats(draws(10'000'000)));
}

TEST_CASE("keys: a second process finds a new key by itself, and follows it") {
  KeyShop shop;
  const OpenKeys one = shop.open();
  const OpenKeys two = shop.open();
  const auto id = one.ring->renew(purpose::kSeal, 5);
  REQUIRE(id);
  const std::string sealed = one.pii->seal("t", "c", "r", "x");
  CHECK(Pii::key_id_of(sealed) == *id);
  CHECK(*two.pii->open("t", "c", "r", sealed) == "x");
  CHECK(two.pii->key_id() != *id);  // it opens at once, and seals after its next look
  REQUIRE(two.ring->refresh());
  CHECK(two.pii->key_id() == *id);
  (void)two.pii->seal("t", "c", "r", "x");
}

TEST_CASE(
    "K-03: another node opens what a new key sealed, however many ask and however often keys "
    "change") {
  KeyShop shop;
  const OpenKeys one = shop.open();
  const OpenKeys two = shop.open();
  for (int round = 0; round < 5; ++round) {
    REQUIRE(one.ring->renew(purpose::kSeal, 5 + round));
    const std::string sealed = one.pii->seal("t", "c", "r", "x");
    std::atomic<int> closed{0};
    testing::together(8, [&](int) { closed += two.pii->open("t", "c", "r", sealed) ? 0 : 1; });
    CHECK(closed == 0);
  }
  // One that nobody has is refused, and keeps nobody from finding others.
  CHECK(two.pii->open("t", "c", "r", "v1.00000000." + std::string(56, 'A')).error().reason ==
        "key_unknown");
  REQUIRE(one.ring->renew(purpose::kSeal, 10));
  CHECK(two.pii->open("t", "c", "r", one.pii->seal("t", "c", "r", "x")).has_value());
}

TEST_CASE("keys: a new master key wraps what is there, and the old one opens nothing any more") {
  KeyShop shop;
  OpenKeys keys = shop.open();
  shop.add_rows(*keys.pii, 2);
  const std::string old_file = shop.folder.file("old");
  std::filesystem::copy_file(shop.folder.file("topup.keys"), old_file);
  const auto id = keys.provider->add(7);
  REQUIRE(id);
  CHECK(*keys.ring->rewrap() == 3);
  // A node that has the old file only still starts: until the old master is dropped.
  CHECK(shop.shop.integer("SELECT COUNT(*) FROM data_key_wraps") == 6);
  CHECK(*keys.ring->drop_old_masters() == 1);
  CHECK(shop.shop.integer("SELECT COUNT(*) FROM data_key_wraps") == 3);
  CHECK(shop.closed_values(*shop.open().pii) == 0);
  std::filesystem::rename(old_file, shop.folder.file("topup.keys"));
  CHECK(shop.try_open(shop.shop.db(), KeyFile::must_exist).error().reason == "key_wrong");
}

}  // namespace
}  // namespace topup::privacy
