#include "server/privacy/pii.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "server/base/crypto.h"
#include "server/base/secret.h"
#include "shared/check.h"

using namespace topup;
using namespace topup::privacy;

namespace {

constexpr std::string_view kPhone = "+8613800138000";

Pii test_pii(char byte = 'k') {
  static base::SystemRandom random;
  return Pii(std::string(kMasterKeyBytes, byte), random);
}

std::string flipped(std::string text, std::size_t at) {
  text[at] = static_cast<char>(text[at] ^ 1);
  return text;
}

}  // namespace

TEST_CASE("K-02: a sealed value opens at its own place and nowhere else") {
  const Pii pii = test_pii();
  const std::string sealed = pii.seal("orders", "phone", "A1", kPhone);
  CHECK(sealed.starts_with("v1." + pii.key_id() + "."));
  CHECK(sealed.find("13800138000") == std::string::npos);
  REQUIRE(pii.open("orders", "phone", "A1", sealed));
  CHECK(*pii.open("orders", "phone", "A1", sealed) == kPhone);
  CHECK(pii.open("orders", "phone", "A2", sealed).error().reason == "ciphertext_invalid");
  CHECK(pii.open("orders", "email", "A1", sealed).error().reason == "ciphertext_invalid");
  CHECK(pii.open("users", "phone", "A1", sealed).error().reason == "ciphertext_invalid");
  CHECK(pii.open("order", "sphone", "A1", sealed).error().reason == "ciphertext_invalid");
  CHECK(*pii.open("t", "c", "r", pii.seal("t", "c", "r", "")) == "");
}

TEST_CASE("a value sealed with another key is told apart from a damaged one") {
  const std::string sealed = test_pii('a').seal("orders", "phone", "A1", kPhone);
  CHECK(test_pii('b').open("orders", "phone", "A1", sealed).error().reason == "key_unknown");
  // The key id is bound too: renaming the key does not help.
  const std::string renamed = "v1." + test_pii('b').key_id() + sealed.substr(sealed.rfind('.'));
  CHECK(test_pii('b').open("orders", "phone", "A1", renamed).error().reason ==
        "ciphertext_invalid");
}

TEST_CASE("any changed byte of a sealed value keeps it shut") {
  const Pii pii = test_pii();
  const std::string sealed = pii.seal("orders", "phone", "A1", kPhone);
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    CAPTURE(at);
    CHECK_FALSE(pii.open("orders", "phone", "A1", flipped(sealed, at)));
    CHECK_FALSE(pii.open("orders", "phone", "A1", sealed.substr(0, at)));
  }
  CHECK_FALSE(pii.open("orders", "phone", "A1", sealed + "A"));
  CHECK_FALSE(pii.open("orders", "phone", "A1", std::string(kPhone)));
}

TEST_CASE("sealing the same text twice gives two values, and no nonce repeats") {
  const Pii pii = test_pii();
  std::set<std::string> nonces;
  for (int i = 0; i < 5000; ++i) {
    const std::string sealed = pii.seal("orders", "phone", "A1", kPhone);
    CHECK(nonces.insert(sealed.substr(12, 16)).second);
  }
}

TEST_CASE("a place needs all its names and none may hold the separator") {
  const Pii pii = test_pii();
  CHECK_THROWS_AS(pii.seal("orders", "phone", "", "x"), InvariantBroken);
  CHECK_THROWS_AS(pii.seal("orders\x1fphone", "A", "1", "x"), InvariantBroken);
}

TEST_CASE("K-06: a blind index is the same for the same purpose and value only") {
  const Pii pii = test_pii();
  const std::string index = pii.blind_index("user.phone", kPhone);
  CHECK(index.size() == 64);
  CHECK(index == pii.blind_index("user.phone", kPhone));
  CHECK(index == test_pii().blind_index("user.phone", kPhone));
  CHECK(index != pii.blind_index("order.phone", kPhone));
  CHECK(index != pii.blind_index("user.phone", "+8613800138001"));
  CHECK(index != test_pii('x').blind_index("user.phone", kPhone));
  CHECK(index != base::hex(base::sha256(kPhone)));
}

TEST_CASE("K-02: of 2,000 pairs of rows and columns no value opens after a swap") {
  const Pii pii = test_pii();
  constexpr const char* kColumns[] = {"phone", "id_number", "plate", "name"};
  int swaps = 0;
  for (int i = 0; i < 500; ++i) {
    const std::string row = "row-" + std::to_string(i);
    for (int c = 0; c < 4; ++c, ++swaps) {
      const std::string sealed = pii.seal("users", kColumns[c], row, kPhone);
      const std::string other = "row-" + std::to_string((i + 1) % 500);
      CHECK_FALSE(pii.open("users", kColumns[(c + 1) % 4], row, sealed));
      CHECK_FALSE(pii.open("users", kColumns[c], other, sealed));
      CHECK_FALSE(pii.open("orders", kColumns[c], row, sealed));
      CHECK(pii.open("users", kColumns[c], row, sealed));
    }
  }
  CHECK(swaps == 2'000);
  MESSAGE("figure K-02: " << swaps << " swaps, none opened");
}
