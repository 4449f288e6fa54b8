#include <doctest/doctest.h>

#include <string>

#include "server/http/front.h"

namespace topup::http {
namespace {

const std::string kWs =
    "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

// A GET with these field lines behind Host.
std::string get(const std::string& fields) {
  return "GET /a HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}
std::string post(const std::string& fields) {
  return "POST /a HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}
std::string target(const std::string& text) {
  return "GET " + text + " HTTP/1.1\r\nHost: h\r\n\r\n";
}
std::string fields(std::size_t count) {
  std::string lines;
  for (std::size_t i = 0; i < count; ++i) lines += "X-" + std::to_string(i) + ": v\r\n";
  return lines;
}

struct Row {
  const char* name;
  std::string head;
  int status;
  const char* reason;
};

void check_rows(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Verdict verdict = judge(row.head, Limits{});
    CHECK(verdict.status == row.status);
    CHECK(verdict.reason == row.reason);
  }
}

TEST_CASE("judge: what browsers, mini-programs and payment channels send passes") {
  check_rows({
      {"plain get", get(""), 0, ""},
      {"head", "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", 0, ""},
      {"post with a body", post("Content-Length: 2\r\n"), 0, ""},
      {"put with an empty body", "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 0, ""},
      {"delete", "DELETE /a HTTP/1.1\r\nHost: h\r\n\r\n", 0, ""},
      {"get that says its body is empty", get("Content-Length: 0\r\n"), 0, ""},
      {"host with a port", "GET / HTTP/1.1\r\nHost: shop.example:8443\r\n\r\n", 0, ""},
      {"host of IPv6", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", 0, ""},
      {"HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", 0, ""},
      {"query with escapes", target("/a/b?x=%E4%B8%AD&y=1+2"), 0, ""},
      {"Chinese bytes in a value", get("X-Name: \xE4\xB8\xAD\r\n"), 0, ""},
      {"tab around a value", get("X-Name:\tv\t\r\n"), 0, ""},
      {"empty value", get("X-Name:\r\n"), 0, ""},
      {"percent in a value", get("X-Name: 100%41\r\n"), 0, ""},
      {"two of a list field", get("Accept: a\r\nAccept: b\r\n"), 0, ""},
      {"WebSocket handshake", kWs + "\r\n", 0, ""},
      {"nine digits of length", post("Content-Length: 000000012\r\n"), 0, ""},
      {"64 fields", "GET /a HTTP/1.1\r\nHost: h\r\n" + fields(63) + "\r\n", 0, ""},
      {"target of 2 KB", target("/" + std::string(2047, 'a')), 0, ""},
  });
}

TEST_CASE("judge: lengths and codings that two readers could take differently are refused") {
  check_rows({
      {"length twice", post("Content-Length: 5\r\nContent-Length: 5\r\n"), 400, "header_repeated"},
      {"two lengths", post("Content-Length: 5\r\nContent-length: 6\r\n"), 400, "header_repeated"},
      {"length list", post("Content-Length: 5, 5\r\n"), 400, "length_malformed"},
      {"length with plus", post("Content-Length: +5\r\n"), 400, "length_malformed"},
      {"length with minus", post("Content-Length: -1\r\n"), 400, "length_malformed"},
      {"hex length", post("Content-Length: 0x5\r\n"), 400, "length_malformed"},
      {"length with a blank inside", post("Content-Length: 5 5\r\n"), 400, "length_malformed"},
      {"empty length", post("Content-Length:\r\n"), 400, "length_malformed"},
      {"length of ten digits", post("Content-Length: 1000000000\r\n"), 413, "body_too_large"},
      {"length of 10^20", post("Content-Length: 100000000000000000000\r\n"), 413, "body_too_large"},
      {"post without a length", post(""), 411, "length_missing"},
      {"put without a length", "PUT /a HTTP/1.1\r\nHost: h\r\n\r\n", 411, "length_missing"},
      {"chunked", post("Transfer-Encoding: chunked\r\n"), 501, "transfer_encoding_refused"},
      {"chunked and length", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 501,
       "transfer_encoding_refused"},
      {"xchunked", post("Transfer-Encoding: xchunked\r\n"), 501, "transfer_encoding_refused"},
      {"identity", get("transfer-encoding: identity\r\n"), 501, "transfer_encoding_refused"},
      {"empty coding", get("Transfer-Encoding:\r\n"), 501, "transfer_encoding_refused"},
      {"coding with a blank before the colon", post("Transfer-Encoding : chunked\r\n"), 400,
       "header_name_refused"},
      {"coding behind a tab", post("Content-Length: 1\r\n\tTransfer-Encoding: chunked\r\n"), 400,
       "head_malformed"},
      {"gzip body", post("Content-Length: 5\r\nContent-Encoding: gzip\r\n"), 415,
       "content_encoding_refused"},
      {"br body", post("Content-Length: 5\r\nContent-Encoding: br\r\n"), 415,
       "content_encoding_refused"},
      {"form of parts",
       post("Content-Length: 5\r\nContent-Type: Multipart/form-data; boundary=a\r\n"), 415,
       "multipart_refused"},
      {"get with a body", get("Content-Length: 5\r\n"), 400, "body_not_allowed"},
      {"head with a body", "HEAD / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n", 400,
       "body_not_allowed"},
      {"delete with a body", "DELETE / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n", 400,
       "body_not_allowed"},
  });
}

TEST_CASE("judge: broken lines and bytes are refused") {
  using namespace std::string_literals;
  check_rows({
      {"bare LF at a line's end", "GET / HTTP/1.1\nHost: h\r\n\r\n", 400, "head_malformed"},
      {"bare LF ends the head", "GET / HTTP/1.1\r\nHost: h\n\n", 400, "head_malformed"},
      {"bare CR in a value", get("X-A: a\rb\r\n"), 400, "head_malformed"},
      {"bare CR before a hidden field", get("X-A: a\rTransfer-Encoding: chunked\r\n"), 400,
       "head_malformed"},
      {"NUL in a value", get("X-A: a\0b\r\n"s), 400, "head_malformed"},
      {"NUL in a name", get("X\0A: b\r\n"s), 400, "head_malformed"},
      {"escape byte", get("X-A: \x1b[31m\r\n"), 400, "head_malformed"},
      {"DEL", get("X-A: \x7f\r\n"), 400, "head_malformed"},
      {"folded line", get("X-A: a\r\n b\r\n"), 400, "head_malformed"},
      {"folded by a tab", get("X-A: a\r\n\tb\r\n"), 400, "head_malformed"},
      {"fold as the first field", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400, "head_malformed"},
      {"field without a colon", get("X-A\r\n"), 400, "head_malformed"},
      {"empty name", get(": v\r\n"), 400, "header_name_refused"},
      {"blank in a name", get("X A: v\r\n"), 400, "header_name_refused"},
      {"blank before the colon", get("X-A : v\r\n"), 400, "header_name_refused"},
      {"underscore in a name", get("X_A: v\r\n"), 400, "header_name_refused"},
      {"REMOTE_ADDR", get("REMOTE_ADDR: 6.6.6.6\r\n"), 400, "header_name_refused"},
      {"Remote-Addr", get("Remote-Addr: 6.6.6.6\r\n"), 400, "header_name_refused"},
      {"LOCAL_PORT", get("LOCAL_PORT: 1\r\n"), 400, "header_name_refused"},
      {"bytes above ASCII in a name", get("X-\xC3\xA9: v\r\n"), 400, "header_name_refused"},
      {"parenthesis in a name", get("X(A): v\r\n"), 400, "header_name_refused"},
      {"escaped CR in a value", get("X-A: a%0D%0aSet-Cookie: b\r\n"), 400, "header_value_refused"},
      {"escaped LF in a value", get("X-A: a%0a\r\n"), 400, "header_value_refused"},
      {"escaped NUL in a value", get("X-A: a%00\r\n"), 400, "header_value_refused"},
      {"nothing", "", 400, "head_malformed"},
      {"only an empty line", "\r\n\r\n", 400, "head_malformed"},
      {"an empty line first", "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400, "head_malformed"},
      {"a second request behind it", get("") + get(""), 400, "head_malformed"},
      {"head that does not end", "GET / HTTP/1.1\r\nHost: h\r\n", 400, "head_malformed"},
      {"TLS hello", "\x16\x03\x01\x02\x00\x01\x00"s, 400, "head_malformed"},
  });
}

TEST_CASE("judge: the request line") {
  check_rows({
      {"trace", "TRACE / HTTP/1.1\r\nHost: h\r\n\r\n", 405, "method_not_allowed"},
      {"connect", "CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", 405, "method_not_allowed"},
      {"options", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 405, "method_not_allowed"},
      {"patch", "PATCH / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 405,
       "method_not_allowed"},
      {"small letters", "get / HTTP/1.1\r\nHost: h\r\n\r\n", 405, "method_not_allowed"},
      {"method with a mark", "G@T / HTTP/1.1\r\nHost: h\r\n\r\n", 400, "head_malformed"},
      {"HTTP/0.9", "GET /\r\n\r\n", 400, "head_malformed"},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\n", 400, "version_refused"},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", 400, "version_refused"},
      {"HTTP/1.1 with a blank", "GET / HTTP/1.1 \r\nHost: h\r\n\r\n", 400, "version_refused"},
      {"small http", "GET / http/1.1\r\nHost: h\r\n\r\n", 400, "version_refused"},
      {"two blanks", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400, "target_malformed"},
      {"tab for a blank", "GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n", 400, "head_malformed"},
      {"blank in the target", target("/a b"), 400, "target_malformed"},
      {"absolute form", target("http://h/"), 400, "target_malformed"},
      {"asterisk", target("*"), 400, "target_malformed"},
      {"no slash", target("a"), 400, "target_malformed"},
      {"fragment", target("/a#b"), 400, "target_malformed"},
      {"escaped NUL in the path", target("/a%00.html"), 400, "target_malformed"},
      {"escaped NUL in the query", target("/a?b=%00"), 400, "target_malformed"},
      {"half an escape", target("/a%4"), 400, "target_malformed"},
      {"no escape", target("/a%zz"), 400, "target_malformed"},
      {"bytes above ASCII", target("/\xE4\xB8\xAD"), 400, "target_malformed"},
      {"one byte over 2 KB", target("/" + std::string(2048, 'a')), 414, "target_too_long"},
      {"1 MB target", target("/" + std::string(1 << 20, 'a')), 414, "target_too_long"},
      {"endless first line", "GET /" + std::string(20'000, 'a'), 414, "target_too_long"},
  });
}

TEST_CASE("judge: fields that ask for what is not given") {
  check_rows({
      {"no host", "GET / HTTP/1.1\r\n\r\n", 400, "host_refused"},
      {"two hosts", get("Host: h\r\n"), 400, "header_repeated"},
      {"empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, "host_refused"},
      {"host with user", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400, "host_refused"},
      {"host with path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "host_refused"},
      {"host list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400, "host_refused"},
      {"range", get("Range: bytes=0-1\r\n"), 400, "range_refused"},
      {"if-range", get("If-Range: \"a\"\r\n"), 400, "range_refused"},
      {"expect", post("Content-Length: 1\r\nExpect: 100-continue\r\n"), 400, "expect_refused"},
      {"two cookies", get("Cookie: a=b\r\nCookie: c=d\r\n"), 400, "header_repeated"},
      {"two authorizations", get("Authorization: a\r\nauthorization: b\r\n"), 400,
       "header_repeated"},
      {"two content types", get("Content-Type: a/b\r\nContent-Type: c/d\r\n"), 400,
       "header_repeated"},
      {"two idempotency keys", get("Idempotency-Key: a\r\nIdempotency-Key: b\r\n"), 400,
       "header_repeated"},
      {"two origins", get("Origin: http://a\r\nOrigin: http://b\r\n"), 400, "header_repeated"},
      {"65 fields", "GET /a HTTP/1.1\r\nHost: h\r\n" + fields(64) + "\r\n", 431,
       "too_many_headers"},
      {"17 KB head", get("X-A: " + std::string(17 * 1024, 'a') + "\r\n"), 431, "head_too_large"},
      {"upgrade to h2c", get("Connection: Upgrade\r\nUpgrade: h2c\r\n"), 400, "upgrade_refused"},
      {"WebSocket by POST", "POST /ws" + kWs.substr(7) + "Content-Length: 0\r\n\r\n", 400,
       "upgrade_refused"},
      {"WebSocket by HTTP/1.0", "GET /ws HTTP/1.0" + kWs.substr(16) + "\r\n", 400,
       "upgrade_refused"},
      {"WebSocket with two keys", kWs + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", 400,
       "upgrade_refused"},
      {"WebSocket without a key",
       get("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"), 400,
       "upgrade_refused"},
      {"WebSocket without Connection",
       get("Upgrade: websocket\r\nSec-WebSocket-Key: "
           "dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"),
       400, "upgrade_refused"},
      {"WebSocket of an old version",
       get("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: "
           "dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n"),
       400, "upgrade_refused"},
      {"two upgrades", get("Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n"), 400,
       "upgrade_refused"},
  });
}

TEST_CASE("judge: no head made by cutting a good one anywhere passes") {
  const std::string good = kWs + "\r\n";
  for (std::size_t size = 0; size < good.size(); ++size) {
    CAPTURE(size);
    CHECK(judge(std::string_view(good).substr(0, size), Limits{}).status != 0);
  }
}

}  // namespace
}  // namespace topup::http
