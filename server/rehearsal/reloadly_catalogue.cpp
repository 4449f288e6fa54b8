#include "server/rehearsal/reloadly_catalogue.h"

#include <array>

#include "server/rehearsal/catalogue.h"
#include "server/rehearsal/number_owner.h"
#include "server/rehearsal/party.h"

namespace topup::rehearsal {
namespace {

using base::Json;

struct Mainland {
  std::int64_t operator_id;
  std::string_view key, name;
};
constexpr std::array<Mainland, 4> kMainland = {{{1161, "cn-mobile", "China Mobile China"},
                                                {1162, "cn-unicom", "China Unicom China"},
                                                {1163, "cn-telecom", "China Telecom China"},
                                                {1164, "cn-broadnet", "China Broadnet China"}}};
constexpr std::array<std::int64_t, 8> kFacesCny = {10, 20, 30, 50, 100, 200, 300, 500};
constexpr std::int64_t kFirstAbroad = 2'000;
constexpr std::int64_t kOfOne = 3;  // an operator's amounts, its range, its bundles
constexpr std::int64_t kE9PerE5 = 10'000;
constexpr std::int64_t kCentE5 = 1'000;

std::string two_decimals(std::int64_t amount_e5) {
  const std::string text = e5_text(amount_e5);
  return text.substr(0, text.size() - 3);
}

std::int64_t e5_of(Money money) {
  std::int64_t whole = 1;
  for (int i = 0; i < minor_digits(money.currency); ++i) whole *= 10;
  return money.minor * kE5 / whole;
}

// In whole cents, rounded up: what is listed is what is taken.
std::int64_t cents_e5(std::int64_t local_e5, std::int64_t usd_e9) {
  __extension__ using Wide = __int128;
  const auto e5 = static_cast<std::int64_t>(Wide{local_e5} * usd_e9 / 1'000'000'000);
  return (e5 + kCentE5 - 1) / kCentE5 * kCentE5;
}

class List {
 public:
  List() {
    for (const Mainland& one : kMainland) {
      ReloadlyOperator entry;
      entry.operator_id = one.operator_id;
      entry.name = one.name;
      entry.country = "CN";
      entry.usd_e9 = catalogue_usd_e9(Currency::cny);
      for (const std::int64_t face : kFacesCny)
        entry.faces.push_back({face * kE5, face * entry.usd_e9 / kE9PerE5,
                               "CNY " + std::to_string(face) + " airtime"});
      all.push_back(std::move(entry));
    }
    for (std::size_t i = 0; i < catalogue_operators().size(); ++i) {
      if (catalogue_operators()[i].country != "CN") add(i);
    }
  }
  std::vector<ReloadlyOperator> all;

 private:
  static ReloadlyOperator pattern(std::size_t index, std::int64_t which) {
    const CatalogueOperator& known = catalogue_operators()[index];
    ReloadlyOperator entry;
    entry.operator_id = kFirstAbroad + static_cast<std::int64_t>(index) * kOfOne + which;
    entry.name = known.name_en;
    entry.country = known.country;
    entry.currency = known.currency;
    entry.usd_e9 = catalogue_usd_e9(known.currency);
    entry.catalogue_index = index;
    return entry;
  }

  void add(std::size_t index) {
    ReloadlyOperator fixed = pattern(index, 0), range = pattern(index, 1), data = pattern(index, 2);
    data.name += " Data";
    data.is_data = true;
    for (const CatalogueProduct& product : catalogue_products()) {
      if (product.operator_index != index) continue;
      const std::int64_t local_e5 = e5_of(product.face);
      const ReloadlyFace face{local_e5, cents_e5(local_e5, fixed.usd_e9), product.name};
      if (product.kind == ProductKind::data) {
        data.faces.push_back(face);
      } else if (product.kind == ProductKind::airtime && product.step_minor == 0) {
        fixed.faces.push_back(face);
      } else if (product.kind == ProductKind::airtime) {
        range.least_e5 = local_e5;
        range.most_e5 = e5_of({product.most_minor, product.face.currency});
      }
    }
    if (!fixed.faces.empty()) all.push_back(std::move(fixed));
    if (range.most_e5 > 0) all.push_back(std::move(range));
    if (!data.faces.empty()) all.push_back(std::move(data));
  }
};

const List& list() {
  static const List made;
  return made;
}

std::string rate_text(const ReloadlyOperator& entry) {
  return e5_text(1'000'000'000LL * kE5 / entry.usd_e9);
}

void put_faces(const ReloadlyOperator& entry, Json& out) {
  Json fixed = Json::array(), local_fixed = Json::array(), local_texts = Json::object();
  for (const ReloadlyFace& face : entry.faces) {
    fixed.push_back(decimal(two_decimals(face.sent_e5)));
    local_fixed.push_back(decimal(two_decimals(face.local_e5)));
    if (!face.text.empty()) local_texts[two_decimals(face.local_e5)] = face.text;
  }
  out["fixedAmounts"] = fixed;
  out["localFixedAmounts"] = local_fixed;
  if (!local_texts.empty()) out["localFixedAmountsDescriptions"] = local_texts;
}

void put_range(const ReloadlyOperator& entry, Json& out) {
  out["denominationType"] = "RANGE";
  out["minAmount"] = decimal(two_decimals(cents_e5(entry.least_e5, entry.usd_e9)));
  out["maxAmount"] = decimal(two_decimals(cents_e5(entry.most_e5, entry.usd_e9)));
  out["localMinAmount"] = decimal(two_decimals(entry.least_e5));
  out["localMaxAmount"] = decimal(two_decimals(entry.most_e5));
}

}  // namespace

std::vector<const ReloadlyOperator*> reloadly_operators(std::string_view country) {
  std::vector<const ReloadlyOperator*> found;
  for (const ReloadlyOperator& entry : list().all) {
    if (entry.country == country) found.push_back(&entry);
  }
  return found;
}

const ReloadlyOperator* find_reloadly_operator(std::int64_t operator_id) {
  for (const ReloadlyOperator& entry : list().all) {
    if (entry.operator_id == operator_id) return &entry;
  }
  return nullptr;
}

const ReloadlyOperator* reloadly_operator_of(std::string_view number, std::string_view country) {
  const auto owner = number_owner("+" + std::string(number));
  if (!owner || owner->country != country) return nullptr;
  const std::string_view key = catalogue_operators()[owner->operator_index].key;
  for (const Mainland& one : kMainland) {
    if (one.key == key) return find_reloadly_operator(one.operator_id);
  }
  for (const ReloadlyOperator* entry : reloadly_operators(country)) {
    if (entry->catalogue_index == owner->operator_index && !entry->is_data) return entry;
  }
  return nullptr;
}

std::optional<ReloadlyFace> reloadly_face(const ReloadlyOperator& entry, std::int64_t amount_e5,
                                          bool is_local) {
  for (const ReloadlyFace& face : entry.faces) {
    if (amount_e5 == (is_local ? face.local_e5 : face.sent_e5)) return face;
  }
  const bool is_within =
      entry.faces.empty() && is_local && amount_e5 >= entry.least_e5 && amount_e5 <= entry.most_e5;
  if (!is_within) return {};
  return ReloadlyFace{amount_e5, cents_e5(amount_e5, entry.usd_e9)};
}

Json reloadly_operator_object(const ReloadlyOperator& entry) {
  const Json nothing = Json::array();  // the real service writes empty maps as []
  const std::string code(to_word(entry.currency));
  Json out = {{"id", entry.operator_id},
              {"operatorId", entry.operator_id},
              {"name", entry.name},
              {"bundle", entry.is_data},
              {"data", entry.is_data},
              {"pin", false},
              {"supportsLocalAmounts", true},
              {"supportsGeographicalRechargePlans", false},
              {"denominationType", "FIXED"},
              {"senderCurrencyCode", "USD"},
              {"senderCurrencySymbol", "$"},
              {"destinationCurrencyCode", code},
              {"destinationCurrencySymbol", code == "CNY" ? "¥" : code},
              {"commission", kDiscountPercent},
              {"internationalDiscount", kDiscountPercent},
              {"localDiscount", 0},
              {"mostPopularAmount", nullptr},
              {"mostPopularLocalAmount", nullptr},
              {"minAmount", nullptr},
              {"maxAmount", nullptr},
              {"localMinAmount", nullptr},
              {"localMaxAmount", nullptr},
              {"country", {{"isoName", entry.country}, {"name", entry.country}}},
              {"fx", {{"rate", decimal(rate_text(entry))}, {"currencyCode", code}}},
              {"logoUrls", nothing},
              {"fixedAmounts", nothing},
              {"fixedAmountsDescriptions", nothing},
              {"localFixedAmounts", nothing},
              {"localFixedAmountsDescriptions", nothing},
              {"suggestedAmounts", nothing},
              {"suggestedAmountsMap", nothing},
              {"geographicalRechargePlans", nothing},
              {"promotions", nothing}};
  entry.faces.empty() ? put_range(entry, out) : put_faces(entry, out);
  return out;
}

}  // namespace topup::rehearsal
