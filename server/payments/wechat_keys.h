// The keys that WeChat Pay's signatures are checked with: public keys from the configuration, which
// never end, and platform certificates, each within its own time, which are downloaded and kept as
// files so that a restart needs no download. Chosen by the Wechatpay-Serial of an answer or a
// notification. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/base/certificate.h"
#include "server/base/clock.h"
#include "server/base/crypto.h"

namespace topup::payments {

inline constexpr std::size_t kMaxPlatformCertificates =
    32;  // held at once; later ones are left out
// Between two downloads, whoever asks for them: an unknown serial can be anybody's invention.
inline constexpr std::int64_t kCertificateGapMs = 60'000;
// After an answer that this merchant has no certificates.
inline constexpr std::int64_t kNoCertificatesGapMs = 3'600'000;

struct PlatformCertificate {
  std::string serial;  // 40 upper-case hex digits, leading zeros kept
  std::int64_t from_ms = 0, until_ms = 0;
  base::RsaKey key;
  std::string pem;
};
// Errors: certificate_malformed, key_malformed.
Result<PlatformCertificate> read_platform_certificate(std::string_view pem);

struct WechatKeyFact {
  std::string serial;
  std::string kind;           // platform_certificate, platform_public_key, merchant_certificate
  std::int64_t until_ms = 0;  // 0: it does not end
};

enum class Fetched : std::uint8_t { some, none, failed };

class WechatKeyring {
 public:
  // `folder`: where certificates are kept, made when needed; "" for nowhere. `authority_pem`: every
  // certificate must be issued by one of these; "": the API v3 key alone vouches for a download.
  WechatKeyring(const base::Clock& clock, std::string folder, std::string authority_pem);

  // Replaces those of the configuration: serial or id and the key.
  void set_fixed(std::vector<std::pair<std::string, base::RsaKey>> keys);
  // The key of that serial if it may be used now.
  std::optional<base::RsaKey> find(std::string_view serial) const;
  // The id of the public key to be answered with; "" when there is none.
  std::string public_key_id() const;
  bool has_certificates() const;  // one that is valid now
  std::vector<WechatKeyFact> facts() const;

  // Takes over what a download has brought: those in their time and of our authority. How many are
  // new.
  std::size_t take(const std::vector<PlatformCertificate>& found);
  bool is_acceptable(const PlatformCertificate& certificate) const;

  // Runs `download` unless one ran shortly before; of many callers one does and the others wait for
  // it, or not (`may_wait`) and are told false. True when a download has ended since the call
  // began.
  bool fetch(const std::function<Fetched()>& download, bool may_wait);

 private:
  void load();
  void keep(const PlatformCertificate& certificate) const;
  void forget_expired();

  const base::Clock& clock_;
  const std::string folder_, authority_pem_;
  mutable std::mutex mutex_;
  std::vector<std::pair<std::string, base::RsaKey>> fixed_;
  std::map<std::string, PlatformCertificate, std::less<>> certificates_;
  std::mutex fetching_;
  std::mutex gap_mutex_;
  std::int64_t next_fetch_mono_ms_ = 0;
  std::uint64_t fetches_ = 0;
};

}  // namespace topup::payments
