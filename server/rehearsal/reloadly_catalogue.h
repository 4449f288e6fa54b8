// The operators the rehearsed Reloadly lists, and its rates. Pure; thread-safe. Invented: real ids
// and rates differ.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "server/base/json.h"

namespace topup::rehearsal {

struct ReloadlyOperator {
  std::int64_t operator_id;
  std::string_view name;
};

inline constexpr std::int64_t kUsdPerCnyE5 = 13'900;  // 1 CNY = 0.13900 USD
inline constexpr std::int64_t kDiscountPercent = 2;

std::span<const ReloadlyOperator> reloadly_operators();                    // all of China
const ReloadlyOperator* find_reloadly_operator(std::int64_t operator_id);  // null when unknown
std::int64_t usd_e5_of_cny(std::int64_t cny_e5);                           // rounded down

// The CNY face value of an amount in CNY (is_local) or USD; nothing unless it is one of the fixed
// amounts.
std::optional<std::int64_t> fixed_face_e5(std::int64_t amount_e5, bool is_local);
base::Json reloadly_operator_object(const ReloadlyOperator& entry);

}  // namespace topup::rehearsal
