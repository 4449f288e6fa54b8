#include "shared/price_book.h"

#include <doctest/doctest.h>

#include <string>

#include "shared/hash.h"

using namespace topup;

namespace {

Product fixed_product(const char* id, std::uint32_t op, Money face) {
  Product product;
  product.id = ProductId(id);
  product.operator_index = op;
  product.face = product.delivered = face;
  return product;
}

PriceBook sample() {
  PriceBook book;
  book.version = 3;
  book.published_at_ms = 1'790'000'000'000;
  book.countries = {{"TH", "泰国", "Thailand"}, {"CN", "中国", "China"}};
  book.operators = {
      {"th-ais", "AIS", "AIS", "TH", MainlandOperator::unknown, CardIssuer::none},
      {"cn-mobile", "中国移动", "China Mobile", "CN", MainlandOperator::mobile, CardIssuer::none}};
  book.rates = {{*parse_currency("THB"), Currency::cny, 20'500'000}};
  book.products = {fixed_product("th-ais-10000", 0, {10'000, *parse_currency("THB")}),
                   fixed_product("cn-mobile-10000", 1, fen(10'000)),
                   fixed_product("cn-mobile-5000", 1, fen(5'000))};
  book.products[0].cost = {285, Currency::usd};
  book.products[0].step_minor = 100;
  book.products[0].most_minor = 50'000;
  book.products[1].validity_days = 30;
  book.products[1].name_zh = "流量";
  book.products[1].name_en = "Data";
  book.rules = {{.id = "thai", .version = 2, .scope = {.operator_index = 0}, .rate_bp = 10'800},
                {.id = "default", .rate_bp = 9'950}};
  book.promotions = {{.id = "b", .scope = {.product_index = 2}, .value = 500, .group = 2},
                     {.id = "a", .value = 300, .group = 9},
                     {.id = "c", .value = 100, .group = 2}};
  book.blocked_salt = 7;
  book.blocked_accounts = {blocked_hash(7, "+8613900000000"), blocked_hash(7, "+8613900000001")};
  return canonical(book);
}

std::string with_checksum(std::string bytes) {
  bytes.resize(bytes.size() - 8);
  const std::uint64_t hash = Hash().text(bytes).value();
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>((hash >> (8 * i)) & 0xFF);
  return bytes;
}

}  // namespace

TEST_CASE("canonical: lists are sorted, and what refers to them follows") {
  const PriceBook book = sample();
  CHECK(book.countries[0].iso2 == "CN");
  CHECK(book.operators[0].id == "cn-mobile");
  CHECK(book.products[0].id == ProductId("cn-mobile-10000"));
  CHECK(book.operators[book.products[2].operator_index].id == "th-ais");
  CHECK(book.rules[1].id == "thai");
  CHECK(book.rules[1].scope.operator_index == 1);                      // th-ais stands second now
  CHECK(book.promotions[1].scope.product_index == 1);                  // cn-mobile-5000
  CHECK(book.promotion_order == std::vector<std::uint32_t>{1, 2, 0});  // group 2: b, c; group 9: a
}

TEST_CASE(
    "the most specific rule prices a product: product, operator, country, kinds, everything") {
  struct Row {
    const char* name;
    std::vector<PriceRule> rules;
    const char* wins;
  };
  const Scope everything;
  const Scope kinds{.kinds = 1};
  const Scope country{.country = "CN"};
  const Scope op{.operator_index = 1};  // cn-mobile, before canonical() sorts
  const Scope product{.product_index = 1};
  const Scope elsewhere{.country = "TH"};
  const auto rule = [](const char* id, const Scope& scope) {
    return PriceRule{.id = id, .scope = scope};
  };
  const Row rows[] = {
      {"the lowest id of equals", {rule("b", everything), rule("a", everything)}, "a"},
      {"kinds before everything", {rule("a", everything), rule("z", kinds)}, "z"},
      {"country before kinds", {rule("a", kinds), rule("z", country)}, "z"},
      {"operator before country", {rule("a", country), rule("z", op)}, "z"},
      {"product before operator", {rule("a", op), rule("z", product)}, "z"},
      {"what does not match never wins", {rule("a", elsewhere), rule("z", everything)}, "z"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    PriceBook book = sample();
    book.operators = {{"th-ais", "AIS", "AIS", "TH"}, {"cn-mobile", "移动", "Mobile", "CN"}};
    book.products = {fixed_product("th", 0, fen(1)), fixed_product("cn", 1, fen(1))};
    book.promotions.clear();
    book.rules = row.rules;
    book = canonical(book);
    CHECK(book.rules[book.find(ProductId("cn"))->rule_index].id == row.wins);
  }
  PriceBook none = sample();
  none.rules.clear();
  CHECK(canonical(none).products[0].rule_index == Product::kNoRule);
}

TEST_CASE("a book survives its binary form, byte for byte") {
  const std::string bytes = encode(sample());
  const auto back = decode(bytes);
  REQUIRE(back);
  CHECK(encode(*back) == bytes);
  CHECK(encode(canonical(*back)) == bytes);
  CHECK(back->operators[0].name_zh == "中国移动");
  CHECK(back->find(ProductId("nothing")) == nullptr);
  const Product* thai = back->find(ProductId("th-ais-10000"));
  REQUIRE(thai != nullptr);
  CHECK(thai->cost == Money{285, Currency::usd});
  CHECK(thai->most_minor == 50'000);
  CHECK(back->rules[thai->rule_index].id == "thai");
  CHECK(back->find(ProductId("cn-mobile-10000"))->name_en == "Data");
  CHECK(back->is_blocked("+8613900000001"));
  CHECK_FALSE(back->is_blocked("+8613900000002"));
  CHECK(back->find_rate(*parse_currency("THB"))->scaled == 20'500'000);
  CHECK(back->find_rate(Currency::jpy) == nullptr);
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

TEST_CASE("a forged book with a right checksum reads nothing beyond itself") {
  const std::string bytes = encode(sample());
  int accepted = 0;
  for (std::size_t at = 4; at + 8 < bytes.size(); ++at) {
    for (const char value : {'\x00', '\x01', '\x7F', '\xFF'}) {
      std::string forged = bytes;
      forged[at] = value;
      const auto book = decode(with_checksum(forged));
      if (!book) {
        CHECK((book.error().reason == "price_book_damaged" ||
               book.error().reason == "price_book_newer"));
        continue;
      }
      ++accepted;
      for (const Product& product : book->products) {
        CHECK(product.operator_index < book->operators.size());
      }
    }
  }
  CHECK(accepted > 0);  // another amount or letter is a book of its own
}

TEST_CASE("ids out of order, and older or newer schemas, are refused by name") {
  PriceBook twice = sample();
  twice.products[1] = twice.products[0];
  CHECK(decode(encode(twice)).error().reason == "price_book_damaged");
  std::string bytes = encode(sample());
  bytes[4] = static_cast<char>(kPriceBookSchema + 1);
  CHECK(decode(with_checksum(bytes)).error().reason == "price_book_newer");
  bytes[4] = 1;
  CHECK(decode(with_checksum(bytes)).error().reason == "price_book_damaged");
  bytes[4] = 2;  // a stored book of an older release
  CHECK(decode(with_checksum(bytes)).has_value());
}

TEST_CASE("five thousand products of a hundred operators fit") {
  PriceBook book;
  book.countries = {{"TH", "泰国", "Thailand"}};
  for (int i = 0; i < 100; ++i) {
    const std::string id = "th-operator-" + std::to_string(i);
    book.operators.push_back({id, "运营商" + std::to_string(i), "Operator", "TH",
                              MainlandOperator::unknown, CardIssuer::none});
  }
  for (int i = 0; i < 5'000; ++i) {
    Product product =
        fixed_product("", static_cast<std::uint32_t>(i % 100), {100 + i, *parse_currency("THB")});
    product.id =
        ProductId(book.operators[static_cast<std::size_t>(i % 100)].id + "-" + std::to_string(i));
    product.cost = {3 + i / 40, Currency::usd};
    product.delivered = {97 + i, *parse_currency("THB")};
    if (i % 2 == 0) {
      product.name_zh = "7 天 15 GB 高速流量";
      product.name_en = "15 GB for 7 days";
      product.validity_days = 7;
    }
    book.products.push_back(product);
  }
  book.rules = {{.id = "default"}};
  const std::string bytes = encode(canonical(book));
  CHECK(bytes.size() < kMaxPriceBookBytes);
  CHECK(bytes.size() > 100'000);
  const auto back = decode(bytes);
  REQUIRE(back);
  CHECK(back->products.size() == 5'000);
}

TEST_CASE("hashes are the same on every machine") {
  CHECK(fingerprint("") == "31d95d87d96c91cd");
  CHECK(fingerprint("a") == "a93a97908ac9298e");
  CHECK(fingerprint("+8613800138000") == "086bbd89cb5c8d13");
  CHECK(blocked_hash(1, "x") != blocked_hash(2, "x"));
}
