// JSON enters through one gate. json_in() refuses what a hostile body can hold before anything is
// built from it: more than `max_bytes`, nesting above 32, more than 10,000 values, duplicate keys,
// bytes after the value, a BOM, NUL, invalid UTF-8, lone surrogates. Numbers are read as money or
// counts only through the typed getters, which refuse fractions, exponents and anything outside
// int64. Errors: json_malformed, json_too_large, json_too_deep, json_duplicate_key, and for the
// getters missing_field, wrong_type, out_of_range with `field` = the key (static text given by the
// caller).
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "shared/money.h"
#include "shared/result.h"

namespace topup::base {

using Json = nlohmann::json;

inline constexpr std::size_t kMaxJsonBytes = 64 * 1024;        // bodies of our own API
inline constexpr std::size_t kMaxPartyJsonBytes = 256 * 1024;  // answers of outside parties
inline constexpr int kMaxJsonDepth = 32;
inline constexpr std::size_t kMaxJsonValues = 10'000;

Result<Json> json_in(std::string_view bytes, std::size_t max_bytes = kMaxJsonBytes);

// Each wants `object[key]`; a null or absent member is missing_field.
Result<std::string> text_in(const Json& object, const char* key, std::size_t max_bytes = 256);
Result<std::int64_t> integer_in(const Json& object, const char* key, std::int64_t min,
                                std::int64_t max);
Result<bool> bool_in(const Json& object, const char* key);
Result<const Json*> object_in(const Json& object, const char* key);
// Refuses any member that is not in `allowed` (mass assignment): unknown_field.
Result<bool> only_fields(const Json& object, std::initializer_list<std::string_view> allowed);
// For a request that takes nothing: an empty body or {}. Errors as above.
Result<bool> no_fields_in(std::string_view body);

// {"minor": 9850, "currency": "CNY"}; bounds are 1 ≤ minor ≤ max_minor.
Result<Money> money_in(const Json& object, const char* key, std::int64_t max_minor = kMaxMinor);
Json money_out(Money money);

}  // namespace topup::base
