#include "server/privacy/columns.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "tests/support/scratch_shop.h"

namespace topup::privacy {
namespace {

std::vector<std::string> real_columns(testing::ScratchShop& shop) {
  std::vector<std::string> real;
  for (const std::string& table : shop.tables()) {
    for (const std::string& column : shop.columns(table)) real.push_back(table + "." + column);
  }
  return real;
}

TEST_CASE("F117: every column of a fresh shop has a class, and every class a column") {
  testing::ScratchShop shop;
  for (const std::string& mistake : column_mistakes(real_columns(shop))) FAIL_CHECK(mistake);
}

TEST_CASE("F117: a column without a class, a class without a column and a wrong name are told") {
  testing::ScratchShop shop;
  std::vector<std::string> real = real_columns(shop);
  real.push_back("users.nickname");
  std::vector<std::string> mistakes = column_mistakes(real);
  REQUIRE(mistakes.size() == 1);
  CHECK(mistakes[0].find(R"(add {"users", "nickname", Class::internal, Keep::shop},)") !=
        std::string::npos);
  real.pop_back();
  std::erase(real, "orders.quote");
  mistakes = column_mistakes(real);
  REQUIRE(mistakes.size() == 1);
  CHECK(mistakes[0].find("orders.quote is gone") == 0);
}

TEST_CASE("F117: no column is classified twice, and each sealed one names its rows") {
  std::set<std::string> seen;
  for (const Column& column : columns()) {
    const std::string name = std::string(column.table) + "." + std::string(column.column);
    CAPTURE(name);
    CHECK(seen.insert(name).second);
  }
  testing::ScratchShop shop;
  for (const Column& column : sealed_columns()) {
    shop.db().read([&column](storage::Reader& reader) {
      const std::string sql = "SELECT " + std::string(column.source) + " FROM " +
                              std::string(column.table) + " LIMIT 1";
      CHECK(reader.query(sql, {}, [](const storage::Row&) {}) == 0);
    });
  }
}

TEST_CASE("P-01: a column's value is shown as its class allows") {
  CHECK(mask_column("orders", "account_sealed", "13800138000") == "138****8000");
  CHECK(mask_column("orders", "state", "paid") == "paid");
  CHECK(mask_column("staff", "password", "scrypt$15$8$1$x$y") == "****");
  CHECK(mask_column("sessions", "token_hash", std::string(64, 'a')) == "****");
  CHECK(mask_column("users", "user_id", "01KEXAMPLE0000000000000ABC") == "****0ABC");
  CHECK(mask_column("nowhere", "at_all", "13800138000") == "****");
}

}  // namespace
}  // namespace topup::privacy
