#include "server/privacy/pii.h"

#include <utility>

#include "server/base/crypto.h"
#include "server/privacy/key_ring.h"
#include "shared/check.h"

namespace topup::privacy {
namespace {

constexpr std::string_view kVersion = "v1.";
constexpr char kSeparator = '\x1f';
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kKeyIdBytes = 4;
constexpr std::size_t kKeyIdDigits = 2 * kKeyIdBytes;

tl::unexpected<Error> invalid() { return refuse(Code::invalid_argument, "ciphertext_invalid"); }

// With a separator inside a name two different places could have the same text.
void append_part(std::string& place, std::string_view part) {
  check(part.find(kSeparator) == std::string_view::npos, "a name of a sealed place holds 0x1f");
  if (!place.empty()) place += kSeparator;
  place += part;
}

std::string place_of(std::string_view table, std::string_view column, std::string_view row_id,
                     std::string_view key_id) {
  check(!table.empty() && !column.empty() && !row_id.empty(), "a sealed place needs all its names");
  std::string place;
  for (const std::string_view part : {table, column, row_id, key_id}) append_part(place, part);
  return place;
}

std::shared_ptr<KeyRing> ring_of(std::string_view master_key) {
  check(master_key.size() == kMasterKeyBytes, "the master key has 32 bytes");
  return std::make_shared<KeyRing>(
      base::hex(base::hmac_sha256(master_key, "topup key id v1").substr(0, kKeyIdBytes)),
      base::Secret(base::hmac_sha256(master_key, "topup field seal v1")),
      base::Secret(base::hmac_sha256(master_key, "topup blind index v1")));
}

}  // namespace

Pii::Pii(std::string_view master_key, base::Random& random) : Pii(ring_of(master_key), random) {}
Pii::Pii(std::shared_ptr<KeyRing> ring, base::Random& random)
    : ring_(std::move(ring)), random_(&random) {}

std::string Pii::seal(std::string_view table, std::string_view column, std::string_view row_id,
                      std::string_view plain) const {
  const auto active = ring_->take();
  const std::string nonce = random_->bytes(kNonceBytes);
  const std::string cipher = base::seal_aes_gcm(active->key->view(), nonce,
                                                place_of(table, column, row_id, active->id), plain);
  return std::string(kVersion) + active->id + "." + base::base64(nonce + cipher);
}

std::string_view Pii::key_id_of(std::string_view sealed) {
  if (!sealed.starts_with(kVersion)) return {};
  const std::string_view rest = sealed.substr(kVersion.size());
  if (rest.size() < kKeyIdDigits + 1 || rest[kKeyIdDigits] != '.') return {};
  return rest.substr(0, kKeyIdDigits);
}

Result<std::string> Pii::open(std::string_view table, std::string_view column,
                              std::string_view row_id, std::string_view sealed) const {
  const std::string id(key_id_of(sealed));
  if (id.empty()) return invalid();
  const KeyRing::Key key = ring_->find_again(id);
  if (key == nullptr) {
    return refuse(Code::unavailable, "key_unknown", {},
                  "The value was sealed with a key that is not known here.");
  }
  const auto bytes = base::from_base64(sealed.substr(kVersion.size() + kKeyIdDigits + 1));
  if (!bytes || bytes->size() < kNonceBytes) return invalid();
  const std::string_view all = *bytes;
  return base::open_aes_gcm(key->view(), all.substr(0, kNonceBytes),
                            place_of(table, column, row_id, id), all.substr(kNonceBytes));
}

std::string blind_index_under(std::string_view index_key, std::string_view purpose,
                              std::string_view value) {
  return base::hex(base::hmac_sha256(base::hmac_sha256(index_key, purpose), value));
}

std::string Pii::blind_index(std::string_view purpose, std::string_view value) const {
  return blind_index_under(ring_->named(privacy::purpose::kIndex)->view(), purpose, value);
}

std::string Pii::key_id() const { return ring_->active_id(); }

}  // namespace topup::privacy
