#include "server/base/zip.h"

#include <doctest/doctest.h>

#include "server/base/gb18030.h"

namespace topup::base {
namespace {

constexpr ZipBounds kWide{8, 1 << 20};

std::string reason_of(const std::string& archive, const ZipBounds& bounds) {
  const auto read = unzip(archive, bounds);
  return read ? "" : std::string(read.error().reason);
}

}  // namespace

TEST_CASE("zip: what is written is read, small and large, names as the bytes they are") {
  const std::string name = *gb18030_of_utf8("业务明细.csv");
  std::string large;
  for (int i = 0; i < 20'000; ++i) large += std::to_string(i * 7'919);
  const std::string archive = zip({{name, "short"}, {"folder/", ""}, {"large.csv", large}});
  CHECK(archive.size() < large.size());
  const auto read = unzip(archive, kWide);
  REQUIRE(read);
  REQUIRE(read->size() == 2);
  CHECK(read->front().name == name);
  CHECK(read->front().content == "short");
  CHECK(read->back().content == large);
}

TEST_CASE("zip: a bomb ends at its bound, whatever its entries say of themselves") {
  const std::string archive = zip({{"a", std::string(3'000'000, '0')}});
  CHECK(archive.size() < 10'000);
  CHECK(reason_of(archive, kWide) == "zip_too_large");
  const std::string half =
      zip({{"a", std::string(600'000, '0')}, {"b", std::string(600'000, '0')}});
  CHECK(reason_of(half, kWide) == "zip_too_large");
  const std::string many = zip({{"a", ""}, {"b", ""}, {"c", ""}});
  CHECK(reason_of(many, {2, 100}) == "zip_too_large");
}

TEST_CASE("zip: what was cut or changed on its way is refused") {
  const std::string archive = zip({{"bill.csv", std::string(2'000, 'x') + "100.00"}});
  CHECK(reason_of("", kWide) == "zip_malformed");
  CHECK(reason_of("<html>404</html>", kWide) == "zip_malformed");
  CHECK(reason_of(archive.substr(0, archive.size() / 2), kWide) == "zip_malformed");
  int refused = 0, tried = 0;
  for (std::size_t at = 40; at < 60 && at < archive.size(); ++at, ++tried) {
    std::string changed = archive;
    changed[at] = static_cast<char>(changed[at] ^ 0x55);
    const auto read = unzip(changed, kWide);
    refused += !read || read->front().content.find("100.00") == std::string::npos ? 1 : 0;
  }
  CHECK(refused == tried);
}

TEST_CASE("gb18030: text goes there and back, and what is none is refused") {
  const std::string text = "支付宝（元）¥ 龘 ABC";
  const auto there = gb18030_of_utf8(text);
  REQUIRE(there);
  CHECK(*there != text);
  CHECK(utf8_of_gb18030(*there) == text);
  CHECK(utf8_of_gb18030("\xd2\xbb") == "一");
  CHECK_FALSE(utf8_of_gb18030("\xff\xff"));
  CHECK_FALSE(utf8_of_gb18030("abc\x81"));
  CHECK_FALSE(gb18030_of_utf8("\xff"));
}

}  // namespace topup::base
