#include "server/rehearsal/reloadly_catalogue.h"

#include <array>
#include <string>

#include "server/rehearsal/party.h"

namespace topup::rehearsal {
namespace {

using base::Json;

constexpr std::array<ReloadlyOperator, 4> kOperators = {{{1161, "China Mobile China"},
                                                         {1162, "China Unicom China"},
                                                         {1163, "China Telecom China"},
                                                         {1164, "China Broadnet China"}}};
constexpr std::array<std::int64_t, 8> kFacesCny = {10, 20, 30, 50, 100, 200, 300, 500};

std::string two_decimals(std::int64_t amount_e5) {
  const std::string text = e5_text(amount_e5);
  return text.substr(0, text.size() - 3);
}

}  // namespace

std::span<const ReloadlyOperator> reloadly_operators() { return kOperators; }

const ReloadlyOperator* find_reloadly_operator(std::int64_t operator_id) {
  for (const auto& entry : kOperators) {
    if (entry.operator_id == operator_id) return &entry;
  }
  return nullptr;
}

std::int64_t usd_e5_of_cny(std::int64_t cny_e5) { return cny_e5 * kUsdPerCnyE5 / kE5; }

std::optional<std::int64_t> fixed_face_e5(std::int64_t amount_e5, bool is_local) {
  for (const std::int64_t face : kFacesCny) {
    const std::int64_t face_e5 = face * kE5;
    if (amount_e5 == (is_local ? face_e5 : usd_e5_of_cny(face_e5))) return face_e5;
  }
  return {};
}

Json reloadly_operator_object(const ReloadlyOperator& entry) {
  Json fixed = Json::array(), local_fixed = Json::array(), local_texts = Json::object();
  for (const std::int64_t face : kFacesCny) {
    fixed.push_back(decimal(two_decimals(usd_e5_of_cny(face * kE5))));
    local_fixed.push_back(decimal(two_decimals(face * kE5)));
    local_texts[two_decimals(face * kE5)] = "CNY " + std::to_string(face) + " airtime";
  }
  const Json nothing = Json::array();  // the real service writes empty maps as []
  return {{"id", entry.operator_id},
          {"operatorId", entry.operator_id},
          {"name", entry.name},
          {"bundle", false},
          {"data", false},
          {"pin", false},
          {"supportsLocalAmounts", true},
          {"supportsGeographicalRechargePlans", false},
          {"denominationType", "FIXED"},
          {"senderCurrencyCode", "USD"},
          {"senderCurrencySymbol", "$"},
          {"destinationCurrencyCode", "CNY"},
          {"destinationCurrencySymbol", "¥"},
          {"commission", kDiscountPercent},
          {"internationalDiscount", kDiscountPercent},
          {"localDiscount", 0},
          {"mostPopularAmount", nullptr},
          {"mostPopularLocalAmount", nullptr},
          {"minAmount", nullptr},
          {"maxAmount", nullptr},
          {"localMinAmount", nullptr},
          {"localMaxAmount", nullptr},
          {"country", {{"isoName", "CN"}, {"name", "China"}}},
          {"fx", {{"rate", decimal("7.19424")}, {"currencyCode", "CNY"}}},
          {"logoUrls", nothing},
          {"fixedAmounts", fixed},
          {"fixedAmountsDescriptions", nothing},
          {"localFixedAmounts", local_fixed},
          {"localFixedAmountsDescriptions", local_texts},
          {"suggestedAmounts", nothing},
          {"suggestedAmountsMap", nothing},
          {"geographicalRechargePlans", nothing},
          {"promotions", nothing}};
}

}  // namespace topup::rehearsal
