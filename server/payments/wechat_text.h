// Text and times in the forms WeChat Pay wants. Pure; thread-safe; never throws for what the input
// holds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace topup::payments {

// WeChat Pay refuses 4-byte characters. They, control characters and broken UTF-8 are left out; the
// rest is cut between two characters to at most max_bytes.
std::string wechat_clean_text(std::string_view text, std::size_t max_bytes);

std::string percent_encode(std::string_view text);  // everything but letters, digits and -._~

std::string wechat_time(std::int64_t ms);  // 2026-11-21T15:30:00+08:00

// RFC 3339 with any offset, to the second; 0 when it is not one.
std::int64_t parse_wechat_time_ms(std::string_view text);

}  // namespace topup::payments
