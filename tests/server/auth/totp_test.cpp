#include "server/auth/totp.h"

#include <doctest/doctest.h>

#include "server/auth/lockout.h"

namespace topup::auth {
namespace {

constexpr const char* kSecret = "12345678901234567890";  // of RFC 6238, appendix B

TEST_CASE("totp: the codes are those of RFC 6238, appendix B") {
  struct Row {
    std::int64_t seconds;
    const char* code;
  };
  for (const Row& row : {Row{59, "287082"}, Row{1'111'111'109, "081804"},
                         Row{1'111'111'111, "050471"}, Row{1'234'567'890, "005924"},
                         Row{2'000'000'000, "279037"}, Row{20'000'000'000, "353130"}}) {
    CAPTURE(row.seconds);
    CHECK(totp_code(kSecret, row.seconds / 30) == row.code);
  }
}

TEST_CASE("totp: one step early or late counts, two do not, and none that was used") {
  const std::int64_t now_ms = 1'111'111'111'000;
  const std::int64_t now = now_ms / kTotpStepMs;
  for (std::int64_t step = now - 3; step <= now + 3; ++step) {
    CAPTURE(step - now);
    const auto found = totp_step(kSecret, totp_code(kSecret, step), now_ms, 0);
    CHECK(found.has_value() == (step >= now - 1 && step <= now + 1));
    if (found) CHECK(*found == step);
  }
  CHECK_FALSE(totp_step(kSecret, totp_code(kSecret, now), now_ms, now).has_value());
  CHECK_FALSE(totp_step(kSecret, totp_code(kSecret, now - 1), now_ms, now).has_value());
  CHECK(totp_step(kSecret, totp_code(kSecret, now + 1), now_ms, now).has_value());
  for (const char* code : {"", "1", "0504711", "abcdef", "050471 "}) {
    CHECK_FALSE(totp_step(kSecret, code, now_ms, 0).has_value());
  }
}

TEST_CASE("totp: what an app scans names shop, person and secret, whatever their letters") {
  CHECK(base32("foobar") == "MZXW6YTBOI");
  CHECK(base32("fooba") == "MZXW6YTB");
  CHECK(totp_uri("充值 shop", "li:wei", "foobar") ==
        "otpauth://totp/%E5%85%85%E5%80%BC%20shop:li%3Awei?secret=MZXW6YTBOI"
        "&issuer=%E5%85%85%E5%80%BC%20shop&algorithm=SHA1&digits=6&period=30");
}

TEST_CASE("A-07: five failures are free of a lock, then it doubles, from ten on it is 30 minutes") {
  using lockout::kName;
  for (std::int64_t failures = 0; failures < 5; ++failures)
    CHECK(lockout::lock_ms(kName, failures) == 0);
  CHECK(lockout::lock_ms(kName, 5) == 5'000);
  CHECK(lockout::lock_ms(kName, 6) == 10'000);
  CHECK(lockout::lock_ms(kName, 9) == 80'000);
  CHECK(lockout::lock_ms(kName, 10) == 1'800'000);
  CHECK(lockout::lock_ms(kName, 1'000) == 1'800'000);
  CHECK(lockout::lock_ms(lockout::kAddress, 19) == 0);
  CHECK(lockout::lock_ms(lockout::kAddress, 30) == 1'800'000);
}

}  // namespace
}  // namespace topup::auth
