#include "server/suppliers/dtone_catalogue.h"

#include <algorithm>
#include <utility>

#include "server/suppliers/exact_json.h"
#include "server/suppliers/iso_country.h"
#include "server/suppliers/reading.h"

namespace topup::suppliers::dtone {
namespace {

using base::Json;

constexpr std::string_view kMobileService = "1";
constexpr std::string_view kAirtime = "11", kBundle = "12", kData = "13";
constexpr std::int64_t kMostValidityDays = 3'660;

// [["mobile_number"], …]: one alternative that is the number alone. Null asks for nothing.
bool wants_number_alone(const Json& row) {
  const auto found = row.find("required_credit_party_identifier_fields");
  if (found == row.end() || found->is_null() || (found->is_array() && found->empty())) return true;
  if (!found->is_array()) return false;
  return std::any_of(found->begin(), found->end(), [](const Json& fields) {
    return fields.is_array() && fields.size() == 1 && fields[0] == "mobile_number";
  });
}

bool wants_more(const Json& row) {
  for (const char* key : {"required_debit_party_identifier_fields", "required_sender_fields",
                          "required_beneficiary_fields", "required_statement_identifier_fields",
                          "required_additional_identifier_fields"}) {
    const auto found = row.find(key);
    if (found == row.end() || found->is_null()) continue;
    if (!found->is_array() || !found->empty()) return true;
  }
  return false;
}

std::optional<ProductKind> kind_of(const Json& row, bool* is_range) {
  const Json* service = member(row, "service");
  if (!service || literal_of(*service, "id") != kMobileService) return {};
  const Json* part = member(*service, "subservice");
  const std::string sub = part ? literal_of(*part, "id") : "";
  const std::string type = text_or_empty(row, "type");
  *is_range = type == "RANGED_VALUE_RECHARGE";
  if (type == "FIXED_VALUE_PIN_PURCHASE") return ProductKind::pin;
  if (type != "FIXED_VALUE_RECHARGE" && !*is_range) return {};
  if (sub == kAirtime) return ProductKind::airtime;
  if ((sub == kBundle || sub == kData) && !*is_range) return ProductKind::data;
  return {};
}

std::uint32_t validity_days(const Json& row) {
  const Json* validity = member(row, "validity");
  if (!validity) return 0;
  const auto quantity = base::integer_in(*validity, "quantity", 1, 100'000);
  if (!quantity) return 0;  // -1: without end
  const std::string unit = text_or_empty(*validity, "unit");
  const std::int64_t days = unit == "HOUR"    ? (*quantity + 23) / 24
                            : unit == "DAY"   ? *quantity
                            : unit == "WEEK"  ? *quantity * 7
                            : unit == "MONTH" ? *quantity * 30
                                              : 0;
  return days <= kMostValidityDays ? static_cast<std::uint32_t>(days) : 0;
}

std::optional<Currency> unit_of(const Json& value) {
  if (text_or_empty(value, "unit_type") != "CURRENCY") return {};
  return parse_currency(text_or_empty(value, "unit"));
}

std::optional<Money> rate_cost(const Json& row, Money face, Currency wallet) {
  const Json* rates = member(row, "rates");
  if (!rates) return {};
  const auto rate = parse_rate(literal_of(*rates, "wholesale"), wallet, face.currency);
  return rate ? cost_at_rate(face, rate->scaled, wallet) : std::nullopt;
}

bool read_range(const Json& row, Currency wallet, ListedProduct& product) {
  const Json* destination = member(row, "destination");
  const auto currency = destination ? unit_of(*destination) : std::nullopt;
  const Json* amount = destination ? member(*destination, "amount") : nullptr;
  if (!currency || !amount || !amount->contains("min") || !amount->contains("max") ||
      !amount->contains("increment")) {
    return false;
  }
  const auto least = amount_in(*amount, "min", *currency, Round::up);
  const auto most = amount_in(*amount, "max", *currency, Round::down);
  const auto step = exact_amount((*amount)["increment"], *currency);
  if (!least || !most || !step || least->minor <= 0 || most->minor <= least->minor ||
      step->minor <= 0) {
    return false;
  }
  product.face = *least;
  product.most_minor = most->minor;
  product.step_minor = step->minor;
  if (const auto cost = rate_cost(row, *least, wallet)) product.cost = *cost;
  product.sku += kRangeMark;
  return true;
}

bool read_fixed(const Json& row, Currency wallet, ListedProduct& product) {
  const auto cost = wholesale_cost(row, wallet);
  if (cost) product.cost = *cost;
  auto face = currency_value(row, "destination");
  // A bundle is worth minutes and megabytes, not money: it is sold by its source price.
  if (!face) face = currency_value(row, "source");
  if (!face) face = cost;
  if (!face || face->minor <= 0) return false;
  product.face = *face;
  return true;
}

}  // namespace

std::optional<Money> wholesale_cost(const Json& object, Currency wallet) {
  const Json* prices = member(object, "prices");
  const Json* wholesale = prices ? member(*prices, "wholesale") : nullptr;
  if (!wholesale || unit_of(*wholesale) != wallet) return {};
  const auto amount = amount_in(*wholesale, "amount", wallet, Round::up);
  if (!amount || amount->minor < 0) return {};
  const auto fee = amount_in(*wholesale, "fee", wallet, Round::up);
  if (!fee) return amount;
  const auto sum = add(*amount, *fee);
  return sum ? std::optional<Money>(*sum) : std::nullopt;
}

std::optional<Money> currency_value(const Json& object, const char* key) {
  const Json* value = member(object, key);
  const auto currency = value ? unit_of(*value) : std::nullopt;
  return currency ? amount_in(*value, "amount", *currency, Round::down) : std::nullopt;
}

void append_product(const Json& row, const std::string& country, Currency wallet,
                    std::vector<ListedProduct>& products) {
  if (!row.is_object() || products.size() >= kMaxListedProducts) return;
  const std::string id = literal_of(row, "id");
  const Json* network = member(row, "operator");
  const Json* place = network ? member(*network, "country") : nullptr;
  bool is_range = false;
  const auto kind = kind_of(row, &is_range);
  if (!kind || !is_digits(id) || !place || wants_more(row) || !wants_number_alone(row)) return;
  if (alpha2_of(text_or_empty(*place, "iso_code")) != country) return;
  ListedProduct product;
  product.supplier_operator_id = literal_of(*network, "id");
  product.operator_name = text_or_empty(*network, "name", kMaxListedNameBytes);
  product.country = country;
  product.kind = *kind;
  product.sku = id;
  product.validity_days = validity_days(row);
  if (*kind != ProductKind::airtime) {
    product.name = text_or_empty(row, "name", kMaxListedNameBytes);
  }
  if (!is_digits(product.supplier_operator_id) || !is_plain_line(product.operator_name)) return;
  const bool is_read =
      is_range ? read_range(row, wallet, product) : read_fixed(row, wallet, product);
  if (is_read) products.push_back(std::move(product));
}

}  // namespace topup::suppliers::dtone
