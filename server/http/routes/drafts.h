// What the devices of one buyer share. The handler only reads the push and writes the answer.
#pragma once

#include "server/http/router.h"
#include "server/orders/draft_service.h"

namespace topup::http::routes {

inline constexpr std::size_t kMaxPushBody = 64 * 1024;

void mount_drafts(Router& router, const orders::DraftService& drafts);

}  // namespace topup::http::routes
