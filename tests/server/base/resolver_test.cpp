#include "server/base/resolver.h"

#include <doctest/doctest.h>

#include <string>

#include "server/base/clock.h"

using namespace topup::base;

TEST_CASE("only addresses of the public network are public") {
  for (const char* text : {"127.0.0.1",
                           "127.255.255.255",
                           "10.0.0.1",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.168.1.1",
                           "169.254.169.254",
                           "100.64.0.1",
                           "0.0.0.0",
                           "192.0.0.8",
                           "224.0.0.1",
                           "240.0.0.1",
                           "255.255.255.255",
                           "::",
                           "::1",
                           "fe80::1",
                           "fc00::1",
                           "fd12::1",
                           "ff02::1",
                           "::ffff:127.0.0.1",
                           "::ffff:10.0.0.1",
                           "64:ff9b::7f00:1",
                           "2002:7f00:1::",
                           "2002:c0a8:101::1",
                           "::127.0.0.1",
                           "localhost",
                           "",
                           "1.2.3",
                           "0x7f.1",
                           "127.0.0.1 ",
                           "017700000001"}) {
    CAPTURE(text);
    CHECK_FALSE(is_public_address(text));
  }
  for (const char* text :
       {"8.8.8.8", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "192.167.0.1",
        "223.255.255.255", "::ffff:8.8.8.8", "2400:3200::1", "64:ff9b::808:808"}) {
    CAPTURE(text);
    CHECK(is_public_address(text));
  }
}

TEST_CASE("a numeric host is its own address, and a name is looked up") {
  const std::int64_t deadline = SystemClock().mono_ms() + 2'000;
  Resolver number("127.0.0.1", Resolver::Allow::public_only);
  REQUIRE(number.find_addresses(deadline));
  CHECK(number.find_addresses(deadline)->front() == "127.0.0.1");
  Resolver name("localhost", Resolver::Allow::any);
  const auto found = name.find_addresses(deadline);
  REQUIRE(found);
  for (const std::string& address : *found) CHECK((address == "127.0.0.1" || address == "::1"));
}

TEST_CASE("a public name that answers with a private address is refused") {
  Resolver name("localhost", Resolver::Allow::public_only);
  const auto found = name.find_addresses(SystemClock().mono_ms() + 2'000);
  REQUIRE_FALSE(found);
  CHECK(found.error().reason == "address_refused");
}

TEST_CASE("a lookup that takes too long is left behind at the deadline") {
  Resolver name("no-such-name.invalid", Resolver::Allow::any);
  const auto late = name.find_addresses(SystemClock().mono_ms() - 1);
  REQUIRE_FALSE(late);
  CHECK((late.error().reason == "deadline" || late.error().reason == "connect_failed"));
}
