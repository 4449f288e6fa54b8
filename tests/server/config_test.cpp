#include "server/config.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <fstream>
#include <string>
#include <vector>

#include "tests/support/scratch_shop.h"
#include "tests/support/source_dir.h"

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
  CHECK(file.config.service_fee.fixed_minor == 5);
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
        "[wechat_pay] apiv3_key_file is needed", "[reloadly] client_secret_file is needed",
        "[reloadly] webhook_secret_file is needed", "[reloadly] wallet must be a currency",
        "[pricing] rate_bp must lie between", "[pricing] step_minor must be a whole number",
        "[pricing] fee_minor must be a whole number",
        "[orders] max_supplier_queries must lie between", "[shop] is not a section"}) {
    CAPTURE(part);
    CHECK(names(mistakes, part));
  }
  CHECK(mistakes.size() == 15);
}

TEST_CASE("config: each limit is inclusive") {
  ConfigFile file;
  CHECK(file.load("[server]\nport = 65535\n[orders]\npay_within_ms = 1000\n").empty());
  CHECK(file.load("[server]\nport = 65536\n").size() == 1);
  CHECK(file.load("[server]\nport = -1\n").size() == 1);
  CHECK(file.load("[orders]\npay_within_ms = 999\n").size() == 1);
  CHECK(file.load("[orders]\nnot_found_needed = 1\n").size() == 1);
}

TEST_CASE("config: the store is a file unless an address names a database") {
  Config config;
  CHECK(load_config("", &config).empty());
  CHECK(config.store.url.empty());
  const Override url("TOPUP_STORE_URL", "postgres://topup@db.example:5432/shop");
  const Override few("TOPUP_STORE_CONNECTIONS", "4");
  CHECK(load_config("", &config).empty());
  CHECK(config.store.url == "postgres://topup@db.example:5432/shop");
  CHECK(config.store.connections == 4);
  const Override other("TOPUP_STORE_URL", "mysql://db.example/shop");
  const Override none("TOPUP_STORE_CONNECTIONS", "1");
  const Override missing("TOPUP_STORE_PASSWORD_FILE", "/no/such/file");
  const auto mistakes = load_config("", &config);
  CHECK(names(mistakes, "[store] url must look like postgres://"));
  CHECK(names(mistakes, "[store] connections must lie between 2 and 200"));
  CHECK(names(mistakes, "[store] password_file names a file that cannot be read"));
}

