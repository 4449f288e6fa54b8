#include "server/catalog/operator_names.h"

#include <doctest/doctest.h>

#include <string>

#include "server/catalog/country_names.h"

namespace topup::catalog {
namespace {

TEST_CASE("F001: the names that suppliers give one operator become one operator of ours") {
  for (const char* name : {"DTAC Thailand", "dtac", "Dtac (TriNet)", "DTAC Prepaid Airtime"})
    CHECK(operator_of("TH", name).id == "th-dtac");
  for (const char* name :
       {"China Mobile", "China Mobile China", "中国移动话费", "移动", "China Mobile (bundle)"}) {
    CHECK(operator_of("CN", name).id == "cn-mobile");
    CHECK(operator_of("CN", name).hint == MainlandOperator::mobile);
  }
  for (const char* name : {"TrueMove H", "True Move H Thailand", "True"})
    CHECK(operator_of("TH", name).id == "th-true");
  CHECK(operator_of("HK", "China Mobile Hong Kong").id == "hk-cmhk");
  CHECK(operator_of("CN", "Sinopec").issuer == CardIssuer::sinopec);
  CHECK(operator_of("CN", "中石油").issuer == CardIssuer::petrochina);
}

TEST_CASE("F001: one word in two countries is two operators, and the longest alias counts") {
  CHECK(operator_of("KH", "Smart Cambodia").id == "kh-smart");
  CHECK(operator_of("PH", "Smart Philippines").id == "ph-smart");
  CHECK(operator_of("PH", "TM").id == "ph-tm");
  CHECK(operator_of("CN", "电信").id == "cn-telecom");
}

TEST_CASE("F001: an operator nobody knows gets an id of its own that two spellings share") {
  CHECK(operator_of("KE", "Safaricom Kenya").id == "ke-safaricom");
  CHECK(operator_of("KE", "SAFARICOM (Kenya) Prepaid").id == "ke-safaricom");
  CHECK(operator_of("KE", "Safaricom Kenya").name_en == "Safaricom Kenya");
  const std::string russian = operator_of("RU", "МегаФон").id;
  CHECK(russian.starts_with("ru-"));
  CHECK(russian != operator_of("RU", "Билайн").id);
  CHECK(russian == operator_of("RU", "МегаФон").id);
  CHECK(operator_of("RU", "").id.size() > 3);
}

TEST_CASE("slugs: long or foreign names stay apart, short plain ones are themselves") {
  CHECK(slug_of("5 GB, 30 days", 48) == "5-gb-30-days");
  const std::string long_name(200, 'a');
  CHECK(slug_of(long_name, 48).size() <= 48);
  CHECK(slug_of(long_name, 48) != slug_of(long_name + "b", 48));
  CHECK(slug_of("流量包", 48) != slug_of("话费包", 48));
}

TEST_CASE("F002: every country has a name in both languages, in order of its code") {
  std::string_view before;
  for (const CountryName& row : country_names()) {
    CHECK(row.iso2.size() == 2);
    CHECK(row.iso2 > before);
    CHECK_FALSE(row.name_zh.empty());
    CHECK_FALSE(row.name_en.empty());
    before = row.iso2;
  }
  REQUIRE(find_country_name("TH") != nullptr);
  CHECK(find_country_name("TH")->name_zh == "泰国");
  CHECK(find_country_name("ZZ") == nullptr);
}

}  // namespace
}  // namespace topup::catalog
