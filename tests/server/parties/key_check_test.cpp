// What the wizard says of keys before anybody is asked: each fault with its field and what is
// right.
#include "server/parties/key_check.h"

#include <doctest/doctest.h>

#include <string>

#include "server/base/certificate.h"
#include "server/base/crypto.h"

namespace topup::parties {
namespace {

constexpr std::int64_t kNow = 1'790'000'000'000;
constexpr std::int64_t kDay = 86'400'000;

// Making keys is slow: two pairs for all cases.
const base::RsaKey& own_key() {
  static const base::RsaKey kKey = base::RsaKey::generate();
  return kKey;
}
const base::RsaKey& other_key() {
  static const base::RsaKey kKey = base::RsaKey::generate();
  return kKey;
}
std::string certificate_of(const base::RsaKey& key, std::int64_t begin_ms, std::int64_t end_ms,
                           const std::string& name = "1900000109") {
  return base::make_certificate({name, "WeChat merchants", 4'711, begin_ms, end_ms, false}, key,
                                key, "");
}
std::string good_certificate() { return certificate_of(own_key(), kNow - kDay, kNow + 100 * kDay); }

Values wechat() {
  return {{"mchid", "1900000109"},
          {"appid", "wx0123456789abcdef"},
          {"private_key", own_key().private_pem()},
          {"certificate", good_certificate()},
          {"apiv3_key", std::string(32, 'k')},
          {"public_key_id", "PUB_KEY_ID_0119000001092024010100000001"},
          {"public_key", other_key().public_pem()}};
}
Values alipay() {
  return {{"app_id", "2021004100000001"},
          {"seller_id", "2088720000000001"},
          {"private_key", own_key().private_pem()},
          {"public_key", other_key().public_pem()}};
}

std::vector<Fault> faults_of(std::string_view party, Values values, bool near = false) {
  return check_keys(*find_party(party), values, {kNow, near}, nullptr);
}
// "field reason" of the only fault; "" when there is none.
std::string only(const std::vector<Fault>& faults) {
  std::string all;
  for (const Fault& one : faults)
    all += (all.empty() ? "" : ", ") + one.field + " " + std::string(one.reason);
  return all;
}
std::string wechat_with(std::string_view field, std::string value) {
  Values values = wechat();
  values[std::string(field)] = std::move(value);
  return only(faults_of("wechat_pay", values));
}

TEST_CASE("keys that belong together pass, and the serial number is read from the certificate") {
  Values values = wechat();
  KeyFacts facts;
  CHECK(only(check_keys(*find_party("wechat_pay"), values, {kNow, false}, &facts)) == "");
  CHECK(values["serial_no"] == facts.serial);
  CHECK(facts.end_ms == kNow + 100 * kDay);
  CHECK(values["origin"] == "https://api.mch.weixin.qq.com");
  CHECK(only(faults_of("alipay", alipay())) == "");
}

TEST_CASE("a private key of another pair is told from the certificate's") {
  CHECK(wechat_with("private_key", other_key().private_pem()) ==
        "private_key key_not_of_certificate, public_key public_key_is_own");
}

TEST_CASE("an expired certificate and one that is not valid yet are told with the day") {
  Values values = wechat();
  values["certificate"] = certificate_of(own_key(), kNow - 10 * kDay, kNow - kDay);
  const auto faults = faults_of("wechat_pay", values);
  REQUIRE(only(faults) == "certificate certificate_expired");
  CHECK(faults.front().detail.size() == 10);
  CHECK(wechat_with("certificate", certificate_of(own_key(), kNow + kDay, kNow + 2 * kDay)) ==
        "certificate certificate_not_yet");
}

TEST_CASE("whole files that were mixed up are named for what they are") {
  const auto detail = [](std::string_view field, const std::string& text) {
    Values values = wechat();
    values[std::string(field)] = text;
    for (const Fault& one : faults_of("wechat_pay", values))
      if (one.field == field) return std::string(one.reason) + " " + one.detail;
    return std::string();
  };
  CHECK(detail("private_key", good_certificate()) == "pem_other_kind certificate");
  CHECK(detail("certificate", own_key().private_pem()) == "pem_other_kind private_key");
  CHECK(detail("public_key", other_key().private_pem()) == "pem_other_kind private_key");
  CHECK(detail("private_key", "certainly no key") == "pem_wanted -----BEGIN PRIVATE KEY-----");
  CHECK(detail("private_key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n") == "key_encrypted ");
  CHECK(detail("private_key", "-----BEGIN EC PRIVATE KEY-----\nAAAA\n") == "key_not_rsa ");
  std::string cut = own_key().private_pem();
  cut.resize(cut.size() / 2);
  CHECK(detail("private_key", cut) == "key_malformed ");
  CHECK(detail("certificate", good_certificate().substr(0, 200)) == "certificate_malformed ");
}

TEST_CASE("a certificate of another merchant and a serial number of another certificate are told") {
  CHECK(wechat_with("certificate",
                    certificate_of(own_key(), kNow - kDay, kNow + kDay, "1900000999")) ==
        "certificate certificate_of_another");
  CHECK(wechat_with("serial_no", "5157F09EFDC096DE15EBE81A47057A7200000000") ==
        "serial_no serial_not_of_certificate");
}

TEST_CASE("the platform's key is wanted, and one's own is told") {
  CHECK(wechat_with("public_key", own_key().public_pem()) == "public_key public_key_is_own");
  Values values = alipay();
  values["public_key"] = own_key().public_pem();
  CHECK(only(faults_of("alipay", values)) == "public_key public_key_is_own");
}

TEST_CASE("numbers and names have their form, and every fault is told at once") {
  CHECK(wechat_with("mchid", "19abc") == "mchid form_wrong");
  CHECK(wechat_with("appid", "wx123") == "appid form_wrong");
  CHECK(wechat_with("apiv3_key", "short") == "apiv3_key form_wrong");
  CHECK(wechat_with("public_key_id", "my key") == "public_key_id form_wrong");
  CHECK(only(faults_of("wechat_pay", {})) ==
        "mchid missing_field, appid missing_field, private_key missing_field, certificate "
        "missing_field, apiv3_key missing_field, public_key_id missing_field, public_key "
        "missing_field");
  CHECK(wechat_with("shoe_size", "43") == "shoe_size unknown_field");
}

TEST_CASE("Alipay takes the bare line of its own tool, and either a key or three certificates") {
  Values values = alipay();
  std::string bare;
  bool inside = false;
  for (const char c : own_key().private_pem()) {
    if (c == '-') inside = false;
    if (inside && c != '\n') bare += c;
    if (c == '\n') inside = true;
  }
  values["private_key"] = bare.substr(0, bare.find('-'));
  CHECK(only(faults_of("alipay", values)) == "");
  values["app_cert"] = good_certificate();
  CHECK(only(faults_of("alipay", values)) ==
        "public_key one_of_two, alipay_cert missing_field, root_cert missing_field");
  values.erase("public_key");
  values["alipay_cert"] = certificate_of(other_key(), kNow - kDay, kNow + kDay);
  values["root_cert"] = values["alipay_cert"];
  CHECK(only(faults_of("alipay", values)) == "");
  values["private_key"] = other_key().private_pem();
  CHECK(only(faults_of("alipay", values)) == "private_key key_not_of_certificate");
}

TEST_CASE("A-15: an address inside the house is refused, but for a party of a rehearsal") {
  const auto with = [](const char* origin, bool near) {
    Values values = {{"api_key", "key"}, {"callback_token", "token"}, {"origin", origin}};
    return only(faults_of("dingconnect", values, near));
  };
  CHECK(with("https://api.dingconnect.com", false) == "");
  CHECK(with("http://127.0.0.1:9000", false) == "origin origin_not_public");
  CHECK(with("https://10.0.0.8", false) == "origin origin_not_public");
  CHECK(with("https://metadata.internal", true) == "origin origin_not_public");
  CHECK(with("http://169.254.169.254", true) == "origin origin_not_public");
  CHECK(with("http://127.0.0.1.evil.example", true) == "origin origin_not_public");
  CHECK(with("http://127.0.0.1:9000", true) == "");
  CHECK(with("nothing", true) == "origin origin_malformed");
}

}  // namespace
}  // namespace topup::parties
