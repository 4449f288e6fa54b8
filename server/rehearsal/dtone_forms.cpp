#include "server/rehearsal/dtone_forms.h"

#include "server/rehearsal/supplier_party.h"

namespace topup::rehearsal::dtone {
namespace {

using base::Json;

constexpr std::size_t kRow = 6;  // both codes and a blank
constexpr std::string_view kCountries =
    "AEARE AFAFG AUAUS BDBGD BNBRN BRBRA BTBTN CACAN CICIV CMCMR CNCHN COCOL DEDEU EGEGY "
    "ESESP ETETH FRFRA GBGBR GHGHA HKHKG IDIDN ININD IQIRQ ITITA JOJOR JPJPN KEKEN KGKGZ "
    "KHKHM KRKOR KZKAZ LALAO LKLKA MAMAR MMMMR MNMNG MOMAC MVMDV MXMEX MYMYS NGNGA NPNPL "
    "NZNZL PEPER PHPHL PKPAK QAQAT RURUS SASAU SGSGP SNSEN THTHA TLTLS TRTUR TWTWN TZTZA "
    "UGUGA USUSA UZUZB VNVNM ZAZAF";

// What they take of the cost list: some products are dearer here than elsewhere, and those of the
// mainland all are.
std::int64_t percent_of(const CatalogueProduct& product) {
  const bool is_mainland = product.face.currency == Currency::cny;
  return (is_mainland ? 105 : 99) + product.number % 3;
}

std::int64_t subservice_of(const CatalogueProduct& product) {
  return product.kind == ProductKind::data ? 13 : 11;
}

std::string_view type_of(const CatalogueProduct& product) {
  if (product.kind == ProductKind::pin) return "FIXED_VALUE_PIN_PURCHASE";
  return product.step_minor > 0 ? "RANGED_VALUE_RECHARGE" : "FIXED_VALUE_RECHARGE";
}

Json number(Money amount) { return decimal(decimal_text(amount)); }

// Destination units of one dollar, with six decimals.
std::string rate_of(const CatalogueProduct& product) {
  __extension__ using Wide = __int128;
  Wide top = Wide{product.face.minor} * 100 * 1'000'000;
  for (int i = 0; i < minor_digits(product.face.currency); ++i) top /= 10;
  const auto e6 = static_cast<std::int64_t>(top / cost_of(product, product.face).minor);
  std::string digits = std::to_string(e6);
  if (digits.size() < 7) digits.insert(0, 7 - digits.size(), '0');
  return digits.insert(digits.size() - 6, ".");
}

Json validity_object(const CatalogueProduct& product) {
  if (product.validity_days == 0) return nullptr;
  return {{"unit", "DAY"}, {"quantity", product.validity_days}};
}

Json prices_object(const CatalogueProduct& product) {
  const Json wholesale = {{"unit_type", "CURRENCY"},
                          {"unit", "USD"},
                          {"amount", number(cost_of(product, product.face))},
                          {"fee", 0}};
  return {{"wholesale", wholesale}, {"retail", nullptr}};
}

}  // namespace

std::string_view alpha3(std::string_view alpha2) {
  for (std::size_t at = 0; at < kCountries.size(); at += kRow) {
    if (kCountries.substr(at, 2) == alpha2) return kCountries.substr(at + 2, 3);
  }
  return {};
}

bool is_sold(const CatalogueProduct& product) { return product.kind != ProductKind::fuel_card; }

const CatalogueProduct* find_product(std::int64_t product_id) {
  const auto* product = find_catalogue_product(product_id - kFirstProduct);
  return product != nullptr && is_sold(*product) ? product : nullptr;
}

Money cost_of(const CatalogueProduct& product, Money amount) {
  const std::int64_t e5 = product.cost_e5 * percent_of(product) / 100;
  if (amount.minor == product.face.minor) return dollars_of_e5(e5);
  __extension__ using Wide = __int128;
  return dollars_of_e5(static_cast<std::int64_t>(Wide{e5} * amount.minor / product.face.minor));
}

Json currency_value(Money amount) {
  return {{"unit_type", "CURRENCY"},
          {"unit", std::string(to_word(amount.currency))},
          {"amount", number(amount)}};
}

Json operator_object(std::size_t index) {
  const CatalogueOperator& entry = catalogue_operators()[index];
  return {{"id", kFirstOperator + static_cast<std::int64_t>(index)},
          {"name", entry.name_en},
          {"country",
           {{"iso_code", alpha3(entry.country)}, {"name", entry.country}, {"regions", nullptr}}},
          {"regions", nullptr}};
}

Json product_object(const CatalogueProduct& product, bool is_full) {
  const CatalogueOperator& entry = catalogue_operators()[product.operator_index];
  const std::string face = decimal_text(product.face) + " " + std::string(to_word(entry.currency));
  Json out = {
      {"id", kFirstProduct + product.number},
      {"name", product.name.empty() ? std::string(entry.name_en) + " " + face : product.name},
      {"type", type_of(product)},
      {"operator", operator_object(product.operator_index)},
      {"service",
       {{"id", 1},
        {"name", "Mobile"},
        {"subservice", {{"id", subservice_of(product)}, {"name", "Mobile"}}}}},
      {"validity", validity_object(product)},
      {"destination", currency_value(product.face)}};
  if (!is_full) return out;
  const bool is_range = product.step_minor > 0;
  if (is_range) {
    const Currency currency = product.face.currency;
    out["destination"] = {{"unit_type", "CURRENCY"},
                          {"unit", std::string(to_word(currency))},
                          {"amount",
                           {{"min", number(product.face)},
                            {"max", number({product.most_minor, currency})},
                            {"increment", number({product.step_minor, currency})}}}};
    out["accepted_calculation_modes"] = {"SOURCE_AMOUNT", "DESTINATION_AMOUNT"};
  }
  const bool is_pin = product.kind == ProductKind::pin;
  out["required_credit_party_identifier_fields"] =
      is_pin ? Json(nullptr) : Json::array({Json::array({"mobile_number"})});
  for (const char* key : {"required_debit_party_identifier_fields", "required_sender_fields",
                          "required_beneficiary_fields", "required_statement_identifier_fields",
                          "required_additional_identifier_fields", "promotions", "tags"}) {
    out[key] = nullptr;
  }
  out["availability_zones"] = {"INTERNATIONAL"};
  out["prices"] = prices_object(product);
  out["rates"] = {{"base", 1}, {"wholesale", decimal(rate_of(product))}, {"retail", nullptr}};
  out["benefits"] = Json::array();
  return out;
}

std::string nine_digit_time(std::int64_t wall_ms) {
  std::string text = spaced_time(wall_ms, 0);
  text[10] = 'T';
  std::string ms = std::to_string(wall_ms % 1'000);
  if (ms.size() < 3) ms.insert(0, 3 - ms.size(), '0');
  return text + "." + ms + "000000Z";
}

}  // namespace topup::rehearsal::dtone
