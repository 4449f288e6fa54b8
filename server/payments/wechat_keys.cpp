#include "server/payments/wechat_keys.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "server/base/log.h"

namespace topup::payments {
namespace {

constexpr std::string_view kPublicKeyPrefix = "PUB_KEY_ID_";
constexpr std::size_t kMaxCertificateFile = 16 * 1024;

constexpr std::size_t kSerialDigits = 40;

bool is_in_time(const PlatformCertificate& certificate, std::int64_t now_ms) {
  return certificate.from_ms <= now_ms && now_ms < certificate.until_ms;
}

// Whole or not at all, and for the shop's user only.
bool write_whole(const std::string& path, const std::string& text) {
  const std::string partial = path + ".new";
  const int fd = ::open(partial.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  const bool is_written =
      ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fsync(fd) == 0;
  ::close(fd);
  return is_written && std::rename(partial.c_str(), path.c_str()) == 0;
}

}  // namespace

Result<PlatformCertificate> read_platform_certificate(std::string_view pem) {
  const auto found = base::certificates_in(pem);
  if (!found) return tl::unexpected<Error>(found.error());
  const base::CertificateFacts& facts = found->front();
  auto key = base::RsaKey::from_public_pem(facts.public_key_pem);
  if (!key) return tl::unexpected<Error>(key.error());
  const std::size_t missing = kSerialDigits - std::min(kSerialDigits, facts.serial_hex.size());
  return PlatformCertificate{std::string(missing, '0') + facts.serial_hex, facts.begin_ms,
                             facts.end_ms, std::move(*key), facts.pem};
}

WechatKeyring::WechatKeyring(const base::Clock& clock, std::string folder,
                             std::string authority_pem)
    : clock_(clock), folder_(std::move(folder)), authority_pem_(std::move(authority_pem)) {
  load();
}

void WechatKeyring::load() {
  if (folder_.empty()) return;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, failure)) {
    if (entry.path().extension() != ".pem" || certificates_.size() >= kMaxPlatformCertificates)
      continue;
    std::string pem(kMaxCertificateFile, '\0');
    std::ifstream file(entry.path(), std::ios::binary);
    file.read(pem.data(), static_cast<std::streamsize>(pem.size()));
    pem.resize(static_cast<std::size_t>(file.gcount()));
    auto read = read_platform_certificate(pem);
    if (!read || !is_acceptable(*read)) continue;
    std::string serial = read->serial;
    certificates_.emplace(std::move(serial), std::move(*read));
  }
}

void WechatKeyring::set_fixed(std::vector<std::pair<std::string, base::RsaKey>> keys) {
  const std::lock_guard lock(mutex_);
  fixed_ = std::move(keys);
}

std::optional<base::RsaKey> WechatKeyring::find(std::string_view serial) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, key] : fixed_) {
    if (name == serial) return key;
  }
  const auto found = certificates_.find(serial);
  if (found == certificates_.end() || !is_in_time(found->second, clock_.wall_ms())) return {};
  return found->second.key;
}

std::string WechatKeyring::public_key_id() const {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, key] : fixed_) {
    if (name.starts_with(kPublicKeyPrefix)) return name;
  }
  return {};
}

bool WechatKeyring::has_certificates() const {
  const std::lock_guard lock(mutex_);
  const std::int64_t now = clock_.wall_ms();
  return std::any_of(certificates_.begin(), certificates_.end(),
                     [now](const auto& each) { return is_in_time(each.second, now); });
}

std::vector<WechatKeyFact> WechatKeyring::facts() const {
  const std::lock_guard lock(mutex_);
  std::vector<WechatKeyFact> out;
  for (const auto& [name, key] : fixed_) {
    const bool is_public = name.starts_with(kPublicKeyPrefix);
    out.push_back({name, is_public ? "platform_public_key" : "platform_certificate", 0});
  }
  for (const auto& [serial, certificate] : certificates_)
    out.push_back({serial, "platform_certificate", certificate.until_ms});
  return out;
}

bool WechatKeyring::is_acceptable(const PlatformCertificate& certificate) const {
  const std::int64_t now = clock_.wall_ms();
  // One that begins soon is taken as well: find() does not give it out before its time.
  if (certificate.until_ms <= now) return false;
  if (authority_pem_.empty()) return true;
  const auto authorities = base::certificates_in(authority_pem_);
  return authorities && std::any_of(authorities->begin(), authorities->end(), [&](const auto& by) {
           return by.begin_ms <= now && now < by.end_ms &&
                  base::is_issued_by(certificate.pem, by.pem);
         });
}

std::size_t WechatKeyring::take(const std::vector<PlatformCertificate>& found) {
  const std::lock_guard lock(mutex_);
  forget_expired();
  std::size_t added = 0;
  for (const PlatformCertificate& each : found) {
    if (certificates_.size() >= kMaxPlatformCertificates || certificates_.contains(each.serial) ||
        !is_acceptable(each)) {
      continue;
    }
    certificates_.emplace(each.serial, each);
    keep(each);
    ++added;
    base::log(base::Level::info, "wechat_certificate_taken", {{"serial", each.serial}});
  }
  return added;
}

void WechatKeyring::keep(const PlatformCertificate& certificate) const {
  if (folder_.empty()) return;
  ::mkdir(folder_.c_str(), 0700);
  // The serial is hex digits, as read from the certificate itself.
  if (!write_whole(folder_ + "/" + certificate.serial + ".pem", certificate.pem)) {
    base::log(base::Level::warn, "wechat_certificate_not_kept", {{"serial", certificate.serial}});
  }
}

void WechatKeyring::forget_expired() {
  const std::int64_t now = clock_.wall_ms();
  for (auto each = certificates_.begin(); each != certificates_.end();) {
    if (now < each->second.until_ms) {
      ++each;
      continue;
    }
    if (!folder_.empty()) std::remove((folder_ + "/" + each->first + ".pem").c_str());
    each = certificates_.erase(each);
  }
}

bool WechatKeyring::fetch(const std::function<Fetched()>& download, bool may_wait) {
  std::unique_lock<std::mutex> alone(fetching_, std::defer_lock);
  std::uint64_t seen = 0;
  {
    const std::lock_guard lock(gap_mutex_);
    seen = fetches_;
  }
  if (may_wait) {
    alone.lock();
  } else if (!alone.try_lock()) {
    return false;
  }
  {
    const std::lock_guard lock(gap_mutex_);
    if (fetches_ != seen) return true;  // somebody else's, while this one waited
    if (clock_.mono_ms() < next_fetch_mono_ms_) return false;
  }
  const Fetched ended = download();
  const std::lock_guard lock(gap_mutex_);
  ++fetches_;
  next_fetch_mono_ms_ =
      clock_.mono_ms() + (ended == Fetched::none ? kNoCertificatesGapMs : kCertificateGapMs);
  return true;
}

}  // namespace topup::payments
