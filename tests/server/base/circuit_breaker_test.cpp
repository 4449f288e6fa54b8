#include "server/base/circuit_breaker.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "shared/check.h"
#include "tests/support/manual_clock.h"

namespace topup::base {
namespace {

using State = CircuitBreaker::State;
using Pass = CircuitBreaker::Pass;

// A story: "ok" and "bad" are calls that go through and end so, "no" a call that is refused,
// "probe ok" and "probe bad" the one call that is let through, "+N" lets N milliseconds pass, and
// the last word is the state at the end.
struct Story {
  const char* name;
  std::vector<std::string> steps;
  State at_the_end;
};

std::vector<std::string> times(int count, const std::string& step) {
  return std::vector<std::string>(static_cast<std::size_t>(count), step);
}

std::vector<std::string> joined(std::vector<std::vector<std::string>> parts) {
  std::vector<std::string> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

void tell(const Story& story) {
  CAPTURE(story.name);
  testing::ManualClock clock;
  CircuitBreaker breaker;
  int number = 0;
  for (const std::string& step : story.steps) {
    CAPTURE(number++);
    CAPTURE(step);
    if (step[0] == '+') {
      clock.advance(std::stoll(step.substr(1)));
      continue;
    }
    const Pass pass = breaker.ask(clock.mono_ms());
    const Pass wanted = step == "no"                ? Pass::refused
                        : step.starts_with("probe") ? Pass::probe
                                                    : Pass::normal;
    REQUIRE(pass == wanted);
    if (pass != Pass::refused) breaker.record(pass, step.ends_with("bad"), clock.mono_ms());
  }
  CHECK(breaker.state() == story.at_the_end);
}

TEST_CASE("S-03: the breaker opens, probes and closes as told") {
  const std::vector<Story> stories = {
      {"nothing happens", {}, State::closed},
      {"nine errors in a row are not half of twenty", times(9, "bad"), State::closed},
      {"the tenth opens at once", joined({times(10, "bad"), {"no"}}), State::open},
      {"half of twenty, mixed", joined({times(10, "ok"), times(10, "bad"), {"no"}}), State::open},
      {"one less than half", joined({times(11, "ok"), times(9, "bad"), {"ok"}}), State::closed},
      {"old errors are pushed out by new calls",
       joined({times(9, "bad"), times(20, "ok"), times(9, "bad"), {"ok"}}), State::closed},
      {"an error of a minute ago counts no longer",
       joined({times(9, "bad"), {"+60000", "bad", "ok"}}), State::closed},
      {"one of a moment less does", joined({times(9, "bad"), {"+59999", "bad", "no"}}),
       State::open},
      {"it stays open for half a minute",
       joined({times(10, "bad"), {"no", "+29999", "no"}, times(50, "no")}), State::open},
      {"one probe goes, and no second for another half minute",
       joined({times(10, "bad"), {"+30000", "probe bad", "no", "+29999", "no", "+1", "probe bad"}}),
       State::open},
      {"its success closes, with nothing held against the party",
       joined({times(10, "bad"), {"+30000", "probe ok"}, times(9, "bad"), {"ok"}}), State::closed},
      {"and it opens again as before",
       joined({times(10, "bad"), {"+30000", "probe ok"}, times(10, "bad"), {"no"}}), State::open},
  };
  for (const Story& story : stories) tell(story);
}

TEST_CASE(
    "S-03: a hundred callers after the pause send one probe, and a lost probe costs one pause") {
  CircuitBreaker breaker;
  for (int i = 0; i < 10; ++i) breaker.record(breaker.ask(0), true, 0);
  int probes = 0;
  for (int i = 0; i < 100; ++i) probes += breaker.ask(30'000) == Pass::probe ? 1 : 0;
  CHECK(probes == 1);
  CHECK(breaker.state() == State::half_open);
  CHECK(breaker.ask(59'999) == Pass::refused);  // the probe never came back
  CHECK(breaker.ask(60'000) == Pass::probe);
}

TEST_CASE("S-03: calls that began before it opened change nothing when they end") {
  CircuitBreaker breaker;
  std::vector<Pass> late(5, breaker.ask(0));
  for (int i = 0; i < 10; ++i) breaker.record(breaker.ask(0), true, 0);
  for (const Pass pass : late) CHECK_FALSE(breaker.record(pass, false, 1));
  CHECK(breaker.state() == State::open);
  REQUIRE(breaker.ask(30'000) == Pass::probe);
  CHECK_FALSE(breaker.record(Pass::normal, false, 30'001));  // no probe, so it does not close
  CHECK(breaker.state() == State::half_open);
}

TEST_CASE("a probe that could not be made may be asked for again at once") {
  CircuitBreaker breaker;
  for (int i = 0; i < 10; ++i) breaker.record(breaker.ask(0), true, 0);
  const Pass pass = breaker.ask(30'000);
  REQUIRE(pass == Pass::probe);
  breaker.give_back(pass);
  CHECK(breaker.ask(30'001) == Pass::probe);
}

TEST_CASE("the breaker counts what it looks at, and refuses rules that mean nothing") {
  CircuitBreaker breaker;
  for (int i = 0; i < 30; ++i) breaker.record(breaker.ask(i), i % 4 == 0, i);
  CHECK(breaker.calls(30) == 20);
  CHECK(breaker.errors(30) == 5);
  CHECK(breaker.calls(60'015) == 14);
  CHECK_THROWS_AS(CircuitBreaker({.window_calls = 0}), InvariantBroken);
  CHECK_THROWS_AS(CircuitBreaker({.window_calls = 65}), InvariantBroken);
  CHECK_THROWS_AS(CircuitBreaker({.error_percent = 0}), InvariantBroken);
  CHECK_THROWS_AS(breaker.record(Pass::refused, true, 0), InvariantBroken);
}

}  // namespace
}  // namespace topup::base
