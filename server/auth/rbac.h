// Who may do what: one constexpr table, role × permission. Routes name a permission; an unknown one
// is refused to everybody, so a typing slip closes a door and never opens one.
#pragma once

#include <array>
#include <string_view>

namespace topup::auth {

struct Grant {
  std::string_view role, permission;
};
inline constexpr std::array kGrants = {
    Grant{"owner", "session.own"},
    Grant{"owner", "orders.read"},
    Grant{"owner", "overview.read"},
};

constexpr bool allows(std::string_view role, std::string_view permission) {
  for (const Grant& grant : kGrants) {
    if (grant.role == role && grant.permission == permission) return true;
  }
  return false;
}

static_assert(allows("owner", "orders.read"));
static_assert(!allows("", "orders.read") && !allows("owner", ""));

}  // namespace topup::auth
