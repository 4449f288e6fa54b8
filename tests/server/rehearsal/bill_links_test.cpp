// How long a link to a bill works, and how many at one time.
#include "server/rehearsal/bill_links.h"

#include <doctest/doctest.h>

#include <string>

using namespace topup::rehearsal;

TEST_CASE("bill links: a link works for its time and as often as it is asked for, then never") {
  BillLinks links(30'000);
  links.add("first", "a file", 1'000);
  CHECK(links.find("first", 1'000) == "a file");
  CHECK(links.find("first", 31'000) == "a file");
  CHECK_FALSE(links.find("other", 31'000));
  CHECK_FALSE(links.find("first", 31'001));
  CHECK_FALSE(links.find("first", 1'000));
}

TEST_CASE("bill links: the oldest goes when there are too many") {
  BillLinks links(30'000);
  for (std::size_t i = 0; i <= BillLinks::kMost; ++i)
    links.add(std::to_string(i), "file " + std::to_string(i), 1'000);
  CHECK_FALSE(links.find("0", 1'000));
  for (std::size_t i = 1; i <= BillLinks::kMost; ++i)
    CHECK(links.find(std::to_string(i), 1'000) == "file " + std::to_string(i));
}
