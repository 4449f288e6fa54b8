#include "server/rehearsal/wechat_keychain.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>

#include "server/base/certificate.h"
#include "server/rehearsal/wire_text.h"
#include "shared/check.h"

namespace topup::rehearsal {
namespace {

using base::Json;

constexpr std::int64_t kYearS = 365 * 86'400;
constexpr std::size_t kSerialDigits = 40;
constexpr std::size_t kListed = 8;
constexpr std::int64_t kBackMs = 86'400'000;  // so that a clock a little behind finds it valid
constexpr std::string_view kModes[] = {"certificates", "migrating", "public_key"};

constexpr std::string_view kTables[] = {
    R"sql(CREATE TABLE IF NOT EXISTS wechat_key_facts (
            name TEXT PRIMARY KEY, value TEXT NOT NULL))sql",
    R"sql(CREATE TABLE IF NOT EXISTS wechat_certificates (
            place INTEGER PRIMARY KEY, serial TEXT NOT NULL UNIQUE, pem TEXT NOT NULL,
            key_pem TEXT NOT NULL, from_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL))sql",
    R"sql(CREATE TABLE IF NOT EXISTS wechat_merchant_keys (
            serial TEXT PRIMARY KEY, pem TEXT NOT NULL))sql",
};

std::string padded(const std::string& serial) {
  return std::string(kSerialDigits - std::min(kSerialDigits, serial.size()), '0') + serial;
}

std::string aes_nonce(base::Random& random) { return base::hex(random.bytes(6)); }

std::string make_authority(const base::RsaKey& key, std::int64_t now_ms) {
  base::NewCertificate wanted;
  wanted.organisation = "Rehearsal";
  wanted.common_name = "Rehearsed Root CA";
  wanted.begin_ms = now_ms - kBackMs;
  wanted.end_ms = now_ms + 20 * kYearS * 1'000;
  wanted.is_authority = true;
  return base::make_certificate(wanted, key, key, "");
}

}  // namespace

std::string_view to_word(KeyMode mode) { return kModes[static_cast<std::size_t>(mode)]; }

std::optional<KeyMode> parse_key_mode(std::string_view word) {
  for (const KeyMode mode : {KeyMode::certificates, KeyMode::migrating, KeyMode::public_key}) {
    if (to_word(mode) == word) return mode;
  }
  return {};
}

WechatKeychain::WechatKeychain(storage::Db& db, const base::Clock& clock, base::Random& random,
                               Opening opening)
    : db_(db), clock_(clock), random_(random), opening_(std::move(opening)) {
  db_.write([](storage::Tx& tx) {
    for (const auto sql : kTables) tx.exec(sql, {});
    return true;
  });
  load();
  if (!authority_pem_.empty()) return;
  authority_pem_ = make_authority(opening_.authority, clock_.wall_ms());
  keep_fact("authority", authority_pem_);
}

void WechatKeychain::load() {
  std::map<std::string, std::string> facts;
  db_.read([&](storage::Reader& reader) {
    reader.query("SELECT name, value FROM wechat_key_facts", {},
                 [&](const storage::Row& row) { facts[row.text(0)] = row.text(1); });
    reader.query(
        "SELECT serial, pem, key_pem, from_ms, until_ms FROM wechat_certificates ORDER BY place",
        {}, [&](const storage::Row& row) {
          const auto key = base::RsaKey::from_private_pem(row.text(2));
          check(key.has_value(), "a kept key is one");
          certificates_.push_back({row.text(0), row.text(1), *key, row.integer(3), row.integer(4)});
        });
    reader.query("SELECT serial, pem FROM wechat_merchant_keys", {}, [&](const storage::Row& row) {
      const auto key = base::RsaKey::from_public_pem(row.text(1));
      if (key) merchant_keys_.emplace_back(row.text(0), *key);
    });
  });
  authority_pem_ = facts["authority"];
  mode_ = parse_key_mode(facts["mode"]).value_or(KeyMode::public_key);
  if (facts.contains("public_key_percent"))
    public_key_percent_ = std::atoll(facts["public_key_percent"].c_str());
  if (facts.contains("new_percent")) new_percent_ = std::atoll(facts["new_percent"].c_str());
}

void WechatKeychain::keep_fact(const std::string& name, const std::string& value) {
  db_.write([&](storage::Tx& tx) {
    tx.exec(R"sql(
      INSERT INTO wechat_key_facts (name, value) VALUES ($1, $2)
      ON CONFLICT (name) DO UPDATE SET value = $2)sql",
            {name, value});
    return true;
  });
}

