#include "shared/price_book.h"

#include <doctest/doctest.h>

#include <string>

using namespace topup;

namespace {

PriceBook sample() {
  PriceBook book;
  book.version = 3;
  book.published_at_ms = 1'790'000'000'000;
  book.rule = {"default", 2, 9950, 0, 1};
  book.operators.push_back(
      {"cn-mobile", "中国移动", "China Mobile", "CN", MainlandOperator::mobile});
  book.operators.push_back(
      {"cn-unicom", "中国联通", "China Unicom", "CN", MainlandOperator::unicom});
  book.products.push_back(
      {ProductId("cn-mobile-10000"), 0, ProductKind::airtime, fen(10'000), fen(10'000)});
  book.products.push_back(
      {ProductId("cn-unicom-5000"), 1, ProductKind::airtime, fen(5'000), fen(5'000)});
  return book;
}

}  // namespace

TEST_CASE("a book survives its binary form, byte for byte") {
  const std::string bytes = encode(sample());
  const auto back = decode(bytes);
  REQUIRE(back);
  CHECK(encode(*back) == bytes);
  CHECK(back->products[1].id == ProductId("cn-unicom-5000"));
  CHECK(back->operators[1].name_zh == "中国联通");
  CHECK(back->find(ProductId("nothing")) == nullptr);
}

TEST_CASE("any changed, missing or added byte is noticed") {
  const std::string bytes = encode(sample());
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    CAPTURE(at);
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    CHECK_FALSE(decode(damaged));
    CHECK_FALSE(decode(bytes.substr(0, at)));
  }
  CHECK_FALSE(decode(bytes + "x"));
  CHECK(decode(std::string(kMaxPriceBookBytes + 1, 'x')).error().reason == "price_book_too_large");
}

TEST_CASE("a book of a newer schema is refused by that name") {
  std::string bytes = encode(sample());
  bytes[4] = 2;
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (std::size_t i = 0; i + 8 < bytes.size(); ++i) {
    hash = (hash ^ static_cast<unsigned char>(bytes[i])) * 0x100000001b3ULL;
  }
  for (std::size_t i = 0; i < 8; ++i)
    bytes[bytes.size() - 8 + i] = static_cast<char>((hash >> (8 * i)) & 0xFF);
  CHECK(decode(bytes).error().reason == "price_book_newer");
}

TEST_CASE("two thousand products stay far below the cap") {
  PriceBook book = sample();
  for (int i = 0; i < 2'000; ++i) {
    book.products.push_back({ProductId("cn-mobile-x" + std::to_string(i)), 0, ProductKind::airtime,
                             fen(100 + i), fen(100 + i)});
  }
  const std::string bytes = encode(book);
  CHECK(bytes.size() < kMaxPriceBookBytes / 3);
  CHECK(decode(bytes));
}

TEST_CASE("the fingerprint is the FNV-1a 64 known everywhere") {
  CHECK(fingerprint("") == "cbf29ce484222325");
  CHECK(fingerprint("a") == "af63dc4c8601ec8c");
}
