#include "server/base/address_rules.h"

#include <doctest/doctest.h>

#include <string>

#include "server/base/http_client.h"
#include "tests/support/far_side.h"

namespace topup::base {
namespace {

// Ways to point a webhook at a machine that is not meant, most of them at 127.0.0.1 or at a cloud's
// own data.
constexpr const char* kForbidden[] = {
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://0/",
    "https://0.0.0.0/",
    "https://2130706433/",
    "https://017700000001/",
    "https://0177.0.0.1/",
    "https://0x7f.1/",
    "https://0x7f000001/",
    "https://0x7f.0x0.0x0.0x1/",
    "https://127.0.0.1./",
    "https://127.0.0.1.",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[fc00::1]/",
    "https://[fe80::1%25lo]/",
    "https://169.254.169.254/latest/meta-data",
    "https://0xa9fea9fe/",
    "https://2852039166/",
    "https://[fd00:ec2::254]/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://224.0.0.1/",
    "https://8.8.8.8/",  // public, but a number: no certificate names it
    "https://localhost/",
    "https://LOCALHOST/",
    "https://localhost./",
    "https://shop.localhost/",
    "https://printer.local/",
    "https://db.internal/",
    "https://metadata.google.internal/",
    "https://router.lan/",
    "https://intranet/",
    "https://kubernetes.default.svc/",
    "https://x.cluster.local/",
    "https://1.0.0.127.in-addr.arpa/",
    "https://hidden.onion/",
    "https://a.test/",
    "https://user@hooks.shop.com/",
    "https://hooks.shop.com@127.0.0.1/",
    "https://user:pass@hooks.shop.com/",
    "https://hooks.shop.com:0/",
    "https://hooks.shop.com:22/",
    "https://hooks.shop.com:80/",
    "https://hooks.shop.com:65536/",
    "https://hooks.shop.com:0443/",
    "https://hooks.shop.com:443:443/",
    "https://hooks.shop.com:/",
    "https://hooks.shop.com#@127.0.0.1/",
    "https://hooks.shop.com?@127.0.0.1/",
    "https://hooks.shop.com\\@127.0.0.1/",
    "https://hooks.shop.com/a b",
    "https://hooks.shop.com/a\r\nHost: x",
    "https://hooks.shop.com/\xE5\x85\x85",
    "https://hooks.shop.com/#part",
    "https://-a.shop.com/",
    "https://a-.shop.com/",
    "https://a..shop.com/",
    "https://.shop.com/",
    "https://hooks_shop.com/",
    "https://hooks.shop.1/",
    "https://hooks.shop.0x7f/",
    "https://\xE2\x91\xA0.shop.com/",  // a circled digit, which some map to 1
    "https://127.0.0.1\xE3\x80\x82"
    "com/",  // an ideographic full stop
    "https://%31%32%37.0.0.1/",
    "https:///hooks.shop.com/",
    "https:/hooks.shop.com/",
    "https:hooks.shop.com",
    "https://",
    "",
    "http://hooks.shop.com/",
    "HTTPS://hooks.shop.com/",
    " https://hooks.shop.com/",
    "//hooks.shop.com/",
    "ftp://hooks.shop.com/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:25/",
    "unix:/var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
    "javascript:alert(1)",
};

TEST_CASE("A-15: no spelling of an inner address passes for a public one") {
  static_assert(std::size(kForbidden) >= 45);
  for (const char* text : kForbidden) {
    CAPTURE(text);
    const auto url = public_https_url(text);
    REQUIRE_FALSE(url);
    CHECK(url.error().reason == "url_not_public");
    CHECK_FALSE(public_https_origin(text));
  }
  MESSAGE("figure A-15: " << std::size(kForbidden) << " spellings refused");
  CHECK_FALSE(public_https_url("https://hooks.shop.com/" + std::string(kMaxUrlBytes, 'a')));
  CHECK_FALSE(public_https_url("https://" + std::string(64, 'a') + ".com/"));
  CHECK_FALSE(public_https_url("https://hooks.shop.com/" + std::string(1, '\0')));
  std::string long_name = "https://";
  for (int i = 0; i < 127; ++i) long_name += "ab.";
  CHECK_FALSE(public_https_url(long_name + "com/"));
}

TEST_CASE("a public https address is taken apart and written one way") {
  const auto plain = public_https_url("https://Hooks.Shop.com");
  REQUIRE(plain);
  CHECK(plain->origin == "https://hooks.shop.com");
  CHECK(plain->target == "/");
  const auto whole = public_https_url("https://hooks.shop.com:443/topup/a%20b?key=1&b=@");
  REQUIRE(whole);
  CHECK(whole->origin == "https://hooks.shop.com");
  CHECK(whole->target == "/topup/a%20b?key=1&b=@");
  CHECK(public_https_url("https://xn--fiq228c.xn--fiqs8s:8443/")->origin ==
        "https://xn--fiq228c.xn--fiqs8s:8443");
  CHECK(*public_https_origin("https://hooks.shop.com:8443") == "https://hooks.shop.com:8443");
  CHECK_FALSE(public_https_origin("https://hooks.shop.com/"));
}

TEST_CASE("A-15: a public name that leads to an inner address is not connected to") {
  testing::FarSide inner([](testing::Peer&, int) {});
  const std::string port = inner.origin().substr(inner.origin().rfind(':'));
  for (const char* address :
       {"127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1", "172.31.255.255", "192.168.0.1",
        "169.254.169.254", "100.64.0.1", "0.0.0.0", "fc00::1", "fe80::1", "64:ff9b::7f00:1"}) {
    CAPTURE(address);
    OutboundOptions options;
    options.public_only = true;
    options.lookup = [address](const std::string&) { return std::vector<std::string>{address}; };
    OutboundRequest request;
    request.method = "POST";
    request.target = "/";
    const auto reply =
        make_outbound("webhook", "https://hooks.shop.com" + port, options)->call(request);
    CHECK(reply.kind == OutboundReply::Kind::not_sent);
    CHECK(reply.failure == "address_refused");
  }
  OutboundOptions options;
  options.public_only = true;
  OutboundRequest request;
  request.method = "GET";
  request.target = "/";
  for (const std::string host : {"127.0.0.1", "[::1]", "10.0.0.1"}) {
    CAPTURE(host);
    const auto reply = make_outbound("webhook", "https://" + host + port, options)->call(request);
    CHECK(reply.failure == "address_refused");
  }
  CHECK(inner.connections() == 0);
}

TEST_CASE("A-15: an origin that came from outside is not trusted without TLS either") {
  testing::FarSide inner([](testing::Peer& peer, int) { peer.read_request(); });
  OutboundOptions options;
  options.public_only = true;
  OutboundRequest request;
  request.method = "GET";
  request.target = "/";
  const std::string port = inner.origin().substr(inner.origin().rfind(':'));
  for (const std::string& origin : {inner.origin(), "http://localhost" + port}) {
    CAPTURE(origin);
    const auto reply = make_outbound("webhook", origin, options)->call(request);
    CHECK(reply.kind == OutboundReply::Kind::not_sent);
    CHECK(reply.failure == "address_refused");
  }
  CHECK(inner.connections() == 0);
}

TEST_CASE("a block of addresses contains what it should") {
  const auto contains = [](const char* block, const char* address) {
    const auto parsed = AddressBlock::parse(block);
    REQUIRE(parsed);
    return parsed->contains(address);
  };
  CHECK(contains("10.0.0.0/8", "10.255.255.255"));
  CHECK(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
  CHECK_FALSE(contains("10.0.0.0/8", "11.0.0.0"));
  CHECK(contains("192.168.1.7", "192.168.1.7"));
  CHECK_FALSE(contains("192.168.1.7", "192.168.1.8"));
  CHECK(contains("172.16.0.0/12", "172.31.255.255"));
  CHECK_FALSE(contains("172.16.0.0/12", "172.32.0.0"));
  CHECK(contains("fd00::/8", "fdff::1"));
  CHECK_FALSE(contains("fd00::/8", "fe00::1"));
  CHECK(contains("0.0.0.0/0", "8.8.8.8"));
  CHECK_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
  CHECK(contains("::/0", "8.8.8.8"));
  CHECK_FALSE(contains("10.0.0.0/8", "not an address"));
  for (const char* wrong : {"", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.1/8", "10.0.0/8",
                            "fd00::/129", "fd00::1/8", "10.0.0.0/8 ", "x/8", "10.0.0.0/8/8"}) {
    CAPTURE(wrong);
    CHECK_FALSE(AddressBlock::parse(wrong));
  }
}

}  // namespace
}  // namespace topup::base
