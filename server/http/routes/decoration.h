// The buyer's home page as staff lays it out, its themes and its pictures. Outlives the router.
#pragma once

#include "server/content/decoration.h"
#include "server/http/router.h"

namespace topup::http::routes {

void mount_decoration(Router& router, content::Decoration& decoration);

}  // namespace topup::http::routes
