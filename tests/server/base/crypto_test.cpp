#include "server/base/crypto.h"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "server/base/clock.h"
#include "server/base/random.h"
#include "shared/check.h"

using namespace topup;
using namespace topup::base;

namespace {

const RsaKey& test_key() {
  static const RsaKey key = RsaKey::generate();
  return key;
}

// A throw-away key of 1024 bits, only to be refused.
constexpr std::string_view kShortPublicPem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDTL6NqAKoARlRDAoidXeW2wisS\n"
    "Wv+eqPKdzlD/0ZKB4r/d5O4h9M/UVFb84uYQX21WBRthE39KLPXIyAFi9/W1n3b1\n"
    "z/iBuhV/jcYrzMN7edLb6q/EBLkatHtUTisxBlePU0M4Deu7j84onprCxtQtoLY0\n"
    "nIdUwfNUko9V2fhI9wIDAQAB\n"
    "-----END PUBLIC KEY-----\n";

constexpr std::string_view kEcPublicPem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEHVg4S2JqIwydb88ivSlDg6wWqKiU\n"
    "k4XibkaaJx6B+fqM9BbyGMopDB2d6uVrkMt40ezfadJMFu5LoyiffDbrtg==\n"
    "-----END PUBLIC KEY-----\n";

// From `openssl req -x509`, subject CN=topup test, with the public key below.
constexpr std::string_view kCertificatePem =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIDCzCCAfOgAwIBAgIUBGxtf1C+u9IgTCoxOu2PW+cBFsAwDQYJKoZIhvcNAQEL\n"
    "BQAwFTETMBEGA1UEAwwKdG9wdXAgdGVzdDAeFw0yNjExMjEyMjIwMjhaFw0zNjEx\n"
    "MTgyMjIwMjhaMBUxEzARBgNVBAMMCnRvcHVwIHRlc3QwggEiMA0GCSqGSIb3DQEB\n"
    "AQUAA4IBDwAwggEKAoIBAQDdVxaqay102WBCUa2DB4Nz/VN1IaOdf+MFXMd7YmZt\n"
    "uVECoDEWT5b/eMwLyPsQ3IefvmV5Y065MWk+6VZ4CrDhzXU+yJOLIql4p7gFAFKJ\n"
    "/V//nJaUUGXhThQdtGcUpIf6zcfVDtnrdlap8fkz3zrMyLtX8/sX6OjBTKCMUAaO\n"
    "I9CahtKTRkzclPefawTcTu1dgJlHAw/AQE93KmxGNz5wTwKipVpF0TUYKSL7QbI2\n"
    "uulp3XH4LZ/+uezbee71L8mV5qcCIMHF66+lwQjRPjGfoyEWjn+dbTZHWpmoeJSH\n"
    "jAnZ36CuSgjtglvO3e3lI2FcROfK+fYgkP8dUfSkglm7AgMBAAGjUzBRMB0GA1Ud\n"
    "DgQWBBTBHH9ieLwOW8fK1qghYhG77CTo0DAfBgNVHSMEGDAWgBTBHH9ieLwOW8fK\n"
    "1qghYhG77CTo0DAPBgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3DQEBCwUAA4IBAQCI\n"
    "LX/X2k2FdTw6vSTvSgXgZAJFVc2Oe2DFIEa91LPN6A7IoPdqg+eHtwbN+6QK8d/F\n"
    "QTkWlnP7Mjbp7Dh9BtGwhbSXndalzPdU+LFXoV0Xk4zpRwiadFpqt6zwnRU4QWO6\n"
    "FhYy+e9fXH8L0SSUUIF+GtCvTWOqdSN7qQ24s8UOKCA+TMQ4UZBzqL/Qty6t0q10\n"
    "k4BzMJfHAu3V5pT1lqJtZfhOHLgi1/ePCOo/VSmEjwjy/8lbXNixcZmTlZrlhdHF\n"
    "iI0gNJjK08jRcbqZva++IwqgUJE8zWbjuk6X0NzWacY4Dm+Vhjsn3t2SHu/xP7X9\n"
    "BQ9/CTRvnCJIHnVnjW0A\n"
    "-----END CERTIFICATE-----\n";
constexpr std::string_view kCertificateKeyPem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA3VcWqmstdNlgQlGtgweD\n"
    "c/1TdSGjnX/jBVzHe2JmbblRAqAxFk+W/3jMC8j7ENyHn75leWNOuTFpPulWeAqw\n"
    "4c11PsiTiyKpeKe4BQBSif1f/5yWlFBl4U4UHbRnFKSH+s3H1Q7Z63ZWqfH5M986\n"
    "zMi7V/P7F+jowUygjFAGjiPQmobSk0ZM3JT3n2sE3E7tXYCZRwMPwEBPdypsRjc+\n"
    "cE8CoqVaRdE1GCki+0GyNrrpad1x+C2f/rns23nu9S/JleanAiDBxeuvpcEI0T4x\n"
    "n6MhFo5/nW02R1qZqHiUh4wJ2d+grkoI7YJbzt3t5SNhXETnyvn2IJD/HVH0pIJZ\n"
    "uwIDAQAB\n"
    "-----END PUBLIC KEY-----\n";

}  // namespace

