#include "server/http/address.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "server/http/front.h"

namespace topup::http {
namespace {

TrustedProxies proxies(const std::vector<std::string>& texts) {
  std::vector<AddressRange> ranges;
  for (const std::string& text : texts) ranges.push_back(parse_range(text).value());
  return TrustedProxies(std::move(ranges));
}

using Headers = std::vector<std::pair<std::string, std::string>>;

WireRequest from(const std::string& socket, const Headers& headers, const TrustedProxies& trusted) {
  WireRequest request;
  request.client_address = socket;
  request.headers = headers;
  settle_client(trusted, request);
  return request;
}

TEST_CASE("address: forms of one address are one, and what is no address is none") {
  CHECK(parse_address("192.0.2.1") == parse_address("::ffff:192.0.2.1"));
  CHECK(parse_address("2001:db8::1") == parse_address("2001:0DB8:0:0:0:0:0:1"));
  CHECK(to_text(*parse_address("::ffff:192.0.2.1")) == "192.0.2.1");
  CHECK(to_text(*parse_address("2001:0db8::0001")) == "2001:db8::1");
  for (const char* text : {"",          " 1.2.3.4", "1.2.3.4 ",     "1.2.3",     "1.2.3.4.5",
                           "1.2.3.256", "01.2.3.4", "0x1.2.3.4",    "16909060",  "1.2.3.4:80",
                           "[::1]",     "::1%lo",   "fe80::1%eth0", "localhost", "unknown",
                           "_x",        "::1::",    "1.2.3.4/8",    ":",         "::g"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_address(text).has_value());
  }
  CHECK_FALSE(parse_address(std::string("1.2.3.4\0", 8)).has_value());
  CHECK(is_loopback(*parse_address("127.8.9.1")));
  CHECK(is_loopback(*parse_address("::1")));
  CHECK(is_loopback(*parse_address("::ffff:127.0.0.1")));
  CHECK_FALSE(is_loopback(*parse_address("128.0.0.1")));
  CHECK_FALSE(is_loopback(*parse_address("::2")));
}

TEST_CASE("address: a range holds its first and its last address and nothing beside them") {
  struct Row {
    const char* range;
    const char* address;
    bool held;
  };
  constexpr Row rows[] = {
      {"10.0.0.0/8", "10.0.0.0", true},
      {"10.0.0.0/8", "10.255.255.255", true},
      {"10.0.0.0/8", "::ffff:10.1.2.3", true},
      {"10.0.0.0/8", "9.255.255.255", false},
      {"10.0.0.0/8", "11.0.0.0", false},
      {"10.0.0.0/8", "a00::", false},
      {"172.16.0.0/12", "172.31.255.255", true},
      {"172.16.0.0/12", "172.32.0.0", false},
      {"192.0.2.7", "192.0.2.7", true},
      {"192.0.2.7", "192.0.2.6", false},
      {"192.0.2.7/32", "192.0.2.7", true},
      {"192.0.2.6/31", "192.0.2.7", true},
      {"192.0.2.6/31", "192.0.2.8", false},
      {"0.0.0.0/0", "255.255.255.255", true},
      {"0.0.0.0/0", "::1", false},
      {"::/0", "192.0.2.1", true},
      {"::1", "::1", true},
      {"::1", "127.0.0.1", false},
      {"2001:db8::/33", "2001:db8:7fff::1", true},
      {"2001:db8::/33", "2001:db8:8000::1", false},
      {"fe80::/10", "febf::1", true},
      {"fe80::/10", "fec0::1", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.range);
    CAPTURE(row.address);
    const auto range = parse_range(row.range);
    REQUIRE(range.has_value());
    CHECK(range->contains(*parse_address(row.address)) == row.held);
  }
  for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x",
                           "10.0.0.0/ 8", "10.0.0.0/+8", "10.1.0.0/8", "10.0.0.1/31", "::1/127",
                           "2001:db8::/129", "10.0.0.0/8/8", "proxy", "10.0.0.0-10.0.0.9"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_range(text).has_value());
  }
}

