// Staff of a shop for one test: accounts whose passwords are known and hashed once, and the steps
// of signing in.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "server/auth/staff_accounts.h"
#include "server/auth/staff_sessions.h"
#include "server/auth/totp.h"
#include "server/base/crypto.h"
#include "server/privacy/pii.h"
#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"
#include "tests/support/seeded_random.h"

namespace topup::testing {

inline constexpr const char* kStaffPassword = "correct horse battery";

struct StaffRoom {
  QuietLog quiet;
  ManualClock clock;
  SeededRandom random{1};
  ScratchShop shop;
  privacy::Pii pii{std::string(32, 'k'), random};
  auth::StaffAccounts accounts{shop.db(), clock, random};
  auth::StaffSessions sessions{shop.db(), clock, random, pii, {false, "Topup"}};

  // Hashing takes 100 ms: once for all accounts of all tests.
  static const std::string& stored_password() {
    static const std::string stored = base::hash_password(kStaffPassword, "0123456789abcdef");
    return stored;
  }
  StaffId person(const std::string& name, std::vector<std::string> roles) {
    auth::staff_store::Staff staff;
    staff.id = StaffId(base::new_id(random, clock.wall_ms()));
    staff.name = name;
    staff.password = stored_password();
    staff.created_at_ms = clock.wall_ms();
    staff.roles = std::move(roles);
    shop.db().write([&](storage::Tx& tx) {
      auth::staff_store::insert(tx, staff);
      return true;
    });
    return staff.id;
  }
  static auth::Caller caller(const std::string& address = "203.0.113.7") {
    return {address, "Mozilla/5.0 (Macintosh) Chrome/120 Safari/537", TraceId()};
  }
  Result<auth::StaffSession> try_sign_in(const std::string& name,
                                         const std::string& password = kStaffPassword,
                                         const std::string& code = "",
                                         const std::string& replaced = "") {
    return sessions.sign_in({name, password, code}, caller(), replaced);
  }
  auth::StaffSession sign_in(const std::string& name, const std::string& code = "") {
    auto session = try_sign_in(name, kStaffPassword, code);
    REQUIRE(session.has_value());
    return std::move(*session);
  }
  auth::Author author(const StaffId& id, bool is_owner = false) {
    return {id, is_owner, TraceId()};
  }
  std::int64_t audit_rows() { return shop.integer("SELECT COUNT(*) FROM audit_log"); }
  std::string reason_of(const Result<auth::StaffIdentity>& who) {
    return who ? "" : std::string(who.error().reason);
  }
  // What the app on the phone shows for this base-32 secret.
  std::string app_code(const std::string& secret, std::int64_t later_steps = 0) const {
    return auth::totp_code(from_base32(secret), clock.wall_ms() / auth::kTotpStepMs + later_steps);
  }
  static std::string from_base32(const std::string& text) {
    const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    std::string out;
    unsigned held = 0;
    int bits = 0;
    for (const char c : text) {
      held = (held << 5 | static_cast<unsigned>(digits.find(c))) & 0xFFFFU;
      if ((bits += 5) >= 8) out += static_cast<char>(held >> (bits -= 8) & 0xFFU);
    }
    return out;
  }
};

}  // namespace topup::testing