TEST_CASE("sha256 and hmac_sha256 give the published answers") {
  CHECK(hex(sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  // RFC 4231, test cases 2 and 6 (a key longer than the block).
  CHECK(hex(hmac_sha256("Jefe", "what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hex(hmac_sha256(std::string(131, '\xaa'),
                        "Test Using Larger Than Block-Size Key - Hash Key First")) ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  CHECK(hex(hmac_sha256("", "")) ==
        "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST_CASE("base64 is the RFC 4648 text and its reading is strict") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
      {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}};
  for (const auto& [plain, text] : rows) {
    CAPTURE(plain);
    CHECK(base64(plain) == text);
    REQUIRE(from_base64(text));
    CHECK(*from_base64(text) == plain);
  }
  for (const char* bad : {"Zg", "Zg=", "Zg===", "Z===", "====", "Zh==", "Zm9=", "Zm9v\n", " Zm9v",
                          "Zm9v====", "Zm-v", "Z=9v", "Zm9\xff"}) {
    CAPTURE(bad);
    REQUIRE_FALSE(from_base64(bad));
    CHECK(from_base64(bad).error().reason == "base64_malformed");
  }
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  CHECK(*from_base64(base64(all)) == all);
}

TEST_CASE("AES-256-GCM gives the published answer and refuses any changed byte") {
  // The GCM specification, test case 14.
  CHECK(
      hex(seal_aes_gcm(std::string(32, '\0'), std::string(12, '\0'), "", std::string(16, '\0'))) ==
      "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
  const std::string key = sha256("key");
  const std::string nonce = "0123456789ab";
  const std::string sealed = seal_aes_gcm(key, nonce, "associated", "the plain text");
  REQUIRE(open_aes_gcm(key, nonce, "associated", sealed));
  CHECK(*open_aes_gcm(key, nonce, "associated", sealed) == "the plain text");
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    CAPTURE(at);
    std::string changed = sealed;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    REQUIRE_FALSE(open_aes_gcm(key, nonce, "associated", changed));
    CHECK(open_aes_gcm(key, nonce, "associated", changed).error().reason == "ciphertext_invalid");
  }
  CHECK_FALSE(open_aes_gcm(key, nonce, "Associated", sealed));
  CHECK_FALSE(open_aes_gcm(key, "0123456789aB", "associated", sealed));
  CHECK_FALSE(open_aes_gcm(sha256("other"), nonce, "associated", sealed));
  CHECK_FALSE(open_aes_gcm(key, nonce, "associated", sealed.substr(0, 15)));
  CHECK_FALSE(open_aes_gcm(key, nonce, "associated", ""));
  CHECK_FALSE(open_aes_gcm("short", nonce, "associated", sealed));
  CHECK_FALSE(open_aes_gcm(key, "short", "associated", sealed));
  CHECK_THROWS_AS(seal_aes_gcm("short", nonce, "", "x"), InvariantBroken);
  CHECK(*open_aes_gcm(key, nonce, "a", seal_aes_gcm(key, nonce, "a", "")) == "");
}

TEST_CASE("an RSA signature verifies with its own message and key only") {
  const std::string signature = sign_sha256_rsa(test_key(), "message");
  CHECK(signature == sign_sha256_rsa(test_key(), "message"));
  CHECK(verify_sha256_rsa(test_key(), "message", signature));
  CHECK_FALSE(verify_sha256_rsa(test_key(), "Message", signature));
  CHECK_FALSE(verify_sha256_rsa(RsaKey::generate(), "message", signature));
  const auto public_half = RsaKey::from_public_pem(test_key().public_pem());
  REQUIRE(public_half);
  CHECK(verify_sha256_rsa(*public_half, "message", signature));
  const auto again = RsaKey::from_private_pem(test_key().private_pem());
  REQUIRE(again);
  CHECK(sign_sha256_rsa(*again, "message") == signature);
  CHECK_THROWS_AS(sign_sha256_rsa(*public_half, "message"), InvariantBroken);
}

TEST_CASE("a malformed signature is false and nothing worse") {
  const std::string good = sign_sha256_rsa(test_key(), "message");
  const std::vector<std::string> rows = {
      "",
      "=",
      "WECHATPAY/SIGNTEST/" + good,
      "WECHATPAY/SIGNTEST/bm9uY2U=",
      good.substr(0, good.size() - 4),
      good + good,
      good + "\n",
      std::string(5000, 'A'),
      std::string("\0\0\0\0", 4),
      base64(std::string(256, '\xff')),
      base64(std::string(256, '\0')),
  };
  for (const std::string& row : rows) {
    CAPTURE(row);
    CHECK_FALSE(verify_sha256_rsa(test_key(), "message", row));
  }
}

TEST_CASE("a key of the wrong kind or size is refused") {
  const auto refused_private = [](std::string_view pem) {
    const auto key = RsaKey::from_private_pem(pem);
    return !key && key.error().reason == "key_malformed";
  };
  const auto refused_public = [](std::string_view pem) {
    const auto key = RsaKey::from_public_pem(pem);
    return !key && key.error().reason == "key_malformed";
  };
  const std::string private_pem = test_key().private_pem();
  CHECK(refused_private(test_key().public_pem()));
  CHECK(refused_public(private_pem));
  CHECK(refused_private(""));
  CHECK(refused_public(""));
  CHECK(refused_private("not a key"));
  CHECK(refused_private(private_pem.substr(0, private_pem.size() / 2)));
  CHECK(refused_private(std::string(100'000, 'x')));
  CHECK(refused_public(kShortPublicPem));
  CHECK(refused_public(kEcPublicPem));
  CHECK(refused_private(
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"));
  CHECK_THROWS_AS(RsaKey::generate(1024), InvariantBroken);
}

TEST_CASE("the public key of a certificate is read") {
  const auto from_certificate = RsaKey::from_public_pem(kCertificatePem);
  REQUIRE(from_certificate);
  CHECK(from_certificate->public_pem() == kCertificateKeyPem);
  CHECK_FALSE(RsaKey::from_public_pem(std::string(kCertificatePem).replace(28, 4, "AAAA")));
}

TEST_CASE("a password verifies against its own hash only") {
  const std::string stored = hash_password("correct horse", "0123456789abcdef");
  CHECK(stored.starts_with("scrypt$15$8$1$MDEyMzQ1Njc4OWFiY2RlZg==$"));
  CHECK(verify_password("correct horse", stored));
  CHECK_FALSE(verify_password("correct horsf", stored));
  CHECK_FALSE(verify_password("", stored));
  CHECK_FALSE(verify_password(std::string(2000, 'a'), stored));
  CHECK(hash_password("correct horse", "0123456789abcdeF") != stored);
  for (const char* bad :
       {"", "scrypt$15$8$1$", "scrypt$14$8$1$MDEyMzQ1Njc4OWFiY2RlZg==$AAAA",
        "scrypt$15$8$1$MDEy$AAAA", "plain", "scrypt$15$8$1$MDEyMzQ1Njc4OWFiY2RlZg=="}) {
    CAPTURE(bad);
    CHECK_FALSE(verify_password("correct horse", bad));
  }
  CHECK_THROWS_AS(hash_password("x", "short"), InvariantBroken);
}

TEST_CASE("scrypt gives the answer of another implementation") {
  // python3: hashlib.scrypt(b'password', salt=b'0123456789abcdef', n=2**15, r=8, p=1, maxmem=2**26,
  // dklen=32)
  CHECK(hash_password("password", "0123456789abcdef") ==
        "scrypt$15$8$1$MDEyMzQ1Njc4OWFiY2RlZg==$hSSwjGIPQg9bhYcWKqx9ueA62Rppwjf7lqfdOl9VEg0=");
}

TEST_CASE("constant_time_equal compares whole texts") {
  CHECK(constant_time_equal("", ""));
  CHECK(constant_time_equal("abc", "abc"));
  CHECK_FALSE(constant_time_equal("abc", "abd"));
  CHECK_FALSE(constant_time_equal("abc", "ab"));
}

TEST_CASE("keys are shared between threads") {
  std::atomic<int> verified{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&verified, key = test_key(), t] {
      for (int i = 0; i < 20; ++i) {
        const std::string message = std::to_string(t * 100 + i);
        verified += verify_sha256_rsa(key, message, sign_sha256_rsa(key, message)) ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(verified == 80);
}
