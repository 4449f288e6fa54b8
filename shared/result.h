// How a refusal travels: Result<T> is either a value or an Error. The caller must look at it.
// `reason` is a stable snake_case word that clients translate; `field` names the offending input;
// `detail` says in one plain English sentence what would have been right. Never put personal data
// or secrets into `detail`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <type_traits>

namespace topup {

enum class Code : std::uint8_t {
  invalid_argument,  // 400: the input is wrong; `field` says where
  unauthenticated,   // 401: no session, or one that has ended
  forbidden,         // 403: a session that may not do this, or a signature that does not verify
  not_found,         // 404: absent, or not yours: both look the same
  conflict,          // 409: the state has moved on, e.g. price_changed, order_changed
  rejected,          // 422: understood and refused by a business rule
  rate_limited,      // 429: too often; wait and repeat
  unavailable,  // 503: a needed party or resource is away; safe to repeat with the same idempotency
                // key
};

// A short sentence kept in place, so that an Error is plain bytes and costs a refusal no clean-up.
// What does not fit is cut, never in the middle of a character.
class Detail {
 public:
  static constexpr std::size_t kMost = 214;
  Detail() = default;
  Detail(std::string_view text) {  // NOLINT: a sentence is a detail wherever one is wanted
    std::size_t size = text.size() < kMost ? text.size() : kMost;
    while (size < text.size() && size > 0 && (text[size] & 0xC0) == 0x80) --size;
    for (std::size_t i = 0; i < size; ++i) text_[i] = text[i];
    size_ = static_cast<std::uint8_t>(size);
  }
  Detail(const char* text) : Detail(std::string_view(text)) {}         // NOLINT
  Detail(const std::string& text) : Detail(std::string_view(text)) {}  // NOLINT
  std::string_view view() const { return {text_, size_}; }
  bool empty() const { return size_ == 0; }
  friend bool operator==(const Detail& a, std::string_view b) { return a.view() == b; }

 private:
  char text_[kMost];
  std::uint8_t size_ = 0;
};

struct Error {
  Code code = Code::invalid_argument;
  std::string_view reason;      // static text only
  std::string_view field = {};  // static text only
  Detail detail = {};
};
static_assert(std::is_trivially_copyable_v<Error> && std::is_trivially_destructible_v<Error>);

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> refuse(Code code, std::string_view reason, std::string_view field = {},
                                    const Detail& detail = {}) {
  return tl::unexpected<Error>(Error{code, reason, field, detail});
}

}  // namespace topup
