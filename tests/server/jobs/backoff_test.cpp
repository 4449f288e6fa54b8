#include "server/jobs/backoff.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <queue>
#include <string>
#include <vector>

#include "server/jobs/failure_text.h"
#include "server/jobs/worker.h"
#include "tests/support/seeded_random.h"

namespace topup::jobs {
namespace {

TEST_CASE("O-08: the back-off doubles up to 64 minutes before a job is buried") {
  std::vector<std::int64_t> waits;
  for (std::int64_t failures = 1; failures < kMaxFailures; ++failures)
    waits.push_back(longest_backoff_ms(failures));
  CHECK(waits.front() == 1'000);
  CHECK(waits[6] == 64'000);
  CHECK(waits.back() == 64 * 60'000);
  CHECK(longest_backoff_ms(1'000'000) == 64 * 60'000);
}

TEST_CASE("S-06: what failed at one moment comes back spread over the whole span") {
  testing::SeededRandom random(3);
  std::map<std::int64_t, int> tenths;
  for (int i = 0; i < 10'000; ++i) {
    const std::int64_t wait = backoff_ms(7, random);
    REQUIRE(wait >= kMinBackoffMs);
    REQUIRE(wait <= 64'000);
    ++tenths[wait * 10 / 64'001];
  }
  CHECK(tenths.size() == 10);
  for (const auto& [tenth, count] : tenths) {
    CAPTURE(tenth);
    CHECK(count > 850);
    CHECK(count < 1'150);
  }
}

TEST_CASE("S-06: 10,000 jobs that failed in an outage add a tenth to what runs besides, no more") {
  constexpr std::int64_t kFreshPerSecond = 200;
  constexpr std::int64_t kSeconds = 120;
  testing::SeededRandom random(5);
  RetryBudget budget;
  std::vector<std::int64_t> retry_at;
  for (int i = 0; i < 10'000; ++i)
    retry_at.push_back(1'000 + backoff_ms(3, random) + budget.delay_ms("submit", 1'000));
  std::sort(retry_at.begin(), retry_at.end());
  std::int64_t first_minutes = 0;
  for (const std::int64_t at : retry_at) first_minutes += at <= kSeconds * 1'000 ? 1 : 0;
  CHECK(first_minutes <= RetryBudget::kMaxSaved + RetryBudget::kRetriesPerSecond * kSeconds);
  CHECK(first_minutes <= kFreshPerSecond * kSeconds / 10);
  CHECK(retry_at.back() <= 1'000 + 64 * 60'000 + 4'000);
  MESSAGE("figure S-06: of 10,000 retries " << first_minutes << " in the first two minutes");

  // Whoever fails alone while the rest runs well is not held up.
  for (int i = 0; i < 200'000; ++i) budget.ran_well("submit");
  CHECK(budget.delay_ms("submit", 2'000) == 0);
}

TEST_CASE("job failures: numbers and addresses of people are not kept") {
  CHECK(failure_text("refused for 13800138000") == "refused for #");
  CHECK(failure_text("+86 138-0013-8000 is closed") == "+# is closed");
  CHECK(failure_text("who@example.com wrote") == "@ wrote");
  CHECK(failure_text("HTTP 503 after 15000 ms") == "HTTP 503 after 15000 ms");
  CHECK(failure_text("order 01JD5Y7Q3W8N2K4M6P9R1T5V7X failed") ==
        "order 01JD5Y7Q3W8N2K4M6P9R1T5V7X failed");
  CHECK(failure_text("a\nb\x01") == "a b ");
  CHECK(failure_text(std::string(5'000, 'x')).size() == kMaxFailureText);
  const std::string cut = failure_text(std::string(199, 'x') + "话话");
  CHECK(cut.size() == 199);
}

}  // namespace
}  // namespace topup::jobs