const WechatKeychain::Certificate& WechatKeychain::make(std::int64_t lives_s) {
  const std::int64_t now = clock_.wall_ms();
  const auto key = base::RsaKey::generate();
  base::NewCertificate wanted;
  wanted.organisation = "Rehearsal";
  wanted.common_name = "Rehearsed WeChat Pay";
  std::int64_t serial = 0;
  for (const char byte : random_.bytes(7)) serial = serial << 8 | static_cast<unsigned char>(byte);
  wanted.serial = serial + 1;
  wanted.begin_ms = (now - std::min(kBackMs, lives_s * 1'000)) / 1'000 * 1'000;
  wanted.end_ms = now / 1'000 * 1'000 + lives_s * 1'000;
  const std::string pem = base::make_certificate(wanted, key, opening_.authority, authority_pem_);
  const auto read = base::certificates_in(pem);
  check(read.has_value(), "what was just made can be read");
  certificates_.push_back(
      {padded(read->front().serial_hex), pem, key, wanted.begin_ms, wanted.end_ms});
  const Certificate& made = certificates_.back();
  db_.write([&](storage::Tx& tx) {
    tx.exec(R"sql(
      INSERT INTO wechat_certificates (serial, pem, key_pem, from_ms, until_ms)
        VALUES ($1, $2, $3, $4, $5))sql",
            {made.serial, made.pem, key.private_pem(), made.from_ms, made.until_ms});
    return true;
  });
  return made;
}

bool WechatKeychain::falls_to(std::int64_t percent) {
  const auto drawn = static_cast<unsigned char>(random_.bytes(1)[0]);
  return drawn * 100 < percent * 256;
}

WechatKeychain::Signer WechatKeychain::by_certificate() {
  if (certificates_.empty()) make(5 * kYearS);
  const Certificate& newest = certificates_.back();
  if (certificates_.size() == 1 || falls_to(new_percent_)) return {newest.serial, newest.key};
  const Certificate& before = certificates_[certificates_.size() - 2];
  return {before.serial, before.key};
}

WechatKeychain::Signer WechatKeychain::for_answer(std::string_view asked_serial) {
  const std::lock_guard lock(mutex_);
  const bool is_public = mode_ == KeyMode::public_key ||
                         (mode_ == KeyMode::migrating && asked_serial == opening_.public_key_id);
  if (is_public) return {opening_.public_key_id, opening_.public_key};
  return by_certificate();
}

WechatKeychain::Signer WechatKeychain::for_notice() {
  const std::lock_guard lock(mutex_);
  const bool is_public = mode_ == KeyMode::public_key ||
                         (mode_ == KeyMode::migrating && falls_to(public_key_percent_));
  if (is_public) return {opening_.public_key_id, opening_.public_key};
  return by_certificate();
}

bool WechatKeychain::knows(std::string_view serial) const {
  const std::lock_guard lock(mutex_);
  return serial == opening_.public_key_id ||
         std::any_of(certificates_.begin(), certificates_.end(),
                     [serial](const Certificate& each) { return each.serial == serial; });
}

std::optional<Json> WechatKeychain::certificate_list() {
  const std::lock_guard lock(mutex_);
  ++downloads_;
  if (mode_ == KeyMode::public_key) return {};
  if (certificates_.empty()) make(5 * kYearS);
  Json data = Json::array();
  const std::int64_t now = clock_.wall_ms();
  for (auto each = certificates_.rbegin(); each != certificates_.rend() && data.size() < kListed;
       ++each) {
    if (each->until_ms <= now) continue;
    const std::string nonce = aes_nonce(random_);
    const std::string sealed =
        base::seal_aes_gcm(opening_.apiv3_key, nonce, "certificate", each->pem);
    data.push_back({{"serial_no", each->serial},
                    {"effective_time", rfc3339_china(each->from_ms)},
                    {"expire_time", rfc3339_china(each->until_ms)},
                    {"encrypt_certificate",
                     {{"algorithm", "AEAD_AES_256_GCM"},
                      {"nonce", nonce},
                      {"associated_data", "certificate"},
                      {"ciphertext", base::base64(sealed)}}}});
  }
  return Json{{"data", std::move(data)}};
}

std::optional<base::RsaKey> WechatKeychain::merchant_key(std::string_view serial) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, key] : merchant_keys_) {
    if (name == serial) return key;
  }
  return {};
}

void WechatKeychain::add_merchant_key(const std::string& serial, const std::string& pem) {
  const auto key = base::RsaKey::from_public_pem(pem);
  check(key.has_value(), "the caller has read it before");
  db_.write([&](storage::Tx& tx) {
    tx.exec(R"sql(
      INSERT INTO wechat_merchant_keys (serial, pem) VALUES ($1, $2)
      ON CONFLICT (serial) DO UPDATE SET pem = $2)sql",
            {serial, pem});
    return true;
  });
  const std::lock_guard lock(mutex_);
  std::erase_if(merchant_keys_, [&](const auto& each) { return each.first == serial; });
  merchant_keys_.emplace_back(serial, *key);
}

void WechatKeychain::set_mode(KeyMode mode, std::int64_t public_key_percent) {
  const std::lock_guard lock(mutex_);
  mode_ = mode;
  public_key_percent_ = public_key_percent;
  keep_fact("mode", std::string(to_word(mode)));
  keep_fact("public_key_percent", std::to_string(public_key_percent));
}

void WechatKeychain::set_new_percent(std::int64_t percent) {
  const std::lock_guard lock(mutex_);
  new_percent_ = percent;
  keep_fact("new_percent", std::to_string(percent));
}

std::string WechatKeychain::rotate(std::int64_t lives_s) {
  const std::lock_guard lock(mutex_);
  return make(lives_s).serial;
}

Json WechatKeychain::told() const {
  const std::lock_guard lock(mutex_);
  Json list = Json::array();
  for (const Certificate& each : certificates_) {
    list.push_back(
        {{"serial", each.serial}, {"from_ms", each.from_ms}, {"until_ms", each.until_ms}});
  }
  return {{"mode", to_word(mode_)},
          {"public_key_percent", public_key_percent_},
          {"new_percent", new_percent_},
          {"downloads", downloads_},
          {"certificates", std::move(list)}};
}

}  // namespace topup::rehearsal
