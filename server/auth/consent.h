// What somebody has agreed to, asked of the rows of identity_store.h. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "server/auth/identity_store.h"

namespace topup::auth {

// Given once, and no version of it holds any more. What was never asked is not taken back.
inline bool has_taken_back(const std::vector<Consent>& consents, std::string_view document) {
  bool was_given = false;
  for (const Consent& consent : consents) {
    if (consent.document != document) continue;
    if (consent.withdrawn_at_ms == 0) return false;
    was_given = true;
  }
  return was_given;
}

}  // namespace topup::auth
