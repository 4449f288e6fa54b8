#include "server/base/random.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "server/base/clock.h"
#include "shared/check.h"

using namespace topup;
using namespace topup::base;

namespace {

class FixedRandom final : public Random {
 public:
  explicit FixedRandom(char byte) : byte_(byte) {}
  std::string bytes(std::size_t count) override { return std::string(count, byte_); }

 private:
  char byte_;
};

bool holds_only(const std::string& text, const char* digits) {
  return text.find_first_not_of(digits) == std::string::npos;
}

}  // namespace

TEST_CASE("an id sorts by time and spends all its random bits") {
  FixedRandom zeros('\0');
  FixedRandom ones('\xff');
  CHECK(new_id(zeros, 0) == "00000000000000000000000000");
  CHECK(new_id(ones, (std::int64_t{1} << 48) - 1) == "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
  CHECK(new_id(zeros, 1469918176385) ==
        "01ARYZ6S410000000000000000");  // the example of the ULID page
  CHECK(new_id(ones, 1000) < new_id(zeros, 1001));
  CHECK_THROWS_AS(new_id(zeros, -1), InvariantBroken);
  CHECK_THROWS_AS(new_id(zeros, std::int64_t{1} << 48), InvariantBroken);
}

TEST_CASE("drawn names have their length and alphabet and do not repeat") {
  SystemRandom random;
  std::set<std::string> seen;
  for (int i = 0; i < 2000; ++i) {
    const std::string id = new_id(random, 1'700'000'000'000);
    const std::string token = new_token(random);
    const std::string nonce = new_nonce(random);
    const std::string trace = new_trace_id(random);
    CHECK((id.size() == 26 && holds_only(id, "0123456789ABCDEFGHJKMNPQRSTVWXYZ")));
    CHECK((token.size() == 43 &&
           holds_only(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")));
    CHECK((nonce.size() == 32 && holds_only(nonce, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")));
    CHECK((trace.size() == 32 && holds_only(trace, "0123456789abcdef")));
    for (const std::string& text : {id, token, nonce, trace}) CHECK(seen.insert(text).second);
  }
}

TEST_CASE("a random source that is stuck ends a nonce instead of looping") {
  FixedRandom stuck('\xff');
  CHECK_THROWS(new_nonce(stuck));
}

TEST_CASE("the monotonic clock does not go back and both clocks count milliseconds") {
  const SystemClock clock;
  const std::int64_t before = clock.mono_ms();
  CHECK(clock.mono_ms() >= before);
  CHECK(clock.wall_ms() > 1'600'000'000'000);
  CHECK(clock.wall_ms() < 4'000'000'000'000);
}