TEST_CASE("config: how long a job is leased and how many run has bounds") {
  ConfigFile file;
  CHECK(file.load("[jobs]\nlease_ms = 1000\nthreads = 2\n").empty());
  CHECK(file.config.jobs.lease_ms == 1'000);
  CHECK(file.load("[jobs]\nlease_ms = 600000\nthreads = 64\n").empty());
  CHECK(file.load("[jobs]\nlease_ms = 999\n").size() == 1);
  CHECK(file.load("[jobs]\nlease_ms = 600001\nthreads = 65\n").size() == 2);
  CHECK(file.load("[jobs]\nspeed = 1\n").size() == 1);
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

// ---- the description

std::string whole(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_CASE("config: every section and every key that is read says what it means") {
  const std::vector<ConfigSection> sections = config_sections();
  CHECK(sections.size() >= 7);
  for (const ConfigSection& section : sections) {
    CAPTURE(section.name);
    CHECK_FALSE(section.meaning.empty());
    CHECK_FALSE(section.keys.empty());
    for (const ConfigKey& key : section.keys) {
      CAPTURE(key.key);
      CHECK_FALSE(key.meaning.empty());
      CHECK_FALSE(key.kind.empty());
    }
  }
}

TEST_CASE("config: the described names, ranges and environment names are those that count") {
  ConfigFile file;
  for (const ConfigSection& section : config_sections()) {
    const std::string head = "[" + section.name + "]\n";
    CHECK_FALSE(names(file.load(head), "is not a section"));
    for (const ConfigKey& key : section.keys) {
      CAPTURE(section.name);
      CAPTURE(key.key);
      CHECK_FALSE(names(file.load(head + key.key + " = {}\n"), "is not a key"));
      CHECK(names(file.load(head + key.key + " = {}\n"), "[" + section.name + "] " + key.key));
      if (key.kind != "whole number") continue;
      const std::size_t gap = key.range.find(" … ");
      REQUIRE(gap != std::string::npos);
      const std::string most = key.range.substr(gap + std::string(" … ").size());
      const std::string wanted = "[" + section.name + "] " + key.key + " must lie between " +
                                 key.range.substr(0, gap) + " and " + most;
      const Override right(key.environment.c_str(), most.c_str());
      CHECK_FALSE(names(file.load(head), wanted));
      const Override wrong(key.environment.c_str(), std::to_string(std::stoll(most) + 1).c_str());
      CHECK(names(file.load(head), wanted));
    }
  }
}

TEST_CASE("config: the example file is the one that the program makes, and it is right") {
  const std::string text = config_example();
  CHECK_MESSAGE(whole(testing::source_dir() + "/scripts/operate/topup.example.toml") == text,
                "make it again: topup config --example > scripts/operate/topup.example.toml");
  ConfigFile file;
  CHECK(file.load(text).empty());
  const std::string page = config_explained();
  CHECK(page.find("TOPUP_ORDERS_PAY_WITHIN_MS") != std::string::npos);
}

TEST_CASE("config: the defaults of the description are those that count") {
  std::string text;
  for (const ConfigSection& section : config_sections()) {
    if (section.is_optional) continue;
    text += "[" + section.name + "]\n";
    for (const ConfigKey& key : section.keys) {
      if (!key.default_value.empty()) text += key.key + " = " + key.default_value + "\n";
    }
  }
  ConfigFile file;
  CHECK(file.load(text).empty());
  const Config as_built;
  CHECK(file.config.server.port == as_built.server.port);
  CHECK(file.config.server.shop_name == as_built.server.shop_name);
  CHECK(file.config.orders.not_found_gap_ms == as_built.orders.not_found_gap_ms);
  CHECK(file.config.pricing.rate_bp == as_built.pricing.rate_bp);
  CHECK(file.config.backup.keep == as_built.backup.keep);
}

TEST_CASE("config: who may read the metrics and where spans go") {
  ConfigFile file;
  const std::string token = file.write("token", "a-long-token\n");
  const std::string headers = file.write("headers", "Api-Key: secret\nX-Scope: shop 1\n");
  REQUIRE(file.load("[metrics]\nallow = [\"10.0.0.0/8\", \"fd00::/8\"]\ntoken_file = \"" + token +
                    "\"\n[tracing]\notlp_origin = \"http://127.0.0.1:4318\"\nsample_bp = 500\n"
                    "headers_file = \"" +
                    headers + "\"\n")
              .empty());
  CHECK(file.config.metrics.allow.size() == 2);
  CHECK(file.config.metrics.token == "a-long-token");
  CHECK(file.config.tracing.otlp_origin == "http://127.0.0.1:4318");
  CHECK(file.config.tracing.sample_bp == 500);
  REQUIRE(file.config.tracing.headers.size() == 2);
  CHECK(file.config.tracing.headers[1].second == "shop 1");
}

TEST_CASE("F032: a client certificate and its key are configured together, for each party") {
  ConfigFile file;
  const std::string certificate = file.write("client.pem", "-----BEGIN CERTIFICATE-----\n");
  for (const std::string party :
       {"wechat_pay", "alipay", "reloadly", "dtone", "dingconnect", "juhe"}) {
    CAPTURE(party);
    const std::string alone =
        "[" + party + "]\nclient_certificate_file = \"" + certificate + "\"\n";
    const std::string wanted = "[" + party + "] client_key_file goes together";
    CHECK(names(file.load(alone), wanted));
    CHECK(names(file.load("[" + party + "]\nclient_key_file = \"key.pem\"\n"), wanted));
    CHECK_FALSE(names(file.load(alone + "client_key_file = \"key.pem\"\n"), wanted));
  }
}

TEST_CASE("config: mistakes about metrics, spans and authorities are all told at once") {
  ConfigFile file;
  const std::string headers = file.write("headers", "no colon here\n");
  const std::string empty = file.write("ca.pem", "not a certificate\n");
  const auto mistakes = file.load(
      "[metrics]\nallow = [\"10.0.0.1/8\", \"x\"]\n[tracing]\notlp_origin = \"127.0.0.1:4318\"\n"
      "sample_bp = 20000\nheaders_file = \"" +
      headers + "\"\nca_file = \"" + empty + "\"\n");
  CHECK(names(mistakes, "10.0.0.1/8 is no address"));
  CHECK(names(mistakes, "x is no address"));
  CHECK(names(mistakes, "otlp_origin must look like"));
  CHECK(names(mistakes, "sample_bp must lie between"));
  CHECK(names(mistakes, "headers_file must hold lines"));
  CHECK(names(mistakes, "ca_file names a file without certificates"));
  CHECK(names(file.load("[metrics]\nallow = \"10.0.0.0/8\"\n"), "must be a list of texts"));
  const Override both("TOPUP_METRICS_ALLOW", "10.0.0.0/8,192.168.0.1");
  ConfigFile other;
  CHECK(other.load("").empty());
  CHECK(other.config.metrics.allow.size() == 2);
}

TEST_CASE("config: WeChat apps and messages are read, and their mistakes are told at once") {
  ConfigFile file;
  const std::string secret = file.write("secret", "s3cret\n");
  const auto none = file.load("[wechat_mini]\nappid = 'wx1'\nsecret_file = '" + secret +
                              "'\n[wechat_oa]\nappid = 'wx2'\nsecret_file = '" + secret +
                              "'\n[sms]\norigin = 'https://sms.example'\nkey_file = '" + secret +
                              "'\ntemplate = 'T1'\ncountries = 'CN HK'\n");
  CHECK(none.empty());
  REQUIRE(file.config.wechat_oa.has_value());
  CHECK(file.config.wechat_oa->authorize_origin == "https://open.weixin.qq.com");
  CHECK(file.config.wechat_mini->secret == "s3cret");
  CHECK(file.config.sms->countries == std::vector<std::string>{"CN", "HK"});

  const auto wrong = file.load(
      "[wechat_mini]\norigin = 'api.weixin.qq.com'\n[wechat_oa]\nscope = 'all'\n[sms]\nkind = "
      "'pigeon'\ncountries = 'XQ'\npath = 'send'\n");
  for (const char* part :
       {"[wechat_mini] origin", "[wechat_mini] appid", "[wechat_mini] secret_file",
        "[wechat_oa] scope", "[wechat_oa] appid", "[sms] kind", "[sms] origin", "[sms] key_file",
        "[sms] template", "[sms] countries", "[sms] path"}) {
    CAPTURE(part);
    CHECK(names(wrong, part));
  }
}

}  // namespace
}  // namespace topup
