// The operator's desk, wired: one list of what waits, deeds on orders, books page by page, figures,
// files. See http/routes/desk.h.
#pragma once

#include "server/http/router.h"
#include "server/http/routes/desk.h"

namespace topup {

void mount_desk(http::Router& router, const http::routes::DeskParts& desk);

}  // namespace topup
