// Names of persons and e-mail addresses, as far as a form can judge them: what no name and no
// mailbox has is refused with the place, all else is taken. Pure; thread-safe.
#pragma once

#include <string_view>

#include "shared/typed_text.h"

namespace topup {

inline constexpr std::size_t kMaxNameCharacters = 40;
inline constexpr std::size_t kMaxEmailLocal = 64;   // RFC 5321, 4.5.3.1.1
inline constexpr std::size_t kMaxEmailBytes = 254;  // RFC 5321, 4.5.3.1.3 less the brackets
inline constexpr std::size_t kMaxDomainLabel = 63;  // RFC 1035, 2.3.4

// Chinese characters with a middle dot between them; Latin letters, also with accents, with
// hyphens, apostrophes and full stops behind them. In `text` blanks are single and only between
// words. Reasons: name_control_character, name_digit, name_emoji, name_character_unknown (any other
// script or sign), name_mark_misplaced, name_too_long.
FieldCheck check_person_name(std::string_view typed);

// A practical part of RFC 5321: an unquoted local part, and a domain of two labels or more.
// `text` has the domain in small letters. Blanks around it are dropped. Reasons:
// email_bad_character, email_dot_misplaced, email_local_too_long, email_local_missing,
// email_domain_wrong, email_too_long.
FieldCheck check_email(std::string_view typed);

}  // namespace topup