TEST_CASE("H-08: X-Forwarded-For is believed from a trusted proxy only, and only its own part") {
  const TrustedProxies trusted = proxies({"127.0.0.1", "10.0.0.0/8", "::1", "2001:db8::/32"});
  struct Row {
    const char* name;
    const char* socket;
    const char* forwarded;
    const char* client;
  };
  const Row rows[] = {
      {"a stranger claims", "203.0.113.9", "6.6.6.6", "203.0.113.9"},
      {"a stranger claims a proxy", "203.0.113.9", "6.6.6.6, 127.0.0.1", "203.0.113.9"},
      {"one hop", "127.0.0.1", "203.0.113.9", "203.0.113.9"},
      {"the client's own claim stands left", "127.0.0.1", "6.6.6.6, 203.0.113.9", "203.0.113.9"},
      {"two trusted hops", "127.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.3", "203.0.113.9"},
      {"an untrusted hop between", "127.0.0.1", "203.0.113.9, 192.0.2.4, 10.0.0.3", "192.0.2.4"},
      {"all are trusted", "127.0.0.1", "10.0.0.9, 10.0.0.3", "10.0.0.9"},
      {"rubbish left of the client", "127.0.0.1", "<script>, ,x, 203.0.113.9", "203.0.113.9"},
      {"rubbish from the proxy", "127.0.0.1", "203.0.113.9, unknown", "127.0.0.1"},
      {"rubbish behind a trusted hop", "127.0.0.1", "203.0.113.9,, 10.0.0.3", "127.0.0.1"},
      {"empty", "127.0.0.1", "", "127.0.0.1"},
      {"only commas", "127.0.0.1", ",,,", "127.0.0.1"},
      {"with a port", "127.0.0.1", "203.0.113.9:4711", "203.0.113.9"},
      {"IPv6", "::1", "2400:cb00::7", "2400:cb00::7"},
      {"IPv6 with a port", "10.1.1.1", "[2400:cb00::7]:4711, [2001:db8::2]", "2400:cb00::7"},
      {"IPv4 in IPv6", "::1", "::ffff:203.0.113.9", "203.0.113.9"},
      {"a bracket that does not end", "127.0.0.1", "[2400:cb00::7", "127.0.0.1"},
      {"tabs and blanks", "127.0.0.1", " \t203.0.113.9\t ", "203.0.113.9"},
      {"a name", "127.0.0.1", "evil.example", "127.0.0.1"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const WireRequest request = from(row.socket, {{"x-forwarded-for", row.forwarded}}, trusted);
    CHECK(request.client_address == row.client);
    CHECK(request.headers.empty());
  }
  // A proxy that adds a field of its own instead of appending.
  CHECK(from("127.0.0.1",
             {{"x-forwarded-for", "6.6.6.6"}, {"a", "b"}, {"x-forwarded-for", "203.0.113.9"}},
             trusted)
            .client_address == "203.0.113.9");
  CHECK(from("127.0.0.1", {{"x-forwarded-for", "203.0.113.9"}}, {}).client_address == "127.0.0.1");
}

TEST_CASE("H-08: no other word about the client is believed, and none reaches a handler") {
  const TrustedProxies trusted = proxies({"127.0.0.1"});
  for (const char* name :
       {"x-real-ip", "forwarded", "x-client-ip", "true-client-ip", "cf-connecting-ip",
        "x-forwarded", "x-cluster-client-ip", "client-ip", "x-forwarded-host", "x-forwarded-port",
        "remote-addr", "x-remote-addr", "x-originating-ip"}) {
    for (const char* socket : {"127.0.0.1", "203.0.113.9"}) {
      CAPTURE(name);
      const WireRequest request =
          from(socket, {{"accept", "a"}, {name, "for=6.6.6.6"}, {name, "6.6.6.6"}, {"x-a", "b"}},
               trusted);
      CHECK(request.client_address == socket);
      CHECK(request.headers == Headers{{"accept", "a"}, {"x-a", "b"}});
    }
  }
}

TEST_CASE("H-08: X-Forwarded-Proto counts from a trusted proxy only") {
  const TrustedProxies trusted = proxies({"127.0.0.1"});
  CHECK(from("127.0.0.1", {{"x-forwarded-proto", "https"}}, trusted).is_secure);
  CHECK(from("127.0.0.1", {{"x-forwarded-proto", "http, HTTPS"}}, trusted).is_secure);
  CHECK_FALSE(from("127.0.0.1", {{"x-forwarded-proto", "https, http"}}, trusted).is_secure);
  CHECK_FALSE(from("127.0.0.1", {{"x-forwarded-proto", "httpsx"}}, trusted).is_secure);
  CHECK_FALSE(from("203.0.113.9", {{"x-forwarded-proto", "https"}}, trusted).is_secure);
  CHECK_FALSE(from("127.0.0.1", {}, trusted).is_secure);
}

}  // namespace
}  // namespace topup::http
