// The operators the rehearsed Reloadly lists, and its rates: mainland China with numbers of its
// own, every other country from the common catalogue. As at the real one an operator has fixed
// amounts or a range, and its bundles are an operator of their own. Built once; afterwards
// read-only and thread-safe. Invented: real ids and rates differ.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/json.h"
#include "shared/money.h"

namespace topup::rehearsal {

struct ReloadlyFace {
  std::int64_t local_e5 = 0;  // what the operator gives, in 1/100,000 of its currency
  std::int64_t sent_e5 = 0;   // what it costs before the discount, in 1/100,000 USD
  std::string text = {};      // of a bundle
};
struct ReloadlyOperator {
  std::int64_t operator_id = 0;
  std::string name, country;
  Currency currency = Currency::cny;
  bool is_data = false;
  std::vector<ReloadlyFace> faces;         // empty: a range
  std::int64_t least_e5 = 0, most_e5 = 0;  // of a range
  std::int64_t usd_e9 = 0;                 // of one unit of the currency
  std::size_t catalogue_index = 0;         // of an operator abroad
};

inline constexpr std::int64_t kDiscountPercent = 2;

std::vector<const ReloadlyOperator*> reloadly_operators(std::string_view country);
const ReloadlyOperator* find_reloadly_operator(std::int64_t operator_id);  // null when unknown
// Whose number it is ("8613800138000"), as far as its first digits tell; null when nobody's.
const ReloadlyOperator* reloadly_operator_of(std::string_view number, std::string_view country);

// What an amount in the operator's currency (is_local) or in USD buys; nothing unless it is one of
// the fixed amounts, or in the range.
std::optional<ReloadlyFace> reloadly_face(const ReloadlyOperator& entry, std::int64_t amount_e5,
                                          bool is_local);
base::Json reloadly_operator_object(const ReloadlyOperator& entry);

}  // namespace topup::rehearsal
