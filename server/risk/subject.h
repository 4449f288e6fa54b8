// What an entry of the blacklist is about, in one form however it was typed: a phone number
// ("+8613800138000"), a card's digits, a user id, the code of a device, an address or a network of
// one ("203.0.113.7", "203.0.113.*", "203.0.*.*", "2001:db8:1::/48"). Pure; thread-safe. Errors:
// invalid_argument/subject_malformed.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "server/privacy/pii.h"
#include "shared/result.h"

namespace topup::risk {

// Stored words; do not rename.
namespace kind {
inline constexpr std::string_view kPhone = "phone";
inline constexpr std::string_view kCard = "card";
inline constexpr std::string_view kUser = "user";
inline constexpr std::string_view kDevice = "device";
inline constexpr std::string_view kIp = "ip";
}  // namespace kind
inline constexpr std::array kKinds = {kind::kPhone, kind::kCard, kind::kUser, kind::kDevice,
                                      kind::kIp};
inline constexpr std::size_t kMaxSubject = 64;
inline constexpr std::size_t kDeviceCodeDigits = 16;

bool is_kind(std::string_view word);
Result<std::string> canonical_subject(std::string_view kind, std::string_view typed);
std::string masked_subject(std::string_view kind, std::string_view subject);
// As it is sealed and indexed; the same text as an identity's of that kind.
std::string whole_subject(std::string_view kind, std::string_view subject);
std::string index_of(const privacy::Pii& pii, std::string_view kind, std::string_view subject);

// Of what a client calls its device ("" for nothing): tells devices apart, names none.
std::string device_code(std::string_view device_id);
// The address itself and each network that an entry may name it by; empty for what is no address.
std::vector<std::string> networks_of(std::string_view address);
// "phone" or "card", for a canonical recipient of an order.
std::string_view kind_of_account(std::string_view account);

}  // namespace topup::risk
