#include "server/auth/rbac.h"

#include <doctest/doctest.h>

#include <string>

namespace topup::auth {
namespace {

TEST_CASE("rbac: what no row grants is refused, however near the words are") {
  for (const Grant& grant : kGrants) {
    CAPTURE(std::string(grant.role) + " " + std::string(grant.permission));
    CHECK(allows(grant.role, grant.permission));
    CHECK_FALSE(allows(std::string(grant.role) + "s", grant.permission));
    CHECK_FALSE(allows(grant.role, std::string(grant.permission) + ".all"));
    CHECK_FALSE(allows("", grant.permission));
    CHECK_FALSE(allows(grant.role, ""));
  }
  CHECK_FALSE(allows("OWNER", "orders.read"));
}

}  // namespace
}  // namespace topup::auth
