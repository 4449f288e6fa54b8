// Text, money and times in the forms Alipay wants, and forms (application/x-www-form-urlencoded)
// read strictly. Pure; thread-safe; never throws for what the input holds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/money.h"

namespace topup::payments {

using AlipayParams = std::vector<std::pair<std::string, std::string>>;

inline constexpr std::size_t kMaxAlipayFields = 100;

// A subject or a reason: broken UTF-8, control characters, 4-byte characters, the / = & that Alipay
// refuses and the comma that shifts the columns of its bills are left out; cut between two
// characters to at most max_bytes.
std::string alipay_clean_text(std::string_view text, std::size_t max_bytes);

std::string alipay_time(std::int64_t ms);  // 2026-11-21 15:30:00, Beijing time
// Of exactly that form; 0 for anything else.
std::int64_t parse_alipay_time_ms(std::string_view text);

struct AlipayAmount {
  Money money;
  bool holdable = true;  // false: a sum that no payment of ours has (negative, too large, 1.001)
};
// "12.34", "12.3", "12"; nothing when it is no number.
std::optional<AlipayAmount> parse_alipay_amount(std::string_view text);

// Every field decoded once, in the order sent. Nothing when a '%' is malformed, a field has no name
// or no '=', a name comes twice, it is not UTF-8, or there are more than kMaxAlipayFields.
std::optional<AlipayParams> alipay_form_in(std::string_view body);
std::string alipay_form(const AlipayParams& params);  // each name and value percent-encoded once
std::string alipay_value(const AlipayParams& params, std::string_view name);  // "" when absent

}  // namespace topup::payments
