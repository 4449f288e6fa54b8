#include "server/config.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <fstream>
#include <string>
#include <vector>

#include "tests/support/scratch_shop.h"

namespace topup {
namespace {

class Override {  // an environment variable for one test
 public:
  Override(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Override() { ::unsetenv(name_); }
  Override(const Override&) = delete;
  Override& operator=(const Override&) = delete;

 private:
  const char* name_;
};

class ConfigFile {
 public:
  std::string write(const std::string& name, const std::string& text) {
    const std::string path = folder_.file(name);
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  std::vector<std::string> load(const std::string& text) {
    return load_config(write("shop.toml", text), &config);
  }

  Config config;

 private:
  testing::ScratchFolder folder_;
};

bool names(const std::vector<std::string>& mistakes, const std::string& part) {
  for (const std::string& mistake : mistakes) {
    if (mistake.find(part) != std::string::npos) return true;
  }
  return false;
}

TEST_CASE("config: without a file the defaults are used") {
  Config config;
  CHECK(load_config("", &config).empty());
  CHECK(config.server.port == 8080);
  CHECK(config.server.address == "127.0.0.1");
  CHECK(config.pricing.rate_bp == 9'950);
  CHECK_FALSE(config.wechat_pay.has_value());
  CHECK_FALSE(config.reloadly.has_value());
}

TEST_CASE("config: a whole file is read, and secrets come from the files it names") {
  ConfigFile file;
  const std::string key = file.write("key.pem", "PRIVATE\nKEY\n\r\n ");
  const std::string secret = file.write("secret", "s3cret\n");
  const auto mistakes = file.load(
      "[server]\nport = 0\npublic_origin = 'https://shop.example'\n"
      "[wechat_pay]\nmchid = '19'\nappid = 'wx1'\nserial_no = 'AB'\npublic_key_id = "
      "'PUB_1'\nprivate_key_file = '" +
      key + "'\napiv3_key_file = '" + secret + "'\npublic_key_file = '" + key +
      "'\n[reloadly]\nclient_id = 'c'\nclient_secret_file = '" + secret +
      "'\nwebhook_secret_file = '" + secret +
      "'\nwallet = 'EUR'\n[pricing]\nrate_bp = 10000\nfee_minor = 5\n[orders]\nnot_found_needed = "
      "12\n");
  for (const std::string& mistake : mistakes) INFO(mistake);
  CHECK(mistakes.empty());
  CHECK(file.config.server.port == 0);
  REQUIRE(file.config.wechat_pay.has_value());
  CHECK(file.config.wechat_pay->private_key_pem == "PRIVATE\nKEY");
  CHECK(file.config.wechat_pay->apiv3_key == "s3cret");
  CHECK(file.config.wechat_pay->origin == "https://api.mch.weixin.qq.com");
  REQUIRE(file.config.wechat_pay->verify_keys.size() == 1);
  CHECK(file.config.wechat_pay->verify_keys[0].first == "PUB_1");
  REQUIRE(file.config.reloadly.has_value());
  CHECK(file.config.reloadly->wallet == "EUR");
  CHECK(file.config.pricing.rate_bp == 10'000);
  CHECK(file.config.pricing.fee_minor == 5);
  CHECK(file.config.orders.not_found_needed == 12);
}

TEST_CASE("config: every mistake is told at once, each with its section and key") {
  ConfigFile file;
  const auto mistakes = file.load(
      "[server]\nport = 70000\nshop_name = 5\nprot = 1\n"
      "[wechat_pay]\nmchid = '19'\nprivate_key_file = '/no/such/file'\n"
      "[reloadly]\nclient_id = 'c'\nwallet = 'XYZ'\n"
      "[pricing]\nrate_bp = 0\nstep_minor = 'one'\nfee_minor = 1.5\n"
      "[orders]\nmax_supplier_queries = -1\n[shop]\nname = 'x'\n");
  for (const char* part :
       {"[server] port must lie between 0 and 65535", "[server] shop_name must be a text in quotes",
        "[server] prot is not a key", "[wechat_pay] appid is needed",
        "[wechat_pay] serial_no is needed",
        "[wechat_pay] private_key_file names a file that cannot be read: /no/such/file",
        "[wechat_pay] apiv3_key_file is needed", "[wechat_pay] public_key_id is needed",
        "[wechat_pay] public_key_file is needed", "[reloadly] client_secret_file is needed",
        "[reloadly] webhook_secret_file is needed", "[reloadly] wallet must be a currency",
        "[pricing] rate_bp must lie between", "[pricing] step_minor must be a whole number",
        "[pricing] fee_minor must be a whole number",
        "[orders] max_supplier_queries must lie between", "[shop] is not a section"}) {
    CAPTURE(part);
    CHECK(names(mistakes, part));
  }
  CHECK(mistakes.size() == 17);
}

TEST_CASE("config: each limit is inclusive") {
  ConfigFile file;
  CHECK(file.load("[server]\nport = 65535\n[orders]\npay_within_ms = 1000\n").empty());
  CHECK(file.load("[server]\nport = 65536\n").size() == 1);
  CHECK(file.load("[server]\nport = -1\n").size() == 1);
  CHECK(file.load("[orders]\npay_within_ms = 999\n").size() == 1);
  CHECK(file.load("[orders]\nnot_found_needed = 1\n").size() == 1);
}

TEST_CASE("config: a section that is not a section is a mistake, not silence") {
  ConfigFile file;
  CHECK(names(file.load("server = 8080\n"), "server"));
  CHECK(names(file.load("[[orders]]\npay_within_ms = 1000\n"), "orders"));
}

TEST_CASE("config: text that is not TOML and a file that is not there are told with their name") {
  ConfigFile file;
  const auto broken = file.load("[server\nport = 1\n");
  REQUIRE(broken.size() == 1);
  CHECK(names(broken, "shop.toml"));
  CHECK(names(broken, "line "));
  Config config;
  CHECK(names(load_config("/no/such/shop.toml", &config), "/no/such/shop.toml"));
}

TEST_CASE("config: the environment goes before the file, key by key") {
  ConfigFile file;
  const Override port("TOPUP_SERVER_PORT", "9000");
  const Override name("TOPUP_SERVER_SHOP_NAME", "小店");
  const Override rate("TOPUP_PRICING_RATE_BP", "10100");
  CHECK(file.load("[server]\nport = 1\naddress = '0.0.0.0'\n").empty());
  CHECK(file.config.server.port == 9'000);
  CHECK(file.config.server.address == "0.0.0.0");
  CHECK(file.config.server.shop_name == "小店");
  CHECK(file.config.pricing.rate_bp == 10'100);
}

TEST_CASE("config: an override that is no number, or too large, is a mistake") {
  for (const char* value : {"", "12x", "1e3", "0x10", "99999999999999999999", "70000", "-1"}) {
    CAPTURE(value);
    const Override port("TOPUP_SERVER_PORT", value);
    Config config;
    CHECK(names(load_config("", &config), "[server] port"));
    CHECK(config.server.port == 8080);
  }
}

TEST_CASE(
    "config: a secret file that is empty, too large or a folder is refused without its content") {
  ConfigFile file;
  for (const std::string& path :
       {file.write("empty", "\n"), file.write("large", std::string(70'000, 's')),
        std::string("/")}) {
    CAPTURE(path);
    const auto mistakes = file.load("[reloadly]\nclient_id = 'c'\nclient_secret_file = '" + path +
                                    "'\nwebhook_secret_file = '" + path + "'\n");
    CHECK(mistakes.size() == 2);
    CHECK(names(mistakes, path));
    CHECK_FALSE(names(mistakes, "ssss"));
  }
}

}  // namespace
}  // namespace topup
