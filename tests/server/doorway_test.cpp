#include "server/doorway.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <string>
#include <vector>

#include "tests/server/http/tls_client.h"

namespace topup {
namespace {

constexpr std::int64_t kNow = 1'700'000'000'000;

bool names(const std::vector<std::string>& mistakes, const std::string& part) {
  for (const std::string& mistake : mistakes) {
    if (mistake.find(part) != std::string::npos) return true;
  }
  return false;
}

class ConfigFile {
 public:
  std::vector<std::string> load(const std::string& lines) {
    config = {};
    papers_.write("shop.toml", "[server]\n" + lines);
    return load_config(papers_.file("shop.toml"), &config);
  }
  Config config;

 private:
  http::Papers papers_;
};

TEST_CASE("doorway: proxies are addresses and ranges, in the file or the environment") {
  ConfigFile file;
  CHECK(file.load("").empty());
  CHECK(file.config.server.trusted_proxies.empty());
  CHECK(file.load("trusted_proxies = ['127.0.0.1', '10.0.0.0/8', '::1']\n").empty());
  const http::Limits limits = door_limits(file.config.server);
  CHECK(limits.trusted_proxies.holds(*http::parse_address("10.255.0.1")));
  CHECK(limits.trusted_proxies.holds(*http::parse_address("::1")));
  CHECK_FALSE(limits.trusted_proxies.holds(*http::parse_address("127.0.0.2")));
  const auto wrong = file.load("trusted_proxies = ['proxy', '10.1.0.0/8', '::1/200']\n");
  CHECK(wrong.size() == 3);
  CHECK(names(wrong, "not \"10.1.0.0/8\""));
  CHECK(names(file.load("trusted_proxies = '127.0.0.1'\n"), "must be a list of texts in quotes"));
  CHECK(names(file.load("trusted_proxies = [1]\n"), "must be a list of texts in quotes"));
  ::setenv("TOPUP_SERVER_TRUSTED_PROXIES", "192.0.2.0/24, ::1", 1);
  CHECK(file.load("trusted_proxies = ['127.0.0.1']\n").empty());
  CHECK(file.config.server.trusted_proxies == std::vector<std::string>{"192.0.2.0/24", "::1"});
  ::unsetenv("TOPUP_SERVER_TRUSTED_PROXIES");
}

TEST_CASE("doorway: TLS wants both files and an origin of https") {
  ConfigFile file;
  CHECK(names(file.load("tls_key_file = 'k'\n"), "needed together"));
  CHECK(names(file.load("tls_certificate_file = 'c'\n"), "needed together"));
  CHECK(names(file.load("redirect_port = 70000\n"), "redirect_port must lie between"));
  CHECK(file.load("").empty());
  CHECK(door_mistakes(file.config.server, kNow).empty());
  CHECK(file.load("tls_key_file = '/no/k'\ntls_certificate_file = '/no/c'\n").empty());
  const auto mistakes = door_mistakes(file.config.server, kNow);
  CHECK(mistakes.size() == 3);
  CHECK(names(mistakes, "[server] tls_certificate_file /no/c cannot be read"));
  CHECK(names(mistakes, "[server] tls_key_file /no/k cannot be read"));
  CHECK(names(mistakes, "[server] public_origin must look like https://shop.example"));
  for (const char* origin : {"http://shop.example", "https://", "https://a/", "https://a/b",
                             "https://u@a", "https://a?b", "shop.example"}) {
    CAPTURE(origin);
    CHECK(file.load("redirect_port = 80\npublic_origin = '" + std::string(origin) + "'\n").empty());
    CHECK(door_mistakes(file.config.server, kNow).size() == 1);
  }
  CHECK(file.load("redirect_port = 80\npublic_origin = 'https://shop.example:8443'\n").empty());
  CHECK(door_mistakes(file.config.server, kNow).empty());
  CHECK(
      file.load("port = 80\nredirect_port = 80\npublic_origin = 'https://shop.example'\n").empty());
  CHECK(names(door_mistakes(file.config.server, kNow), "must not be the port of the shop"));
}

TEST_CASE("doorway: the redirect sends readers to the same place, and passes nothing on") {
  Redirect redirect("https://shop.example");
  const auto answer = [&redirect](const std::string& method, const std::string& target) {
    http::WireRequest request;
    request.method = method;
    request.target = target;
    request.body = "card=4111";
    std::string bytes;
    redirect.handle(std::move(request),
                    [&bytes](std::string got, bool) { bytes = std::move(got); });
    return bytes;
  };
  const std::string read = answer("GET", "/orders?id=1");
  CHECK(http::status_of_answer(read) == 308);
  CHECK(http::has(read, "\r\nLocation: https://shop.example/orders?id=1\r\n"));
  CHECK(http::status_of_answer(answer("HEAD", "/")) == 308);
  for (const char* method : {"POST", "PUT", "DELETE"}) {
    const std::string refused = answer(method, "/api/v1/orders");
    CHECK(http::status_of_answer(refused) == 426);
    CHECK(http::has(refused, "Upgrade: TLS/1.2, HTTP/1.1"));
    CHECK_FALSE(http::has(refused, "Location"));
    CHECK_FALSE(http::has(refused, "4111"));
  }
  CHECK_FALSE(redirect.ws_open(1, {}));
}

}  // namespace
}  // namespace topup
