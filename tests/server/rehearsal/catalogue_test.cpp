#include "server/rehearsal/catalogue.h"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>

namespace topup::rehearsal {
namespace {

TEST_CASE("the rehearsal sells in forty countries and more, by a hundred and twenty operators") {
  std::set<std::string_view> countries, keys;
  for (const CatalogueOperator& op : catalogue_operators()) {
    countries.insert(op.country);
    CHECK_MESSAGE(keys.insert(op.key).second, op.key);
    CHECK(!op.name_en.empty());
    CHECK(!op.name_zh.empty());
  }
  CHECK(countries.size() >= 40);
  CHECK(catalogue_operators().size() >= 120);
  CHECK(catalogue_products().size() >= 1'000);
}

TEST_CASE("every product of the rehearsal can be bought: faces, ranges, costs and what arrives") {
  std::map<ProductKind, int> of_kind;
  std::set<std::string> seen;
  std::int64_t number = 0;
  for (const CatalogueProduct& product : catalogue_products()) {
    CHECK(product.number == ++number);
    CHECK(find_catalogue_product(product.number) == &product);
    const CatalogueOperator& op = catalogue_operators().at(product.operator_index);
    const std::string name = std::string(op.key) + " " + decimal_text(product.face) + " " +
                             std::string(to_word(product.kind)) + " " + product.name;
    CAPTURE(name);
    CHECK(seen.insert(name).second);
    ++of_kind[product.kind];
    CHECK(product.face.currency == op.currency);
    CHECK(product.delivered.minor > 0);
    CHECK(product.delivered.minor <= product.face.minor);
    CHECK(product.cost_e5 > 0);
    // Below what it is worth, but not by much: the shop earns its margin between the two.
    CHECK(product.cost_e5 >= 1'000);
    CHECK((product.step_minor == 0) == (product.most_minor == 0));
    if (product.step_minor > 0) {
      CHECK(product.most_minor > product.face.minor);
      CHECK((product.most_minor - product.face.minor) % product.step_minor == 0);
    }
    CHECK((product.kind == ProductKind::data) == (product.validity_days > 0));
  }
  CHECK(of_kind[ProductKind::airtime] >= 600);
  CHECK(of_kind[ProductKind::data] >= 80);
  CHECK(of_kind[ProductKind::fuel_card] == 8);
  CHECK(of_kind[ProductKind::pin] >= 30);
  CHECK(find_catalogue_product(0) == nullptr);
  CHECK(find_catalogue_product(number + 1) == nullptr);
}

}  // namespace
}  // namespace topup::rehearsal
