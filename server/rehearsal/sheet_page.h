// The frame of the pages that a rehearsed channel shows to a buyer: one style, no script, and a
// policy that lets nothing else in. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "server/rehearsal/party.h"

namespace topup::rehearsal {

std::string sheet_yuan(std::int64_t fen);  // "12.34"

// `inside` is HTML. `allowed_origin`: where its forms may lead besides this page; "" for nowhere.
Answered sheet_page(const std::string& channel, const std::string& title, const std::string& inside,
                    const std::string& allowed_origin);

}  // namespace topup::rehearsal
