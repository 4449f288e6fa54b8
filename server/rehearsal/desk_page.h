// The page at which a person causes a rehearsed party's faults by hand: GET /desk of each party, on
// loopback only. It reads the party's own /magic and /control and posts to /control, so that it can
// do what any tester can, and nothing more. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/rehearsal/party.h"

namespace topup::rehearsal {

// `party`: the name shown; `others`: the desks that the page leads to.
Answered desk_page(std::string_view party, const std::vector<Neighbour>& others);

}  // namespace topup::rehearsal
