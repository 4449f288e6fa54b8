#include "server/rehearsal/wire_text.h"

#include <doctest/doctest.h>

namespace topup::rehearsal {
namespace {

TEST_CASE("wire text: percent-encoding there and back, and what is malformed") {
  CHECK(percent_encoded("a b/|*~") == "a%20b%2F%7C%2A~");
  CHECK(percent_decoded("a%20b%2f+", false) == "a b/+");
  CHECK(percent_decoded("a+b", true) == "a b");
  for (const char* bad : {"%", "%4", "%zz", "a%"}) CHECK_FALSE(percent_decoded(bad, false));
}

TEST_CASE("wire text: times of RFC 3339") {
  CHECK(rfc3339_china(1'795'246'200'000) == "2026-11-21T15:30:00+08:00");
  CHECK(compact_china(1'795'246'200'000) == "20261121153000");
  CHECK(spaced_time(1'795'246'200'000, 0) == "2026-11-21 07:30:00");
  CHECK(parse_rfc3339("2026-11-21T15:30:00+08:00") == 1'795'246'200'000);
  CHECK(parse_rfc3339("2026-11-21T07:30:00Z") == 1'795'246'200'000);
  CHECK(parse_rfc3339("2026-11-21T07:30:00.250Z") == 1'795'246'200'000);
  for (const char* bad :
       {"", "2026-11-21", "2026-11-21T15:30:00", "2026-02-30T00:00:00Z", "2026-11-21T24:00:00Z",
        "2026-11-21T15:30:00+0800", "2026-11-21T15:30:00.Z", "2026-11-21T15:30:00+08:00x"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_rfc3339(bad));
  }
}

TEST_CASE("wire text: addresses") {
  const auto address = parse_web_address("https://Shop.Example:8443/pay?id=1#top");
  REQUIRE(address);
  CHECK(address->origin == "https://Shop.Example:8443");
  CHECK(address->host == "shop.example");
  CHECK(address->target == "/pay?id=1");
  CHECK(parse_web_address("http://[::1]:80")->host == "[::1]");
  CHECK(parse_web_address("http://127.0.0.1?a=1")->target == "/?a=1");
  for (const char* bad :
       {"", "ftp://a/", "http://", "http:///a", "http://a@b/", "http://a b/", "http://a\\b/",
        "http://a/\r\nX: y", "http://a/\"", "//a/b", "javascript:1"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_web_address(bad));
  }
  CHECK(is_loopback_host("127.8.9.1"));
  CHECK_FALSE(is_loopback_host("127.0.0.1.example"));
}

TEST_CASE("wire text: dollars with five decimals are exact") {
  CHECK(e5_text(681'100) == "6.81100");
  CHECK(e5_text(-5) == "-0.00005");
  CHECK(parse_e5("13.9") == 1'390'000);
  CHECK(parse_e5("50") == 5'000'000);
  for (const char* bad : {"", ".5", "1.", "1e3", "-1", "+1", "1.000001", "1234567890123", "1,0"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_e5(bad));
  }
}

TEST_CASE("wire text: markup of others is text") {
  CHECK(html_text("<a href=\"x\">'&'</a>") ==
        "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
}

}  // namespace
}  // namespace topup::rehearsal
