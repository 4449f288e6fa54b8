// How a refusal travels: Result<T> is either a value or an Error. The caller must look at it.
// `reason` is a stable snake_case word that clients translate; `field` names the offending input;
// `detail` says in one plain English sentence what would have been right. Never put personal data
// or secrets into `detail`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

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

struct Error {
  Code code = Code::invalid_argument;
  std::string_view reason;      // static text only
  std::string_view field = {};  // static text only
  std::string detail = {};
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> refuse(Code code, std::string_view reason, std::string_view field = {},
                                    std::string detail = {}) {
  return tl::unexpected<Error>(Error{code, reason, field, std::move(detail)});
}

}  // namespace topup
