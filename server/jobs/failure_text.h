// What may be kept and shown of why a job failed: bounded, one line, and without the numbers and
// addresses of people, whoever wrote the message.
#pragma once

#include <string>
#include <string_view>

namespace topup::jobs {

inline constexpr std::size_t kMaxFailureText = 200;  // bytes

// Digits that could be a phone or card number (7 or more, also with blanks, dots, dashes or
// brackets between them, when they stand alone) become "#", an e-mail address becomes "@". Valid
// UTF-8 stays valid.
std::string failure_text(std::string_view why);

}  // namespace topup::jobs
