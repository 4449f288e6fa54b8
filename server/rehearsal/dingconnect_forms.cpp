#include "server/rehearsal/dingconnect_forms.h"

#include <map>

#include "server/rehearsal/supplier_party.h"

namespace topup::rehearsal::ding {
namespace {

using base::Json;

constexpr std::int64_t kCommissionPercent = 5;
__extension__ using Wide = __int128;

Json number(Money amount) { return decimal(decimal_text(amount)); }

std::int64_t scaled(std::int64_t value, std::int64_t by, std::int64_t per) {
  return static_cast<std::int64_t>(Wide{value} * by / per);
}

// What they take of the cost list, before the commission.
std::int64_t percent_of(const CatalogueProduct& product) {
  const bool is_mainland = product.face.currency == Currency::cny;
  return (is_mainland ? 112 : 102) + product.number % 5;
}

}  // namespace

bool is_sold(const CatalogueProduct& product) { return product.kind != ProductKind::fuel_card; }

std::string provider_code(std::size_t operator_index) {
  const CatalogueOperator& entry = catalogue_operators()[operator_index];
  return std::string(entry.country) + std::to_string(operator_index + 10);
}

std::string sku_of(const CatalogueProduct& product) {
  const CatalogueOperator& entry = catalogue_operators()[product.operator_index];
  if (product.kind != ProductKind::airtime) {
    return std::string(entry.country) + "XX" + std::to_string(17'000 + product.number);
  }
  return std::string(entry.country) + "_" + provider_code(product.operator_index) + "_TopUp_" +
         (product.step_minor > 0 ? "R" : "") + decimal_text(product.face);
}

const CatalogueProduct* find_product(std::string_view sku) {
  static const std::map<std::string, const CatalogueProduct*, std::less<>> by_sku = [] {
    std::map<std::string, const CatalogueProduct*, std::less<>> out;
    for (const auto& product : catalogue_products()) {
      if (is_sold(product)) out.emplace(sku_of(product), &product);
    }
    return out;
  }();
  const auto found = by_sku.find(sku);
  return found == by_sku.end() ? nullptr : found->second;
}

Money send_value(const CatalogueProduct& product, Money face) {
  const std::int64_t e5 = product.cost_e5 * percent_of(product) / 100;
  return dollars_of_e5(scaled(e5, face.minor, product.face.minor));
}

Money commission_of(Money send) { return {send.minor * kCommissionPercent / 100, send.currency}; }

Money face_of(const CatalogueProduct& product, Money send) {
  const Money least = send_value(product, product.face);
  return {scaled(product.face.minor, send.minor, least.minor), product.face.currency};
}

Json price_object(const CatalogueProduct& product, Money face) {
  const Money net = {scaled(face.minor, product.delivered.minor, product.face.minor),
                     product.delivered.currency};
  const bool is_range = product.step_minor > 0;
  return {{"CustomerFee", 0},
          {"DistributorFee", 0},
          {"ReceiveValue", number(is_range ? face : net)},
          {"ReceiveCurrencyIso", std::string(to_word(face.currency))},
          {"ReceiveValueExcludingTax", number(net)},
          {"TaxRate", 0},
          {"TaxName", ""},
          {"TaxCalculation", ""},
          {"SendValue", number(send_value(product, face))},
          {"SendCurrencyIso", "USD"}};
}

Json product_object(const CatalogueProduct& product) {
  const CatalogueOperator& entry = catalogue_operators()[product.operator_index];
  const bool is_range = product.step_minor > 0;
  const bool is_pin = product.kind == ProductKind::pin;
  const Money most = is_range ? Money{product.most_minor, product.face.currency} : product.face;
  const bool is_data = product.kind == ProductKind::data;
  const std::string nominal =
      std::string(to_word(product.face.currency)) + " " + decimal_text(product.face);
  return {{"ProviderCode", provider_code(product.operator_index)},
          {"SkuCode", sku_of(product)},
          {"LocalizationKey", sku_of(product)},
          {"SettingDefinitions", Json::array()},
          {"Minimum", price_object(product, product.face)},
          {"Maximum", price_object(product, most)},
          {"CommissionRate", decimal("0.05")},
          {"ProcessingMode", "Instant"},
          {"RedemptionMechanism", is_pin ? "ReadReceipt" : "Immediate"},
          {"Benefits", is_data ? Json::array({"Mobile", "Data"}) : Json::array({"Mobile"})},
          {"ValidityPeriodIso", product.validity_days > 0
                                    ? Json("P" + std::to_string(product.validity_days) + "D")
                                    : Json(nullptr)},
          {"UatNumber", std::string(entry.country) == "CN" ? "8613800139000" : "10000009000"},
          {"DefaultDisplayText", product.name.empty() ? nominal : product.name},
          {"RegionCode", std::string(entry.country)},
          {"PaymentTypes", {"Prepaid"}},
          {"LookupBillsRequired", false}};
}

}  // namespace topup::rehearsal::ding
